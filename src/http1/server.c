/*
 * server.c: HTTP/1.1 with servers: requests out, responses in, on connections
 * that are kept between exchanges.
 */
#include "base/pool.h"
#include "http1/half.h"
#include "http1/http1.h"
#include "upstream/connect.h"
#include "upstream/session.h"

enum {
    INTERIMS_MAX = 32, /* responses 1xx to one request */
    TURNS_MAX = 8,     /* reads of heads before others have their turn */
};

enum state {
    KEPT, /* idle, in the server's list */
    CONNECTING,
    HEAD, /* the request goes out, the response's head is awaited */
    BODY, /* the response's body */
};

struct h1_server {
    struct half half; /* first: see half.h */
    struct session session;
    struct task task; /* frees it */
    uint8_t state;    /* enum state */
    uint8_t interims; /* responses 1xx to the request under way */
    bool closed;
    uint64_t
        awaited_at; /* loop_now() since when the server is waited for: in HEAD, since it has the request */
};

static struct pool sessions = POOL_OF(struct h1_server);
static struct message response; /* the one being read: it is used up before the next */

static struct backend *backend_of(const struct h1_server *h)
{
    return h->session.server->backend;
}

static uint64_t timeout_server(const struct h1_server *h)
{
    return frontend_timeout_server(h->half.stream.exchange->frontend, backend_of(h));
}

/* ---- the connection's end ---- */

static void free_session(struct task *t)
{
    pool_put(&sessions, CONTAINER_OF(t, struct h1_server, task));
}

static void end_session(struct h1_server *h, enum reason why)
{
    if (h->closed)
        return;
    h->closed = true;
    session_unkeep(&h->session);
    state_gauge_sub(h->session.server->slot, GAUGE_SESSIONS);
    half_free(&h->half);
    loop_defer(h->half.conn->loop, &h->task);
    conn_close(h->half.conn, why);
}

static void close_kept(struct session *s, enum reason why)
{
    end_session(CONTAINER_OF(s, struct h1_server, session), why);
}

static const struct session_ops session_ops = {.name = "http/1.1", .close = close_kept};

/* ---- requests (stream_ops) ---- */

static void push_request_line(struct half *half, const struct message *m)
{
    if (m->raw_line.len) {
        conn_push(half->conn, m->raw_line.ptr, m->raw_line.len);
        return;
    }
    conn_push(half->conn, m->method.ptr, m->method.len);
    conn_push(half->conn, " ", 1);
    if (m->path.len == 0 || (m->path.ptr[0] != '/' && m->path.ptr[0] != '*'))
        conn_push(half->conn, "/", 1);
    conn_push(half->conn, m->path.ptr, m->path.len);
    conn_push(half->conn, " HTTP/1.1\r\n", 11);
}

static void push_host(struct half *half, struct slice host)
{
    conn_push(half->conn, "Host: ", 6);
    conn_push(half->conn, host.ptr, host.len);
    conn_push(half->conn, "\r\n", 2);
}

/* The server's own address, for a request that names no host. */
static struct slice own_host(const struct h1_server *h)
{
    const struct server *s = h->session.server;
    return slice_of(s->endpoint.host[0] ? s->addr_port : "localhost");
}

static bool has_host(const struct message *m)
{
    for (unsigned i = 0; i < m->count; i++)
        if (m->fields[i].id == FIELD_HOST && !m->fields[i].dropped)
            return true;
    return false;
}

static void server_head(struct stream *s, const struct message *m)
{
    struct h1_server *h = (struct h1_server *)s;
    h->half.out = (uint8_t)m->body;
    push_request_line(&h->half, m);
    /*
     * The authority of an absolute target stands for Host, whatever Host says (RFC 9112, 3.2.2). HTTP/1.0 may
     * come without a host; going on as HTTP/1.1 the request needs one. A rule may have given it another.
     */
    bool needs_host = m->scheme.len || (m->version == HTTP_1_0 && m->host.len == 0);
    if (UNLIKELY(needs_host) && !has_host(m))
        push_host(&h->half, m->scheme.len ? m->host : own_host(h));
    half_push_fields(&h->half, m, SLICE(""));
    h->state = HEAD;
    h->interims = 0;
    h->awaited_at = loop_now(h->half.conn->loop);
    conn_timeout(h->half.conn, timeout_server(h));
}

static void server_end(struct stream *s, const struct message *trailers)
{
    struct h1_server *h = (struct h1_server *)s;
    half_end(s, trailers);
    h->awaited_at = loop_now(h->half.conn->loop);
}

/* ---- responses ---- */

static void broke(struct h1_server *h, enum reason why)
{
    exchange_broke(h->half.stream.exchange, SIDE_OF_SERVER, why);
}

static void deliver(struct h1_server *h)
{
    enum pump result = half_pump(&h->half);
    if (!h->half.stream.exchange)
        return;
    if (result == PUMP_CLOSED)
        broke(h, REASON_SERVER_CLOSED);
    else if (result == PUMP_FAILED)
        broke(h, REASON_SERVER_RESET);
    else if (result == PUMP_BAD)
        broke(h, REASON_SERVER_BAD_RESPONSE);
}

