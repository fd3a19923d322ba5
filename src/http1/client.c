/*
 * client.c: HTTP/1.1 with clients: requests in, responses out, one after the
 * other on each connection.
 */
#include "base/pool.h"
#include "http/chars.h"
#include "http/http.h"
#include "http/status.h"
#include "http1/half.h"
#include "http1/http1.h"

enum {
    DRAIN_IDLE_US =
        1000000, /* when the worker drains: how long an idle connection may still bring a request, at least */
    DRAIN_SPREAD_US = 1000000, /* and how far the closes are spread beyond */
};

enum state {
    IDLE,     /* between requests: nothing of the next has come */
    HEAD,     /* a head is on its way */
    EXCHANGE, /* an exchange is under way */
    SENDING,  /* the response is given, the client has yet to take the rest of it */
};

struct h1_client {
    struct half half; /* first: see half.h */
    struct client client;
    struct task task; /* frees it */
    uint8_t state;    /* enum state */
    bool closed;
    bool asked;           /* a request has come, or a part of one */
    union {               /* of loop_now() */
        uint64_t head_at; /* HEAD: when it began */
        uint64_t send_by; /* SENDING: when the client must have taken the rest */
    };
};

static struct pool clients = POOL_OF(struct h1_client);

static struct frontend *frontend_of(const struct h1_client *h)
{
    return h->client.frontend;
}

static bool draining(const struct h1_client *h)
{
    return frontend_of(h)->worker->draining;
}

/* ---- the connection's end ---- */

static void free_client(struct task *t)
{
    pool_put(&clients, CONTAINER_OF(t, struct h1_client, task));
}

/* Closes at once, or sends what is left first and makes sure that it arrives (`linger`). */
static void end_client(struct h1_client *h, enum reason why, bool send, bool linger)
{
    if (h->closed)
        return;
    h->closed = true;
    struct conn *c = h->half.conn;
    const struct frontend *f = frontend_of(h);
    half_free(&h->half);
    loop_defer(c->loop, &h->task);
    client_closed(&h->client, why);
    if (send)
        conn_finish(c, why, linger, f->timeout_client, pace_of_rest(f, conn_queued(c)));
    else
        conn_close(c, why);
}

/* ---- the client's pace ---- */

/* Bytes that the client has sent or taken so far. */
static uint64_t moved(const struct exchange *x)
{
    return x->bytes_in + conn_pushed(x->client_conn) - conn_queued(x->client_conn);
}

static uint64_t begin_pace(struct exchange *x)
{
    return pace_begin(&x->pace, x->frontend, moved(x));
}

static enum reason look_at_pace(struct exchange *x, uint64_t *next_us)
{
    const struct conn *c = x->client_conn;
    struct pace_view v = {
        .awaited = conn_queued(c) > 0 || (!x->request_ended && exchange_wants_body(x, SIDE_OF_CLIENT)),
        .moved = moved(x),
        .active_at = c->active_at,
    };
    return pace_look(&x->pace, x->frontend, &v, next_us);
}

/* ---- requests ---- */

static void set_state(struct h1_client *h, enum state s, uint64_t timeout_us)
{
    h->state = (uint8_t)s;
    conn_timeout(h->half.conn, timeout_us);
}

static uint64_t idle_timeout(const struct h1_client *h)
{
    uint64_t keepalive = frontend_of(h)->timeout_keepalive;
    return draining(h) ? MIN(keepalive, (uint64_t)DRAIN_IDLE_US) : keepalive;
}

static struct exchange *new_exchange(struct h1_client *h)
{
    struct exchange *x = exchange_new(&h->half.stream, frontend_of(h), h->half.conn);
    x->own_sessions = &h->client.sessions;
    if (h->state == HEAD)
        x->head_began_at = h->head_at;
    return x;
}

