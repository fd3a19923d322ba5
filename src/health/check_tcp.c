#include <errno.h>
#include <unistd.h>

#include "base/macros.h"
#include "health/check.h"

static enum reason reason_of(int error)
{
    switch (error) {
    case 0:
        return REASON_NONE;
    case ECONNREFUSED:
    case ENOENT: /* of a Unix socket */
        return REASON_SERVER_REFUSED;
    case ECONNRESET:
        return REASON_SERVER_RESET;
    case ETIMEDOUT:
        return REASON_SERVER_CONNECT_TIMEOUT;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:        /* watches */
    case EADDRNOTAVAIL: /* local ports */
        return REASON_RESOURCES;
    default:
        return REASON_SERVER_UNREACHABLE;
    }
}

static void tcp_stop(struct check *c)
{
    loop_timer_stop(c->loop, &c->timer);
    loop_forget(c->loop, &c->watch);
    close(c->watch.fd);
}

static void end(struct check *c, int error)
{
    tcp_stop(c);
    c->done(c, reason_of(error), error);
}

/* A header that names nobody: the connection is noxy's own. 0, or an errno. */
static int introduce(const struct check *c)
{
    char header[PROXY_WRITE_MAX];
    size_t len = proxy_write(c->send_proxy, NULL, NULL, header);
    return send(c->watch.fd, header, len, MSG_NOSIGNAL) < 0 ? errno : 0;
}

static void tcp_ready(struct watch *w, unsigned events)
{
    struct check *c = CONTAINER_OF(w, struct check, watch);
    int error = 0;
    socklen_t len = sizeof error;
    if (!(events & LOOP_WRITABLE)) /* still connecting */
        return;
    if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (!error && c->send_proxy > PROXY_NONE)
        error = introduce(c);
    end(c, error);
}

static void tcp_timed_out(struct timer *t)
{
    end(CONTAINER_OF(t, struct check, timer), ETIMEDOUT);
}

static void tcp_start(struct check *c, const struct address *to, uint64_t timeout_us)
{
    int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    c->watch = (struct watch){.fd = fd, .ready = tcp_ready};
    c->timer.fire = tcp_timed_out;
    if (fd >= 0 && (connect(fd, &to->any, to->len) == 0 || errno == EINPROGRESS) &&
        loop_watch(c->loop, &c->watch) == 0) {
        loop_timer_set(c->loop, &c->timer, timeout_us);
        return;
    }
    int error = errno;
    if (fd >= 0)
        close(fd);
    c->done(c, reason_of(error), error);
}

const struct check_kind check_tcp = {.name = "tcp", .start = tcp_start, .stop = tcp_stop};
