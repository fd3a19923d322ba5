/*
 * engine.c: when each server is checked and looked up. What a check's end means is verdict.c's.
 */
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/memory.h"
#include "base/random.h"
#include "health/target.h"
#include "log/log.h"

enum {
    SECOND = 1000000,
    CHECKS_MAX = 256,        /* under way at once: bounds the descriptors and the bursts */
    DOWN_INTERVAL = SECOND,  /* at most, between checks of a server that is down */
    SWEEP_INTERVAL = SECOND, /* to notice that traffic took a server out */
    LOOKUP_INTERVAL = 10 * SECOND,
    LOOKUP_RETRY = 2 * SECOND,
    LOOKUP_TIMEOUT = 2 * SECOND,
    LOOKUP_TRIES = 2,
    LACK_INTERVAL = 60 * SECOND, /* between two log lines on missing resources */
};

struct health_engine {
    struct loop *loop;
    struct resolver *resolver; /* NULL: no server is given by name */
    struct target *targets;
    uint32_t count;
    uint32_t under_way;
    TAILQ_HEAD(, target) due;
    struct task start_due;
    struct timer sweep;
    uint64_t lack_told; /* when */
};

static bool is_checked(const struct target *t)
{
    return t->conf->enabled;
}

static bool is_down(const struct target *t)
{
    return atomic_load(&t->server->slot->health) == HEALTH_DOWN;
}

/* From the start of the last check to the next. */
static uint64_t pace(const struct target *t)
{
    return is_down(t) ? MIN(t->conf->interval, DOWN_INTERVAL) : t->conf->interval;
}

static void set_due(struct target *t)
{
    if (t->due || t->under_way)
        return;
    loop_timer_stop(t->engine->loop, &t->timer);
    t->due = true;
    TAILQ_INSERT_TAIL(&t->engine->due, t, link);
    loop_defer(t->engine->loop, &t->engine->start_due);
}

static void set_next(struct target *t)
{
    uint64_t now = loop_now(t->engine->loop), next = t->began + pace(t);
    if (!t->was_judged && !is_down(t)) /* all began at once: from now on they are spread over the interval */
        next = t->began + t->conf->interval / 4 + random_u64() % (t->conf->interval - t->conf->interval / 4);
    loop_timer_set(t->engine->loop, &t->timer, next > now ? next - now : 0);
}

static void tell_lack(struct target *t, int error)
{
    struct health_engine *h = t->engine;
    char name[512];
    if (h->lack_told && loop_now(h->loop) - h->lack_told < LACK_INTERVAL)
        return;
    h->lack_told = loop_now(h->loop);
    log_warn("Backend [%s]: cannot be checked: %s; it stays as it is",
             server_print(t->server, name, sizeof name), strerrordesc_np(error));
}

static void check_done(struct check *c, enum reason why, int error)
{
    struct target *t = CONTAINER_OF(c, struct target, check);
    t->under_way = false;
    t->engine->under_way--;
    if (why == REASON_RESOURCES)
        tell_lack(t, error);
    verdict(t, why, error);
    set_next(t);
    t->was_judged = true;
    if (!TAILQ_EMPTY(&t->engine->due))
        loop_defer(t->engine->loop, &t->engine->start_due);
}

static const struct check_kind *kind_of(const struct target *t)
{
    return t->server->tls ? &check_tls : &check_tcp;
}

static void start_check(struct target *t)
{
    struct address to;
    if (!server_address(t->server, &to)) /* its look-up goes on with it */
        return;
    t->under_way = true;
    t->engine->under_way++;
    t->began = loop_now(t->engine->loop);
    kind_of(t)->start(&t->check, &to, t->conf->timeout);
}

static void start_due(struct task *task)
{
    struct health_engine *h = CONTAINER_OF(task, struct health_engine, start_due);
    struct target *t;
    while (h->under_way < CHECKS_MAX && (t = TAILQ_FIRST(&h->due))) {
        TAILQ_REMOVE(&h->due, t, link);
        t->due = false;
        start_check(t);
    }
}

static void timer_fired(struct timer *timer)
{
    set_due(CONTAINER_OF(timer, struct target, timer));
}

static void sweep(struct timer *timer)
{
    struct health_engine *h = CONTAINER_OF(timer, struct health_engine, sweep);
    for (uint32_t i = 0; i < h->count; i++) {
        struct target *t = &h->targets[i];
        if (is_checked(t) && verdict_noticed(t) && is_down(t))
            set_due(t);
    }
    loop_timer_set(h->loop, &h->sweep, SWEEP_INTERVAL);
}

