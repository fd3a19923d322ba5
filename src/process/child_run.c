#include "process/child_run.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/random.h"
#include "log/log.h"
#include "process/access_logs.h"
#include "process/privileges.h"
#include "state/state.h"

static void drain(struct child_run *r, uint64_t timeout_us)
{
    if (r->draining)
        return;
    r->draining = true;
    r->ops->drain(r, timeout_us);
}

static void received(struct channel *c, struct channel_message *m)
{
    struct child_run *r = CONTAINER_OF(c, struct child_run, channel);
    switch (m->type) {
    case CHANNEL_DRAIN:
        drain(r, m->value);
        break;
    case CHANNEL_STOP:
        loop_stop(r->loop);
        break;
    case CHANNEL_REOPEN:
        if (m->fd >= 0 && m->value == 0)
            log_adopt_fd(m->fd);
        else if (m->fd >= 0)
            access_logs_adopt(r->generation, m->value, m->fd);
        m->fd = -1;
        break;
    case CHANNEL_RELOAD_DONE:
    case CHANNEL_RELOAD_FAILED:
        if (r->ops->answered)
            r->ops->answered(r, m);
        break;
    default: /* what only a child sends */
        break;
    }
}

/* Without a master nobody replaces, reloads or stops this process: it finishes its work and ends. */
static void master_gone(struct channel *c)
{
    struct child_run *r = CONTAINER_OF(c, struct child_run, channel);
    channel_close(c);
    log_error("the master has gone: this process drains and ends");
    drain(r, r->generation->global->drain_timeout);
}

static void caught(struct signals *s, int signo)
{
    struct child_run *r = CONTAINER_OF(s, struct child_run, signals);
    if (signo == SIGTERM)
        loop_stop(r->loop);
    else
        drain(r, r->generation->global->drain_timeout);
}

/* SIGQUIT if the master dies: the setting is lost when the user changes, so it comes after that. */
static int follow_master(struct child_run *r, struct error *err)
{
    if (prctl(PR_SET_PDEATHSIG, SIGQUIT, 0, 0, 0) < 0)
        return error_set_errno(err, "cannot ask to be told of the master's death");
    if (getppid() != r->master_pid)
        return error_set(err, "the master has gone");
    return 0;
}

static int begin(struct child_run *r, struct error *err)
{
    static const int list[] = {SIGTERM, SIGQUIT, 0};
    const struct global_conf *g = r->generation->global;
    if (privileges_drop(&g->credentials, g->log->level == LOG_LEVEL_DEBUG, err) < 0 ||
        follow_master(r, err) < 0 || signals_open(&r->signals, r->loop, list, caught, err) < 0)
        return -1;
    state_lane_use(r->lane);
    return r->ops->begin(r, err);
}

static _Noreturn void fail(struct child_run *r, const struct error *err)
{
    log_error("cannot start: %s", err->text);
    channel_send(&r->channel, CHANNEL_FAILED, 0, err->text, -1, NULL);
    exit(1);
}

static void last_fired(struct task *t)
{
    loop_stop(CONTAINER_OF(t, struct child_run, last)->loop);
}

/* What was closed is freed at the end of a round: one more. */
static void run_last_round(struct child_run *r)
{
    r->last.run = last_fired;
    loop_defer(r->loop, &r->last);
    loop_run(r->loop);
}

void child_run(struct child_run *r)
{
    struct error err;
    random_seed();
    r->channel = (struct channel){.takes_fds = true, .received = received, .ended = master_gone};
    r->loop = loop_new(&err);
    if (!r->loop || channel_open(&r->channel, r->loop, r->channel_fd, &err) < 0) {
        log_error("cannot start: %s", err.text);
        exit(1);
    }
    if (begin(r, &err) < 0 || channel_send(&r->channel, CHANNEL_READY, 0, NULL, -1, &err) < 0)
        fail(r, &err);
    loop_run(r->loop);
    r->ops->end(r);
    run_last_round(r);
    signals_close(&r->signals);
    channel_close(&r->channel);
    loop_free(r->loop);
    state_close();
    exit(0);
}
