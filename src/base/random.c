#include "base/random.h"

#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"

static uint64_t state = 0x9e3779b97f4a7c15u;

void random_seed(void)
{
    if (getrandom(&state, sizeof state, 0) != sizeof state)
        state = clock_monotonic_us() ^ ((uint64_t)getpid() << 32);
}

/* splitmix64 (Steele, Lea, Flood, 2014). */
uint64_t random_u64(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t random_below(uint32_t bound)
{
    return (uint32_t)(((random_u64() >> 32) * bound) >> 32);
}
