#include "net/conn.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/pool.h"
#include "log/log.h"

enum {
    CONNECTING = 1,
    READABLE = 2,
    WRITABLE = 4,
    PEER_CLOSED = 8,
    BROKEN = 16,
    CLOSED = 32,         /* only its memory is left, until the end of the round */
    SHUT_WHEN_SENT = 64, /* conn_shutdown() waits for the queue */
    SHUT = 128,          /* our direction has ended */
    FINISH_LINGER = 256, /* conn_finish(): see there */
    HUNG_UP = 512,       /* an error, or both directions have ended */
};

enum {
    JOIN_MAX = 2048,  /* bytes up to which pieces are joined before they are sent */
    GATHER_MAX = 64,  /* pieces sent by one system call */
    QUEUE_BATCH = 16, /* queued buffers sent by one system call */
    LINGER_BYTES = 1 << 20,
    LINGER_US = 2000000,
};

/* What is pushed until the next flush. Lent to a connection for that short time. */
struct gather {
    unsigned count;
    size_t bytes;
    struct iovec piece[GATHER_MAX];
    struct buffer *owner[GATHER_MAX]; /* the buffer that was given with a piece, or NULL */
};

static struct pool conns = POOL_OF(struct conn);
static struct pool gathers = POOL_OF(struct gather);
static size_t finishing; /* connections with finish_handler */

static void conn_ready(struct watch *w, unsigned events);
static void conn_timer_fired(struct timer *t);
static void conn_read_again(struct task *t);
static void conn_free(struct task *t);

static const struct conn_handler finish_handler;

/* ---- making one ---- */

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
    };
    TAILQ_INIT(&c->queue);
    if (peer && peer->sa_family == AF_INET)
        memcpy(&c->peer.in, peer, sizeof c->peer.in);
    else if (peer && peer->sa_family == AF_INET6)
        memcpy(&c->peer.in6, peer, sizeof c->peer.in6);
    else
        c->peer.any.sa_family = AF_UNIX;
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
    return conn_note_read(c, recv(c->watch.fd, bytes, size, 0), size);
}

ssize_t conn_read_buffers(struct conn *c, struct buffer **buffers, unsigned count)
{
    struct iovec iov[QUEUE_BATCH];
    size_t room = 0;
    if (!(c->flags & READABLE))
        return c->flags & BROKEN ? CONN_FAILED : CONN_AGAIN;
    if (count < 2) { /* recv(2) is the cheaper call */
        ssize_t read = conn_read(c, buffers[0]->data + buffers[0]->end, buffer_room(buffers[0]));
        buffers[0]->end += (uint32_t)MAX(read, 0);
        return read;
    }
    count = MIN(count, QUEUE_BATCH);
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
    return !(c->flags & (CONNECTING | CLOSED));
}

void conn_read_later(struct conn *c)
{
    loop_defer(c->loop, &c->task);
}

static void conn_read_again(struct task *t)
{
    struct conn *c = CONTAINER_OF(t, struct conn, task);
    c->handler->readable(c);
}

/* ---- writing ---- */

static void queue_bytes(struct conn *c, const char *bytes, size_t len)
{
    c->queued += (uint32_t)len;
    while (len > 0) {
        struct buffer *b = TAILQ_LAST(&c->queue, buffer_queue);
        if (!b || buffer_room(b) == 0) {
            b = buffer_get();
            TAILQ_INSERT_TAIL(&c->queue, b, link);
        }
        size_t part = MIN(len, buffer_room(b));
        memcpy(b->data + b->end, bytes, part);
        b->end += (uint32_t)part;
        bytes += part;
        len -= part;
    }
}

static void queue_buffer(struct conn *c, struct buffer *b)
{
    c->queued += (uint32_t)buffer_len(b);
    TAILQ_INSERT_TAIL(&c->queue, b, link);
}

static void queue_free(struct conn *c)
{
    struct buffer *b;
    while ((b = TAILQ_FIRST(&c->queue))) {
        TAILQ_REMOVE(&c->queue, b, link);
        buffer_put(b);
    }
    c->queued = 0;
}

/* Copies pieces into one. */
static void join(char *to, const struct iovec *iov, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        to = (char *)memcpy(to, iov[i].iov_base, iov[i].iov_len) + iov[i].iov_len;
}

/*
 * Sends pieces: how many bytes the socket took, or -1 (broken). For the few bytes of a head it is cheaper to
 * join them for send(2) than to let sendmsg(2) import a vector of pieces: 3 % of a small request's CPU time.
 */
