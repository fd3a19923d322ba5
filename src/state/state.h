/*
 * state.h: what outlives a generation and is seen by every process: one
 * shared arena (memfd, mapped shared, large and sparse) made by the first
 * master and inherited by everything after it.
 *
 * Slots. Each frontend, backend and server has one, found by kind and name,
 * so the same names find the same slots after a reload: counters, health,
 * rotation and what is in flight go on. Only the master adds slots
 * (state_slot), before it forks the processes that use them. A slot is never
 * given back.
 *
 * Lanes. Each process has a lane of its own (state_lane_open in the master,
 * before the fork; state_lane_use in the child), with a block of counters and
 * histograms for each slot. A block has one writer, so nothing contends and a
 * counter costs a plain add. A reader adds up all lanes and the slot's
 * retired totals. When a process has ended, the master folds its lane into
 * the retired totals (state_lane_close). It writes the new totals beside the
 * old and one word makes them count and the lane's block not: a reader that
 * runs meanwhile sees each count once (that word tells it to read again), and
 * a master that is killed in the middle leaves nothing half done. The next
 * one goes on where it stopped.
 *
 * In flight. A slot counts what is open now (connections, requests) in one
 * word a lane, side by side. Each word has one writer and their sum is the
 * number: there is no separate total that a crash could leave wrong. When a
 * process dies, its words are set to zero and the sum is right again.
 * state_claim() holds a limit over all processes all the same: it adds its
 * own first, then looks at the sum.
 *
 * Nothing here takes a lock that another process could wait for without a
 * bound, and no peer's bytes come into it.
 *
 * Memory is taken page by page as it is first touched and is given back when
 * a lane is closed, but the address space is taken at once (`ulimit -v`).
 */
#ifndef NOXY_STATE_STATE_H
#define NOXY_STATE_STATE_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/slice.h"
#include "state/cell.h"
#include "state/counter.h"
#include "state/histogram.h"

enum {
    STATE_LAYOUT = 3, /* changes with any change of the structures below */
    STATE_SLOTS_MAX = 4096,
    STATE_LANES_MAX = 512, /* processes at once, draining generations included */
    SLOT_NAME_MAX = 192,
};

enum slot_kind {
    SLOT_PROCESS,
    SLOT_FRONTEND,
    SLOT_BACKEND,
    SLOT_SERVER
}; /* SLOT_PROCESS: noxy as a whole, one */

/* What is counted as open now. */
enum gauge { GAUGE_SESSIONS, GAUGE_REQUESTS, GAUGE_QUEUED, GAUGE_COUNT };

/* What is measured, for servers and backends. */
enum latency { LATENCY_QUEUE, LATENCY_CONNECT, LATENCY_FIRST_BYTE, LATENCY_TOTAL, LATENCY_COUNT };

enum health {
    HEALTH_UNKNOWN, /* no verdict yet: eligible */
    HEALTH_UP,
    HEALTH_DOWN,
};

/* One process's counts for one slot: one writer. Also the form of a slot's retired totals. */
struct lane_block {
    _Atomic uint64_t counter[COUNTER_COUNT];
    struct histogram latency[LATENCY_COUNT];
} __attribute__((aligned(64)));

#define SLOT_NO_PARENT UINT32_MAX

/* Shared by all processes. What is written often stands apart from what is only read. */
struct slot {
    enum slot_kind kind;
    uint32_t parent; /* of a server: its backend's slot (state_parent); else SLOT_NO_PARENT */
    char name[SLOT_NAME_MAX];

    /* Of a server. Written by the manager, and by a worker that takes it out. */
    _Atomic uint32_t health;          /* enum health */
    _Atomic uint32_t failures;        /* failures of traffic in a row */
    _Atomic uint64_t health_since_ms; /* wall clock; 0: never changed */
    struct shared_cell health_reason; /* in words: "connect refused, 3 of 3 checks" */
    struct shared_cell address;       /* of a server given by name: what it resolves to now */

    /* Of a backend. */
    _Atomic uint32_t changes __attribute__((aligned(64))); /* counts up when a server's eligibility or weight
                                                              changed: schedules are made anew */
    _Atomic uint64_t rotation;                             /* the round robin's position */

    _Atomic uint32_t gauge[GAUGE_COUNT][STATE_LANES_MAX] __attribute__((aligned(64)));
    /* Of a backend: since when the first in each process's queue waits; 0: nobody does. */
    _Atomic uint64_t waiting_since[STATE_LANES_MAX];