/* A final response's head was read: its body follows. */
static void begin_body(struct h1_server *h, struct exchange *x)
{
    struct half *half = &h->half;
    half->closing |= response.close;
    half->burst = 1;
    body_begin(&half->body, response.body, response.body_length);
    h->state = BODY;
    exchange_response(x, &response);
    if (half->stream.exchange != x)
        return;
    if (response.body == BODY_NONE) {
        half->body.ended = true;
        exchange_body_end(x, SIDE_OF_SERVER, NULL);
        return;
    }
    deliver(h);
    if (half->stream.exchange == x) {
        exchange_flush(x, SIDE_OF_SERVER);
        half_unpin(half);
    }
}

/* A complete head of `len` bytes stands in `in`. True: another may follow, behind an interim one. */
static bool take_head(struct h1_server *h, size_t len)
{
    struct half *half = &h->half;
    struct exchange *x = half->stream.exchange;
    const char *head = half_pin_head(half, len);
    if (head_parse_response(&response, head, len, x->request.head_method) != 0) {
        broke(h, REASON_SERVER_BAD_RESPONSE);
        return false;
    }
    if (response.status == 101 && response.upgrade) {
        half->out = BODY_TUNNEL;
        conn_timeout(half->conn, backend_of(h)->timeout_tunnel);
        response.body = BODY_TUNNEL;
        begin_body(h, x);
        return false;
    }
    if (response.status >= 200) {
        begin_body(h, x);
        return false;
    }
    if (h->interims++ == INTERIMS_MAX) {
        broke(h, REASON_SERVER_BAD_RESPONSE);
        return false;
    }
    h->awaited_at = loop_now(half->conn->loop);
    exchange_response(x, &response);
    if (half->stream.exchange != x)
        return false;
    half_unpin(half);
    return true;
}

static void head_ended(struct h1_server *h, ssize_t got)
{
    bool partial = h->half.in && buffer_len(h->half.in) > 0;
    if (partial)
        broke(h, REASON_SERVER_BAD_RESPONSE);
    else
        broke(h, got == CONN_FAILED ? REASON_SERVER_RESET : REASON_SERVER_CLOSED);
}

/* Looks for heads in what was received. False: the response's body has begun, or it is over. */
static bool take_heads(struct h1_server *h)
{
    struct half *half = &h->half;
    while (half->in && buffer_len(half->in) > half->scan.at) {
        int len = head_scan(&half->scan, half->in->data + half->in->start, buffer_len(half->in));
        if (len < 0 || half->scan.skipped || (len == HEAD_MORE && buffer_len(half->in) == BUFFER_SIZE)) {
            broke(h, REASON_SERVER_BAD_RESPONSE);
            return false;
        }
        if (len == HEAD_MORE)
            break;
        if (!take_head(h, (size_t)len))
            return false;
    }
    return true;
}

/* More of a head needs room behind what has come of it. */
static void move_to_front(struct buffer *in)
{
    if (buffer_room(in) > 0 || in->start == 0)
        return;
    memmove(in->data, in->data + in->start, buffer_len(in));
    in->end -= in->start;
    in->start = 0;
}

static void read_head(struct h1_server *h)
{
    struct half *half = &h->half;
    for (int turn = 0; conn_may_read(half->conn); turn++) {
        struct buffer *in = half_in(half);
        if (turn == TURNS_MAX) {
            conn_read_later(half->conn);
            break;
        }
        move_to_front(in);
        ssize_t got = conn_read(half->conn, in->data + in->end, buffer_room(in));
        if (got == CONN_AGAIN)
            break;
        if (got < 0 || got == CONN_END) {
            head_ended(h, got);
            return;
        }
        in->end += (uint32_t)got;
        if (!take_heads(h))
            return;
    }
    half_drop_in(half);
}

static void server_resume(struct stream *s)
{
    struct h1_server *h = (struct h1_server *)s;
    if (h->state == BODY)
        deliver(h);
}

/* The exchange is over. The connection is kept if nothing is left on it, in either direction. */
static void server_done(struct stream *s, enum reason why, bool complete)
{
    struct h1_server *h = (struct h1_server *)s;
    struct half *half = &h->half;
    bool stray = half->in && buffer_len(half->in) > 0;
    half_unpin(half);
    body_free(&half->body);
    if (!complete || half->closing || stray || conn_queued(half->conn) > 0 || conn_may_read(half->conn) ||
        conn_peer_closed(half->conn) || !session_keep(&h->session)) {
        end_session(h, why);
        return;
    }
    h->state = KEPT;
    conn_timeout(half->conn, SESSION_IDLE_US);
}

static const struct stream_ops server_stream_ops = {
    .name = "http/1.1 server",
    .head = server_head,
    .body = half_body,
    .body_buffer = half_body_buffer,
    .end = server_end,
    .flush = half_flush,
    .room = half_room,
    .resume = server_resume,
    .done = server_done,
};

/* ---- events ---- */

/* A connection that is kept has ended, or brings bytes that nobody asked for: either way it is of no use. */
static void kept_readable(struct h1_server *h)
{
    char byte;
    if (conn_read(h->half.conn, &byte, 1) != CONN_AGAIN)
        end_session(h, REASON_NONE);
}

