/*
 * stream.c: a stream: the request's body on its way to the exchange, and what
 * the exchange asks of it (stream_ops).
 */
#include "base/pool.h"
#include "http/http.h"
#include "http2/client.h"

enum { DIRECT_MIN = 1024 }; /* a piece of a body as large goes up as it is; smaller ones are gathered */

static struct pool streams = POOL_OF(struct h2_stream);

/* ---- life ---- */

struct h2_stream *h2_stream_new(struct h2_client *h, int32_t id)
{
    struct h2_stream *s = pool_get(&streams);
    memset(s, 0, offsetof(struct h2_stream, head.small));
    s->stream.ops = &h2_client_stream_ops;
    s->client = h;
    s->id = id;
    s->head.text = s->head.small;
    TAILQ_INIT(&s->in);
    TAILQ_INIT(&s->out);
    TAILQ_INSERT_TAIL(&h->streams, s, link);
    h->stream_count++;
    exchange_new(&s->stream, h2_frontend(h), h->conn)->own_sessions = &h->client.sessions;
    return s;
}

static void drop_in(struct h2_stream *s)
{
    struct buffer *b;
    while ((b = TAILQ_FIRST(&s->in))) {
        TAILQ_REMOVE(&s->in, b, link);
        buffer_put(b);
    }
    if (s->in_len > 0 && s->client->session)
        nghttp2_session_consume_connection(s->client->session, s->in_len);
    s->in_len = 0;
}

static void not_starving(struct h2_stream *s)
{
    if (!s->is_starving)
        return;
    s->is_starving = false;
    s->client->starving_count--;
    TAILQ_REMOVE(&s->client->starving, s, starving);
}

void h2_stream_let_go(struct h2_stream *s)
{
    struct h2_client *h = s->client;
    if (!s->closed || s->stream.exchange || s->events || s->dead)
        return;
    s->dead = true;
    not_starving(s);
    drop_in(s);
    h2_out_free(s);
    TAILQ_REMOVE(&h->streams, s, link);
    TAILQ_INSERT_TAIL(&h->dead, s, link);
    if (--h->stream_count == 0)
        h->idle_at = h2_now(h);
    h2_soon(h);
}

void h2_stream_free(struct h2_stream *s)
{
    h2_head_free(s);
    if (s->trailers_out)
        buffer_put(s->trailers_out);
    pool_put(&streams, s);
}

void h2_stream_reset(struct h2_stream *s, uint32_t code)
{
    if (s->closed || s->reset)
        return;
    s->reset = true;
    if (s->client->session &&
        nghttp2_submit_rst_stream(s->client->session, NGHTTP2_FLAG_NONE, s->id, code) != 0)
        h2_fault(s->client, REASON_RESOURCES, NGHTTP2_INTERNAL_ERROR);
    h2_soon(s->client);
}

/* ---- the request's body ---- */

/* The exchange has taken bytes: the client may send as many more. */
static void consume(struct h2_stream *s, size_t len)
{
    nghttp2_session *session = s->client->session;
    if (!session || len == 0)
        return;
    if (s->closed)
        nghttp2_session_consume_connection(session, len);
    else
        nghttp2_session_consume(session, s->id, len);
    h2_soon(s->client);
}

static void keep(struct h2_stream *s, const char *bytes, size_t len)
{
    s->in_len += (uint32_t)len;
    while (len > 0) {
        struct buffer *b = TAILQ_LAST(&s->in, buffer_queue);
        if (!b || buffer_room(b) == 0) {
            b = buffer_get();
            TAILQ_INSERT_TAIL(&s->in, b, link);
        }
        size_t part = MIN(len, buffer_room(b));
        memcpy(b->data + b->end, bytes, part);
        b->end += (uint32_t)part;
        bytes += part;
        len -= part;
    }
}

/* The body isn't as long as its Content-Length says (RFC 9113, 8.1.1), or its trailers are malformed. */
static void body_is_malformed(struct h2_stream *s)
{
    h2_stream_reset(s, NGHTTP2_PROTOCOL_ERROR);
    exchange_broke(s->stream.exchange, SIDE_OF_CLIENT, REASON_CLIENT_BAD_REQUEST);
}

