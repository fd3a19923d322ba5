#include "process/master.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "log/log.h"
#include "process/access_logs.h"
#include "process/daemon.h"
#include "process/notify.h"

enum { STOP_US = 5000000 }; /* what was told to end and hasn't by then is killed */

/* ---- ending ---- */

static uint32_t all_alive(const struct master *m)
{
    const struct generation *g;
    uint32_t alive = m->current ? generation_alive(m->current) : 0;
    if (m->next)
        alive += generation_alive(m->next);
    TAILQ_FOREACH (g, &m->old, link)
        alive += generation_alive(g);
    return alive;
}

static void end_if_empty(struct master *m)
{
    if (m->stopping && all_alive(m) == 0)
        loop_stop(m->loop);
}

static void end_fired(struct timer *t)
{
    children_kill(CONTAINER_OF(t, struct generation, end));
}

static void set_end(struct master *m, struct generation *g, uint64_t delay_us)
{
    loop_timer_stop(m->loop, &g->end);
    g->end.fire = end_fired;
    loop_timer_set(m->loop, &g->end, delay_us);
}

void master_drain(struct master *m, struct generation *g, bool with_manager)
{
    uint64_t timeout = g->global->drain_timeout;
    g->phase = PHASE_DRAINING;
    g->drain_began = clock_monotonic_us();
    children_tell(g, CHILD_WORKER, CHANNEL_DRAIN, timeout);
    if (with_manager || children_alive(g, CHILD_WORKER) == 0)
        children_tell(g, CHILD_MANAGER, CHANNEL_DRAIN, timeout);
    set_end(m, g, timeout + STOP_US);
}

void master_stop_generation(struct master *m, struct generation *g)
{
    g->phase = PHASE_STOPPING;
    children_tell(g, CHILD_WORKER, CHANNEL_STOP, 0);
    children_tell(g, CHILD_MANAGER, CHANNEL_STOP, 0);
    set_end(m, g, STOP_US);
}

/* A generation that isn't serving yet will not any more. */
static void abandon_next(struct master *m)
{
    struct generation *g = m->next;
    if (!g)
        return;
    m->next = NULL;
    loop_timer_stop(m->loop, &m->ready_limit);
    TAILQ_INSERT_TAIL(&m->old, g, link);
    master_stop_generation(m, g);
}

static void begin_end(struct master *m)
{
    m->stopping = true;
    notify_stopping();
    requests_answer(m, true, false, "noxy is stopping\n");
    abandon_next(m);
}

static void stop_now(struct master *m, int signo)
{
    struct generation *g;
    log_notice("%s: stopping now", signo == SIGINT ? "SIGINT" : "SIGTERM");
    begin_end(m);
    if (m->current)
        master_stop_generation(m, m->current);
    TAILQ_FOREACH (g, &m->old, link)
        master_stop_generation(m, g);
    end_if_empty(m);
}

static void drain_and_stop(struct master *m)
{
    if (m->stopping)
        return;
    log_notice("SIGQUIT: draining, then stopping");
    begin_end(m);
    if (m->current)
        master_drain(m, m->current, false);
    sockets_keep(&m->sockets, NULL, NULL); /* the workers close theirs: clients go elsewhere at once */
    end_if_empty(m);
}

/* ---- signals ---- */

static void drain_workers(struct master *m)
{
    struct generation *g = m->current;
    if (isatty(STDIN_FILENO)) /* a terminal sends it whenever its window changes */
        return;
    if (!g || m->stopping || g->workers_drained)
        return;
    log_notice("SIGWINCH: the workers drain; a reload starts new ones");
    g->workers_drained = true;
    children_tell(g, CHILD_WORKER, CHANNEL_DRAIN, g->global->drain_timeout);
    set_end(m, g, g->global->drain_timeout + STOP_US);
}

static void reopen_in(struct master *m, struct generation *g, int fd)
{
    if (!g || !g->global || !m->log.conf || !log_conf_equal(g->global->log, m->log.conf))
        return;
    for (uint32_t i = 0; i < g->child_count; i++) {
        struct child *c = &g->children[i];
        struct error err;
        char name[CHILD_NAME_MAX];
        if (c->pid > 0 && channel_send(&c->channel, CHANNEL_REOPEN, 0, NULL, fd, &err) < 0)
            log_warn("%s keeps the old log: %s", child_name(c, name), err.text);
    }
}

