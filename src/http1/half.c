#include "http1/half.h"

#include <stdio.h>

enum {
    BURST_MAX = 8,     /* buffers filled by one read */
    TURNS_MAX = 8,     /* reads before others have their turn */
    CHUNK_HEADS = 256, /* more than can be gathered at once on the two sides of an exchange */
    CHUNK_HEAD_MAX = 20,
};

/* ---- buffers ---- */

struct buffer *half_in(struct half *h)
{
    if (!h->in)
        h->in = buffer_get();
    return h->in;
}

void half_drop_in(struct half *h)
{
    if (!h->in || buffer_len(h->in) > 0)
        return;
    if (h->in != h->head)
        buffer_put(h->in);
    h->in = NULL;
}

const char *half_pin_head(struct half *h, size_t len)
{
    const char *head = h->in->data + h->in->start;
    h->head = h->in;
    h->in->start += (uint32_t)len;
    h->scan = (struct head_scan){0};
    return head;
}

void half_unpin(struct half *h)
{
    if (h->head && h->head != h->in)
        buffer_put(h->head);
    h->head = NULL;
    half_drop_in(h);
}

void half_free(struct half *h)
{
    if (h->in && h->in != h->head)
        buffer_put(h->in);
    h->in = NULL;
    half_unpin(h);
    body_free(&h->body);
}

/* ---- receiving ---- */

static enum pump end_body(struct half *h)
{
    static struct message trailers;
    struct slice raw = body_trailers(&h->body);
    bool any = raw.len > 2;
    h->body.ended = true;
    if (any && !head_parse_trailers(&trailers, raw.ptr, raw.len))
        return PUMP_BAD;
    exchange_body_end(h->stream.exchange, (enum side)h->side, any ? &trailers : NULL);
    return PUMP_ENDED;
}

/* Delivers what `in` holds of the body; the caller flushes before `in` is given back. */
static enum pump pump_in(struct half *h)
{
    struct buffer *in = h->in;
    struct slice data;
    for (;;) {
        switch (body_next(&h->body, in->data, &in->start, in->end, &data)) {
        case BODY_DATA:
            exchange_body(h->stream.exchange, (enum side)h->side, data.ptr, data.len);
            continue;
        case BODY_ENDED:
            return end_body(h);
        case BODY_BAD:
            return PUMP_BAD;
        case BODY_MORE:
            return PUMP_AGAIN;
        }
    }
}

/*
 * Gets the buffers for the next read. Of a request it may take no more than the body has, since the next
 * request follows; of a response always a byte more, so that a read which empties the socket is seen to have
 * done so, and bytes behind the response are noticed. Never more than the other side has room for.
 */
static unsigned get_buffers(struct half *h, struct buffer *buffers[static BURST_MAX])
{
    bool exact = h->side == SIDE_OF_CLIENT && h->body.kind == BODY_LENGTH;
    uint64_t want = h->body.kind == BODY_LENGTH ? h->body.left + !exact : (uint64_t)h->burst * BUFFER_SIZE;
    size_t room = exchange_room(h->stream.exchange, (enum side)h->side);
    if (room < want) {
        want = room;
        exact = true;
    }
    unsigned count = 0;
    while (want > 0 && count < BURST_MAX) {
        struct buffer *b = buffers[count++] = buffer_get();
        if (exact && want < BUFFER_SIZE)
            b->start = b->end = (uint32_t)(BUFFER_SIZE - want);
        want -= MIN(want, (uint64_t)BUFFER_SIZE);
    }
    return count;
}

static void note_burst(struct half *h, size_t got, unsigned count)
{
    if (got == (size_t)count * BUFFER_SIZE)
        h->burst = (uint8_t)MIN(h->burst * 2, BURST_MAX);
    else if (got < BUFFER_SIZE)
        h->burst = 1;
}

/* Hands on a buffer of a body without chunks. Bytes beyond its end are thrown away, and the connection later.
 */
static void deliver_buffer(struct half *h, struct buffer *b)
{
    if (h->body.kind == BODY_LENGTH) {
        if (buffer_len(b) > h->body.left) {
            b->end = b->start + (uint32_t)h->body.left;
            h->closing = true;
        }
        h->body.left -= buffer_len(b);
    }
    exchange_body_buffer(h->stream.exchange, (enum side)h->side, b);
}

static enum pump read_ended(struct half *h, ssize_t got)
{
    if (got == CONN_AGAIN)
        return PUMP_AGAIN;
    if (got == CONN_FAILED)
        return PUMP_FAILED;
    if (h->body.kind == BODY_CLOSE && conn_truncated(h->conn))
        return PUMP_FAILED;
    return h->body.kind == BODY_CLOSE || h->body.kind == BODY_TUNNEL ? end_body(h) : PUMP_CLOSED;
}

/* Reads and delivers once, for a body whose bytes need no decoding: no byte is copied. */
static enum pump pump_plain(struct half *h)
{
    struct buffer *buffers[BURST_MAX];
    unsigned count = get_buffers(h, buffers), used = 0;
    ssize_t got = conn_read_buffers(h->conn, buffers, count);
    if (got > 0)
        note_burst(h, (size_t)got, count);
    while (got > 0 && used < count && buffer_len(buffers[used]) > 0)
        deliver_buffer(h, buffers[used++]);
    while (used < count)
        buffer_put(buffers[used++]);
    if (got <= 0)
        return read_ended(h, got);
    return h->body.kind == BODY_LENGTH && h->body.left == 0 ? end_body(h) : PUMP_AGAIN;
}

