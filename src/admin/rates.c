#include "admin/rates.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

enum { INTERVAL_US = 1000000, SHARE = 50 /* sampling takes at most 1/SHARE of the time */ };

struct sample {
    const struct slot *slot;
    uint64_t sessions, requests; /* totals when last sampled */
    struct rate rate;
};

struct rates {
    struct loop *loop;
    struct timer timer;
    uint64_t sampled_us;
    uint64_t interval_us; /* between the last two samples; 0: there is one only */
    uint32_t count;
    struct sample *samples; /* by the slot's address */
};

static int compare(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

static double per_second(uint64_t now, uint64_t before, uint64_t us)
{
    return us && now > before ? (double)(now - before) * 1e6 / (double)us : 0;
}

static void take_samples(struct rates *r)
{
    uint64_t now = clock_monotonic_us();
    r->interval_us = r->sampled_us ? now - r->sampled_us : 0;
    r->sampled_us = now;
    for (uint32_t i = 0; i < r->count; i++) {
        struct sample *s = &r->samples[i];
        struct slot_totals totals;
        state_totals(s->slot, &totals);
        s->rate.sessions = per_second(totals.counter[COUNTER_SESSIONS], s->sessions, r->interval_us);
        s->rate.requests = per_second(totals.counter[COUNTER_REQUESTS], s->requests, r->interval_us);
        s->sessions = totals.counter[COUNTER_SESSIONS];
        s->requests = totals.counter[COUNTER_REQUESTS];
    }
    uint64_t cost = clock_monotonic_us() - now;
    loop_timer_set(r->loop, &r->timer, MAX(INTERVAL_US, cost * SHARE));
}

static void on_timer(struct timer *t)
{
    take_samples(CONTAINER_OF(t, struct rates, timer));
}

static void add(struct rates *r, const struct slot *s)
{
    r->samples[r->count++].slot = s;
}

struct rates *rates_start(struct loop *l, const struct admin_host *host)
{
    struct rates *r = memory_zalloc(sizeof *r);
    size_t count = host->frontend_count + host->backend_count;
    for (uint32_t i = 0; i < host->backend_count; i++)
        count += host->backends[i]->server_count;
    r->loop = l;
    r->timer.fire = on_timer;
    r->samples = memory_zalloc(count * sizeof *r->samples);
    for (uint32_t i = 0; i < host->frontend_count; i++)
        add(r, host->frontends[i]->slot);
    for (uint32_t i = 0; i < host->backend_count; i++) {
        const struct backend *b = host->backends[i];
        add(r, b->slot);
        for (uint32_t j = 0; j < b->server_count; j++)
            add(r, b->servers[j]->slot);
    }
    qsort(r->samples, r->count, sizeof *r->samples, compare);
    take_samples(r);
    return r;
}

void rates_free(struct rates *r)
{
    loop_timer_stop(r->loop, &r->timer);
    free(r->samples);
    free(r);
}

struct rate rates_of(const struct rates *r, const struct slot *s)
{
    const struct sample key = {.slot = s};
    const struct sample *found = bsearch(&key, r->samples, r->count, sizeof *r->samples, compare);
    return found ? found->rate : (struct rate){0};
}

uint32_t rates_interval_ms(const struct rates *r)
{
    return (uint32_t)(r->interval_us / 1000);
}
