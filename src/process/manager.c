/*
 * manager.c: the manager process: the control plane: health checks, name
 * look-ups and the admin socket.
 */
#include <unistd.h>

#include "admin/admin.h"
#include "base/memory.h"
#include "health/health.h"
#include "process/access_logs.h"
#include "process/child_run.h"

enum { LOOK_US = 20000 };

/* A reload that a session asked for and the master has not answered yet. */
struct request {
    TAILQ_ENTRY(request) link;
    uint64_t number;
    struct admin_session *session;
};

static struct manager {
    struct child_run *run;
    struct health_engine *health;
    struct admin *admin; /* NULL: no admin socket */
    struct admin_host host;
    TAILQ_HEAD(, request) requests;
    uint64_t last_request;
    struct timer look;
    uint64_t drain_until;
} manager;

static int ask_reload(void *context, struct admin_session *s, struct error *err)
{
    struct manager *m = context;
    uint64_t number = m->last_request + 1;
    if (channel_send(&m->run->channel, CHANNEL_RELOAD, number, NULL, -1, err) < 0)
        return -1;
    struct request *r = memory_zalloc(sizeof *r);
    r->number = m->last_request = number;
    r->session = s;
    TAILQ_INSERT_TAIL(&m->requests, r, link);
    return 0;
}

static void answered(struct child_run *run, const struct channel_message *message)
{
    struct request *r;
    (void)run;
    TAILQ_FOREACH (r, &manager.requests, link)
        if (r->number == message->value) {
            TAILQ_REMOVE(&manager.requests, r, link);
            admin_reload_done(r->session, message->type == CHANNEL_RELOAD_DONE, message->text);
            free(r);
            return;
        }
}

/* The binds' sockets are the workers' alone. */
static void close_listeners(struct generation *g)
{
    for (uint32_t i = 0; i < g->frontend_count; i++)
        for (uint32_t j = 0; j < g->frontends[i]->bind_count; j++) {
            close(g->frontends[i]->binds[j]->fd);
            g->frontends[i]->binds[j]->fd = -1;
        }
}

static void look_fired(struct timer *t)
{
    struct manager *m = CONTAINER_OF(t, struct manager, look);
    if (!m->admin || admin_idle(m->admin) || loop_now(m->run->loop) >= m->drain_until)
        loop_stop(m->run->loop);
    else
        loop_timer_set(m->run->loop, t, LOOK_US);
}

static void fill_host(struct manager *m)
{
    const struct generation *g = m->run->generation;
    m->host = (struct admin_host){
        .frontends = g->frontends,
        .frontend_count = g->frontend_count,
        .backends = g->backends,
        .backend_count = g->backend_count,
        .config_path = m->run->config_path,
        .generation = g->number,
        .workers = g->worker_count,
        .maxconn = g->maxconn,
        .master_pid = m->run->master_pid,
        .started_ms = m->run->started_ms,
        .generation_started_ms = g->started_ms,
        .process = m->run->process,
        .context = m,
        .reload = ask_reload,
    };
}

static int begin(struct child_run *r, struct error *err)
{
    struct manager *m = &manager;
    m->run = r;
    TAILQ_INIT(&m->requests);
    m->look.fire = look_fired;
    close_listeners(r->generation);
    access_logs_close(r->generation);
    m->health = health_start(r->loop, r->generation->backends, r->generation->backend_count, err);
    if (!m->health)
        return -1;
    if (r->admin_fd < 0)
        return 0;
    fill_host(m);
    m->admin = admin_start(r->loop, r->admin_fd, &m->host, err);
    return m->admin ? 0 : -1;
}

/* The next generation's manager checks from now on; this one only answers those that still wait. */
static void drain(struct child_run *r, uint64_t timeout_us)
{
    struct manager *m = &manager;
    health_free(m->health);
    m->health = NULL;
    if (m->admin)
        admin_drain(m->admin);
    channel_send(&r->channel, CHANNEL_DRAINS, 0, NULL, -1, NULL);
    m->drain_until = loop_now(r->loop) + timeout_us;
    look_fired(&m->look);
}

static void end(struct child_run *r)
{
    struct manager *m = &manager;
    struct request *request;
    loop_timer_stop(r->loop, &m->look);
    while ((request = TAILQ_FIRST(&m->requests))) {
        TAILQ_REMOVE(&m->requests, request, link);
        free(request);
    }
    if (m->admin)
        admin_free(m->admin);
    health_free(m->health);
}

const struct child_ops manager_ops = {.begin = begin, .drain = drain, .answered = answered, .end = end};
