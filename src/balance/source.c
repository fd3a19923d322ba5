/*
 * By the client's address, consistently: weighted rendezvous hashing (Thaler and Ravishankar, 1998). Key and
 * server name together give a random number u between 0 and 1, the server with the least -log(u)/weight wins.
 * A server's number depends on nobody else, so one that leaves moves its own clients only, and gets them back
 * when it returns; a changed weight moves just the difference.
 *
 * Integers throughout: every process, binary and machine chooses the same.
 */
#include <string.h>
#include <xxhash.h>

#include "balance/algorithms.h"
#include "base/memory.h"

enum { LOG_BITS = 8, LOG_STEPS = 1 << LOG_BITS };

struct source {
    uint64_t log[LOG_STEPS + 1]; /* log2(1 + i/LOG_STEPS), in units of 2^-32 */
    uint64_t name_hash[];        /* of each server */
};

/* log2(1 + step/LOG_STEPS) in units of 2^-32, a bit at a time: squaring doubles the logarithm. */
static uint64_t exact_log2(uint64_t step)
{
    if (step == LOG_STEPS)
        return (uint64_t)1 << 32;
    uint64_t x = ((uint64_t)1 << 62) + (step << (62 - LOG_BITS)); /* 1 <= x < 2, in units of 2^-62 */
    uint64_t log = 0;
    for (int bit = 31; bit >= 0; bit--) {
        x = (uint64_t)(((unsigned __int128)x * x) >> 62);
        if (x >> 63) {
            log |= (uint64_t)1 << bit;
            x >>= 1;
        }
    }
    return log;
}

/* -log2(hash / 2^64) in units of 2^-32, interpolated: off by less than 3e-6, and never out of order. */
static uint64_t minus_log2(const struct source *s, uint64_t hash)
{
    hash |= 1; /* 0 has no logarithm */
    unsigned leading = (unsigned)__builtin_clzll(hash);
    uint64_t fraction = hash << leading << 1; /* of 1.fraction, in units of 2^-64 */
    uint64_t step = fraction >> (64 - LOG_BITS), rest = fraction << LOG_BITS >> 32;
    uint64_t log = s->log[step] + (((s->log[step + 1] - s->log[step]) * rest) >> 32);
    return ((uint64_t)(leading + 1) << 32) - log;
}

static void source_init(struct balancer *b)
{
    struct source *s = memory_zalloc(sizeof *s + b->count * sizeof s->name_hash[0]);
    for (uint64_t step = 0; step <= LOG_STEPS; step++)
        s->log[step] = exact_log2(step);
    for (uint32_t i = 0; i < b->count; i++)
        s->name_hash[i] = XXH3_64bits(b->servers[i].name, strlen(b->servers[i].name));
    b->data = s;
}

/* Nothing is made from weights or eligibility beforehand: that is what makes the choice consistent. */
static void source_changed(struct balancer *b)
{
    (void)b;
}

static int source_pick(struct balancer *b, const struct balance_key *key, struct balance_tried tried)
{
    const struct source *s = b->data;
    uint64_t best_score = 0, best_weight = 0;
    int best = -1;
    for (uint32_t i = 0; i < b->count; i++) {
        uint64_t weight = b->servers[i].weight;
        if (!b->servers[i].eligible || weight == 0 || balance_was_tried(tried, i))
            continue;
        uint64_t score = minus_log2(s, XXH3_64bits_withSeed(&key->hash, sizeof key->hash, s->name_hash[i]));
        if (best >= 0 && score * best_weight >= best_score * weight)
            continue;
        best = (int)i;
        best_score = score;
        best_weight = weight;
    }
    return best;
}

static void source_free(struct balancer *b)
{
    free(b->data);
    b->data = NULL;
}

const struct balancer_ops balance_source = {
    .name = "source",
    .summary = "by the client's address: the same client, the same server, as long as it is up",
    .needs_key = true,
    .init = source_init,
    .pick = source_pick,
    .changed = source_changed,
    .free = source_free,
};
