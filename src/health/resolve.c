/*
 * resolve.c: the names of all servers at a load, before any process that uses them is there.
 */
#include <stdio.h>

#include "base/macros.h"
#include "base/memory.h"
#include "health/health.h"
#include "health/lookup.h"
#include "log/log.h"

/* All names that are asked for at once. */
struct resolution {
    struct loop *loop;
    struct timer limit;
    uint32_t open;
    struct question {
        struct resolution *resolution;
        struct server *server;
        bool answered;
    } * questions;
    uint32_t count;
};

static void failed(struct server *s, const char *reason)
{
    char text[512];
    lookup_reason(s, reason, text, sizeof text);
    log_warn("Backend [%s:%s]: %s; it is down until it does", s->backend->name, s->name, text);
    state_set_health(s->slot, HEALTH_DOWN, text);
}

static void answered(void *context, const struct address *addresses, unsigned count, const char *reason)
{
    struct question *q = context;
    q->answered = true;
    if (count > 0)
        lookup_take(q->server, addresses, count);
    else
        failed(q->server, reason);
    if (--q->resolution->open == 0)
        loop_stop(q->resolution->loop);
}

static void out_of_time(struct timer *t)
{
    loop_stop(CONTAINER_OF(t, struct resolution, limit)->loop);
}

static bool is_unresolved(const struct server *s)
{
    struct address ignored;
    return !server_address(s, &ignored);
}

/* Lists the servers to resolve. */
static void collect(struct resolution *r, struct backend *const *backends, uint32_t count)
{
    uint32_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += backends[i]->server_count;
    r->questions = memory_zalloc(size * sizeof *r->questions);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < backends[i]->server_count; j++)
            if (is_unresolved(backends[i]->servers[j]))
                r->questions[r->count++] =
                    (struct question){.resolution = r, .server = backends[i]->servers[j]};
}

/* Until all are answered or the time is up. -1 with `err`: nothing could be asked. */
static int ask_all(struct resolution *r, uint64_t limit_us, struct error *err)
{
    r->loop = loop_new(err);
    struct resolver *resolver = r->loop ? resolver_new(r->loop, limit_us / 3, 2, err) : NULL;
    if (resolver) {
        r->limit.fire = out_of_time;
        r->open = r->count + 1; /* one more, so that an answer at once doesn't end it */
        for (uint32_t i = 0; i < r->count; i++) {
            const struct endpoint *e = &r->questions[i].server->endpoint;
            resolver_ask(resolver, e->host, e->port, answered, &r->questions[i]);
        }
        if (--r->open > 0) {
            loop_timer_set(r->loop, &r->limit, limit_us);
            loop_run(r->loop);
            loop_timer_stop(r->loop, &r->limit);
        }
    }
    resolver_free(resolver);
    loop_free(r->loop);
    return resolver ? 0 : -1;
}

void health_resolve_all(struct backend *const *backends, uint32_t count, uint64_t limit_us)
{
    struct resolution r = {0};
    struct error err = {""};
    char late[64];
    collect(&r, backends, count);
    if (r.count > 0) {
        snprintf(late, sizeof late, "no answer within %llu ms", (unsigned long long)limit_us / 1000);
        const char *reason = ask_all(&r, limit_us, &err) == 0 ? late : err.text;
        for (uint32_t i = 0; i < r.count; i++)
            if (!r.questions[i].answered)
                failed(r.questions[i].server, reason);
    }
    free(r.questions);
}
