/*
 * client.c: a client's connection of HTTP/2: bytes in, what they mean acted
 * on, time, draining, the end.
 */
#include "http2/client.h"

#include "base/pool.h"
#include "base/random.h"
#include "http/http.h"
#include "http2/http2.h"
#include "log/log.h"

enum {
    TURNS_MAX = 8, /* reads before others have their turn */
    QUEUED_MAX =
        64 << 10, /* bytes that the socket hasn't taken: then nothing more is read that wants answers */
    DRAIN_SPREAD_US = 1000000, /* when the worker drains: over how long clients are told so */
    DRAIN_NOTICE_US = 1000000, /* and how long what was on its way then may take, at most */
    SAY_AGAIN_US = 1000000,    /* the least time between two log lines about faults */
};

static struct pool clients = POOL_OF(struct h2_client);

/* ---- the connection's end ---- */

static void free_dead(struct h2_client *h)
{
    struct h2_stream *s;
    while ((s = TAILQ_FIRST(&h->dead))) {
        TAILQ_REMOVE(&h->dead, s, link);
        h2_stream_free(s);
    }
}

static void break_streams(struct h2_client *h, enum reason why)
{
    struct h2_stream *s;
    while ((s = TAILQ_FIRST(&h->streams))) {
        if (s->events)
            TAILQ_REMOVE(&h->noted, s, noted);
        s->events = 0;
        s->closed = true;
        if (s->stream.exchange && s->begun)
            exchange_broke(s->stream.exchange, SIDE_OF_CLIENT, why);
        else if (s->stream.exchange)
            exchange_drop(s->stream.exchange);
        h2_stream_let_go(s);
    }
}

/* Says goodbye with `code`, if anybody listens, and closes. */
static void end_client(struct h2_client *h, enum reason why, uint32_t code)
{
    struct conn *c = h->conn;
    const struct frontend *f = h2_frontend(h);
    bool send = !conn_broken(c) && !conn_peer_closed(c);
    if (h->closed)
        return;
    if (send && !h->goaway_sent)
        h2_push_goaway(h, code, slice_of(why == REASON_NONE ? "" : reason_word(why)));
    h->closed = true;
    break_streams(h, why == REASON_NONE ? REASON_CLIENT_CLOSED : why);
    nghttp2_session_del(h->session);
    h->session = NULL;
    if (h->received)
        buffer_put(h->received);
    h->received = NULL;
    h2_flush(h);
    loop_defer(c->loop, &h->task);
    client_closed(&h->client, why);
    if (send)
        conn_finish(c, why, true, f->timeout_client, pace_of_rest(f, conn_queued(c)));
    else
        conn_close(c, why);
}

/* Floods come by the thousand: one line a second is enough. */
static void say_fault(const struct h2_client *h)
{
    static uint64_t said_at;
    uint64_t now = h2_now(h);
    struct address peer;
    char text[ADDRESS_TEXT_MAX];
    if (said_at && now - said_at < SAY_AGAIN_US)
        return;
    said_at = now;
    conn_peer(h->conn, &peer);
    log_notice("Frontend [%s] ended the HTTP/2 connection of %s: %s: %s", h2_frontend(h)->name,
               address_print_ip(&peer, text), reason_word(h->fault), reason_sentence(h->fault));
}

/* ---- acting on what came ---- */

void h2_note(struct h2_stream *s, enum h2_event e)
{
    if (!s->events)
        TAILQ_INSERT_TAIL(&s->client->noted, s, noted);
    s->events |= (uint8_t)e;
}

static void act_on_stream(struct h2_stream *s, uint8_t events)
{
    bool here = !(events & EVENT_CLOSED);
    if (events & EVENT_HEAD && here) {
        s->begun = true;
        h2_head_end(s);
    }
    if (events & (EVENT_BODY | EVENT_END) && here)
        h2_stream_deliver(s);
    if (!(events & EVENT_CLOSED))
        return;
    if (s->stream.exchange && !s->begun)
        exchange_drop(s->stream.exchange); /* opened and reset at once: nothing came of it */
    else if (s->stream.exchange)
        exchange_broke(s->stream.exchange, SIDE_OF_CLIENT,
                       s->cancelled ? REASON_CLIENT_CANCELLED : REASON_CLIENT_BAD_REQUEST);
    h2_stream_let_go(s);
}