static ssize_t conn_send(struct conn *c, struct iovec *iov, unsigned count, size_t total, int flags)
{
    char joined[JOIN_MAX];
    ssize_t sent;
    if (count == 1) {
        sent = send(c->watch.fd, iov[0].iov_base, total, MSG_NOSIGNAL | flags);
    } else if (total <= sizeof joined) {
        join(joined, iov, count);
        sent = send(c->watch.fd, joined, total, MSG_NOSIGNAL | flags);
    } else {
        struct msghdr message = {.msg_iov = iov, .msg_iovlen = count};
        sent = sendmsg(c->watch.fd, &message, MSG_NOSIGNAL | flags);
    }
    if (sent == (ssize_t)total)
        return sent;
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        c->error = (int16_t)errno;
        c->flags |= BROKEN;
        return -1;
    }
    c->flags &= (uint16_t)~WRITABLE;
    return MAX(sent, 0);
}

/* Puts what of the gathered pieces was not sent into the queue, and gives the rest of the buffers back. */
static void gather_settle(struct conn *c, struct gather *g, size_t sent, bool keep)
{
    for (unsigned i = 0; i < g->count; i++) {
        size_t done = MIN(sent, g->piece[i].iov_len), left = g->piece[i].iov_len - done;
        struct buffer *b = g->owner[i];
        sent -= done;
        if (keep && left > 0 && b) {
            b->start += (uint32_t)done;
            queue_buffer(c, b);
            continue;
        }
        if (keep && left > 0)
            queue_bytes(c, (const char *)g->piece[i].iov_base + done, left);
        if (b)
            buffer_put(b);
    }
    g->count = 0;
    g->bytes = 0;
}

/* Sends the queue as far as the socket takes it. */
static int queue_send(struct conn *c)
{
    while (c->queued > 0 && (c->flags & (WRITABLE | BROKEN)) == WRITABLE) {
        struct iovec iov[QUEUE_BATCH];
        unsigned count = 0;
        size_t total = 0;
        struct buffer *b, *next;
        TAILQ_FOREACH (b, &c->queue, link) {
            iov[count++] = (struct iovec){b->data + b->start, buffer_len(b)};
            total += buffer_len(b);
            if (count == QUEUE_BATCH)
                break;
        }
        ssize_t sent = conn_send(c, iov, count, total, 0);
        if (sent < 0)
            break;
        c->queued -= (uint32_t)sent;
        TAILQ_FOREACH_SAFE (b, &c->queue, link, next) {
            size_t part = MIN((size_t)sent, buffer_len(b));
            b->start += (uint32_t)part;
            sent -= (ssize_t)part;
            if (buffer_len(b) > 0)
                break;
            TAILQ_REMOVE(&c->queue, b, link);
            buffer_put(b);
        }
    }
    return c->flags & BROKEN ? CONN_FAILED : 0;
}

static int gather_flush(struct conn *c, int flags)
{
    struct gather *g = c->gather;
    ssize_t sent = 0;
    if (c->queued == 0 && (c->flags & (WRITABLE | BROKEN)) == WRITABLE && g->count > 0)
        sent = conn_send(c, g->piece, g->count, g->bytes, flags);
    gather_settle(c, g, (size_t)MAX(sent, 0), !(c->flags & BROKEN));
    return c->flags & BROKEN ? CONN_FAILED : 0;
}

static void gather_piece(struct conn *c, const void *bytes, size_t len, struct buffer *owner)
{
    struct gather *g = c->gather;
    if (!g) {
        g = c->gather = pool_get(&gathers);
        g->count = 0;
        g->bytes = 0;
    }
    if (g->count == GATHER_MAX)
        gather_flush(c, MSG_MORE);
    g->piece[g->count] = (struct iovec){(void *)(uintptr_t)bytes, len};
    g->owner[g->count++] = owner;
    g->bytes += len;
}

void conn_push(struct conn *c, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    c->pushed += len;
    struct gather *g = c->gather;
    if (g && g->count > 0 && !g->owner[g->count - 1]) {
        struct iovec *last = &g->piece[g->count - 1];
        if ((const char *)last->iov_base + last->iov_len == bytes) {
            last->iov_len += len;
            g->bytes += len;
            return;
        }
    }
    gather_piece(c, bytes, len, NULL);
}

