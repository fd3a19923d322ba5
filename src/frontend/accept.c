/*
 * accept.c: taking connections from the listen queues, within maxconn and
 * what the system allows.
 */
#include "frontend/accept.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log/log.h"
#include "upstream/session.h"

enum {
    ACCEPT_BATCH = 32,      /* at most; then others have their turn */
    RESUME_FULL_US = 10000, /* overflow: wait looks again whether others have made room */
    RESUME_RESOURCES_US = 100000,
    SAY_AGAIN_US = 10000000, /* the least time between two log lines that say maxconn was reached */
};

static const struct mode_ops *const *mode_list;

void frontend_set_modes(const struct mode_ops *const modes[static MODE_COUNT])
{
    mode_list = modes;
}

const struct mode_ops *frontend_mode(const struct frontend *f)
{
    return mode_list[f->mode];
}

/* ---- limits ---- */

/* A place for one more connection, in the frontend and in noxy as a whole. */
static bool claim_place(struct frontend *f)
{
    if (!state_claim(f->slot, GAUGE_SESSIONS, f->maxconn))
        return false;
    if (state_claim(f->worker->process, GAUGE_SESSIONS, f->worker->maxconn))
        return true;
    state_gauge_sub(f->slot, GAUGE_SESSIONS);
    return false;
}

static void give_place_back(struct frontend *f)
{
    state_gauge_sub(f->slot, GAUGE_SESSIONS);
    state_gauge_sub(f->worker->process, GAUGE_SESSIONS);
}

/* Says that maxconn was reached, at most every SAY_AGAIN_US. */
static void say_full(struct frontend *f)
{
    uint64_t now = loop_now(f->worker->loop);
    if (f->said_full_at && now - f->said_full_at < SAY_AGAIN_US)
        return;
    f->said_full_at = now;
    uint32_t here = state_gauge(f->slot, GAUGE_SESSIONS);
    bool own = here >= f->maxconn;
    log_warn("Frontend [%s] has reached %s maxconn (%u): further connections %s", f->name,
             own ? "its" : "global", own ? f->maxconn : f->worker->maxconn,
             f->overflow == OVERFLOW_WAIT ? "wait" : "are closed");
}

/* ---- pausing ---- */

static void pause_accepting(struct frontend *f, uint64_t delay_us)
{
    frontend_stop_accepting(f);
    loop_timer_set(f->worker->loop, &f->resume, delay_us);
}

static void resume_fired(struct timer *t)
{
    struct frontend *f = CONTAINER_OF(t, struct frontend, resume);
    struct error err;
    if (!f->worker->draining && frontend_start_accepting(f, &err) < 0)
        loop_timer_set(f->worker->loop, &f->resume, RESUME_RESOURCES_US);
}

/* accept4(2) failed for want of something that comes back by itself. */
static void out_of_resources(struct frontend *f, int error)
{
    struct worker *w = f->worker;
    if (!w->out_of_descriptors) {
        w->out_of_descriptors = true;
        log_warn(
            "Frontend [%s] cannot accept: %s; it pauses until there is room (raise the limit of open files: "
            "LimitNOFILE= of the service, or ulimit -n)",
            f->name, strerrordesc_np(error));
    }
    state_count(f->block, (enum counter)(COUNTER_REASON + REASON_RESOURCES), 1);
    pause_accepting(f, RESUME_RESOURCES_US);
}

/* ---- accepting ---- */

void frontend_hand_over(struct bind *b, struct conn *c)
{
    if (b->tls)
        frontend_handshake(b, c);
    else
        mode_list[b->frontend->mode]->accepted(b, c);
}

static void take(struct bind *b, int fd, const struct sockaddr *peer)
{
    struct frontend *f = b->frontend;
    struct conn *c = conn_adopt(f->worker->loop, fd, peer, NULL, NULL);
    if (!c) {
        give_place_back(f);
        out_of_resources(f, errno);
        return;
    }
    f->worker->out_of_descriptors = false;
    state_count(f->block, COUNTER_SESSIONS, 1);
    if (UNLIKELY(b->proxy_protocol))
        frontend_await_proxy(b, c);
    else
        frontend_hand_over(b, c);
}

/* Takes one connection. False: none is left, or no more now. */
static bool accept_one(struct bind *b)
{
    struct frontend *f = b->frontend;
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    bool place = claim_place(f);
    if (!place) {
        say_full(f);
        if (f->overflow == OVERFLOW_WAIT) {
            pause_accepting(f, RESUME_FULL_US);
            return false;
        }
    }
    int fd = accept4(b->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && place) {
        take(b, fd, (struct sockaddr *)&peer);
        return f->accepting;
    }
    if (place)
        give_place_back(f);
    if (fd >= 0) {
        state_count(f->block, (enum counter)(COUNTER_REASON + REASON_MAXCONN), 1);
        close(fd);
        return true;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        out_of_resources(f, errno);
    /* ECONNABORTED and the network's errors concern the one connection, which is gone (accept(2)). */
    return errno != EAGAIN && f->accepting;
}

/*
 * Takes as many connections as there were lately: one too many would be an accept4(2) that finds nothing, and
 * of one too few the next round tells, in which the batch grows.
 */
static void listener_ready(struct watch *w, unsigned events)
{
    struct bind *b = CONTAINER_OF(w, struct bind, watch);
    uint64_t round = loop_round(b->frontend->worker->loop);
    uint32_t taken = 0;
    (void)events;
    b->batch = b->filled_in + 1 == round ? MIN(b->batch * 2 + 1, (uint32_t)ACCEPT_BATCH) : 1;
    while (taken < b->batch && accept_one(b))
        taken++;
    if (taken == b->batch)
        b->filled_in = round;
}

int frontend_start_accepting(struct frontend *f, struct error *err)
{
    f->resume.fire = resume_fired;
    for (uint32_t i = 0; i < f->bind_count; i++) {
        struct bind *b = f->binds[i];
        b->watch = (struct watch){.fd = b->fd, .ready = listener_ready};
        if (loop_watch_listener(f->worker->loop, &b->watch) == 0)
            continue;
        error_set_errno(err, "frontend \"%s\" cannot watch its socket %s", f->name, b->addr_port);
        while (i-- > 0)
            loop_forget(f->worker->loop, &f->binds[i]->watch);
        return -1;
    }
    f->accepting = true;
    return 0;
}

void frontend_stop_accepting(struct frontend *f)
{
    loop_timer_stop(f->worker->loop, &f->resume);
    if (!f->accepting)
        return;
    f->accepting = false;
    for (uint32_t i = 0; i < f->bind_count; i++)
        loop_forget(f->worker->loop, &f->binds[i]->watch);
}

void client_open(struct client *c, struct frontend *f, const struct client_ops *ops)
{
    c->frontend = f;
    c->ops = ops;
    TAILQ_INIT(&c->sessions);
    TAILQ_INSERT_TAIL(&f->worker->clients, c, link);
    f->worker->open++;
}

void client_leave(struct client *c)
{
    TAILQ_REMOVE(&c->frontend->worker->clients, c, link);
    c->frontend->worker->open--;
}

void client_closed(struct client *c, enum reason why)
{
    struct frontend *f = c->frontend;
    session_close_own(&c->sessions);
    client_leave(c);
    give_place_back(f);
    if (why != REASON_NONE)
        state_count(f->block, (enum counter)(COUNTER_REASON + why), 1);
    /* One that waits for room has some now. */
    if (!f->accepting && !f->worker->draining && f->overflow == OVERFLOW_WAIT && f->resume.armed)
        loop_timer_set(f->worker->loop, &f->resume, 0);
}