static void act_on_streams(struct h2_client *h)
{
    struct h2_stream *s;
    while ((s = TAILQ_FIRST(&h->noted))) {
        uint8_t events = s->events;
        TAILQ_REMOVE(&h->noted, s, noted);
        s->events = 0;
        act_on_stream(s, events);
    }
}

/* Small pieces of bodies gather until all that was received has been read. */
static void act(struct h2_client *h, bool all)
{
    struct h2_stream *s = h->chunk.stream;
    h->chunk.stream = NULL;
    if (all || s || h->fault != REASON_NONE)
        act_on_streams(h);
    if (s)
        h2_stream_chunk(s, h->chunk.bytes, h->chunk.len);
}

/* Hands a frame, or a part of one, to nghttp2, which stops behind each piece of a body. */
static void feed_piece(struct h2_client *h, const char *bytes, size_t len, bool all)
{
    bool stopped;
    size_t at = 0;
    do {
        ssize_t used = nghttp2_session_mem_recv(h->session, (const uint8_t *)bytes + at, len - at);
        if (used == NGHTTP2_ERR_FLOODED)
            h2_fault(h, REASON_H2_PING_FLOOD, NGHTTP2_ENHANCE_YOUR_CALM);
        else if (used == NGHTTP2_ERR_NOMEM)
            h2_fault(h, REASON_RESOURCES, NGHTTP2_INTERNAL_ERROR);
        else if (used < 0)
            h2_fault(h, REASON_H2_PROTOCOL_ERROR, NGHTTP2_PROTOCOL_ERROR);
        else
            at += (size_t)used;
        stopped = h->chunk.stream != NULL;
        act(h, all && at == len && !stopped);
    } while (h->fault == REASON_NONE && (at < len || stopped));
}

/* Bytes that were received. False: the connection must end. */
static bool feed(struct h2_client *h, const char *bytes, size_t len)
{
    size_t at = 0;
    while (at < len && h->fault == REASON_NONE) {
        size_t piece =
            h->preface_left > 0 ? MIN(h->preface_left, len - at) : h2_frame_piece(h, bytes + at, len - at);
        h->preface_left -= (uint8_t)MIN(h->preface_left, piece);
        if (h->fault == REASON_NONE)
            feed_piece(h, bytes + at, piece, at + piece == len);
        at += piece;
    }
    return h->fault == REASON_NONE;
}

/* ---- the round's end ---- */

void h2_soon(struct h2_client *h)
{
    h->again = true;
    if (!h->in_task)
        loop_defer(h->conn->loop, &h->task);
}

/* Streams whose exchange waits for room have some. */
static void wake_starving(struct h2_client *h)
{
    for (uint32_t n = h->starving_count; n > 0 && h->fault == REASON_NONE; n--) {
        struct h2_stream *s = TAILQ_FIRST(&h->starving);
        if (!s)
            break;
        s->is_starving = false;
        h->starving_count--;
        TAILQ_REMOVE(&h->starving, s, starving);
        if (s->stream.exchange && s->stream.ops->room(&s->stream) > 0)
            exchange_sent(s->stream.exchange, SIDE_OF_CLIENT);
    }
}

/* Both sides have nothing more to say to each other. */
static bool is_over(const struct h2_client *h)
{
    if (h->drain == DRAIN_FINAL && h->stream_count == 0)
        return true;
    return !nghttp2_session_want_read(h->session) && !nghttp2_session_want_write(h->session);
}