static void reopen_log(struct master *m)
{
    struct generation *g;
    struct error err;
    int fd = log_reopen(&err);
    if (fd == -1)
        log_error("SIGUSR1: %s", err.text);
    if (fd < 0)
        return;
    reopen_in(m, m->current, fd);
    reopen_in(m, m->next, fd);
    TAILQ_FOREACH (g, &m->old, link)
        reopen_in(m, g, fd);
    log_notice("SIGUSR1: the log has been opened anew");
}

static void reopen_access_logs(struct master *m)
{
    struct generation *g;
    uint32_t opened = m->current ? access_logs_reopen(m->current) : 0;
    if (m->next)
        opened += access_logs_reopen(m->next);
    TAILQ_FOREACH (g, &m->old, link)
        opened += access_logs_reopen(g);
    if (opened > 0)
        log_notice("SIGUSR1: the access logs have been opened anew");
}

static void caught(struct signals *s, int signo)
{
    struct master *m = CONTAINER_OF(s, struct master, signals);
    switch (signo) {
    case SIGCHLD:
        children_reap(m);
        break;
    case SIGHUP:
        transition_want(m);
        break;
    case SIGUSR1:
        reopen_log(m);
        reopen_access_logs(m);
        break;
    case SIGWINCH:
        drain_workers(m);
        break;
    case SIGQUIT:
        drain_and_stop(m);
        break;
    default:
        stop_now(m, signo);
    }
}

/* ---- children ---- */

void master_received(struct master *m, struct child *c, const struct channel_message *msg)
{
    char name[CHILD_NAME_MAX], why[CHANNEL_TEXT_SHORT + 64];
    switch (msg->type) {
    case CHANNEL_READY:
        c->ready = true;
        if (c->generation == m->next)
            transition_ready(m);
        break;
    case CHANNEL_FAILED:
        c->told_to_end = c->generation == m->next;
        if (c->generation != m->next)
            break; /* it has logged the reason; its end is seen to */
        snprintf(why, sizeof why, "%s cannot start: %s", child_name(c, name), msg->text);
        transition_fail(m, why);
        break;
    case CHANNEL_DRAINS:
        if (c->generation == m->leaving)
            transition_announce(m);
        break;
    case CHANNEL_RELOAD:
        if (c->role != CHILD_MANAGER)
            break;
        if (m->stopping) {
            channel_send(&c->channel, CHANNEL_RELOAD_FAILED, msg->value, "noxy is stopping\n", -1, NULL);
            break;
        }
        requests_add(m, c, msg->value);
        transition_want(m);
        break;
    default: /* what only the master sends */
        break;
    }
}

void master_child_ended(struct master *m, struct child *c)
{
    struct generation *g = c->generation;
    char name[CHILD_NAME_MAX], why[128];
    if (g == m->leaving && c->role == CHILD_MANAGER)
        transition_announce(m);
    if (g->served && g->phase == PHASE_DRAINING && generation_alive(g) == 0)
        log_info("generation %" PRIu32 " has drained within %" PRIu64 " ms", g->number,
                 (clock_monotonic_us() - g->drain_began) / 1000);
    if (g == m->next) {
        snprintf(why, sizeof why, "%s of the new generation ended before it was ready", child_name(c, name));
        transition_fail(m, why);
    } else if (g != m->current && generation_alive(g) == 0) {
        transition_generation_ended(m, g);
    } else if (g->phase == PHASE_DRAINING && c->role == CHILD_WORKER &&
               children_alive(g, CHILD_WORKER) == 0) {
        /* at the end of noxy the manager stays to the last */
        children_tell(g, CHILD_MANAGER, CHANNEL_DRAIN, STOP_US);
    }
    end_if_empty(m);
    if (m->reload_wanted && !m->stopping)
        transition_want(m);
}

