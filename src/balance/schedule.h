/*
 * schedule.h: a smooth weighted order of turns, for the round robin.
 *
 * Each server gets turns in proportion to its weight, spread as evenly as
 * whole turns allow: after any number of turns no server is a whole turn
 * ahead of or behind its share. The same weights give the same order in every
 * process.
 */
#ifndef NOXY_BALANCE_SCHEDULE_H
#define NOXY_BALANCE_SCHEDULE_H

#include <stdint.h>

/*
 * Weights are divided by their greatest common divisor; what is then longer than this is scaled down to about
 * it, so that a schedule takes at most 128 KiB (two bytes a turn, plus one turn a server for rounding) and a
 * few milliseconds to make, in every process and whenever a server comes or goes. 256 servers of the largest
 * weight (256) are exact whatever their weights; beyond, a weight is rounded to a multiple of (sum of weights
 * / 65536).
 */
enum { SCHEDULE_TURNS_MAX = 65536 };

struct schedule {
    uint16_t *turns; /* indices of servers; owned */
    uint32_t length; /* 0: no server has a weight */
};

/* From `count` weights (at most 65535 of them, each at most BALANCE_WEIGHT_MAX, 0: no turn). Frees what `s`
 * held. */
void schedule_make(struct schedule *s, const uint32_t *weights, uint32_t count);
void schedule_free(struct schedule *s);

#endif