static void end_of_round(struct task *t)
{
    struct h2_client *h = CONTAINER_OF(t, struct h2_client, task);
    if (h->closed) {
        free_dead(h);
        pool_put(&clients, h);
        return;
    }
    h->in_task = true;
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        h->again = false;
        h2_send(h);
        act_on_streams(h);
        wake_starving(h);
        if (!h->again)
            break;
    }
    h->in_task = false;
    h2_flush(h);
    free_dead(h);
    if (h->again)
        loop_defer(h->conn->loop, t);
    if (h->fault != REASON_NONE) {
        say_fault(h);
        end_client(h, h->fault, h->fault_code);
    } else if (is_over(h)) {
        end_client(h, REASON_NONE, NGHTTP2_NO_ERROR);
    }
}

/* ---- events ---- */

/* The client has gone, or can't be reached any more. */
static void no_more(struct h2_client *h, ssize_t got)
{
    bool busy = h->stream_count > 0 || !h->settled;
    enum reason why = got == CONN_FAILED ? REASON_CLIENT_RESET : busy ? REASON_CLIENT_CLOSED : REASON_NONE;
    end_client(h, why, NGHTTP2_NO_ERROR);
}

static bool feed_first(struct h2_client *h)
{
    struct buffer *b = h->received;
    h->received = NULL;
    bool sound = !b || feed(h, b->data + b->start, buffer_len(b));
    if (b)
        buffer_put(b);
    return sound;
}

static void on_readable(struct conn *c)
{
    struct h2_client *h = c->owner;
    bool sound = h->fault == REASON_NONE && feed_first(h);
    for (int turn = 0; sound && conn_may_read(c) && conn_queued(c) <= QUEUED_MAX; turn++) {
        if (turn == TURNS_MAX) {
            conn_read_later(c);
            break;
        }
        struct buffer *b = buffer_get();
        ssize_t got = conn_read(c, b->data, BUFFER_SIZE);
        if (got > 0)
            sound = feed(h, b->data, (size_t)got);
        buffer_put(b);
        if (got == CONN_AGAIN)
            break;
        if (got <= 0) {
            no_more(h, got);
            return;
        }
        h2_send(h);
    }
    h2_soon(h);
}

/* The socket has taken all: streams go on, and so does reading. */
static void on_writable(struct conn *c)
{
    struct h2_client *h = c->owner;
    struct h2_stream *s;
    TAILQ_FOREACH (s, &h->streams, link) {
        if (!s->deferred || s->out_len == 0)
            continue;
        s->deferred = false;
        nghttp2_session_resume_data(h->session, s->id);
    }
    h2_soon(h);
    if (conn_may_read(c))
        conn_read_later(c);
}

/* ---- time ---- */

/* The pace of the connection as a whole: what its socket takes, and what its window lets through. */
static enum reason look_at_connection(struct h2_client *h, uint64_t *next)
{
    const struct conn *c = h->conn;
    bool window = nghttp2_session_get_remote_window_size(h->session) <= 0 && h->starving_count > 0;
    struct pace_view v = {.awaited = conn_queued(c) > 0 || window,
                          .moved = conn_pushed(c) - conn_queued(c),
                          .active_at = c->active_at};
    return pace_look(&h->pace, h2_frontend(h), &v, next);
}

static uint64_t look_at_streams(struct h2_client *h)
{
    uint64_t next = UINT64_MAX;
    struct h2_stream *s, *following;
    TAILQ_FOREACH_SAFE (s, &h->streams, link, following) {
        uint64_t look = h2_stream_look(s);
        next = MIN(next, look);
    }
    return next;
}

/* In how long what waits for `since` is over; 0: it is. */
static uint64_t left_of(const struct h2_client *h, uint64_t since, uint64_t limit)
{
    uint64_t passed = h2_now(h) - since;
    return passed < limit ? limit - passed : 0;
}

/* Tells the client that we go, in two steps: so that no request is lost that was on its way (RFC 9113, 6.8).
 */
