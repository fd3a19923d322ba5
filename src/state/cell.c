#include "state/cell.h"

#include <sched.h>
#include <string.h>
#include <xxhash.h>

#include "base/clock.h"

enum { OWNER_BITS = 16, OWNER_MASK = (1 << OWNER_BITS) - 1, READ_TRIES = 100 };

static uint64_t checksum_of(const union cell_value *value)
{
    return XXH3_64bits(value->word, sizeof value->word);
}

static bool read_half(const struct cell_half *h, union cell_value *value)
{
    uint64_t checksum = atomic_load_explicit(&h->checksum, memory_order_relaxed);
    for (unsigned i = 0; i < CELL_WORDS; i++)
        value->word[i] = atomic_load_explicit(&h->word[i], memory_order_relaxed);
    return checksum == checksum_of(value);
}

/* The checksum alone tells whether a half is one value: one that was written over meanwhile is no worse for
 * that. */
void cell_read(const struct shared_cell *c, union cell_value *value)
{
    for (unsigned i = 0; i < READ_TRIES; i++) {
        uint64_t version = atomic_load_explicit(&c->state, memory_order_acquire) >> OWNER_BITS;
        if (version == 0)
            break;
        if (read_half(&c->half[version & 1], value))
            return;
    }
    memset(value, 0, sizeof *value);
}

uint64_t cell_lock(struct shared_cell *c, int lane)
{
    uint64_t since = 0;
    for (;;) {
        uint64_t seen = atomic_load_explicit(&c->state, memory_order_relaxed);
        bool take = !(seen & OWNER_MASK);
        if (!take && !since)
            since = clock_monotonic_us();
        else if (!take)
            take = clock_monotonic_us() - since >= CELL_WAIT_US;
        uint64_t locked = (seen & ~(uint64_t)OWNER_MASK) | (uint64_t)(lane + 1);
        if (take && atomic_compare_exchange_strong_explicit(&c->state, &seen, locked, memory_order_acquire,
                                                            memory_order_relaxed))
            return locked;
        sched_yield();
    }
}

bool cell_publish(struct shared_cell *c, uint64_t locked, const union cell_value *value)
{
    uint64_t version = (locked >> OWNER_BITS) + 1;
    struct cell_half *h = &c->half[version & 1];
    /* A reader that still reads this half from two versions ago sees that version is gone when it sees a new
     * word. */
    atomic_thread_fence(memory_order_release);
    for (unsigned i = 0; i < CELL_WORDS; i++)
        atomic_store_explicit(&h->word[i], value->word[i], memory_order_relaxed);
    atomic_store_explicit(&h->checksum, checksum_of(value), memory_order_relaxed);
    return atomic_compare_exchange_strong_explicit(&c->state, &locked, version << OWNER_BITS,
                                                   memory_order_release, memory_order_relaxed);
}

void cell_write(struct shared_cell *c, int lane, const union cell_value *value)
{
    while (!cell_publish(c, cell_lock(c, lane), value))
        continue;
}

bool cell_release(struct shared_cell *c, int lane)
{
    uint64_t seen = atomic_load_explicit(&c->state, memory_order_relaxed);
    if ((seen & OWNER_MASK) != (uint64_t)(lane + 1))
        return false;
    return atomic_compare_exchange_strong_explicit(&c->state, &seen, seen & ~(uint64_t)OWNER_MASK,
                                                   memory_order_release, memory_order_relaxed);
}