void h2_stream_chunk(struct h2_stream *s, const char *bytes, size_t len)
{
    struct exchange *x = s->stream.exchange;
    if (!x || !s->body || s->reset) {
        consume(s, len);
        /* None may follow a head whose Content-Length is 0. */
        if (x && !s->body && !s->reset)
            body_is_malformed(s);
        return;
    }
    s->received += len;
    s->active_at = h2_now(s->client);
    if (x->request.body == BODY_LENGTH && s->received > s->head.length) {
        consume(s, len);
        body_is_malformed(s);
        return;
    }
    if (len < DIRECT_MIN || s->in_len > 0 || !exchange_wants_body(x, SIDE_OF_CLIENT)) {
        keep(s, bytes, len);
        h2_note(s, EVENT_BODY);
        return;
    }
    exchange_body(x, SIDE_OF_CLIENT, bytes, len);
    exchange_flush(x, SIDE_OF_CLIENT);
    consume(s, len);
}

/* The end of the body, once all of it was taken. */
static void tell_end(struct h2_stream *s)
{
    struct exchange *x = s->stream.exchange;
    bool exact = x->request.body != BODY_LENGTH || s->received == s->head.length;
    if (s->trailers_bad || !exact) {
        body_is_malformed(s);
        return;
    }
    s->end_told = true;
    exchange_body_end(x, SIDE_OF_CLIENT, x->tunnel ? NULL : h2_trailers(s));
}

void h2_stream_deliver(struct h2_stream *s)
{
    struct exchange *x = s->stream.exchange;
    if (!x || !s->body || s->end_told || !exchange_wants_body(x, SIDE_OF_CLIENT))
        return;
    struct buffer *b;
    size_t taken = s->in_len;
    while ((b = TAILQ_FIRST(&s->in))) {
        TAILQ_REMOVE(&s->in, b, link);
        exchange_body_buffer(x, SIDE_OF_CLIENT, b);
    }
    s->in_len = 0;
    consume(s, taken);
    if (s->ended)
        tell_end(s);
    else if (taken > 0)
        exchange_flush(x, SIDE_OF_CLIENT);
}

/* ---- the client's pace ---- */

static void late(struct h2_stream *s, enum reason why)
{
    if (s->stream.exchange) {
        exchange_broke(s->stream.exchange, SIDE_OF_CLIENT, why);
        return;
    }
    state_count(h2_frontend(s->client)->block, (enum counter)(COUNTER_REASON + why), 1);
    h2_stream_reset(s, NGHTTP2_CANCEL);
}

/* Is it this stream's window that holds up its response, and not the connection? */
static bool is_held_up(const struct h2_stream *s)
{
    const struct h2_client *h = s->client;
    return (s->out_len > 0 || s->is_starving) && conn_queued(h->conn) == 0 &&
           nghttp2_session_get_remote_window_size(h->session) > 0 &&
           nghttp2_session_get_stream_remote_window_size(h->session, s->id) <= 0;
}

/* The response is complete, the client has yet to take the rest. */
static uint64_t look_at_rest(struct h2_stream *s)
{
    uint64_t now = h2_now(s->client), limit = h2_frontend(s->client)->timeout_client;
    if (!is_held_up(s))
        s->active_at = now;
    uint64_t silent = now - s->active_at;
    if (silent >= limit || now >= s->send_by) {
        late(s, silent >= limit ? REASON_CLIENT_TIMEOUT : REASON_CLIENT_SLOW);
        return limit;
    }
    return MIN(limit - silent, s->send_by - now);
}

uint64_t h2_stream_look(struct h2_stream *s)
{
    struct exchange *x = s->stream.exchange;
    struct frontend *f = h2_frontend(s->client);
    uint64_t next = f->timeout_client;
    if (s->closed || s->reset)
        return next;
    if (!x)
        return look_at_rest(s);
    if (x->tunnel)
        return exchange_tunnel_look(x, &next) ? next : f->timeout_client;
    bool uploads = s->body && !s->ended && s->in_len == 0 && exchange_wants_body(x, SIDE_OF_CLIENT);
    struct pace_view v = {
        .awaited = uploads || is_held_up(s), .moved = s->received + s->sent, .active_at = s->active_at};
    enum reason why = pace_look(&x->pace, f, &v, &next);
    if (why == REASON_NONE)
        return next;
    late(s, why);
    return f->timeout_client;
}