static uint64_t drain_step(struct h2_client *h)
{
    uint64_t now = h2_now(h);
    if (h->drain == DRAIN_NO || h->drain == DRAIN_FINAL)
        return UINT64_MAX;
    if (now < h->drain_at)
        return h->drain_at - now;
    if (h->drain == DRAIN_SOON) {
        static const uint8_t data[8] = "drain";
        nghttp2_submit_shutdown_notice(h->session);
        nghttp2_submit_ping(h->session, NGHTTP2_FLAG_NONE, data);
        h->drain = DRAIN_NOTICE;
        h->drain_at = now + DRAIN_NOTICE_US;
        h2_soon(h);
        return DRAIN_NOTICE_US;
    }
    nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(h->session),
                          NGHTTP2_NO_ERROR, NULL, 0);
    h->drain = DRAIN_FINAL;
    h2_soon(h);
    return UINT64_MAX;
}

/* A head that doesn't come to its end, or a connection without requests. Why it ends, or when to look. */
static enum reason look_at_head(const struct h2_client *h, uint64_t *next)
{
    const struct frontend *f = h2_frontend(h);
    if (h->head_at || !h->settled) {
        uint64_t left = left_of(h, h->head_at ? h->head_at : h->idle_at, f->timeout_http_request);
        *next = MIN(*next, left);
        return left > 0 ? REASON_NONE : REASON_CLIENT_HEAD_TIMEOUT;
    }
    if (h->stream_count > 0)
        return REASON_NONE;
    uint64_t left = left_of(h, h->idle_at, f->timeout_keepalive);
    *next = MIN(*next, left);
    return left > 0 ? REASON_NONE : REASON_CLIENT_KEEPALIVE;
}

static void on_timeout(struct conn *c)
{
    struct h2_client *h = c->owner;
    uint64_t next, look = drain_step(h);
    enum reason late = look_at_connection(h, &next);
    next = MIN(next, look);
    if (late == REASON_NONE)
        late = look_at_head(h, &next);
    if (late != REASON_NONE) {
        end_client(h, late, NGHTTP2_NO_ERROR);
        return;
    }
    look = look_at_streams(h);
    conn_timeout(c, MIN(next, look));
}

static const struct conn_handler client_handler = {
    .readable = on_readable,
    .writable = on_writable,
    .timeout = on_timeout,
};

/* ---- the codec ---- */

static void drain(struct client *client)
{
    struct h2_client *h = CONTAINER_OF(client, struct h2_client, client);
    uint32_t delay = random_below(DRAIN_SPREAD_US);
    h->drain = DRAIN_SOON;
    h->drain_at = h2_now(h) + delay;
    conn_timeout(h->conn, delay + 1);
}

static void end(struct client *client, enum reason why)
{
    end_client(CONTAINER_OF(client, struct h2_client, client), why, NGHTTP2_NO_ERROR);
}

static const struct client_ops client_ops = {.drain = drain, .end = end};

static void accepted(struct frontend *f, struct conn *c, struct buffer *received)
{
    struct h2_client *h = pool_get(&clients);
    *h = (struct h2_client){
        .conn = c, .task.run = end_of_round, .received = received, .preface_left = NGHTTP2_CLIENT_MAGIC_LEN};
    TAILQ_INIT(&h->streams);
    TAILQ_INIT(&h->dead);
    TAILQ_INIT(&h->noted);
    TAILQ_INIT(&h->starving);
    client_open(&h->client, f, &client_ops);
    conn_set_owner(c, &client_handler, h);
    h->idle_at = h2_now(h);
    if (!h2_session_new(h)) {
        h->goaway_sent = true;
        h2_fault(h, REASON_RESOURCES, NGHTTP2_INTERNAL_ERROR);
        return;
    }
    pace_begin(&h->pace, f, 0);
    conn_timeout(c, MIN(f->timeout_client, f->timeout_http_request));
    if (received)
        conn_read_later(c);
    h2_soon(h);
}

const struct client_codec http2_client_codec = {
    .name = "h2",
    .preface = {NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN},
    .accepted = accepted,
};
