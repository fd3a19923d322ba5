#include "event/timer.h"

#include <stddef.h>

#include "base/macros.h"

static unsigned level_of(uint64_t delta)
{
    unsigned level = 0;
    while (level < WHEEL_LEVELS - 1 && delta >> (WHEEL_BITS * (level + 1)))
        level++;
    return level;
}

static unsigned slot_of(uint64_t tick, unsigned level)
{
    return (unsigned)(tick >> (WHEEL_BITS * level)) & (WHEEL_SLOTS - 1);
}

static void insert(struct wheel *w, struct timer *t)
{
    const uint64_t horizon = ((uint64_t)1 << (WHEEL_BITS * WHEEL_LEVELS)) - 1;
    uint64_t at = MIN(MAX(t->deadline, w->now + 1), w->now + horizon);
    unsigned level = level_of(at - w->now), slot = slot_of(at, level);
    t->slotted = at;
    LIST_INSERT_HEAD(&w->slots[level][slot], t, link);
    w->occupied[level][slot / 64] |= (uint64_t)1 << (slot % 64);
    w->used++;
}

/* Leaves the slot's occupied bit to wheel_advance(): it may be set for an empty slot, never the reverse. */
static void take_out(struct wheel *w, struct timer *t)
{
    LIST_REMOVE(t, link);
    t->slotted = 0;
    w->used--;
}

void wheel_init(struct wheel *w, uint64_t now)
{
    *w = (struct wheel){.now = now};
}

void wheel_set(struct wheel *w, struct timer *t, uint64_t deadline)
{
    t->deadline = deadline;
    t->armed = true;
    if (t->slotted && t->slotted <= deadline)
        return;
    if (t->slotted)
        take_out(w, t);
    insert(w, t);
}

void wheel_stop(struct wheel *w, struct timer *t)
{
    if (t->slotted)
        take_out(w, t);
    t->armed = false;
}

/* Empties a slot: due timers fire, others go to the slot where they now belong. */
static void empty_slot(struct wheel *w, unsigned level, unsigned slot)
{
    struct timer_list due = w->slots[level][slot];
    LIST_INIT(&w->slots[level][slot]);
    w->occupied[level][slot / 64] &= ~((uint64_t)1 << (slot % 64));
    if (LIST_EMPTY(&due))
        return;
    LIST_FIRST(&due)->link.le_prev = &LIST_FIRST(&due);
    struct timer *t;
    while ((t = LIST_FIRST(&due))) { /* firing may stop others of the list */
        take_out(w, t);
        if (t->deadline > w->now) {
            insert(w, t);
            continue;
        }
        t->armed = false;
        t->fire(t);
    }
}

/* One tick, with w->now already there: higher levels hand their slot down, then the first level's fires. */
static void tick(struct wheel *w)
{
    for (unsigned level = WHEEL_LEVELS - 1; level > 0; level--)
        if ((w->now & (((uint64_t)1 << (WHEEL_BITS * level)) - 1)) == 0)
            empty_slot(w, level, slot_of(w->now, level));
    empty_slot(w, 0, slot_of(w->now, 0));
}

void wheel_advance(struct wheel *w, uint64_t now)
{
    while (w->now < now) {
        if (w->used == 0) {
            w->now = now;
            return;
        }
        uint64_t step = wheel_next(w);
        w->now += MIN(MAX(step, 1), now - w->now);
        tick(w);
    }
}

/* The first occupied slot of a level from `from` up to `to` - 1, or -1. */
static int first_occupied(const struct wheel *w, unsigned level, unsigned from, unsigned to)
{
    for (unsigned word = from / 64; word * 64 < to; word++) {
        uint64_t bits = w->occupied[level][word];
        if (word == from / 64)
            bits &= ~(uint64_t)0 << (from % 64);
        if (bits) {
            unsigned slot = word * 64 + (unsigned)__builtin_ctzll(bits);
            return slot < to ? (int)slot : -1;
        }
    }
    return -1;
}

uint64_t wheel_next(const struct wheel *w)
{
    if (w->used == 0)
        return UINT64_MAX;
    /* What lower levels hold for this turn comes before anything that higher ones hand down at its end. */
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        unsigned shift = WHEEL_BITS * level, current = slot_of(w->now, level);
        int slot = first_occupied(w, level, current + 1, WHEEL_SLOTS);
        if (slot < 0 && first_occupied(w, level, 0, current + 1) >= 0)
            slot = WHEEL_SLOTS; /* in the next turn: stop at its begin */
        if (slot >= 0)
            return ((uint64_t)((unsigned)slot - current) << shift) - (w->now & (((uint64_t)1 << shift) - 1));
    }
    return 1;
}