static void leave_generation(struct generation *g, const struct generation *own)
{
    for (uint32_t i = 0; g && i < g->child_count; i++)
        if (g->children[i].channel.watch.fd >= 0)
            close(g->children[i].channel.watch.fd);
    if (g && g != own)
        access_logs_close(g);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* Closes and nothing else: the poll set is the master's too, and what it watches must stay in it. */
void master_leave(struct master *m, const struct generation *g)
{
    struct generation *old;
    loop_free(m->loop);
    close_fd(m->signals.watch.fd);
    close_fd(m->report_fd);
    leave_generation(m->current, g);
    leave_generation(m->next, g);
    TAILQ_FOREACH (old, &m->old, link)
        leave_generation(old, g);
    sockets_forget(&m->sockets, g);
    close_fd(m->admin.fd);
    close_fd(m->next_admin.fd);
    close_fd(m->pid_file.fd);
    close_fd(m->next_pid_file.fd);
}

/* ---- the life of the master ---- */

static int set_up(struct master *m, struct error *err)
{
    static const int list[] = {SIGHUP, SIGQUIT, SIGTERM, SIGINT, SIGUSR1, SIGWINCH, SIGCHLD, 0};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    log_set_process("master");
    m->pid = getpid();
    m->started_ms = clock_wall_ms();
    TAILQ_INIT(&m->old);
    TAILQ_INIT(&m->requests);
    sockets_init(&m->sockets);
    m->admin = m->next_admin = ADMIN_SOCKET_NONE;
    m->pid_file = m->next_pid_file = PID_FILE_NONE;
    m->signals.watch.fd = -1;
    m->loop = loop_new(err);
    if (!m->loop || signals_open(&m->signals, m->loop, list, caught, err) < 0 || state_open(err) < 0)
        return -1;
    m->process = state_slot(SLOT_PROCESS, NULL, SLICE("noxy"), err);
    return m->process ? tickets_start(&m->tickets, m->loop, err) : -1;
}

static void tear_down(struct master *m)
{
    struct generation *g;
    if (m->current)
        transition_generation_ended(m, m->current);
    while ((g = TAILQ_FIRST(&m->old)))
        transition_generation_ended(m, g);
    sockets_keep(&m->sockets, NULL, NULL);
    admin_socket_remove(&m->admin);
    admin_socket_remove(&m->next_admin);
    pid_file_remove(&m->pid_file);
    pid_file_remove(&m->next_pid_file);
    text_free(&m->messages);
    text_free(&m->changes);
    state_close();
    if (m->signals.watch.fd >= 0)
        signals_close(&m->signals);
    loop_free(m->loop);
    log_switch_close(&m->log);
    free(m->config_path);
}

/* The path as it will be read again, when the process has "/" as its directory. */
static char *absolute(const char *path)
{
    char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0), *result;
    struct text joined = {0};
    if (!cwd)
        return memory_strdup(path);
    text_printf(&joined, "%s/%s", cwd, path);
    result = memory_strdup(text_str(&joined));
    text_free(&joined);
    free(cwd);
    return result;
}

static void tell_start_failure(struct master *m)
{
    if (m->report_fd >= 0)
        daemon_report(m->report_fd, false, text_str(&m->messages));
    else
        fputs(text_str(&m->messages), stderr);
    m->report_fd = -1;
}

int process_run(const struct process_options *o)
{
    struct master m = {.options = o, .report_fd = -1};
    struct error err;
    m.config_path = o->daemon ? absolute(o->config_path) : memory_strdup(o->config_path);
    if (o->daemon && (m.report_fd = daemon_start(&err)) < 0) {
        fprintf(stderr, "noxy: %s\n", err.text);
        free(m.config_path);
        return 1;
    }
    if (set_up(&m, &err) < 0) {
        text_printf(&m.messages, "noxy: %s\n", err.text);
        m.status = 1;
    } else {
        m.stopping = transition_begin(&m) < 0;
        if (!m.stopping || all_alive(&m) > 0)
            loop_run(m.loop);
    }
    if (m.status)
        tell_start_failure(&m);
    else
        log_notice("noxy has ended");
    tear_down(&m);
    return m.status;
}

int process_test(const struct process_options *o)
{
    struct text report = {0};
    struct generation *g = generation_load(o->config_path, o->sections, CONF_TO_SERVE);
    bool valid = generation_valid(g);
    generation_print_report(g, &report);
    fputs(text_str(&report), stderr);
    if (valid)
        printf("configuration %s is valid\n", o->config_path);
    text_free(&report);
    generation_free(g);
    return valid ? 0 : 1;
}
