/*
 * worker.c: a worker process: the data plane.
 */
#include <unistd.h>

#include "log/log.h"
#include "process/child_run.h"

enum { LOOK_US = 20000 };

static struct worker worker;
static struct timer look;

/* Their queues go on being served by others; those that nobody names any more end when the last holder closes
 * them. */
static void close_listeners(struct generation *g)
{
    for (uint32_t i = 0; i < g->frontend_count; i++)
        for (uint32_t j = 0; j < g->frontends[i]->bind_count; j++) {
            struct bind *b = g->frontends[i]->binds[j];
            if (b->fd >= 0)
                close(b->fd);
            b->fd = -1;
        }
}

static void look_fired(struct timer *t)
{
    if (worker_drained(&worker))
        loop_stop(worker.loop);
    else
        loop_timer_set(worker.loop, t, LOOK_US);
}

static int begin(struct child_run *r, struct error *err)
{
    const struct generation *g = r->generation;
    worker.loop = r->loop;
    worker.frontends = g->frontends;
    worker.frontend_count = g->frontend_count;
    worker.backends = g->backends;
    worker.backend_count = g->backend_count;
    worker.generation = g->number;
    worker.maxconn = g->maxconn;
    worker.process = r->process;
    look.fire = look_fired;
    return worker_start(&worker, err);
}

static void drain(struct child_run *r, uint64_t timeout_us)
{
    log_debug("generation %u drains", r->generation->number);
    worker_drain(&worker, timeout_us);
    close_listeners(r->generation);
    look_fired(&look);
}

static void end(struct child_run *r)
{
    (void)r;
    loop_timer_stop(worker.loop, &look);
    worker_stop(&worker);
}

const struct child_ops worker_ops = {.begin = begin, .drain = drain, .end = end};
