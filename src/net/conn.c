#include "net/conn.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/pool.h"
#include "log/log.h"
#include "net/conn_parts.h"

enum { READ_BATCH = 16 }; /* buffers filled by one system call */

static struct pool conns = POOL_OF(struct conn);
static struct pool names = POOL_OF(struct conn_names);

static void conn_ready(struct watch *w, unsigned events);
static void conn_timer_fired(struct timer *t);
static void conn_read_again(struct task *t);
static void conn_free(struct task *t);

/* ---- making one ---- */

/* What is no IP address is a Unix socket's. */
static void keep_address(union conn_address *to, const struct sockaddr *from)
{
    if (from && from->sa_family == AF_INET)
        memcpy(&to->in, from, sizeof to->in);
    else if (from && from->sa_family == AF_INET6)
        memcpy(&to->in6, from, sizeof to->in6);
    else
        to->any.sa_family = AF_UNIX;
}

static struct conn *conn_new(struct loop *l, int fd, const struct sockaddr *peer,
                             const struct conn_handler *h, void *owner, unsigned flags)
{
    struct conn *c = pool_get(&conns);
    *c = (struct conn){
        .watch = {.fd = fd, .ready = conn_ready},
        .loop = l,
        .handler = h,
        .owner = owner,
        .timer.fire = conn_timer_fired,
        .task.run = conn_read_again,
        .flags = (uint16_t)flags,
        .active_at = loop_now(l),
    };
    TAILQ_INIT(&c->queue);
    keep_address(&c->peer, peer);
    if (loop_watch(l, &c->watch) == 0)
        return c;
    pool_put(&conns, c);
    return NULL;
}

struct conn *conn_adopt(struct loop *l, int fd, const struct sockaddr *peer, const struct conn_handler *h,
                        void *owner)
{
    struct conn *c = conn_new(l, fd, peer, h, owner, WRITABLE);
    if (!c)
        close(fd);
    return c;
}