/* A server that nobody checks is up whenever it has an address, whatever an earlier configuration left. */
static void set_unchecked(struct target *t)
{
    struct address ignored;
    if (!is_checked(t) && is_down(t) && server_address(t->server, &ignored))
        server_set_health(t->server, HEALTH_UP, "not checked");
}

static void address_found(struct target *t, const char *how)
{
    char name[512];
    server_print(t->server, name, sizeof name);
    log_info("Backend [%s]: \"%s\" %s", name, t->server->endpoint.host, how);
    if (is_checked(t))
        set_due(t);
}

static void address_missing(struct target *t, const char *reason)
{
    struct address ignored;
    char name[512], text[512];
    if (!server_address(t->server, &ignored)) {
        verdict_unresolved(t, reason);
    } else if (!t->lookup_failing) {
        log_warn("Backend [%s]: %s; the address stays in use", server_print(t->server, name, sizeof name),
                 lookup_reason(t->server, reason, text, sizeof text));
    }
}

static void looked_up(struct lookup *k, enum lookup_result result, const char *reason)
{
    struct target *t = CONTAINER_OF(k, struct target, lookup);
    if (result == LOOKUP_FAILED) {
        address_missing(t, reason);
    } else if (result == LOOKUP_FOUND) {
        t->first_counts = true;
        address_found(t, "resolves");
    } else if (result == LOOKUP_MOVED) {
        address_found(t, "has moved to this address");
    }
    t->lookup_failing = result == LOOKUP_FAILED;
    set_unchecked(t);
}

static void start_target(struct target *t)
{
    struct health_engine *h = t->engine;
    struct address ignored;
    t->seen = (enum health)atomic_load(&t->server->slot->health);
    t->timer.fire = timer_fired;
    t->check.loop = h->loop;
    t->check.done = check_done;
    t->check.send_proxy = (enum proxy_version)t->server->send_proxy;
    t->check.tls = t->server->tls;
    set_unchecked(t);
    if (is_checked(t) && server_address(t->server, &ignored))
        set_due(t);
    if (t->server->endpoint.literal)
        return;
    t->lookup = (struct lookup){.loop = h->loop,
                                .resolver = h->resolver,
                                .server = t->server,
                                .interval_us = LOOKUP_INTERVAL,
                                .retry_us = LOOKUP_RETRY,
                                .done = looked_up};
    lookup_start(&t->lookup);
}

/* Fills h->targets; returns whether one is given by name. */
static bool collect(struct health_engine *h, struct backend *const *backends, uint32_t count)
{
    bool named = false;
    uint32_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += backends[i]->server_count;
    h->targets = memory_zalloc(size * sizeof *h->targets);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < backends[i]->server_count; j++) {
            struct server *s = backends[i]->servers[j];
            h->targets[h->count++] = (struct target){.server = s,
                                                     .conf = &backends[i]->health->effect,
                                                     .engine = h,
                                                     .block = state_block(s->slot)};
            named = named || !s->endpoint.literal;
        }
    }
    return named;
}

struct health_engine *health_start(struct loop *l, struct backend *const *backends, uint32_t count,
                                   struct error *err)
{
    struct health_engine *h = memory_zalloc(sizeof *h);
    h->loop = l;
    TAILQ_INIT(&h->due);
    h->start_due.run = start_due;
    h->sweep.fire = sweep;
    if (collect(h, backends, count) && !(h->resolver = resolver_new(l, LOOKUP_TIMEOUT, LOOKUP_TRIES, err))) {
        free(h->targets);
        free(h);
        return NULL;
    }
    for (uint32_t i = 0; i < h->count; i++)
        start_target(&h->targets[i]);
    sweep(&h->sweep);
    return h;
}

void health_free(struct health_engine *h)
{
    if (!h)
        return;
    resolver_free(h->resolver);
    for (uint32_t i = 0; i < h->count; i++) {
        struct target *t = &h->targets[i];
        if (!t->server->endpoint.literal)
            lookup_stop(&t->lookup);
        loop_timer_stop(h->loop, &t->timer);
        if (t->under_way)
            kind_of(t)->stop(&t->check);
    }
    loop_timer_stop(h->loop, &h->sweep);
    loop_undefer(h->loop, &h->start_due);
    free(h->targets);
    free(h);
}
