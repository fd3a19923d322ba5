/*
 * conn_out.c: what a connection sends: gathered, sent, queued.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "base/pool.h"
#include "net/conn_parts.h"

enum {
    JOIN_MAX = 2048,  /* bytes up to which pieces are joined before they are sent */
    GATHER_MAX = 64,  /* pieces sent by one system call */
    QUEUE_BATCH = 16, /* queued buffers sent by one system call */
};

/* What is pushed until the next flush. Lent to a connection for that short time. */
struct gather {
    unsigned count;
    size_t bytes;
    struct iovec piece[GATHER_MAX];
    struct buffer *owner[GATHER_MAX]; /* the buffer that was given with a piece, or NULL */
};

static struct pool gathers = POOL_OF(struct gather);

void conn_queue_bytes(struct conn *c, const char *bytes, size_t len)
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
static ssize_t send_pieces(struct conn *c, struct iovec *iov, unsigned count, size_t total, int flags)
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
    if (sent > 0)
        c->active_at = loop_now(c->loop);
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
            conn_queue_bytes(c, (const char *)g->piece[i].iov_base + done, left);
        if (b)
            buffer_put(b);
    }
    g->count = 0;
    g->bytes = 0;
}

int conn_queue_send(struct conn *c, int flags)
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
        ssize_t sent = send_pieces(c, iov, count, total, flags);
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

static int gather_flush(struct conn *c, int flags, bool last)
{
    struct gather *g = c->gather;
    ssize_t sent = 0;
    if (c->tls) {
        conn_tls_encrypt(c, g->piece, g->count, last);
        gather_settle(c, g, 0, false);
        return conn_queue_send(c, flags);
    }
    if (c->queued == 0 && (c->flags & (WRITABLE | BROKEN)) == WRITABLE && g->count > 0)
        sent = send_pieces(c, g->piece, g->count, g->bytes, flags);
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
        gather_flush(c, MSG_MORE, false);
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

static int flush(struct conn *c, int flags, bool last)
{
    if (c->gather) {
        gather_flush(c, flags, last);
        pool_put(&gathers, c->gather);
        c->gather = NULL;
    }
    return c->flags & BROKEN ? CONN_FAILED : 0;
}

int conn_flush(struct conn *c)
{
    return flush(c, 0, false);
}

int conn_flush_last(struct conn *c)
{
    return flush(c, MSG_MORE, true);
}

void conn_out_free(struct conn *c)
{
    if (c->gather) {
        gather_settle(c, c->gather, 0, false);
        pool_put(&gathers, c->gather);
        c->gather = NULL;
    }
    queue_free(c);
}