/* What stands where a request line should. */
static struct slice first_line(const char *bytes, size_t len)
{
    size_t begin = 0, end;
    while (begin < len && (bytes[begin] == '\r' || bytes[begin] == '\n'))
        begin++;
    for (end = begin; end < len && bytes[end] != '\r' && bytes[end] != '\n'; end++)
        ;
    return (struct slice){bytes + begin, end - begin};
}

/* The head is not complete, or never will be. */
static void note_received(const struct h1_client *h, struct exchange *x)
{
    const struct buffer *in = h->half.in;
    if (!in || x->head_in > 0)
        return;
    x->head_in = (uint32_t)buffer_len(in);
    x->malformed = first_line(in->data + in->start, buffer_len(in));
}

/* No request comes of the head: answers `status` (0: nobody is left to be answered) and lets go. */
static void give_up(struct h1_client *h, struct exchange *x, uint16_t status, enum reason why)
{
    note_received(h, x);
    /* Whatever is wrong with it, who asks by HEAD takes no body for one. */
    if (slice_begins_nocase(x->malformed, SLICE("HEAD ")))
        x->request.head_method = true;
    h->asked = true;
    h->state = EXCHANGE;
    h->half.closing = true;
    body_begin(&h->half.body, BODY_CLOSE, 0);
    exchange_refuse(x, status, why);
}

static void refuse(struct h1_client *h, struct exchange *x, uint16_t status)
{
    give_up(h, x, status, reason_of_refusal(status));
}

static void begin_exchange(struct h1_client *h, size_t head_len)
{
    struct half *half = &h->half;
    struct exchange *x = new_exchange(h);
    uint32_t skipped = half->scan.skipped;
    const char *head = half_pin_head(half, head_len) + skipped;
    uint16_t refused = head_parse_request(&x->request, head, head_len - skipped);
    x->head_in = (uint32_t)head_len;
    if (refused)
        x->malformed = first_line(head, head_len - skipped);
    else
        refused = http_check_limits(frontend_of(h)->http, &x->request, head_len);
    if (refused) {
        refuse(h, x, refused);
        return;
    }
    h->state = EXCHANGE;
    h->asked = true;
    half->burst = 1;
    half->closing = x->request.close;
    body_begin(&half->body, x->request.body, x->request.body_length);
    if (x->request.body != BODY_NONE)
        conn_timeout(half->conn, begin_pace(x));
    exchange_begin(x);
}

/* More of a head has come, but not all. False: it can't be completed, and was refused. */
static bool make_room(struct h1_client *h)
{
    struct buffer *in = h->half.in;
    bool too_long = buffer_len(in) >= frontend_of(h)->http->max_header;
    if (buffer_room(in) > 0 && !too_long)
        return true;
    if (in->start > 0 && !too_long) {
        memmove(in->data, in->data + in->start, buffer_len(in));
        in->end -= in->start;
        in->start = 0;
        return true;
    }
    const struct head_scan *scan = &h->half.scan;
    bool line = scan->lines == 0 || scan->start_line > frontend_of(h)->http->max_header;
    refuse(h, new_exchange(h), line ? 414 : 431);
    return false;
}

/* Bytes that are no part of a request line, such as a TLS handshake's: no need to wait for the rest. */
static bool cannot_begin(const char *bytes, size_t len)
{
    return len > 0 && bytes[0] != '\r' && !(char_classes[(unsigned char)bytes[0]] & CHAR_TOKEN);
}

/* Looks for a complete head in what was received. False: no more can be read now. */
static bool take_head(struct h1_client *h)
{
    struct buffer *in = h->half.in;
    int len = head_scan(&h->half.scan, in->data + in->start, buffer_len(in));
    if (len > 0) {
        begin_exchange(h, (size_t)len);
        return false;
    }
    if (len < 0) {
        refuse(h, new_exchange(h), len == HEAD_TOO_MANY ? 431 : 400);
        return false;
    }
    if (h->state == IDLE) {
        h->head_at = loop_now(h->half.conn->loop);
        set_state(h, HEAD, frontend_of(h)->timeout_http_request);
    }
    if (h->half.scan.lines == 0 &&
        cannot_begin(in->data + in->start + h->half.scan.skipped, buffer_len(in) - h->half.scan.skipped)) {
        refuse(h, new_exchange(h), 400);
        return false;
    }
    return make_room(h);
}