/* Reads and delivers once, for a chunked body. */
static enum pump pump_chunked(struct half *h)
{
    half_drop_in(h); /* it may hold the head, whose slices are still in use */
    struct buffer *b = half_in(h);
    ssize_t got = conn_read(h->conn, b->data, BUFFER_SIZE);
    if (got <= 0)
        return read_ended(h, got);
    b->end = (uint32_t)got;
    return pump_in(h);
}

static enum pump pump_once(struct half *h)
{
    if (h->in && buffer_len(h->in) > 0)
        return pump_in(h);
    return h->body.kind == BODY_STREAM ? pump_chunked(h) : pump_plain(h);
}

enum pump half_pump(struct half *h)
{
    enum pump result = PUMP_AGAIN;
    bool unflushed = false;
    int turn = 0;
    while (result == PUMP_AGAIN && turn < TURNS_MAX) {
        bool held = h->in && buffer_len(h->in) > 0;
        if (h->body.ended || !exchange_wants_body(h->stream.exchange, (enum side)h->side))
            break;
        if (!held && h->body.kind == BODY_LENGTH && h->body.left == 0)
            result = end_body(h);
        else if (held || conn_may_read(h->conn))
            result = pump_once(h);
        else
            break;
        if (!h->stream.exchange)
            return result == PUMP_ENDED ? PUMP_ENDED : PUMP_GONE;
        /* What was delivered out of `in` goes out with what can be read right behind it. */
        unflushed = result == PUMP_AGAIN && held && turn++ == 0 && h->body.kind == BODY_LENGTH &&
                    conn_may_read(h->conn);
        if (unflushed)
            continue;
        exchange_flush(h->stream.exchange, (enum side)h->side);
        if (!h->stream.exchange)
            return PUMP_GONE;
        half_drop_in(h);
        turn++;
    }
    if (unflushed) {
        exchange_flush(h->stream.exchange, (enum side)h->side);
        if (!h->stream.exchange)
            return PUMP_GONE;
        half_drop_in(h);
    }
    if (turn == TURNS_MAX)
        conn_read_later(h->conn);
    return result;
}

/* ---- sending ---- */

static const char *chunk_head(size_t len, size_t *head_len)
{
    static char heads[CHUNK_HEADS][CHUNK_HEAD_MAX];
    static unsigned next;
    char *head = heads[next++ % CHUNK_HEADS];
    *head_len = (size_t)snprintf(head, CHUNK_HEAD_MAX, "%zx\r\n", len);
    return head;
}

void half_body(struct stream *s, const char *bytes, size_t len)
{
    struct half *h = (struct half *)s;
    size_t head_len;
    if (h->out == BODY_NONE || len == 0)
        return;
    if (h->out == BODY_STREAM) {
        const char *head = chunk_head(len, &head_len);
        conn_push(h->conn, head, head_len);
    }
    conn_push(h->conn, bytes, len);
    if (h->out == BODY_STREAM)
        conn_push(h->conn, "\r\n", 2);
}

void half_body_buffer(struct stream *s, struct buffer *b)
{
    struct half *h = (struct half *)s;
    size_t head_len;
    if (h->out == BODY_NONE || buffer_len(b) == 0) {
        buffer_put(b);
        return;
    }
    if (h->out == BODY_STREAM) {
        const char *head = chunk_head(buffer_len(b), &head_len);
        conn_push(h->conn, head, head_len);
    }
    conn_push_buffer(h->conn, b);
    if (h->out == BODY_STREAM)
        conn_push(h->conn, "\r\n", 2);
}

static void push_field(struct half *h, const struct field *f)
{
    if (f->raw) {
        conn_push(h->conn, f->name, (size_t)(f->value + f->value_len + 2 - f->name));
        return;
    }
    conn_push(h->conn, f->name, f->name_len);
    conn_push(h->conn, ": ", 2);
    conn_push(h->conn, f->value, f->value_len);
    conn_push(h->conn, "\r\n", 2);
}

void half_push_fields(struct half *h, const struct message *m, struct slice extra)
{
    bool upgrade = false;
    for (unsigned i = 0; i < m->count; i++) {
        const struct field *f = &m->fields[i];
        if (f->dropped && f->id == FIELD_UPGRADE && m->upgrade) {
            if (!upgrade)
                conn_push(h->conn, "Connection: Upgrade\r\n", 21);
            upgrade = true;
            push_field(h, f);
        } else if (!f->dropped) {
            push_field(h, f);
        }
    }
    if (h->out == BODY_STREAM)
        conn_push(h->conn, "Transfer-Encoding: chunked\r\n", 28);
    conn_push(h->conn, extra.ptr, extra.len);
    conn_push(h->conn, "\r\n", 2);
}

void half_end(struct stream *s, const struct message *trailers)
{
    struct half *h = (struct half *)s;
    if (h->out == BODY_TUNNEL) {
        conn_flush(h->conn);
        conn_shutdown(h->conn);
    }
    if (h->out != BODY_STREAM)
        return;
    conn_push(h->conn, "0\r\n", 3);
    for (unsigned i = 0; trailers && i < trailers->count; i++)
        if (!trailers->fields[i].dropped)
            push_field(h, &trailers->fields[i]);
    conn_push(h->conn, "\r\n", 2);
}

void half_flush(struct stream *s)
{
    conn_flush(((struct half *)s)->conn);
}

size_t half_room(struct stream *s)
{
    return conn_queued(((struct half *)s)->conn) > 0 ? 0 : SIZE_MAX;
}
