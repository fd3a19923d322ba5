/*
 * transition.c: from nothing, or from one generation, to the next.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "log/log.h"
#include "process/access_logs.h"
#include "process/daemon.h"
#include "process/limits.h"
#include "process/master.h"
#include "process/notify.h"

enum {
    READY_US = 30000000,
    OLD_MAX = 4, /* generations that drain at once */
};

/* ---- building ---- */

static bool is_socket(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Is the admin socket that is open the one that `g` wants? */
static bool keeps_admin(const struct master *m, const struct generation *g)
{
    bool preset;
    const char *path = admin_socket_path(g->global, &preset);
    return path && m->admin.path && strcmp(path, m->admin.path) == 0 && is_socket(path);
}

static int open_admin(struct master *m, struct generation *g)
{
    bool preset;
    struct error err;
    const char *path = admin_socket_path(g->global, &preset);
    if (!path || keeps_admin(m, g) ||
        admin_socket_open(&m->next_admin, path, g->global->admin_socket, &err) == 0)
        return 0;
    const struct conf_node *at = generation_global_node(g, "admin_socket");
    if (!preset) {
        conf_error(&g->load, at, NULL, "%s", err.text);
        return -1;
    }
    conf_notice(&g->load, at, "set admin_socket in global", "there is no admin socket: %s", err.text);
    return 0;
}

static bool keeps_pid_file(const struct master *m, const struct generation *g)
{
    return g->global->pid_file && m->pid_file.path && strcmp(g->global->pid_file, m->pid_file.path) == 0;
}

static int open_pid_file(struct master *m, struct generation *g)
{
    struct error err;
    if (!g->global->pid_file || keeps_pid_file(m, g) ||
        pid_file_open(&m->next_pid_file, g->global->pid_file, &err) == 0)
        return 0;
    conf_error(&g->load, generation_global_node(g, "pid_file"), NULL, "%s", err.text);
    return -1;
}

static int open_log(struct master *m, struct generation *g)
{
    struct error err;
    if (log_switch_to(&m->log, g->global->log, &err) == 0)
        return 0;
    conf_error(&g->load, generation_global_node(g, "log"), NULL, "%s", err.text);
    return -1;
}

/* What the operator wrote and can't be had is a warning; that the default can't be had, a notice. */
static void fit_maxconn(struct generation *g)
{
    struct error err;
    uint32_t others = g->bind_count + g->server_count + g->worker_count + access_logs_files(g);
    const struct conf_node *written = generation_global_node(g, "maxconn");
    g->maxconn = limits_raise(g->global->maxconn, others, &err);
    if (g->maxconn == g->global->maxconn)
        return;
    if (written)
        conf_warning(&g->load, written, NULL, "%s", err.text);
    else
        conf_notice(&g->load, NULL, NULL, "%s", err.text);
}

/* A daemon's standard output is /dev/null. */
static void check_daemon_log(const struct master *m, struct generation *g)
{
    enum log_target t = g->global->log->target;
    if (m->options->daemon && (t == LOG_TARGET_STDOUT || t == LOG_TARGET_STDERR))
        conf_warning(&g->load, generation_global_node(g, "log"), "use target file or syslog",
                     "in the background the log's target %s leads nowhere",
                     t == LOG_TARGET_STDOUT ? "stdout" : "stderr");
}

/* All that can be had before anything is forked. -1: the report says why not. */
static int build(struct master *m, struct generation *g)
{
    if (!generation_valid(g))
        return -1;
    check_daemon_log(m, g);
    fit_maxconn(g);
    return open_pid_file(m, g) < 0 || open_log(m, g) < 0 || generation_bind_state(g) < 0 ||
                   access_logs_open(g) < 0 || sockets_open(&m->sockets, g) < 0 || open_admin(m, g) < 0
               ? -1
               : 0;
}

/* ---- giving up ---- */

static void tell_failure(struct master *m)
{
    if (!m->current) {
        m->status = 1;
        m->stopping = true;
        return;
    }
    log_error("the reload failed: generation %" PRIu32 " goes on, nothing has changed", m->current->number);
    requests_answer(m, false, false, text_str(&m->messages));
    text_free(&m->messages);
    char status[128];
    snprintf(status, sizeof status, "generation %" PRIu32 " serves; the last reload failed",
             m->current->number);
    notify_ready(status);
}

void transition_fail(struct master *m, const char *why)
{
    struct generation *g = m->next;
    struct error err;
    m->next = NULL;
    loop_timer_stop(m->loop, &m->ready_limit);
    if (why)
        text_printf(&m->messages, "%s\n", why);
    generation_print_report(g, &m->messages);
    if (m->current && log_switch_to(&m->log, m->current->global->log, &err) < 0)
        log_error("cannot go back to the log of generation %" PRIu32 ": %s", m->current->number, err.text);
    if (m->current) {
        generation_log_report(g);
        if (why)
            log_error("%s", why);
    }
    sockets_keep(&m->sockets, m->current, NULL);
    admin_socket_remove(&m->next_admin);
    pid_file_remove(&m->next_pid_file);
    TAILQ_INSERT_TAIL(&m->old, g, link);
    tell_failure(m);
    if (generation_alive(g) == 0)
        transition_generation_ended(m, g);
    else if (m->current)
        master_drain(m, g, true); /* it may have accepted connections already */
    else
        master_stop_generation(m, g);
}

void transition_generation_ended(struct master *m, struct generation *g)
{
    loop_timer_stop(m->loop, &g->end);
    for (uint32_t i = 0; i < g->child_count; i++)
        loop_timer_stop(m->loop, &g->children[i].again);
    if (g == m->current)
        m->current = NULL;
    else
        TAILQ_REMOVE(&m->old, g, link);
    generation_free(g);
}

/* ---- switching ---- */

static void adopt_admin(struct master *m, struct generation *g)
{
    struct error err;
    if (keeps_admin(m, g)) {
        if (admin_socket_set_owner(&m->admin, g->global->admin_socket, &err) < 0)
            log_warn("%s", err.text);
        return;
    }
    /* One at the same path has replaced the file already: only the descriptor goes. */
    bool same_path = m->admin.path && m->next_admin.path && strcmp(m->admin.path, m->next_admin.path) == 0;
    if (same_path)
        admin_socket_close(&m->admin);
    else
        admin_socket_remove(&m->admin);
    m->admin = m->next_admin;
    m->next_admin = ADMIN_SOCKET_NONE;
}

static void adopt_pid_file(struct master *m, struct generation *g)
{
    struct error err;
    if (keeps_pid_file(m, g))
        return;
    pid_file_remove(&m->pid_file);
    m->pid_file = m->next_pid_file;
    m->next_pid_file = PID_FILE_NONE;
    if (m->pid_file.path && pid_file_write(&m->pid_file, &err) < 0)
        log_error("%s", err.text);
}

static void log_listeners(const struct generation *g)
{
    for (uint32_t i = 0; i < g->frontend_count; i++) {
        struct text line = {0};
        for (uint32_t j = 0; j < g->frontends[i]->bind_count; j++) {
            char address[ADDRESS_TEXT_MAX];
            text_printf(&line, "%s%s", j ? ", " : "",
                        address_print(&g->frontends[i]->binds[j]->address, address));
        }
        log_info("Frontend [%s] listens on %s", g->frontends[i]->name, text_str(&line));
        text_free(&line);
    }
}

static void log_lines(const char *text)
{
    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        log_notice("%.*s", (int)(end - text), text);
}

void transition_announce(struct master *m)
{
    const struct generation *g = m->current;
    char status[128];
    m->leaving = NULL;
    generation_log_report(g);
    log_lines(text_str(&m->changes));
    log_listeners(g);
    generation_print_report(g, &m->messages);
    text_puts(&m->changes, text_str(&m->messages));
    requests_answer(m, false, true, text_str(&m->changes));
    snprintf(status, sizeof status, "generation %" PRIu32 " serves with %" PRIu32 " workers", g->number,
             g->worker_count);
    notify_ready(status);
    daemon_report(m->report_fd, true, text_str(&m->messages));
    m->report_fd = -1;
    text_free(&m->changes);
    text_free(&m->messages);
    if (m->reload_wanted)
        transition_want(m);
}

/* The oldest of too many that drain is ended. */
static void bound_old(struct master *m)
{
    struct generation *g, *oldest = NULL;
    uint32_t count = 0;
    TAILQ_FOREACH (g, &m->old, link) {
        if (g->phase == PHASE_STOPPING)
            continue;
        if (count++ == 0)
            oldest = g;
    }
    if (count <= OLD_MAX)
        return;
    log_notice("more than %d generations drain: generation %" PRIu32 " is ended", OLD_MAX, oldest->number);
    master_stop_generation(m, oldest);
}

static void commit(struct master *m)
{
    struct generation *g = m->next, *old = m->current;
    loop_timer_stop(m->loop, &m->ready_limit);
    m->next = NULL;
    m->current = g;
    g->phase = PHASE_SERVING;
    g->served = true;
    adopt_admin(m, g);
    adopt_pid_file(m, g);
    sockets_keep(&m->sockets, g, NULL);
    generation_print_changes(g, old, &m->changes);
    if (!old) {
        log_notice("noxy %s has started with %s", m->options->version, m->config_path);
        transition_announce(m);
        return;
    }
    TAILQ_INSERT_TAIL(&m->old, old, link);
    master_drain(m, old, true);
    m->leaving = children_alive(old, CHILD_MANAGER) > 0 ? old : NULL;
    if (generation_alive(old) == 0)
        transition_generation_ended(m, old);
    bound_old(m);
    if (!m->leaving)
        transition_announce(m);
}

void transition_ready(struct master *m)
{
    if (children_all_ready(m->next))
        commit(m);
}

/* ---- beginning ---- */

static void not_ready_in_time(struct timer *t)
{
    struct master *m = CONTAINER_OF(t, struct master, ready_limit);
    char why[128];
    snprintf(why, sizeof why, "the new processes were not ready within %d s", READY_US / 1000000);
    transition_fail(m, why);
}

int transition_begin(struct master *m)
{
    struct error err;
    requests_begin(m);
    struct generation *g = generation_load(m->config_path, m->options->sections, CONF_TO_SERVE);
    g->master = m;
    g->number = ++m->last_number;
    m->next = g;
    if (build(m, g) < 0) {
        m->last_number--; /* nobody has seen it */
        transition_fail(m, NULL);
        return -1;
    }
    children_prepare(g);
    if (children_start(m, g, &err) < 0) {
        transition_fail(m, err.text);
        return -1;
    }
    m->ready_limit.fire = not_ready_in_time;
    loop_timer_set(m->loop, &m->ready_limit, READY_US);
    return 0;
}

/* Each process needs a lane of the shared state until it has ended: generations that still drain may hold too
 * many. */
static bool lanes_suffice(struct master *m)
{
    uint32_t used = generation_alive(m->current);
    struct generation *g;
    TAILQ_FOREACH (g, &m->old, link)
        used += generation_alive(g);
    if (used + m->current->child_count < STATE_LANES_MAX)
        return true;
    bool waits = false;
    TAILQ_FOREACH (g, &m->old, link) {
        if (g->phase != PHASE_STOPPING)
            master_stop_generation(m, g);
        waits = true;
    }
    return !waits;
}

void transition_want(struct master *m)
{
    m->reload_wanted = true;
    if (m->next || m->leaving || !m->current || m->stopping || !lanes_suffice(m))
        return;
    m->reload_wanted = false;
    log_notice("reloading %s", m->config_path);
    notify_reloading();
    transition_begin(m);
}