/* The client ended its direction between two requests, or in the middle of a head. */
static void no_more_requests(struct h1_client *h, ssize_t got)
{
    bool partial = h->half.in && buffer_len(h->half.in) > h->half.scan.skipped;
    enum reason why = got == CONN_FAILED ? REASON_CLIENT_RESET : partial ? REASON_CLIENT_CLOSED : REASON_NONE;
    if (partial)
        give_up(h, new_exchange(h), 0, why);
    else
        end_client(h, why, false, false);
}

static void read_requests(struct h1_client *h)
{
    struct half *half = &h->half;
    if (half->in && buffer_len(half->in) > half->scan.at && !take_head(h))
        return;
    while (conn_may_read(half->conn)) {
        struct buffer *in = half_in(half);
        ssize_t got = conn_read(half->conn, in->data + in->end, buffer_room(in));
        if (got == CONN_AGAIN)
            break;
        if (got < 0 || got == CONN_END) {
            no_more_requests(h, got);
            return;
        }
        in->end += (uint32_t)got;
        if (!take_head(h))
            return;
    }
    half_drop_in(half);
}

/* ---- responses (stream_ops) ---- */

/* The Connection field that tells the client what becomes of its connection. */
static struct slice connection_lines(const struct h1_client *h, const struct exchange *x)
{
    if (h->half.closing)
        return SLICE("Connection: close\r\n");
    return x->request.version == HTTP_1_0 ? SLICE("Connection: keep-alive\r\n") : SLICE("");
}

/* How the response's body is framed towards this client. */
static void choose_framing(struct h1_client *h, const struct exchange *x, const struct message *m)
{
    struct half *half = &h->half;
    half->out = (uint8_t)m->body;
    if (m->status < 200 && m->status != 101)
        return;
    if ((m->body == BODY_CLOSE || m->body == BODY_STREAM) && x->request.version > HTTP_1_0)
        half->out = BODY_STREAM;
    else if (m->body == BODY_CLOSE || m->body == BODY_STREAM)
        half->out = BODY_CLOSE;
    half->closing |= x->client_close || !x->request_ended || draining(h) || half->out == BODY_CLOSE ||
                     half->out == BODY_TUNNEL;
}

static void push_status_line(struct half *half, const struct message *m)
{
    static const struct slice ok = SLICE("HTTP/1.1 200 OK\r\n");
    static char line[16];
    if (m->raw_line.len) {
        conn_push(half->conn, m->raw_line.ptr, m->raw_line.len);
        return;
    }
    if (m->status == 200) {
        conn_push(half->conn, ok.ptr, ok.len);
        return;
    }
    memcpy(line, "HTTP/1.1 ", 9);
    line[9] = (char)('0' + m->status / 100);
    line[10] = (char)('0' + m->status / 10 % 10);
    line[11] = (char)('0' + m->status % 10);
    line[12] = ' ';
    conn_push(half->conn, line, 13);
    conn_push(half->conn, m->reason.ptr, m->reason.len);
    conn_push(half->conn, "\r\n", 2);
}

static void client_head(struct stream *s, const struct message *m)
{
    struct h1_client *h = (struct h1_client *)s;
    struct exchange *x = s->exchange;
    bool interim = m->status < 200;
    uint64_t before = conn_pushed(h->half.conn);
    choose_framing(h, x, m);
    push_status_line(&h->half, m);
    half_push_fields(&h->half, m, interim ? SLICE("") : connection_lines(h, x));
    x->head_out += (uint32_t)(conn_pushed(h->half.conn) - before);
    if (m->status == 101) {
        body_begin(&h->half.body, BODY_TUNNEL, 0);
        conn_timeout(h->half.conn, x->attempt.backend->timeout_tunnel);
    } else if (interim) {
        half_flush(s);
    } else {
        conn_timeout(h->half.conn, begin_pace(x));
    }
}

