#include "process/child.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "log/log.h"
#include "process/child_run.h"
#include "process/master.h"
#include "state/state.h"

enum { QUICK_US = 10000000, FIRST_PAUSE_US = 100000, LONGEST_PAUSE_US = 10000000 };

const char *child_name(const struct child *c, char out[static CHILD_NAME_MAX])
{
    if (c->role == CHILD_MANAGER)
        snprintf(out, CHILD_NAME_MAX, "manager");
    else
        snprintf(out, CHILD_NAME_MAX, "worker %" PRIu32, c->index);
    return out;
}

uint64_t child_pause_us(uint32_t quick_deaths)
{
    if (quick_deaths < 2)
        return 0;
    return MIN((uint64_t)FIRST_PAUSE_US << MIN(quick_deaths - 2, 10), (uint64_t)LONGEST_PAUSE_US);
}

/* ---- starting ---- */

static void received(struct channel *ch, struct channel_message *msg)
{
    struct child *c = CONTAINER_OF(ch, struct child, channel);
    master_received(c->generation->master, c, msg);
}

/* SIGCHLD tells the rest. */
static void ended(struct channel *ch)
{
    channel_close(ch);
}

static _Noreturn void in_child(struct master *m, struct child *c, int channel_fd, int admin_fd)
{
    struct child_run run = {
        .ops = c->role == CHILD_MANAGER ? &manager_ops : &worker_ops,
        .generation = c->generation,
        .lane = c->lane,
        .channel_fd = channel_fd,
        .admin_fd = c->role == CHILD_MANAGER ? admin_fd : -1,
        .master_pid = m->pid,
        .config_path = m->config_path,
        .started_ms = m->started_ms,
        .process = m->process,
    };
    char name[CHILD_NAME_MAX];
    log_set_process(child_name(c, name));
    if (c->role == CHILD_WORKER && admin_fd >= 0)
        close(admin_fd);
    master_leave(m, c->generation);
    child_run(&run);
}

/* The admin socket that a generation's manager answers. */
static int admin_fd_of(const struct master *m, const struct generation *g)
{
    return g == m->next && m->next_admin.fd >= 0 ? m->next_admin.fd : m->admin.fd;
}

static int fork_child(struct master *m, struct child *c, struct error *err)
{
    int fds[2];
    if (channel_pair(fds, err) < 0)
        return -1;
    int admin_fd = dup(admin_fd_of(m, c->generation));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        in_child(m, c, fds[1], admin_fd);
    }
    int saved = errno;
    close(fds[1]);
    if (admin_fd >= 0)
        close(admin_fd);
    if (pid < 0) {
        close(fds[0]);
        errno = saved;
        return error_set_errno(err, "cannot fork");
    }
    c->pid = pid;
    c->started = clock_monotonic_us();
    if (channel_open(&c->channel, m->loop, fds[0], err) < 0) {
        kill(pid, SIGKILL);
        return -1;
    }
    return 0;
}

static int start(struct master *m, struct child *c, struct error *err)
{
    c->ready = false;
    c->told_to_end = false;
    c->lane = state_lane_open(err);
    if (c->lane < 0)
        return -1;
    if (fork_child(m, c, err) == 0)
        return 0;
    if (c->pid == 0) { /* else its end will be seen to */
        state_lane_close(c->lane);
        c->lane = -1;
    }
    return -1;
}

static void again_fired(struct timer *t)
{
    struct child *c = CONTAINER_OF(t, struct child, again);
    struct master *m = c->generation->master;
    char name[CHILD_NAME_MAX];
    struct error err;
    if (c->pid > 0 || start(m, c, &err) == 0)
        return;
    c->quick_deaths++;
    uint64_t pause = MAX(child_pause_us(c->quick_deaths), (uint64_t)FIRST_PAUSE_US);
    log_error("cannot start %s: %s; the next try is in %" PRIu64 " ms", child_name(c, name), err.text,
              pause / 1000);
    loop_timer_set(m->loop, t, pause);
}

void children_prepare(struct generation *g)
{
    g->child_count = g->worker_count + 1;
    g->children = memory_zalloc(g->child_count * sizeof *g->children);
    for (uint32_t i = 0; i < g->child_count; i++)
        g->children[i] = (struct child){
            .generation = g,
            .role = i < g->worker_count ? CHILD_WORKER : CHILD_MANAGER,
            .index = i,
            .lane = -1,
            .channel = {.watch.fd = -1, .received = received, .ended = ended},
            .again.fire = again_fired,
        };
}

