/*
 * Lanes: opened and closed by the master, and folded into the slots' retired
 * totals when they close; see layout.h for what makes that safe at any point.
 */
#include <assert.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <unistd.h>

#include "state/layout.h"

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void store(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static bool block_empty(const struct lane_block *b)
{
    for (unsigned c = 0; c < COUNTER_COUNT; c++)
        if (load(&b->counter[c]))
            return false;
    for (unsigned l = 0; l < LATENCY_COUNT; l++)
        for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
            if (load(&b->latency[l].bucket[i]))
                return false;
    return true;
}

static void block_sum(struct lane_block *to, const struct lane_block *a, const struct lane_block *b)
{
    for (unsigned c = 0; c < COUNTER_COUNT; c++)
        store(&to->counter[c], load(&a->counter[c]) + load(&b->counter[c]));
    for (unsigned l = 0; l < LATENCY_COUNT; l++)
        for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
            store(&to->latency[l].bucket[i], load(&a->latency[l].bucket[i]) + load(&b->latency[l].bucket[i]));
}

/* Done again after having been done, or broken off and done again, it changes nothing. */
static void fold(struct slot *s, const struct lane_block *b, uint64_t life)
{
    uint64_t folded = load(&s->folded);
    if (folded >> 1 == life || block_empty(b))
        return;
    uint64_t half = folded & 1;
    /* A reader that still adds up the other half, from two folds ago, sees that `folded` has changed since.
     */
    atomic_thread_fence(memory_order_release);
    block_sum(&s->retired[!half], &s->retired[half], b);
    atomic_store_explicit(&s->folded, life << 1 | !half, memory_order_release);
}

/* Gives back what a process that has ended held in a slot. */
static void give_back(struct slot *s, int lane)
{
    for (unsigned g = 0; g < GAUGE_COUNT; g++)
        atomic_store(&s->gauge[g][lane], 0);
    atomic_store(&s->waiting_since[lane], 0);
    cell_release(&s->address, lane);
    /* Broken off in state_set_health(): perhaps before it could tell of the change. */
    struct slot *parent = state_parent(s);
    if (cell_release(&s->health_reason, lane) && parent)
        state_changed(parent);
}

/* All zero again; the memory goes back to the kernel. */
static void wipe(int lane)
{
    char *blocks = (char *)state_lane_blocks(lane);
    if (fallocate(state_map.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  (off_t)(blocks - (char *)state_map.head), (off_t)STATE_LANE_SIZE) == 0)
        return;
    memset(blocks, 0, state_slot_count() * sizeof(struct lane_block));
}

static void close_lane(int lane)
{
    struct state_head *h = state_map.head;
    uint64_t life = load(&h->lane_life[lane]);
    if (life) {
        state_reach((uint32_t)lane + 1);
        atomic_store(&h->closing, (uint32_t)lane + 1);
        uint32_t count = state_slot_count();
        struct lane_block *blocks = state_lane_blocks(lane);
        for (uint32_t i = 0; i < count; i++) {
            fold(&state_map.slots[i], &blocks[i], life);
            give_back(&state_map.slots[i], lane);
        }
        wipe(lane);
        atomic_store(&h->lane_life[lane], 0);
    }
    atomic_store(&h->closing, 0);
}

void state_lane_recover(void)
{
    uint32_t closing = atomic_load(&state_map.head->closing);
    if (closing)
        close_lane((int)closing - 1);
}

void state_lane_begin(int lane)
{
    struct state_head *h = state_map.head;
    uint64_t life = load(&h->lives) + 1;
    state_reach((uint32_t)lane + 1);
    atomic_store(&h->lives, life);
    if (atomic_load(&h->lanes_high) <= (uint32_t)lane)
        atomic_store(&h->lanes_high, (uint32_t)lane + 1);
    atomic_store(&h->lane_life[lane], life);
}

int state_lane_open(struct error *err)
{
    state_lane_recover();
    for (int lane = 1; lane < STATE_LANES_MAX; lane++) {
        if (load(&state_map.head->lane_life[lane]))
            continue;
        state_lane_begin(lane);
        return lane;
    }
    return error_set(err, "%d processes at once is the limit: too many generations are still draining",
                     STATE_LANES_MAX);
}

void state_lane_close(int lane)
{
    assert(lane > 0 && lane < STATE_LANES_MAX);
    state_lane_recover();
    close_lane(lane);
}

void state_lane_use(int lane)
{
    assert(lane >= 0 && lane < STATE_LANES_MAX && load(&state_map.head->lane_life[lane]));
    state_map.lane = lane;
}

struct lane_block *state_block(const struct slot *s)
{
    return &state_lane_blocks(state_map.lane)[state_slot_number(s)];
}

static void add_block(struct slot_totals *totals, const struct lane_block *b)
{
    for (unsigned c = 0; c < COUNTER_COUNT; c++)
        totals->counter[c] += load(&b->counter[c]);
    for (unsigned l = 0; l < LATENCY_COUNT; l++)
        histogram_add(&totals->latency[l], &b->latency[l]);
}

/* Again when a lane was folded into the slot meanwhile. */
void state_totals(const struct slot *s, struct slot_totals *totals)
{
    const struct state_head *h = state_map.head;
    uint64_t folded;
    do {
        memset(totals, 0, sizeof *totals);
        folded = atomic_load_explicit(&s->folded, memory_order_acquire);
        add_block(totals, &s->retired[folded & 1]);
        uint32_t lanes = atomic_load(&h->lanes_high);
        state_reach(lanes);
        for (uint32_t lane = 0; lane < lanes; lane++) {
            uint64_t life = atomic_load_explicit(&h->lane_life[lane], memory_order_acquire);
            if (life && life != folded >> 1)
                add_block(totals, &state_lane_blocks((int)lane)[state_slot_number(s)]);
        }
        atomic_thread_fence(memory_order_acquire);
    } while (load(&s->folded) != folded);
}
