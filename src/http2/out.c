/*
 * out.c: what is sent: frames, and the bytes of responses between them. Small
 * things are copied together, large ones go as they are.
 */
#include "base/pool.h"
#include "http2/client.h"

enum {
    COPY_MAX = 1024,     /* bytes that are rather copied than sent as a piece of their own */
    FLUSH_AT = 64 << 10, /* bytes pushed that needn't wait for the round's end */
    GOAWAY_FRAME = 17,   /* its length without debug data */
    FRAME_HEAD = H2_FRAME_HEAD,
};

static struct pool pieces = POOL_OF(struct h2_piece);

/* ---- gathering ---- */

void h2_flush(struct h2_client *h)
{
    conn_flush(h->conn);
    h->flushed_at = conn_pushed(h->conn);
    h->lent = false;
    if (h->out)
        buffer_put(h->out);
    h->out = NULL;
}

void h2_push(struct h2_client *h, const void *bytes, size_t len)
{
    const char *from = bytes;
    while (len > 0) {
        if (h->out && buffer_room(h->out) == 0)
            h2_flush(h);
        if (!h->out)
            h->out = buffer_get();
        char *to = h->out->data + h->out->end;
        size_t part = MIN(len, buffer_room(h->out));
        memcpy(to, from, part);
        h->out->end += (uint32_t)part;
        conn_push(h->conn, to, part);
        from += part;
        len -= part;
    }
}

/* ---- a stream's pieces ---- */

static void add_piece(struct h2_stream *s, struct buffer *owner, const char *bytes, size_t len)
{
    struct h2_piece *p = pool_get(&pieces);
    p->owner = owner;
    p->bytes = bytes;
    p->len = len;
    TAILQ_INSERT_TAIL(&s->out, p, link);
    s->out_len += len;
}

static void free_piece(struct h2_stream *s, struct h2_piece *p)
{
    TAILQ_REMOVE(&s->out, p, link);
    pool_put(&pieces, p);
}

void h2_out_lend(struct h2_stream *s, const char *bytes, size_t len)
{
    if (len > 0)
        add_piece(s, NULL, bytes, len);
}

void h2_out_give(struct h2_stream *s, struct buffer *b)
{
    if (buffer_len(b) > 0)
        add_piece(s, b, b->data + b->start, buffer_len(b));
    else
        buffer_put(b);
}

/* Lent pieces in a row are copied into as few buffers as will hold them. */
void h2_out_settle(struct h2_stream *s)
{
    struct h2_piece *p, *next;
    struct buffer *b = NULL;
    struct h2_piece *copy = NULL;
    TAILQ_FOREACH_SAFE (p, &s->out, link, next) {
        if (p->owner) {
            b = NULL;
            continue;
        }
        if (b && buffer_room(b) >= p->len) {
            memcpy(b->data + b->end, p->bytes, p->len);
            copy->len += p->len;
            b->end += (uint32_t)p->len;
            free_piece(s, p);
            continue;
        }
        b = buffer_get();
        memcpy(b->data, p->bytes, p->len);
        b->end = (uint32_t)p->len;
        p->owner = b;
        p->bytes = b->data;
        copy = p;
    }
}

void h2_out_free(struct h2_stream *s)
{
    struct h2_piece *p;
    if (s->client->lent && !TAILQ_EMPTY(&s->out))
        h2_flush(s->client); /* a part of these may be what was lent */
    while ((p = TAILQ_FIRST(&s->out))) {
        if (p->owner)
            buffer_put(p->owner);
        free_piece(s, p);
    }
    s->out_len = 0;
}

/* A part of a piece, or the whole of one. */
static void push_part(struct h2_client *h, struct h2_piece *p, size_t part)
{
    if (part <= COPY_MAX) {
        h2_push(h, p->bytes, part);
    } else if (p->owner && part == p->len) {
        p->owner->start = (uint32_t)(p->bytes - p->owner->data);
        p->owner->end = p->owner->start + (uint32_t)part;
        conn_push_buffer(h->conn, p->owner);
        p->owner = NULL;
    } else {
        conn_push(h->conn, p->bytes, part);
        h->lent = true;
    }
}

void h2_out_push(struct h2_stream *s, size_t len)
{
    s->out_len -= len;
    s->kept = MIN(s->kept, s->out_len);
    s->sent += len;
    while (len > 0) {
        struct h2_piece *p = TAILQ_FIRST(&s->out);
        size_t part = MIN(len, p->len);
        push_part(s->client, p, part);
        p->bytes += part;
        p->len -= part;
        len -= part;
        if (p->len > 0)
            continue;
        if (p->owner)
            buffer_put(p->owner);
        free_piece(s, p);
    }
}

/* ---- sending ---- */

void h2_send(struct h2_client *h)
{
    if (h->closed || h->sending || h->fault != REASON_NONE)
        return;
    uint64_t before = conn_pushed(h->conn);
    h->sending = true;
    if (nghttp2_session_send(h->session) != 0)
        h2_fault(h, REASON_RESOURCES, NGHTTP2_INTERNAL_ERROR);
    h->sending = false;
    if (h->lent || conn_pushed(h->conn) - h->flushed_at >= FLUSH_AT)
        h2_flush(h);
    if (conn_pushed(h->conn) != before)
        h2_soon(h);
}

void h2_push_goaway(struct h2_client *h, uint32_t code, struct slice debug)
{
    uint32_t last = (uint32_t)nghttp2_session_get_last_proc_stream_id(h->session);
    uint32_t len = GOAWAY_FRAME - FRAME_HEAD + (uint32_t)debug.len;
    unsigned char frame[GOAWAY_FRAME] = {[2] = (unsigned char)len, [3] = NGHTTP2_GOAWAY};
    for (int i = 0; i < 4; i++) {
        frame[FRAME_HEAD + i] = (unsigned char)(last >> (24 - 8 * i));
        frame[FRAME_HEAD + 4 + i] = (unsigned char)(code >> (24 - 8 * i));
    }
    h2_push(h, frame, sizeof frame);
    h2_push(h, debug.ptr, debug.len);
}
