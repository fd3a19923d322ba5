/*
 * clock.h: what time it is. The data path reads the clock once a round of the
 * event loop (loop_now); everything else calls these.
 */
#ifndef NOXY_BASE_CLOCK_H
#define NOXY_BASE_CLOCK_H

#include <stdint.h>

/* Microseconds of the monotonic clock: the same for all processes of the machine. */
uint64_t clock_monotonic_us(void);
/* Milliseconds since 1970, for people and logs. */
uint64_t clock_wall_ms(void);

#endif
