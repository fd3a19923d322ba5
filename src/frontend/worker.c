/*
 * worker.c: the life of one process's data plane: start, drain, stop.
 */
#include "base/pool.h"
#include "frontend/accept.h"
#include "frontend/access.h"
#include "log/log.h"

enum {
    HOUSEKEEPING_US = 5000000,
    FREE_KEPT = 64, /* free objects of each kind that housekeeping leaves: of buffers 1 MiB */
};

int frontend_bind_state(struct frontend *f, struct error *err)
{
    f->slot = state_slot(SLOT_FRONTEND, NULL, slice_of(f->name), err);
    return f->slot ? 0 : -1;
}

static void drain_end_fired(struct timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, drain_end);
    struct client *c;
    while ((c = TAILQ_FIRST(&w->clients)))
        c->ops->end(c, REASON_DRAIN_TIMEOUT);
}

static void count_dropped(struct worker *w)
{
    uint64_t dropped = log_dropped();
    state_count(w->process_block, COUNTER_LOG_DROPPED, dropped - w->log_dropped);
    w->log_dropped = dropped;
}

static void housekeeping_fired(struct timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, housekeeping);
    pool_trim_all(FREE_KEPT);
    count_dropped(w);
    loop_timer_set(w->loop, &w->housekeeping, HOUSEKEEPING_US);
}

int worker_start(struct worker *w, struct error *err)
{
    TAILQ_INIT(&w->clients);
    w->process_block = state_block(w->process);
    w->drain_end.fire = drain_end_fired;
    frontend_access_start(w);
    w->housekeeping.fire = housekeeping_fired;
    loop_timer_set(w->loop, &w->housekeeping, HOUSEKEEPING_US);
    for (uint32_t i = 0; i < w->backend_count; i++)
        backend_start(w->backends[i], w->loop);
    for (uint32_t i = 0; i < w->frontend_count; i++) {
        struct frontend *f = w->frontends[i];
        f->worker = w;
        f->block = state_block(f->slot);
        if (frontend_start_accepting(f, err) < 0)
            return -1;
    }
    return 0;
}

void worker_drain(struct worker *w, uint64_t timeout_us)
{
    struct client *c, *next;
    if (w->draining)
        return;
    w->draining = true;
    w->drain_until = loop_now(w->loop) + timeout_us;
    loop_timer_set(w->loop, &w->drain_end, timeout_us);
    for (uint32_t i = 0; i < w->frontend_count; i++)
        frontend_stop_accepting(w->frontends[i]);
    TAILQ_FOREACH_SAFE (c, &w->clients, link, next)
        c->ops->drain(c);
}

bool worker_drained(const struct worker *w)
{
    return w->draining && w->open == 0 && conn_finishing() == 0;
}

void worker_stop(struct worker *w)
{
    struct client *c;
    while ((c = TAILQ_FIRST(&w->clients)))
        c->ops->end(c, REASON_DRAIN);
    for (uint32_t i = 0; i < w->frontend_count; i++)
        frontend_stop_accepting(w->frontends[i]);
    for (uint32_t i = 0; i < w->backend_count; i++)
        backend_stop(w->backends[i]);
    loop_timer_stop(w->loop, &w->drain_end);
    loop_timer_stop(w->loop, &w->housekeeping);
    frontend_access_stop(w);
    count_dropped(w);
}
