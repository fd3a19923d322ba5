/*
 * cell.h: a short value in shared memory that any process may write now and
 * then and all read: why a server is down, where its name resolves to.
 *
 * A cell has two halves. A writer takes the cell by writing its lane into
 * `state`, fills the half that nobody reads, and makes it the current one with
 * the same word that gives the cell back. So a reader never waits and finds a
 * whole value, and a writer that is killed in the middle leaves the value
 * before.
 *
 * What a killed writer held is given back when the master closes its lane,
 * which is as soon as it learns of the death. A writer that has waited for
 * CELL_WAIT_US takes the cell over all the same, so that nobody waits forever.
 * Should the one before turn out to have been only stopped, it notices at its
 * end that it lost the cell and writes again; until then the half that both
 * wrote to is no value, which its checksum tells.
 */
#ifndef NOXY_STATE_CELL_H
#define NOXY_STATE_CELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CELL_BYTES = 136, /* a value's size; shorter ones have zeros behind */
    CELL_WORDS = CELL_BYTES / 8,
    CELL_WAIT_US = 100000,
};

struct cell_half {
    _Atomic uint64_t checksum;
    _Atomic uint64_t word[CELL_WORDS];
};

struct shared_cell {
    /* version << 16 | lane of the writer + 1, or 0: none. Odd versions stand in half[1]. */
    _Atomic uint64_t state;
    struct cell_half half[2];
};

/* A value on its way in or out. */
union cell_value {
    char bytes[CELL_BYTES];
    uint64_t word[CELL_WORDS];
};

/* The value now. All zero before the first was written, and while an overtaken writer is at odds with
 * another. */
void cell_read(const struct shared_cell *c, union cell_value *value);

/* Takes the cell for a writer of `lane`. The word to give to cell_publish(). */
uint64_t cell_lock(struct shared_cell *c, int lane);
/* Makes `value` the current one and gives the cell back. False: another writer took it over; begin again. */
bool cell_publish(struct shared_cell *c, uint64_t locked, const union cell_value *value);
/* Locks and publishes. */
void cell_write(struct shared_cell *c, int lane, const union cell_value *value);
/* Gives back a cell that a process which has ended still held. True: it did. */
bool cell_release(struct shared_cell *c, int lane);

#endif
