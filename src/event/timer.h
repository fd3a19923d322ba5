/*
 * timer.h: a hierarchical timing wheel (Varghese and Lauck, 1987): setting
 * and stopping a timer cost O(1), however many there are.
 *
 * Time is counted in ticks of one millisecond. Four levels of 256 slots reach
 * 2^32 ms (49 days); a later deadline is held at the horizon and set anew when
 * it comes there.
 *
 * A timer that is set to a later deadline stays in its slot; when the slot
 * comes, it moves on instead of firing. So a connection can push its timeout
 * ahead on every byte for the price of one store.
 */
#ifndef NOXY_EVENT_TIMER_H
#define NOXY_EVENT_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

enum { WHEEL_BITS = 8, WHEEL_SLOTS = 1 << WHEEL_BITS, WHEEL_LEVELS = 4 };

/* Belongs to its owner, which embeds it zeroed and sets `fire`. */
struct timer {
    LIST_ENTRY(timer) link;
    uint64_t deadline; /* tick; meaningful while armed */
    uint64_t
        slotted; /* the tick it stands in the wheel for, never later than the deadline; 0: not in the wheel */
    void (*fire)(struct timer *t);
    bool armed;
};
LIST_HEAD(timer_list, timer);

struct wheel {
    uint64_t now;                                      /* the tick up to which timers have fired */
    uint32_t used;                                     /* timers in the wheel */
    uint64_t occupied[WHEEL_LEVELS][WHEEL_SLOTS / 64]; /* a bit a slot that isn't empty */
    struct timer_list slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, uint64_t now);
void wheel_set(struct wheel *w, struct timer *t, uint64_t deadline);
void wheel_stop(struct wheel *w, struct timer *t);

/* Fires all timers with a deadline up to `now`. They may set and stop any timer. */
void wheel_advance(struct wheel *w, uint64_t now);

/*
 * Ticks from w->now until wheel_advance() has something to do: never later than the next deadline, perhaps
 * earlier. UINT64_MAX: no timer.
 */
uint64_t wheel_next(const struct wheel *w);

#endif
