/*
 * random.h: fast numbers for spreading load (never for secrets: those come
 * from getrandom(2)). Each process seeds itself anew after a fork.
 */
#ifndef NOXY_BASE_RANDOM_H
#define NOXY_BASE_RANDOM_H

#include <stdint.h>

/* Seeds from the kernel. Call once in each process. */
void random_seed(void);
uint64_t random_u64(void);
/* 0 up to bound - 1; bound > 0. */
uint32_t random_below(uint32_t bound);

#endif
