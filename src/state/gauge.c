/*
 * What is open now: one word a lane, each with one writer.
 */
#include <assert.h>

#include "state/layout.h"

enum { CLAIM_TRIES = 100 };

static _Atomic uint32_t *own_word(struct slot *s, enum gauge g)
{
    return &s->gauge[g][state_map.lane];
}

/* Sequentially consistent throughout: state_claim() rests on it. */
static uint32_t sum(const struct slot *s, enum gauge g)
{
    uint32_t total = 0, lanes = atomic_load(&state_map.head->lanes_high);
    for (uint32_t lane = 0; lane < lanes; lane++)
        total += atomic_load(&s->gauge[g][lane]);
    return total;
}

void state_gauge_add(struct slot *s, enum gauge g)
{
    _Atomic uint32_t *own = own_word(s, g);
    atomic_store_explicit(own, atomic_load_explicit(own, memory_order_relaxed) + 1, memory_order_relaxed);
}

void state_gauge_sub(struct slot *s, enum gauge g)
{
    _Atomic uint32_t *own = own_word(s, g);
    uint32_t n = atomic_load_explicit(own, memory_order_relaxed);
    assert(n > 0);
    atomic_store_explicit(own, n - 1, memory_order_release);
}

uint32_t state_gauge(const struct slot *s, enum gauge g)
{
    return sum(s, g);
}

/* Two that step up and back in time with each other would do so for long: each waits its own while. */
static void fall_out_of_step(int tries)
{
    for (volatile int n = (state_map.lane % 61) * (tries + 1); n > 0; n--)
        ;
}

/*
 * Each adds its own, then looks at all: of any two that claim at once, one at least sees the other's, so the
 * limit holds. Who steps back looks again: if the place is still free (others had only stepped up as well),
 * it tries anew. So the last of them to step back gets it.
 */
bool state_claim(struct slot *s, enum gauge g, uint32_t limit)
{
    _Atomic uint32_t *own = own_word(s, g);
    uint32_t n = atomic_load_explicit(own, memory_order_relaxed);
    for (int i = 0; i < CLAIM_TRIES && sum(s, g) < limit; i++) {
        atomic_store(own, n + 1);
        if (sum(s, g) <= limit)
            return true;
        atomic_store(own, n);
        fall_out_of_step(i);
    }
    return false;
}

void state_set_waiting(struct slot *backend, uint64_t since_us)
{
    atomic_store_explicit(&backend->waiting_since[state_map.lane], since_us, memory_order_relaxed);
}

uint64_t state_waiting_elsewhere(const struct slot *backend)
{
    uint64_t earliest = 0;
    int lanes = (int)atomic_load(&state_map.head->lanes_high);
    for (int lane = 0; lane < lanes; lane++) {
        uint64_t since = atomic_load_explicit(&backend->waiting_since[lane], memory_order_relaxed);
        if (since && lane != state_map.lane && (!earliest || since < earliest))
            earliest = since;
    }
    return earliest;
}