static void on_readable(struct conn *c)
{
    struct h1_server *h = c->owner;
    if (h->state == KEPT) {
        kept_readable(h);
        return;
    }
    if (h->state == HEAD)
        read_head(h);
    else
        deliver(h);
}

static void connect_failed(struct h1_server *h, enum reason why)
{
    struct exchange *x = h->half.stream.exchange;
    h->half.stream.exchange = NULL;
    end_session(h, why);
    exchange_server_failed(x, why);
}

/* The connection was made. What came on it already, before it could have a request, is no answer. */
static void connected(struct h1_server *h)
{
    char byte;
    ssize_t got = conn_read(h->half.conn, &byte, 1);
    if (got == CONN_AGAIN)
        exchange_server_ready(h->half.stream.exchange);
    else if (got == CONN_FAILED)
        connect_failed(h, REASON_SERVER_RESET);
    else
        connect_failed(h, got == CONN_END ? REASON_SERVER_CLOSED : REASON_SERVER_BAD_RESPONSE);
}

static void on_writable(struct conn *c)
{
    struct h1_server *h = c->owner;
    if (h->state == CONNECTING) {
        connected(h);
    } else if (h->state != KEPT) {
        h->awaited_at = loop_now(c->loop);
        exchange_sent(h->half.stream.exchange, SIDE_OF_SERVER);
    }
}

static void on_failed(struct conn *c, int error)
{
    struct h1_server *h = c->owner;
    connect_failed(h, upstream_failed(h->session.server, error));
}

/*
 * Since when has the server kept us waiting? While it takes the request, or sends a body, each byte counts;
 * but the head of its response is due in one time, however it trickles.
 */
static uint64_t silent_since(const struct h1_server *h)
{
    const struct conn *c = h->half.conn;
    bool head_due = h->state == HEAD && conn_queued(c) == 0;
    return head_due ? h->awaited_at : MAX(h->awaited_at, c->active_at);
}

/* The server is late only when we wait for it: not while the client is slow to send its request or take the
 * response. */
static void on_timeout(struct conn *c)
{
    struct h1_server *h = c->owner;
    struct exchange *x = h->half.stream.exchange;
    if (h->state == KEPT) {
        end_session(h, REASON_NONE);
        return;
    }
    if (h->state == CONNECTING) {
        connect_failed(h, REASON_SERVER_CONNECT_TIMEOUT);
        return;
    }
    uint64_t now = loop_now(c->loop), limit = timeout_server(h);
    bool sending = !x->request_ended && conn_queued(c) == 0;
    if (sending || !exchange_wants_body(x, SIDE_OF_SERVER))
        h->awaited_at = now;
    uint64_t silence = now - silent_since(h);
    uint64_t next;
    if (x->tunnel) {
        if (exchange_tunnel_look(x, &next))
            conn_timeout(c, next);
    } else if (silence < limit) {
        conn_timeout(c, limit - silence);
    } else {
        broke(h, REASON_SERVER_TIMEOUT);
    }
}

static const struct conn_handler server_handler = {
    .readable = on_readable,
    .writable = on_writable,
    .failed = on_failed,
    .timeout = on_timeout,
};

/* ---- the codec ---- */

static struct stream *use_kept(struct exchange *x, struct session *s)
{
    struct h1_server *h = CONTAINER_OF(s, struct h1_server, session);
    h->state = HEAD;
    h->half.stream.exchange = x;
    return &h->half.stream;
}

/* Tells the server who the client is, as noxy knows it. */
static void introduce(struct h1_server *h, const struct exchange *x)
{
    struct address source, destination;
    exchange_client_address(x, &source);
    conn_local(x->client_conn, &destination);
    upstream_introduce(h->half.conn, h->session.server, &source, &destination);
    h->session.introduced = exchange_client_ip(x);
    h->session.own = x->own_sessions;
}

static struct session *take_session(const struct exchange *x, struct server *server)
{
    if (!server_sends_proxy(server))
        return session_take(server);
    return session_take_own(x->own_sessions, server, exchange_client_ip(x));
}

static struct stream *open_session(struct exchange *x, struct server *server, bool fresh, bool *ready,
                                   enum reason *why)
{
    struct session *kept = fresh ? NULL : take_session(x, server);
    *ready = kept != NULL;
    if (kept)
        return use_kept(x, kept);
    struct h1_server *h = pool_get(&sessions);
    *h = (struct h1_server){
        .half = {.stream = {.ops = &server_stream_ops, .exchange = x}, .side = SIDE_OF_SERVER},
        .session = {.ops = &session_ops, .server = server},
        .task.run = free_session,
        .state = CONNECTING,
    };
    h->half.conn = h->session.conn = upstream_connect(server, &server_handler, h, why);
    if (!h->half.conn) {
        pool_put(&sessions, h);
        return NULL;
    }
    if (UNLIKELY(server_sends_proxy(server)))
        introduce(h, x);
    return &h->half.stream;
}

const struct server_codec http1_server_codec = {.name = "http/1.1", .open = open_session};
