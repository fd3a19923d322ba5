/*
 * state.h: what outlives a generation and is seen by every process: one
 * shared arena (memfd, mapped shared, large and sparse) made by the first
 * master and inherited by everything after it.
 *
 * Slots. Each frontend, backend and server has one, found by kind and name,
 * so the same names find the same slots after a reload: counters, health,
 * rotation and what is in flight go on. Only the master adds slots
 * (state_slot), before it forks the processes that use them.
 *
 * Lanes. Each process has a lane of its own (state_lane_open in the master,
 * before the fork; state_lane_use in the child), with a block of counters and
 * histograms for each slot. A block has one writer, so nothing contends and a
 * counter costs a plain add. A reader adds up all lanes and the slot's
 * retired total. When a process has ended, the master folds its lane into the
 * retired totals (state_lane_close); a reader that runs meanwhile sees each
 * count once (a sequence number tells it to read again).
 *
 * In flight. A slot counts what is open now (connections, requests) in one
 * word a lane, side by side. Each word has one writer and their sum is the
 * number: there is no separate total that a crash could leave wrong. When a
 * process dies, its words are set to zero and the sum is right again.
 * state_claim() holds a limit over all processes all the same: it adds its
 * own first, then looks at the sum.
 *
 * Nothing here takes a lock, and no peer's bytes come into it.
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
#include "state/counter.h"
#include "state/histogram.h"

enum {
    STATE_LAYOUT = 1,      /* changes with any change of the structures below */
    STATE_SLOTS_MAX = 4096,
    STATE_LANES_MAX = 512, /* processes at once, draining generations included */
    SLOT_NAME_MAX = 192,
};

enum slot_kind { SLOT_PROCESS, SLOT_FRONTEND, SLOT_BACKEND, SLOT_SERVER }; /* SLOT_PROCESS: noxy as a whole, one */

/* What is counted as open now. */
enum gauge { GAUGE_SESSIONS, GAUGE_REQUESTS, GAUGE_COUNT };

/* What is measured, for servers and backends. */
enum latency { LATENCY_QUEUE, LATENCY_CONNECT, LATENCY_FIRST_BYTE, LATENCY_TOTAL, LATENCY_COUNT };

enum health {
    HEALTH_UNKNOWN, /* no verdict yet: eligible */
    HEALTH_UP,
    HEALTH_DOWN,
};

/* A text or an address that one process writes now and then and all read: a sequence lock, odd while written. */
struct shared_text {
    _Atomic uint32_t sequence;
    char bytes[124];
};

struct shared_address {
    _Atomic uint32_t sequence;
    uint32_t len; /* 0: not resolved */
    struct sockaddr_storage addr;
};

/* Shared by all processes. */
struct slot {
    _Atomic uint32_t used;
    enum slot_kind kind;
    uint32_t parent; /* of a server: its backend's slot */
    char name[SLOT_NAME_MAX];

    /* Of a server. Written by the manager, and by a worker that takes it out. */
    _Atomic uint32_t health;          /* enum health */
    _Atomic uint64_t health_since_ms; /* wall clock */
    struct shared_text health_reason; /* in words: "connect refused, 3 of 3 checks" */
    _Atomic uint32_t failures;        /* failures of traffic in a row */
    struct shared_address address;    /* of a server given by name: what it resolves to now */

    /* Of a backend. */
    _Atomic uint32_t changes;  /* counts up when a server's eligibility or weight changed: schedules are made anew */
    _Atomic uint64_t rotation; /* the round robin's position */

    _Atomic uint32_t gauge[GAUGE_COUNT][STATE_LANES_MAX];
    _Atomic uint64_t retired_counter[COUNTER_COUNT];
    _Atomic uint64_t retired_latency[LATENCY_COUNT][HISTOGRAM_BUCKETS];
};

/* One process's counts for one slot: one writer. */
struct lane_block {
    _Atomic uint64_t counter[COUNTER_COUNT];
    struct histogram latency[LATENCY_COUNT];
} __attribute__((aligned(64)));

/* ---- the master ---- */

/* Makes the arena of a new noxy. -1 with `err`. Once a process tree. */
int state_open(struct error *err);
/* Unmaps it (tests, and valgrind's sake). */
void state_close(void);

/*
 * The slot of that name, made if there is none. `parent` is the backend's slot for a server, else NULL. NULL with
 * `err` when the arena is full or the name too long.
 */
struct slot *state_slot(enum slot_kind kind, const struct slot *parent, struct slice name, struct error *err);
/* As state_slot, but never makes one. */
struct slot *state_slot_find(enum slot_kind kind, const struct slot *parent, struct slice name);

/* A lane for a process about to be forked: its number, or -1 with `err` when all are taken. */
int state_lane_open(struct error *err);
/* After the process has ended: its counts go to the slots' retired totals, what it held is given back. */
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

/* One more, or one fewer, open in this process. */
void state_gauge_add(struct slot *s, enum gauge g);
void state_gauge_sub(struct slot *s, enum gauge g);
/* The sum over all processes. */
uint32_t state_gauge(const struct slot *s, enum gauge g);
/* As state_gauge_add(), unless more than `limit` would then be open over all processes: false, nothing added. */
bool state_claim(struct slot *s, enum gauge g, uint32_t limit);

/* Health, with a reason in words. True: the state changed (and the backend's `changes` counted up). */
bool state_set_health(struct slot *server, enum health h, const char *reason);
void state_read_text(const struct shared_text *t, char *out, size_t size);
void state_set_address(struct slot *server, const struct sockaddr *addr, socklen_t len);
/* The length of the address, 0: not resolved. */
socklen_t state_read_address(const struct slot *server, struct sockaddr_storage *addr);
/* Tells every process that the backend's servers changed. */
void state_changed(struct slot *backend);

/* ---- readers ---- */

struct slot_totals {
    uint64_t counter[COUNTER_COUNT];
    struct histogram_sum latency[LATENCY_COUNT];
};

void state_totals(const struct slot *s, struct slot_totals *totals);
/* All slots in the order in which they were made: NULL starts, NULL ends. */
struct slot *state_next(const struct slot *s);

#endif