    /* The folded lanes: one of the two halves counts. By the master alone. */
    _Atomic uint64_t folded; /* the life of the lane folded last << 1 | the half that counts (layout.h) */
    struct lane_block retired[2];
};

/* ---- the master ---- */

/* Makes the arena of a new noxy. -1 with `err`. Once a process tree. */
int state_open(struct error *err);
/* Unmaps it (tests, and valgrind's sake). */
void state_close(void);
/*
 * The arena's descriptor, to be handed to a binary that takes over. It is closed by exec(2): who hands it on
 * duplicates it or clears that flag. -1: not open.
 */
int state_fd(void);
/*
 * In place of state_open(): takes over the arena of another master, which from then on adds no slots and
 * opens and closes no lanes. Its lanes stay open, lane 0 goes on as this process's own, and a close that it
 * was killed in the middle of is brought to its end. `fd` belongs to the state room on success; -1 with `err`
 * for anything but an arena of this very layout, and nothing was touched.
 */
int state_adopt(int fd, struct error *err);

/*
 * The slot of that name, made if there is none. `parent` is the backend's slot for a server, else NULL. NULL
 * with `err` when the arena is full, or the name is too long or holds a NUL.
 */
struct slot *state_slot(enum slot_kind kind, const struct slot *parent, struct slice name, struct error *err);
/* As state_slot, but never makes one; for every process. */
struct slot *state_slot_find(enum slot_kind kind, const struct slot *parent, struct slice name);

/* A lane for a process about to be forked: its number, or -1 with `err` when all are taken. */
int state_lane_open(struct error *err);
/*
 * After the process has ended (waited for, not only signalled): its counts go to the slots' retired totals,
 * what it held is given back. A lane that is not open is left alone.
 */
void state_lane_close(int lane);

/* ---- every process ---- */

/* The lane that this process writes from now on; 0, the master's own, until then. */
void state_lane_use(int lane);

/* This process's block for a slot. The pointer stays valid; keep it. */
struct lane_block *state_block(const struct slot *s);

static inline void state_count(struct lane_block *b, enum counter c, uint64_t n)
{
    uint64_t v = atomic_load_explicit(&b->counter[c], memory_order_relaxed);
    atomic_store_explicit(&b->counter[c], v + n, memory_order_relaxed);
}

/* One more, or one fewer, open in this process. Fewer than none is our own mistake (assert). */
void state_gauge_add(struct slot *s, enum gauge g);
void state_gauge_sub(struct slot *s, enum gauge g);
/* The sum over all processes. */
uint32_t state_gauge(const struct slot *s, enum gauge g);
/*
 * As state_gauge_add(), unless more than `limit` would then be open over all processes: false, nothing added.
 * Never exceeded, however many claim at once; and when places are free, as many of those who claim at once
 * get one.
 */
bool state_claim(struct slot *s, enum gauge g, uint32_t limit);

/* Tells the others since when the first in this process's queue waits (microseconds of the monotonic clock);
 * 0: nobody does. */
void state_set_waiting(struct slot *backend, uint64_t since_us);
/* The earliest that the other processes told; 0: nobody waits there. */
uint64_t state_waiting_elsewhere(const struct slot *backend);

/*
 * Health, with a reason in words (cut at 135 bytes). True: the state changed; then its time is taken, a
 * change to down is counted (COUNTER_DOWNS) and the backend's `changes` counted up. Any process, at any time.
 */
bool state_set_health(struct slot *server, enum health h, const char *reason);
/* The text, cut to `size` with its NUL; "" when none was set. Never waits. */
void state_read_text(const struct shared_cell *text, char *out, size_t size);
/* What a server's name resolves to now; len 0: to nothing. Counts up the backend's `changes` if that is new.
 */
void state_set_address(struct slot *server, const struct sockaddr *addr, socklen_t len);
/* The length of the address, 0: not resolved. Never waits. */
socklen_t state_read_address(const struct slot *server, struct sockaddr_storage *addr);
/* Tells every process that the backend's servers changed. */
void state_changed(struct slot *backend);

/* ---- readers ---- */

/* Of a server: its backend's slot; else NULL. */
struct slot *state_parent(const struct slot *s);

struct slot_totals {
    uint64_t counter[COUNTER_COUNT];
    struct histogram_sum latency[LATENCY_COUNT];
};

/* All that was ever counted for a slot; no number of it is ever lower at the next call. */
void state_totals(const struct slot *s, struct slot_totals *totals);
/* All slots in the order in which they were made: NULL starts, NULL ends. */
struct slot *state_next(const struct slot *s);

#endif