/* ---- stream_ops ---- */

static bool is_gone(const struct h2_stream *s)
{
    return s->closed || s->reset || s->client->closed;
}

static void op_head(struct stream *stream, const struct message *m)
{
    struct h2_stream *s = (struct h2_stream *)stream;
    struct exchange *x = stream->exchange;
    if (is_gone(s))
        return;
    h2_submit_head(s, m);
    if (m->status < 200 && m->status != 101) {
        h2_send(s->client);
        return;
    }
    s->head_given = true;
    s->tunnel = m->status == 101;
    s->active_at = h2_now(s->client);
    pace_begin(&x->pace, x->frontend, s->received + s->sent);
}

static void op_body(struct stream *stream, const char *bytes, size_t len)
{
    struct h2_stream *s = (struct h2_stream *)stream;
    if (!is_gone(s) && !s->mute)
        h2_out_lend(s, bytes, len);
}

static void op_body_buffer(struct stream *stream, struct buffer *b)
{
    struct h2_stream *s = (struct h2_stream *)stream;
    if (is_gone(s) || s->mute)
        buffer_put(b);
    else
        h2_out_give(s, b);
}

static void op_end(struct stream *stream, const struct message *trailers)
{
    struct h2_stream *s = (struct h2_stream *)stream;
    s->end_given = true;
    if (!is_gone(s) && !s->mute)
        h2_keep_trailers(s, trailers);
}

static void op_flush(struct stream *stream)
{
    struct h2_stream *s = (struct h2_stream *)stream;
    if (!is_gone(s)) {
        if (s->deferred) {
            s->deferred = false;
            nghttp2_session_resume_data(s->client->session, s->id);
        }
        h2_send(s->client);
    }
    h2_out_settle(s);
    s->kept = s->out_len;
}

static size_t op_room(struct stream *stream)
{
    struct h2_stream *s = (struct h2_stream *)stream;
    struct h2_client *h = s->client;
    if (is_gone(s) || s->mute)
        return SIZE_MAX; /* it goes nowhere */
    int64_t window = 0;
    if (s->kept == 0 && conn_queued(h->conn) == 0)
        window = MIN(nghttp2_session_get_stream_remote_window_size(h->session, s->id),
                     nghttp2_session_get_remote_window_size(h->session)) -
                 (int64_t)s->out_len;
    if (window > 0)
        return (size_t)window;
    if (!s->is_starving) {
        s->is_starving = true;
        h->starving_count++;
        TAILQ_INSERT_TAIL(&h->starving, s, starving);
    }
    return 0;
}

static void op_resume(struct stream *stream)
{
    h2_stream_deliver((struct h2_stream *)stream);
}

/* Of a response that can't go on (RFC 9113, 8.1). Where none had begun, nothing is said. */
static uint32_t code_of(const struct h2_stream *s)
{
    return s->tunnel || !s->head_given ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR;
}

static void op_done(struct stream *stream, enum reason why, bool complete)
{
    struct h2_stream *s = (struct h2_stream *)stream;
    (void)why;
    not_starving(s);
    drop_in(s);
    if (is_gone(s)) {
        h2_out_free(s);
        h2_stream_let_go(s);
        return;
    }
    if (!complete || s->client->fault != REASON_NONE) {
        h2_out_free(s);
        h2_stream_reset(s, code_of(s));
        return;
    }
    if (!s->ended && s->end_sent)
        h2_stream_reset(s, NGHTTP2_NO_ERROR);
    s->interrupts = !s->ended;
    s->send_by = h2_now(s->client) + pace_of_rest(h2_frontend(s->client), s->out_len);
    h2_soon(s->client);
}

const struct stream_ops h2_client_stream_ops = {
    .name = "http/2 client",
    .head = op_head,
    .body = op_body,
    .body_buffer = op_body_buffer,
    .end = op_end,
    .flush = op_flush,
    .room = op_room,
    .resume = op_resume,
    .done = op_done,
};
