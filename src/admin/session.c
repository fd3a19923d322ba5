#include "admin/session.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "admin/handlers.h"
#include "base/memory.h"

static bool connected(const struct admin_session *s)
{
    return s->watch.fd >= 0;
}

static bool unsent(const struct admin_session *s)
{
    return s->sent < s->out.len;
}

bool admin_session_busy(const struct admin_session *s)
{
    return s->waiting || unsent(s) || s->used || (s->admin->draining && !s->served);
}

void admin_session_wake(struct admin_session *s)
{
    loop_defer(s->admin->loop, &s->task);
}

static void set_timer(struct admin_session *s)
{
    unsigned seconds = ADMIN_IDLE_S;
    if (s->waiting) {
        loop_timer_stop(s->admin->loop, &s->timer);
        return;
    }
    if (unsent(s))
        seconds = ADMIN_STALL_S;
    else if (s->admin->draining)
        seconds = ADMIN_GRACE_S;
    loop_timer_set(s->admin->loop, &s->timer, seconds * (uint64_t)1000000);
}

static void note_activity(struct admin_session *s)
{
    TAILQ_REMOVE(&s->admin->sessions, s, link);
    TAILQ_INSERT_TAIL(&s->admin->sessions, s, link);
    set_timer(s);
}

static void drop_output(struct admin_session *s)
{
    s->admin->queued -= s->out.len - s->sent;
    text_free(&s->out);
    s->sent = 0;
}

void admin_session_close(struct admin_session *s)
{
    struct admin *a = s->admin;
    if (!connected(s))
        return;
    drop_output(s);
    loop_timer_stop(a->loop, &s->timer);
    loop_forget(a->loop, &s->watch);
    close(s->watch.fd);
    s->watch.fd = -1;
    TAILQ_REMOVE(&a->sessions, s, link);
    TAILQ_INSERT_TAIL(&a->left, s, link);
    a->count--;
    admin_session_wake(s);
}

void admin_session_free(struct admin_session *s)
{
    admin_session_close(s);
    loop_undefer(s->admin->loop, &s->task);
    TAILQ_REMOVE(&s->admin->left, s, link);
    free(s);
}

/* Sends what the socket takes. False: the session is closed. */
static bool flush(struct admin_session *s)
{
    bool progress = false;
    while (unsent(s)) {
        ssize_t n =
            send(s->watch.fd, s->out.data + s->sent, s->out.len - s->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < 0) {
            admin_session_close(s);
            return false;
        }
        s->sent += (size_t)n;
        s->admin->queued -= (size_t)n;
        progress = true;
    }
    if (!unsent(s))
        drop_output(s);
    if (progress)
        note_activity(s);
    return true;
}

/* Holds the sum of unread answers to its limit: those ignored the longest go first. */
static void bound_queued(struct admin *a, const struct admin_session *newest)
{
    struct admin_session *s, *next;
    TAILQ_FOREACH_SAFE (s, &a->sessions, link, next) {
        if (a->queued <= a->queued_max)
            return;
        if (s != newest && unsent(s))
            admin_session_close(s);
    }
}

void admin_session_answer(struct admin_session *s, const char *bytes, size_t len)
{
    if (!connected(s))
        return;
    text_add(&s->out, bytes, len);
    s->admin->queued += len;
    bound_queued(s->admin, s);
    set_timer(s);
}

static void run_line(struct admin_session *s, char *line, size_t len)
{
    struct text answer = {0};
    if (len && line[len - 1] == '\r')
        len--;
    line[len] = '\0';
    for (char *nul; (nul = memchr(line, '\0', len));) /* would hide the rest: refused as what it is */
        *nul = '\1';
    s->served = true;
    admin_run_line(s, line, &answer);
    admin_session_answer(s, text_str(&answer), answer.len);
    text_free(&answer);
}

static void refuse_line(struct admin_session *s, const char *why)
{
    struct answer a = {0};
    struct text answer = {0};
    answer_fail(&a, "%s", why);
    answer_finish(&a, &answer);
    s->served = true;
    admin_session_answer(s, text_str(&answer), answer.len);
    text_free(&answer);
}

/* Takes the first `len` bytes and the newline behind them off the buffer. */
static void drop_line(struct admin_session *s, size_t len)
{
    s->used -= (uint32_t)(len + 1);
    memmove(s->line, s->line + len + 1, s->used);
}

/* Handles one line of what was read. False: there is none, more must be read. */
static bool take_line(struct admin_session *s)
{
    char *newline = memchr(s->line, '\n', s->used);
    size_t len = newline ? (size_t)(newline - s->line) : s->used;
    if (s->skipping) {
        s->skipping = !newline;
        if (newline)
            drop_line(s, len);
        else
            s->used = 0;
        return newline;
    }
    if (newline) {
        char line[COMMAND_LINE_MAX + 1];
        memcpy(line, s->line, len);
        drop_line(s, len);
        run_line(s, line, len);
        return true;
    }
    if (s->used < sizeof s->line)
        return false;
    s->used = 0;
    s->skipping = true;
    refuse_line(s, "the line is longer than 4096 bytes");
    return true;
}

/* Reads once. False: there is nothing now. */
static bool fill(struct admin_session *s)
{
    ssize_t n = recv(s->watch.fd, s->line + s->used, sizeof s->line - s->used, MSG_DONTWAIT);
    if (n > 0) {
        s->used += (uint32_t)n;
        note_activity(s);
        return true;
    }
    if (n < 0 && errno == EINTR)
        return true;
    s->readable = false;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return false;
    s->ended = true; /* broken: an answer still on its way will find out */
    if (s->used && !s->skipping)
        refuse_line(s, "the line was cut off: no newline at its end");
    s->used = 0;
    return true;
}

/* Nothing is there to be done: is the session at its end? */
static void rest(struct admin_session *s)
{
    if (s->ended || (s->admin->draining && s->served))
        admin_session_close(s);
    else
        set_timer(s);
}

/* One step: one command or one read, when what came before has been answered. */
static void step(struct admin_session *s)
{
    if (!flush(s) || unsent(s) || s->waiting)
        return;
    if (take_line(s) || (s->readable && fill(s)))
        admin_session_wake(s);
    else
        rest(s);
}

static void on_task(struct task *t)
{
    struct admin_session *s = CONTAINER_OF(t, struct admin_session, task);
    if (connected(s))
        step(s);
    else if (!s->waiting)
        admin_session_free(s);
}

static void on_ready(struct watch *w, unsigned events)
{
    struct admin_session *s = CONTAINER_OF(w, struct admin_session, watch);
    if (events & LOOP_READABLE)
        s->readable = true;
    if ((events & LOOP_BROKEN) && s->waiting) {
        admin_session_close(s); /* nobody is left to tell */
        return;
    }
    admin_session_wake(s);
}

static void on_timer(struct timer *t)
{
    admin_session_close(CONTAINER_OF(t, struct admin_session, timer));
}

int admin_session_open(struct admin *a, int fd)
{
    struct admin_session *s = memory_zalloc(sizeof *s);
    *s = (struct admin_session){.admin = a, .watch = {.fd = fd, .ready = on_ready}, .readable = true};
    s->timer.fire = on_timer;
    s->task.run = on_task;
    if (loop_watch(a->loop, &s->watch) < 0) {
        int error = errno;
        close(fd);
        free(s);
        errno = error;
        return -1;
    }
    TAILQ_INSERT_TAIL(&a->sessions, s, link);
    a->count++;
    set_timer(s);
    admin_session_wake(s);
    return 0;
}
