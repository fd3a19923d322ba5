#include "state/histogram.h"

#include <assert.h>

/*
 * Up to 7 us a bucket holds one value each. From there on the power of two 2^e has the buckets 4(e - 1) to
 * 4(e - 1) + 3, chosen by the two bits that follow the leading one.
 */
unsigned histogram_bucket_of(uint64_t us)
{
    if (us < 4)
        return (unsigned)us;
    unsigned e = 63 - (unsigned)__builtin_clzll(us);
    unsigned bucket = 4 * (e - 1) + (unsigned)(us >> (e - 2) & 3);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* Where the next bucket would begin, less one: finite for the last bucket too. */
static uint64_t nominal_limit(unsigned bucket)
{
    if (bucket < 4)
        return bucket;
    unsigned e = bucket / 4 + 1;
    return ((uint64_t)(4 + bucket % 4 + 1) << (e - 2)) - 1;
}

uint64_t histogram_bucket_limit(unsigned bucket)
{
    assert(bucket < HISTOGRAM_BUCKETS);
    return bucket == HISTOGRAM_BUCKETS - 1 ? UINT64_MAX : nominal_limit(bucket);
}

void histogram_record(struct histogram *h, uint64_t us)
{
    _Atomic uint64_t *b = &h->bucket[histogram_bucket_of(us)];
    atomic_store_explicit(b, atomic_load_explicit(b, memory_order_relaxed) + 1, memory_order_relaxed);
}

void histogram_add(struct histogram_sum *sum, const struct histogram *h)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        sum->bucket[i] += atomic_load_explicit(&h->bucket[i], memory_order_relaxed);
}

uint64_t histogram_count(const struct histogram_sum *sum)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        count += sum->bucket[i];
    return count;
}

uint64_t histogram_percentile(const struct histogram_sum *sum, double percent)
{
    uint64_t count = histogram_count(sum), seen = 0;
    if (!count)
        return 0;
    double share = percent / 100;
    unsigned last = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (!sum->bucket[i])
            continue;
        last = i;
        seen += sum->bucket[i];
        if ((double)seen >= share * (double)count)
            break;
    }
    return nominal_limit(last);
}