/* Where the connection ends with the response, so that its last bytes and its end can travel together. */
static void client_flush(struct stream *s)
{
    struct h1_client *h = (struct h1_client *)s;
    if (h->half.closing && s->exchange->response_ended && !s->exchange->tunnel)
        conn_flush_last(h->half.conn);
    else
        conn_flush(h->half.conn);
}

/* The exchange is over. What follows on the connection? */
static void client_done(struct stream *s, enum reason why, bool complete)
{
    struct h1_client *h = (struct h1_client *)s;
    struct conn *c = h->half.conn;
    bool unread = !h->half.body.ended;
    half_unpin(&h->half);
    body_free(&h->half.body);
    if (conn_broken(c) || !complete) {
        if (h->half.out == BODY_CLOSE)
            conn_reset(c); /* a proper end would make the response look complete */
        end_client(h, why == REASON_NONE ? REASON_CLIENT_RESET : REASON_NONE, false, false);
        return;
    }
    if (h->half.closing || unread) {
        /* Bytes that the client still sends would turn our close into a reset, and the response might be
         * lost. */
        bool more = unread || conn_may_read(c) || (h->half.in && buffer_len(h->half.in) > 0);
        end_client(h, REASON_NONE, true, more);
        return;
    }
    if (conn_queued(c) > 0) {
        uint64_t rest = pace_of_rest(frontend_of(h), conn_queued(c));
        h->send_by = loop_now(c->loop) + rest;
        set_state(h, SENDING, MIN(frontend_of(h)->timeout_client, rest));
        return;
    }
    set_state(h, IDLE, idle_timeout(h));
    if (h->half.in || conn_may_read(c))
        conn_read_later(c);
}

static void deliver(struct h1_client *h)
{
    struct exchange *x = h->half.stream.exchange;
    enum pump result = half_pump(&h->half);
    if (!h->half.stream.exchange)
        return;
    if (result == PUMP_AGAIN && h->half.body.ended && conn_broken(h->half.conn))
        result = PUMP_FAILED;
    /* Places at servers are scarce: one who leaves the queue, and perhaps still listens, gets none. */
    if (result == PUMP_AGAIN && exchange_waits(x) && conn_peer_closed(h->half.conn))
        result = PUMP_CLOSED;
    if (result == PUMP_CLOSED)
        exchange_broke(x, SIDE_OF_CLIENT, REASON_CLIENT_CLOSED);
    else if (result == PUMP_FAILED)
        exchange_broke(x, SIDE_OF_CLIENT, REASON_CLIENT_RESET);
    else if (result == PUMP_BAD)
        exchange_broke(x, SIDE_OF_CLIENT, REASON_CLIENT_BAD_REQUEST);
}

static void client_resume(struct stream *s)
{
    deliver((struct h1_client *)s);
}

static const struct stream_ops client_stream_ops = {
    .name = "http/1.1 client",
    .head = client_head,
    .body = half_body,
    .body_buffer = half_body_buffer,
    .end = half_end,
    .flush = client_flush,
    .room = half_room,
    .resume = client_resume,
    .done = client_done,
};

/* ---- events ---- */

static void on_readable(struct conn *c)
{
    struct h1_client *h = c->owner;
    if (h->state == IDLE || h->state == HEAD) {
        read_requests(h);
    } else if (h->state == EXCHANGE) {
        deliver(h);
    } else if (conn_broken(c)) {
        end_client(h, REASON_CLIENT_RESET, false, false);
    }
}

