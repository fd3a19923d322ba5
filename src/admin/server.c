#include "admin/admin.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/answer.h"
#include "admin/rates.h"
#include "admin/session.h"
#include "base/memory.h"
#include "log/log.h"

enum { ACCEPTS_A_ROUND = 16, RETRY_US = 1000000 };

/* Makes room for a new session: the one inactive for the longest goes. False: all wait for the host. */
static bool close_one(struct admin *a)
{
    struct admin_session *s;
    TAILQ_FOREACH (s, &a->sessions, link)
        if (!s->waiting) {
            admin_session_close(s);
            return true;
        }
    return false;
}

static void listen_on(struct admin *a)
{
    if (a->draining || a->listening)
        return;
    if (loop_watch_listener(a->loop, &a->listener) == 0)
        a->listening = true;
    else
        loop_timer_set(a->loop, &a->retry, RETRY_US);
}

static void listen_off(struct admin *a)
{
    loop_timer_stop(a->loop, &a->retry);
    if (a->listening)
        loop_forget(a->loop, &a->listener);
    a->listening = false;
}

/* The kernel gives no connection: the listener stays ready, so that going on at once would spin. */
static void pause_accepting(struct admin *a)
{
    log_warn("admin socket: cannot accept a connection: %s", strerrordesc_np(errno));
    listen_off(a);
    loop_timer_set(a->loop, &a->retry, RETRY_US);
}

static bool worth_a_pause(int error)
{
    return error != EAGAIN && error != EWOULDBLOCK && error != EINTR && error != ECONNABORTED;
}

static void on_connection(struct watch *w, unsigned events)
{
    struct admin *a = CONTAINER_OF(w, struct admin, listener);
    (void)events;
    for (int i = 0; i < ACCEPTS_A_ROUND; i++) {
        int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (worth_a_pause(errno))
                pause_accepting(a);
            return;
        }
        if (a->count >= ADMIN_SESSIONS_MAX && !close_one(a))
            close(fd);
        else if (admin_session_open(a, fd) < 0)
            log_warn("admin socket: cannot watch a connection: %s", strerrordesc_np(errno));
    }
}

static void on_retry(struct timer *t)
{
    listen_on(CONTAINER_OF(t, struct admin, retry));
}

struct admin *admin_start(struct loop *l, int fd, const struct admin_host *host, struct error *err)
{
    struct admin *a = memory_zalloc(sizeof *a);
    a->loop = l;
    a->host = host;
    a->queued_max = ADMIN_QUEUED_MAX;
    a->listener = (struct watch){.fd = fd, .ready = on_connection};
    a->retry.fire = on_retry;
    TAILQ_INIT(&a->sessions);
    TAILQ_INIT(&a->left);
    if (loop_watch_listener(l, &a->listener) < 0) {
        error_set_errno(err, "cannot watch the admin socket");
        free(a);
        return NULL;
    }
    a->listening = true;
    a->rates = rates_start(l, host);
    return a;
}

/* A failure's first line is its reason, the others follow it as they are. */
static void fail_with(struct answer *answer, const char *text)
{
    size_t len = strcspn(text, "\n");
    answer_fail(answer, "%.*s", (int)MIN(len, sizeof answer->reason.text - 1), text);
    text += len + (text[len] == '\n');
    if (answer->json)
        answer->document = json_pack("{s:o}", "details", answer_json_lines(text));
    else
        text_puts(&answer->text, text);
}

void admin_reload_done(struct admin_session *s, bool ok, const char *text)
{
    struct answer answer = {.json = s->json};
    struct text bytes = {0};
    if (!s->waiting)
        return;
    s->waiting = false;
    s->admin->waiting--;
    if (!ok)
        fail_with(&answer, text);
    else if (answer.json)
        answer.document = json_pack("{s:b,s:o}", "reloaded", 1, "details", answer_json_lines(text));
    else
        text_puts(&answer.text, text);
    answer_finish(&answer, &bytes);
    admin_session_answer(s, text_str(&bytes), bytes.len);
    text_free(&bytes);
    admin_session_wake(s);
}

void admin_drain(struct admin *a)
{
    struct admin_session *s;
    listen_off(a);
    a->draining = true;
    TAILQ_FOREACH (s, &a->sessions, link) {
        s->readable = true; /* a command that has arrived is still answered */
        admin_session_wake(s);
    }
}

bool admin_idle(const struct admin *a)
{
    const struct admin_session *s;
    TAILQ_FOREACH (s, &a->sessions, link)
        if (admin_session_busy(s))
            return false;
    return true;
}

void admin_free(struct admin *a)
{
    struct admin_session *s;
    if (!a)
        return;
    listen_off(a);
    while ((s = TAILQ_FIRST(&a->sessions)) || (s = TAILQ_FIRST(&a->left)))
        admin_session_free(s);
    rates_free(a->rates);
    free(a);
}