struct conn *conn_connect(struct loop *l, const struct sockaddr *to, socklen_t len,
                          const struct conn_handler *h, void *owner)
{
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    int one = 1;
    if (to->sa_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct conn *c = NULL;
    if (connect(fd, to, len) == 0 || errno == EINPROGRESS)
        c = conn_new(l, fd, to, h, owner, CONNECTING);
    if (!c) {
        int why = errno;
        close(fd);
        errno = why;
    }
    return c;
}

void conn_set_owner(struct conn *c, const struct conn_handler *h, void *owner)
{
    c->handler = h;
    c->owner = owner;
}

/* ---- reading ---- */

/*
 * A read that filled less than its room emptied the socket, so the next would find nothing; an edge will tell
 * of more. But for the end of the stream, whose edge may have come before.
 */
static ssize_t conn_note_read(struct conn *c, ssize_t got, size_t room)
{
    if (got > 0) {
        c->active_at = loop_now(c->loop);
        if ((size_t)got < room && !(c->flags & (PEER_CLOSED | BROKEN)))
            c->flags &= (uint16_t)~READABLE;
        return got;
    }
    c->flags &= (uint16_t)~READABLE;
    if (got == 0) {
        c->flags |= PEER_CLOSED;
        return CONN_END;
    }
    if (errno == EAGAIN || errno == EINTR)
        return CONN_AGAIN;
    c->error = (int16_t)errno;
    c->flags |= BROKEN;
    return CONN_FAILED;
}

ssize_t conn_read(struct conn *c, void *bytes, size_t size)
{
    if (!(c->flags & READABLE))
        return c->flags & BROKEN ? CONN_FAILED : CONN_AGAIN;
    if (c->tls)
        return conn_tls_read(c, bytes, size);
    return conn_note_read(c, recv(c->watch.fd, bytes, size, 0), size);
}

ssize_t conn_read_buffers(struct conn *c, struct buffer **buffers, unsigned count)
{
    struct iovec iov[READ_BATCH];
    size_t room = 0;
    if (!(c->flags & READABLE))
        return c->flags & BROKEN ? CONN_FAILED : CONN_AGAIN;
    if (c->tls)
        return conn_tls_read_buffers(c, buffers, count);
    if (count < 2) { /* recv(2) is the cheaper call */
        ssize_t read = conn_read(c, buffers[0]->data + buffers[0]->end, buffer_room(buffers[0]));
        buffers[0]->end += (uint32_t)MAX(read, 0);
        return read;
    }
    count = MIN(count, READ_BATCH);
    for (unsigned i = 0; i < count; i++) {
        iov[i] = (struct iovec){buffers[i]->data + buffers[i]->end, buffer_room(buffers[i])};
        room += iov[i].iov_len;
    }
    ssize_t got = conn_note_read(c, readv(c->watch.fd, iov, (int)count), room);
    for (size_t left = (size_t)MAX(got, 0), i = 0; left > 0 && i < count; i++) {
        size_t part = MIN(left, buffer_room(buffers[i]));
        buffers[i]->end += (uint32_t)part;
        left -= part;
    }
    return got;
}

ssize_t conn_peek(struct conn *c, void *bytes, size_t size)
{
    if (!(c->flags & READABLE))
        return c->flags & BROKEN ? CONN_FAILED : CONN_AGAIN;
    return conn_note_read(c, recv(c->watch.fd, bytes, size, MSG_PEEK), 0);
}

bool conn_may_read(const struct conn *c)
{
    return c->flags & READABLE;
}

bool conn_peer_closed(const struct conn *c)
{
    return c->flags & (PEER_CLOSED | BROKEN);
}

bool conn_broken(const struct conn *c)
{
    return c->flags & (BROKEN | HUNG_UP);
}

bool conn_connected(const struct conn *c)
{
    return !(c->flags & (CONNECTING | SECURING | CLOSED));
}

bool conn_quiet(const struct conn *c)
{
    return !(c->flags & (READABLE | PEER_CLOSED | BROKEN | HUNG_UP | CLOSED)) &&
           !(c->watch.pending & (LOOP_READABLE | LOOP_PEER_CLOSED | LOOP_BROKEN));
}

void conn_read_later(struct conn *c)
{
    loop_defer(c->loop, &c->task);
}

static void conn_read_again(struct task *t)
{
    struct conn *c = CONTAINER_OF(t, struct conn, task);
    if (c->flags & SECURING)
        conn_tls_ready(c, 0);
    else
        c->handler->readable(c);
}

void conn_shutdown(struct conn *c)
{
    if (c->flags & (SHUT | CLOSED))
        return;
    if (c->tls)
        conn_tls_end(c, MSG_MORE);
    if (c->queued > 0 || c->flags & CONNECTING) {
        c->flags |= SHUT_WHEN_SENT;
        return;
    }
    c->flags |= SHUT;
    shutdown(c->watch.fd, SHUT_WR);
}

/* ---- events ---- */

static void conn_connect_ended(struct conn *c, unsigned events)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (events & LOOP_BROKEN && (getsockopt(c->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0))
        error = errno;
    c->flags &= (uint16_t)~CONNECTING;
    if (error) {
        c->error = (int16_t)error;
        c->flags |= BROKEN;
        c->handler->failed(c, error);
        return;
    }
    c->flags |= WRITABLE;
    conn_queue_send(c, 0);
    if (!(c->flags & SECURING))
        c->handler->writable(c);
}

static void conn_queue_sendable(struct conn *c)
{
    conn_queue_send(c, 0);
    if (c->queued > 0)
        return;
    if (c->flags & SHUT_WHEN_SENT) {
        c->flags = (uint16_t)((c->flags & ~SHUT_WHEN_SENT) | SHUT);
        shutdown(c->watch.fd, SHUT_WR);
    }
    c->handler->writable(c);
}

static void conn_ready(struct watch *w, unsigned events)
{
    struct conn *c = CONTAINER_OF(w, struct conn, watch);
    if (c->flags & CLOSED)
        return;
    if (c->flags & CONNECTING) {
        if (!(events & (LOOP_WRITABLE | LOOP_BROKEN)))
            return;
        if (events & LOOP_READABLE)
            c->flags |= READABLE; /* it may look before it sends */
        conn_connect_ended(c, events);
        if (c->flags & CLOSED)
            return;
    }
    if (events & LOOP_PEER_CLOSED)
        c->flags |= PEER_CLOSED;
    if (c->flags & SECURING) {
        conn_tls_ready(c, events);
        return;
    }
    if (events & LOOP_WRITABLE) {
        c->flags |= WRITABLE;
        if (c->queued > 0)
            conn_queue_sendable(c);
        if (c->flags & CLOSED)
            return;
    }
    if (events & LOOP_READABLE) {
        c->flags |= READABLE;
        if (events & LOOP_BROKEN)
            c->flags |= PEER_CLOSED | HUNG_UP;
        if (c->tls)
            conn_tls_note_readable(c);
        c->handler->readable(c);
    }
}

static void conn_timer_fired(struct timer *t)
{
    struct conn *c = CONTAINER_OF(t, struct conn, timer);
    c->handler->timeout(c);
}

void conn_timeout(struct conn *c, uint64_t delay_us)
{
    if (delay_us > 0)
        loop_timer_set(c->loop, &c->timer, delay_us);
    else
        loop_timer_stop(c->loop, &c->timer);
}

/* ---- ending ---- */

void conn_reset(struct conn *c)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (setsockopt(c->watch.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) != 0)
        log_debug("connection %d: SO_LINGER: %s", c->watch.fd, strerror(errno));
    c->flags |= RESET;
}

