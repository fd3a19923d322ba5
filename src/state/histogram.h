/*
 * histogram.h: how long things took, in log-linear buckets: each power of two
 * of microseconds is cut into four, so a percentile is exact to 25 %, up to
 * two hours and 23 minutes; what is longer counts as that. One writer adds;
 * readers add up the writers'.
 */
#ifndef NOXY_STATE_HISTOGRAM_H
#define NOXY_STATE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 128 };

struct histogram {
    _Atomic uint64_t bucket[HISTOGRAM_BUCKETS];
};

/* A sum of histograms, private to its reader. */
struct histogram_sum {
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

/* The bucket of a duration; the last takes all that is longer. */
unsigned histogram_bucket_of(uint64_t us);
/* The longest duration that a bucket holds, in microseconds; UINT64_MAX for the last. */
uint64_t histogram_bucket_limit(unsigned bucket);

/* By the one process that owns `h`. */
void histogram_record(struct histogram *h, uint64_t us);

void histogram_add(struct histogram_sum *sum, const struct histogram *h);
uint64_t histogram_count(const struct histogram_sum *sum);
/* The duration that `percent` (0 to 100) of all stayed within, in microseconds; 0 when empty. */
uint64_t histogram_percentile(const struct histogram_sum *sum, double percent);

#endif