int children_start(struct master *m, struct generation *g, struct error *err)
{
    for (uint32_t i = 0; i < g->child_count; i++)
        if (start(m, &g->children[i], err) < 0)
            return -1;
    return 0;
}

/* ---- telling ---- */

void children_tell(struct generation *g, enum child_role role, enum channel_type type, uint64_t value)
{
    for (uint32_t i = 0; i < g->child_count; i++) {
        struct child *c = &g->children[i];
        char name[CHILD_NAME_MAX];
        struct error err;
        if (c->role != role)
            continue;
        if (type == CHANNEL_DRAIN || type == CHANNEL_STOP) {
            c->told_to_end = true;
            loop_timer_stop(g->master->loop, &c->again);
        }
        if (c->pid > 0 && c->channel.watch.fd >= 0 &&
            channel_send(&c->channel, type, value, NULL, -1, &err) < 0 && errno != EPIPE &&
            errno != ECONNRESET)
            log_warn("%s (pid %ld) of generation %" PRIu32 ": %s", child_name(c, name), (long)c->pid,
                     g->number, err.text);
    }
}

void children_kill(struct generation *g)
{
    for (uint32_t i = 0; i < g->child_count; i++) {
        struct child *c = &g->children[i];
        char name[CHILD_NAME_MAX];
        if (c->pid <= 0 || !c->told_to_end)
            continue;
        log_warn("%s (pid %ld) of generation %" PRIu32 " does not end: it is killed", child_name(c, name),
                 (long)c->pid, g->number);
        kill(c->pid, SIGKILL);
    }
}

bool children_all_ready(const struct generation *g)
{
    for (uint32_t i = 0; i < g->child_count; i++)
        if (!g->children[i].ready)
            return false;
    return true;
}

uint32_t children_alive(const struct generation *g, enum child_role role)
{
    uint32_t alive = 0;
    for (uint32_t i = 0; i < g->child_count; i++)
        alive += g->children[i].role == role && g->children[i].pid > 0;
    return alive;
}

/* ---- ends ---- */

static struct child *find_in(struct generation *g, pid_t pid)
{
    for (uint32_t i = 0; g && i < g->child_count; i++)
        if (g->children[i].pid == pid)
            return &g->children[i];
    return NULL;
}

static struct child *find(struct master *m, pid_t pid)
{
    struct generation *g;
    struct child *c = find_in(m->current, pid);
    if (!c)
        c = find_in(m->next, pid);
    TAILQ_FOREACH (g, &m->old, link)
        if (!c)
            c = find_in(g, pid);
    return c;
}

static void log_end(const struct child *c, int status)
{
    char name[CHILD_NAME_MAX];
    child_name(c, name);
    if (WIFSIGNALED(status))
        log_write(c->told_to_end && WTERMSIG(status) == SIGKILL ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR,
                  "%s (pid %ld) of generation %" PRIu32 " was ended by signal %d (%s)%s", name, (long)c->pid,
                  c->generation->number, WTERMSIG(status), strsignal(WTERMSIG(status)),
                  WCOREDUMP(status) ? ", core dumped" : "");
    else if (c->told_to_end && WEXITSTATUS(status) == 0)
        log_debug("%s (pid %ld) of generation %" PRIu32 " has ended", name, (long)c->pid,
                  c->generation->number);
    else
        log_error("%s (pid %ld) of generation %" PRIu32 " has ended with exit code %d", name, (long)c->pid,
                  c->generation->number, WEXITSTATUS(status));
}

/* Starts it anew, if its generation still wants it: at once, or after a pause when it dies again and again.
 */
static void replace(struct master *m, struct child *c)
{
    if (c->generation->phase != PHASE_SERVING || c->told_to_end ||
        (c->role == CHILD_WORKER && c->generation->workers_drained))
        return;
    c->quick_deaths = clock_monotonic_us() - c->started < QUICK_US ? c->quick_deaths + 1 : 1;
    uint64_t pause = child_pause_us(c->quick_deaths);
    char name[CHILD_NAME_MAX];
    if (pause)
        log_notice("%s is started anew in %" PRIu64 " ms: it has ended %" PRIu32
                   " times in a row soon after its start",
                   child_name(c, name), pause / 1000, c->quick_deaths);
    loop_timer_set(m->loop, &c->again, pause);
}

void children_reap(struct master *m)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct child *c = find(m, pid);
        if (!c)
            continue;
        log_end(c, status);
        requests_forget(m, pid);
        channel_close(&c->channel);
        state_lane_close(c->lane);
        c->lane = -1;
        c->pid = 0;
        c->ready = false;
        replace(m, c);
        master_child_ended(m, c);
    }
}