void conn_close(struct conn *c, enum reason why)
{
    if (c->flags & CLOSED)
        return;
    log_debug("connection %d closed: %s", c->watch.fd, reason_word(why));
    if (c->tls && c->queued == 0)
        conn_tls_end(c, MSG_MORE);
    c->flags |= CLOSED;
    conn_finish_closed(c);
    conn_out_free(c);
    if (c->tls)
        conn_tls_free(c);
    loop_timer_stop(c->loop, &c->timer);
    loop_undefer(c->loop, &c->task);
    close(c->watch.fd);
    c->task.run = conn_free;
    loop_defer(c->loop, &c->task);
}

static void conn_free(struct task *t)
{
    struct conn *c = CONTAINER_OF(t, struct conn, task);
    if (UNLIKELY(c->names != NULL))
        pool_put(&names, c->names);
    pool_put(&conns, c);
}

/* ---- about one ---- */

void conn_set_names(struct conn *c, const struct address *peer, const struct address *local)
{
    if (!c->names)
        c->names = pool_get(&names);
    keep_address(&c->names->peer, &peer->any);
    keep_address(&c->names->local, &local->any);
}

static void give_address(const union conn_address *a, struct address *out)
{
    *out = (struct address){0};
    switch (a->any.sa_family) {
    case AF_INET:
        out->in = a->in;
        out->len = sizeof out->in;
        break;
    case AF_INET6:
        out->in6 = a->in6;
        out->len = sizeof out->in6;
        break;
    default:
        out->any.sa_family = AF_UNIX;
        out->len = sizeof out->any.sa_family;
    }
}

void conn_peer(const struct conn *c, struct address *out)
{
    give_address(UNLIKELY(c->names != NULL) ? &c->names->peer : &c->peer, out);
}

void conn_real_peer(const struct conn *c, struct address *out)
{
    give_address(&c->peer, out);
}

void conn_local(const struct conn *c, struct address *out)
{
    if (UNLIKELY(c->names != NULL)) {
        give_address(&c->names->local, out);
        return;
    }
    *out = (struct address){.len = sizeof out->storage};
    if (getsockname(c->watch.fd, &out->any, &out->len) < 0)
        *out = (struct address){0};
}