static void on_writable(struct conn *c)
{
    struct h1_client *h = c->owner;
    if (h->state == EXCHANGE) {
        exchange_sent(h->half.stream.exchange, SIDE_OF_CLIENT);
    } else if (h->state == SENDING) {
        set_state(h, IDLE, idle_timeout(h));
        read_requests(h);
    }
}

/* Looks whether the client keeps pace, while it is the one that we wait for. */
static void exchange_timeout(struct h1_client *h)
{
    struct exchange *x = h->half.stream.exchange;
    uint64_t next;
    if (x->tunnel) {
        if (exchange_tunnel_look(x, &next))
            conn_timeout(h->half.conn, next);
        return;
    }
    enum reason late = look_at_pace(x, &next);
    if (late != REASON_NONE)
        exchange_broke(x, SIDE_OF_CLIENT, late);
    else
        conn_timeout(h->half.conn, next);
}

/* The rest of a response may take its time, as long as the client takes some of it, and that not too slowly.
 */
static void sending_timeout(struct h1_client *h)
{
    uint64_t now = loop_now(h->half.conn->loop);
    uint64_t silence = conn_silence(h->half.conn), limit = frontend_of(h)->timeout_client;
    if (silence >= limit)
        end_client(h, REASON_CLIENT_TIMEOUT, false, false);
    else if (now >= h->send_by)
        end_client(h, REASON_CLIENT_SLOW, false, false);
    else
        conn_timeout(h->half.conn, MIN(limit - silence, h->send_by - now));
}

/*
 * An idle connection is closed without an answer, the one that never asked anything, too: a 408 could meet a
 * request on its way, whose answer it would be taken for (RFC 9110, 15.5.9), and browsers make connections in
 * advance.
 */
static void idle_too_long(struct h1_client *h)
{
    bool never = !h->asked && !draining(h);
    end_client(h, never ? REASON_CLIENT_HEAD_TIMEOUT : REASON_CLIENT_KEEPALIVE, false, false);
}

static void on_timeout(struct conn *c)
{
    struct h1_client *h = c->owner;
    switch (h->state) {
    case IDLE:
        idle_too_long(h);
        return;
    case HEAD:
        refuse(h, new_exchange(h), 408);
        return;
    case EXCHANGE:
        exchange_timeout(h);
        return;
    default:
        sending_timeout(h);
    }
}

static const struct conn_handler client_handler = {
    .readable = on_readable,
    .writable = on_writable,
    .timeout = on_timeout,
};

/* ---- the codec ---- */

/*
 * An idle connection may have a request on its way at this very moment, so it isn't closed now: the next
 * request is answered with Connection: close, and only one that stays idle is closed.
 */
static void drain(struct client *client)
{
    struct h1_client *h = CONTAINER_OF(client, struct h1_client, client);
    if (h->state == IDLE)
        conn_timeout(h->half.conn, DRAIN_IDLE_US + (uint64_t)(uintptr_t)h / 64 % DRAIN_SPREAD_US);
}

static void end(struct client *client, enum reason why)
{
    struct h1_client *h = CONTAINER_OF(client, struct h1_client, client);
    if (h->state == EXCHANGE)
        exchange_broke(h->half.stream.exchange, SIDE_OF_CLIENT, why);
    end_client(h, why, false, false);
}

static const struct client_ops client_ops = {.drain = drain, .end = end};

static void accepted(struct frontend *f, struct conn *c, struct buffer *received)
{
    struct h1_client *h = pool_get(&clients);
    *h = (struct h1_client){
        .half = {.stream.ops = &client_stream_ops, .conn = c, .in = received, .side = SIDE_OF_CLIENT},
        .task.run = free_client,
    };
    client_open(&h->client, f, &client_ops);
    conn_set_owner(c, &client_handler, h);
    set_state(h, IDLE, f->timeout_http_request);
    if (received)
        conn_read_later(c);
}

const struct client_codec http1_client_codec = {.name = "http/1.1", .accepted = accepted};