void conn_push_buffer(struct conn *c, struct buffer *b)
{
    c->pushed += buffer_len(b);
    if (buffer_len(b) > 0)
        gather_piece(c, b->data + b->start, buffer_len(b), b);
    else
        buffer_put(b);
}

int conn_flush(struct conn *c)
{
    if (c->gather) {
        gather_flush(c, 0);
        pool_put(&gathers, c->gather);
        c->gather = NULL;
    }
    return c->flags & BROKEN ? CONN_FAILED : 0;
}

void conn_shutdown(struct conn *c)
{
    if (c->flags & (SHUT | CLOSED))
        return;
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
    queue_send(c);
    c->handler->writable(c);
}

static void conn_queue_sendable(struct conn *c)
{
    queue_send(c);
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
        conn_connect_ended(c, events);
        if (c->flags & CLOSED)
            return;
    }
    if (events & LOOP_PEER_CLOSED)
        c->flags |= PEER_CLOSED;
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

void conn_close(struct conn *c, enum reason why)
{
    if (c->flags & CLOSED)
        return;
    log_debug("connection %d closed: %s", c->watch.fd, reason_word(why));
    c->flags |= CLOSED;
    if (c->handler == &finish_handler)
        finishing--;
    if (c->gather) {
        gather_settle(c, c->gather, 0, false);
        pool_put(&gathers, c->gather);
        c->gather = NULL;
    }
    queue_free(c);
    loop_timer_stop(c->loop, &c->timer);
    loop_undefer(c->loop, &c->task);
    close(c->watch.fd);
    c->task.run = conn_free;
    loop_defer(c->loop, &c->task);
}

static void conn_free(struct task *t)
{
    pool_put(&conns, CONTAINER_OF(t, struct conn, task));
}

/* The handler of a connection that its owner has let go with conn_finish(). */

static void finish_step(struct conn *c)
{
    if (c->queued > 0 && !(c->flags & BROKEN))
        return;
    if (c->flags & BROKEN || !(c->flags & FINISH_LINGER)) {
        conn_close(c, REASON_NONE);
        return;
    }
    if (!(c->flags & SHUT)) {
        conn_shutdown(c);
        conn_timeout(c, LINGER_US);
    }
}

static void finish_readable(struct conn *c)
{
    static char thrown_away[BUFFER_SIZE];
    while (conn_may_read(c)) {
        ssize_t n = conn_read(c, thrown_away, sizeof thrown_away);
        if (n == CONN_AGAIN)
            break;
        if (n == CONN_FAILED || (n == CONN_END && c->queued == 0) || (n > 0 && (uint32_t)n > c->discard)) {
            conn_close(c, REASON_NONE);
            return;
        }
        if (n == CONN_END)
            break;
        c->discard -= (uint32_t)n;
    }
    finish_step(c);
}

static void finish_timeout(struct conn *c)
{
    conn_close(c, REASON_NONE);
}

static const struct conn_handler finish_handler = {
    .readable = finish_readable,
    .writable = finish_step,
    .timeout = finish_timeout,
};

void conn_finish(struct conn *c, enum reason why, bool linger, uint64_t limit_us)
{
    if (c->flags & CLOSED)
        return;
    bool connecting = c->flags & CONNECTING;
    if (connecting || conn_flush(c) < 0 || (c->queued == 0 && !linger)) {
        conn_close(c, why);
        return;
    }
    log_debug("connection %d finishes: %s", c->watch.fd, reason_word(why));
    conn_set_owner(c, &finish_handler, NULL);
    finishing++;
    if (linger)
        c->flags |= FINISH_LINGER;
    c->discard = LINGER_BYTES;
    conn_timeout(c, limit_us);
    finish_step(c);
    if (!(c->flags & CLOSED) && conn_may_read(c))
        conn_read_later(c);
}

/* ---- about one ---- */

size_t conn_finishing(void)
{
    return finishing;
}

void conn_peer(const struct conn *c, struct address *out)
{
    *out = (struct address){0};
    switch (c->peer.any.sa_family) {
    case AF_INET:
        out->in = c->peer.in;
        out->len = sizeof out->in;
        break;
    case AF_INET6:
        out->in6 = c->peer.in6;
        out->len = sizeof out->in6;
        break;
    default:
        out->any.sa_family = AF_UNIX;
        out->len = sizeof out->any.sa_family;
    }
}

void conn_local(const struct conn *c, struct address *out)
{
    *out = (struct address){.len = sizeof out->storage};
    if (getsockname(c->watch.fd, &out->any, &out->len) < 0)
        *out = (struct address){0};
}
