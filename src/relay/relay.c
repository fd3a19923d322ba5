#include "relay/relay.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/pool.h"
#include "http/action.h"
#include "log/log.h"
#include "net/tls.h"
#include "upstream/attempt.h"
#include "upstream/connect.h"

enum {
    BURST_MAX = 8, /* buffers filled by one read */
    TURNS_MAX = 8, /* reads of one side before others have their turn */
    FINISH_US = 10000000,
};

enum side { CLIENT, SERVER };

/* One end of a relay, and the direction of the bytes that come from it. */
struct end {
    struct conn *conn; /* of the server: NULL until one is tried */
    uint8_t burst;     /* buffers to read next: grows while they are filled */
    bool ended;        /* it will send no more, and the other end was told */
};

struct relay {
    struct client client;
    struct end ends[2]; /* by enum side */
    struct attempt attempt;
    struct task task; /* frees it */
    uint64_t begun_at, active_at;
    uint64_t connect_at, connected_at, first_byte_at; /* of the latest server; 0: not yet */
    uint64_t bytes[2];                                /* received, by enum side */
    const char *rule;                                 /* the rule that decided; NULL: none */
    bool connected;
    bool over;
};

static struct pool relays = POOL_OF(struct relay);

static void try_server(struct relay *r);
static void woken(struct attempt *a, enum reason none);

static struct loop *loop_of(const struct relay *r)
{
    return r->client.frontend->worker->loop;
}

static uint64_t timeout_server(const struct relay *r)
{
    return frontend_timeout_server(r->client.frontend, r->attempt.backend);
}

/* ---- the end ---- */

static void free_relay(struct task *t)
{
    pool_put(&relays, CONTAINER_OF(t, struct relay, task));
}

static void log_access(const struct relay *r, enum reason why)
{
    struct access_entry e = {
        .head_us = ACCESS_ABSENT,
        .connect_us = r->connected ? r->connected_at - r->connect_at : ACCESS_ABSENT,
        .first_byte_us = r->first_byte_at ? r->first_byte_at - r->connected_at : ACCESS_ABSENT,
        .total_us = loop_now(loop_of(r)) - r->begun_at,
        .bytes_in = r->bytes[CLIENT],
        .bytes_out = r->bytes[SERVER],
        .rule = r->rule ? slice_of(r->rule) : SLICE(""),
    };
    frontend_log_access(r->client.frontend, r->ends[CLIENT].conn, &e, &r->attempt, why);
}

/* Ends both connections. Bytes that were received are still delivered where that can be. */
static void end_relay(struct relay *r, enum reason why)
{
    if (r->over)
        return;
    r->over = true;
    if (UNLIKELY(r->client.frontend->access_log != NULL))
        log_access(r, why);
    if (r->connected) {
        uint64_t total = loop_now(loop_of(r)) - r->begun_at;
        histogram_record(&r->attempt.server->block->latency[LATENCY_TOTAL], total);
        histogram_record(&r->attempt.backend->block->latency[LATENCY_TOTAL], total);
    }
    for (int side = CLIENT; side <= SERVER; side++) {
        if (!r->ends[side].conn)
            continue;
        if (side == SERVER)
            state_gauge_sub(r->attempt.server->slot, GAUGE_SESSIONS);
        conn_finish(r->ends[side].conn, why, false, FINISH_US, CONN_ANY_TIME);
    }
    attempt_end(&r->attempt, why);
    state_gauge_sub(r->client.frontend->slot, GAUGE_REQUESTS);
    loop_defer(loop_of(r), &r->task);
    client_closed(&r->client, why);
}

/* ---- passing bytes on ---- */

static void count_bytes(struct relay *r, enum side from, size_t n)
{
    enum counter c = from == CLIENT ? COUNTER_BYTES_IN : COUNTER_BYTES_OUT;
    state_count(r->client.frontend->block, c, n);
    state_count(r->attempt.backend->block, c, n);
    state_count(r->attempt.server->block, c, n);
    r->active_at = loop_now(loop_of(r));
    r->bytes[from] += n;
    if (from == SERVER && !r->first_byte_at)
        r->first_byte_at = r->active_at;
}

/* One read and what it brought, sent on. False: nothing more now. */
static bool pass_once(struct relay *r, enum side from)
{
    struct end *in = &r->ends[from], *out = &r->ends[!from];
    struct buffer *buffers[BURST_MAX];
    for (unsigned i = 0; i < in->burst; i++)
        buffers[i] = buffer_get();
    ssize_t got = conn_read_buffers(in->conn, buffers, in->burst);
    for (unsigned i = 0; i < in->burst; i++)
        conn_push_buffer(out->conn, buffers[i]);
    if (got > 0) {
        count_bytes(r, from, (size_t)got);
        if (got == (ssize_t)in->burst * BUFFER_SIZE)
            in->burst = (uint8_t)MIN(in->burst * 2, BURST_MAX);
        else if (got < BUFFER_SIZE)
            in->burst = 1;
    }
    if (conn_flush(out->conn) == CONN_FAILED || got == CONN_FAILED) {
        bool server = got == CONN_FAILED ? from == SERVER : from == CLIENT;
        end_relay(r, server ? REASON_SERVER_RESET : REASON_CLIENT_RESET);
        return false;
    }
    if (got == CONN_END) {
        in->ended = true;
        conn_shutdown(out->conn);
    }
    return got > 0;
}

/* Passes on what `from` has sent, while the other end takes it. */
static void pass(struct relay *r, enum side from)
{
    struct end *in = &r->ends[from], *out = &r->ends[!from];
    int turn = 0;
    while (!in->ended && conn_queued(out->conn) == 0 && conn_may_read(in->conn) && turn++ < TURNS_MAX)
        if (!pass_once(r, from))
            break;
    if (r->over)
        return;
    if (r->ends[CLIENT].ended && r->ends[SERVER].ended)
        end_relay(r, REASON_NONE);
    else if (turn >= TURNS_MAX)
        conn_read_later(in->conn);
}

/* ---- events ---- */

static void on_client_readable(struct conn *c)
{
    struct relay *r = c->owner;
    if (r->connected)
        pass(r, CLIENT);
    else if (conn_broken(c))
        end_relay(r, REASON_CLIENT_RESET);
}

static void on_client_writable(struct conn *c)
{
    struct relay *r = c->owner;
    if (r->connected)
        pass(r, SERVER);
}

/* Silence either way ends it: the shorter of the two timeouts counts, from the last byte in any direction. */
static void on_timeout(struct relay *r, enum side side, uint64_t limit, enum reason why)
{
    uint64_t silent = loop_now(loop_of(r)) - r->active_at;
    if (silent < limit)
        conn_timeout(r->ends[side].conn, limit - silent);
    else
        end_relay(r, why);
}

static void on_client_timeout(struct conn *c)
{
    struct relay *r = c->owner;
    on_timeout(r, CLIENT, r->client.frontend->timeout_client, REASON_CLIENT_TIMEOUT);
}

static const struct conn_handler client_handler = {
    .readable = on_client_readable,
    .writable = on_client_writable,
    .timeout = on_client_timeout,
};

static void on_server_readable(struct conn *c)
{
    pass(c->owner, SERVER);
}

static void server_connected(struct relay *r)
{
    struct conn *server = r->ends[SERVER].conn;
    r->connected = true;
    attempt_connected(&r->attempt, loop_now(loop_of(r)) - r->active_at);
    r->active_at = r->connected_at = loop_now(loop_of(r));
    conn_timeout(server, timeout_server(r));
    conn_timeout(r->ends[CLIENT].conn, r->client.frontend->timeout_client);
    pass(r, CLIENT);
    /* A PROXY header that the client's first bytes did not take along: perhaps the server is to speak first.
     */
    if (!r->over && conn_flush(server) == CONN_FAILED)
        end_relay(r, REASON_SERVER_RESET);
}

static void on_server_writable(struct conn *c)
{
    struct relay *r = c->owner;
    if (r->connected)
        pass(r, CLIENT);
    else
        server_connected(r);
}

static void server_failed(struct relay *r, enum reason why)
{
    struct end *server = &r->ends[SERVER];
    if (server->conn) {
        state_gauge_sub(r->attempt.server->slot, GAUGE_SESSIONS);
        conn_close(server->conn, why);
        server->conn = NULL;
    }
    if (attempt_failed(&r->attempt, why))
        try_server(r);
    else
        end_relay(r, why);
}

static void on_server_failed(struct conn *c, int error)
{
    struct relay *r = c->owner;
    server_failed(r, upstream_failed(r->attempt.server, error));
}

static void on_server_timeout(struct conn *c)
{
    struct relay *r = c->owner;
    if (r->connected)
        on_timeout(r, SERVER, timeout_server(r), REASON_SERVER_TIMEOUT);
    else
        server_failed(r, REASON_SERVER_CONNECT_TIMEOUT);
}

static const struct conn_handler server_handler = {
    .readable = on_server_readable,
    .writable = on_server_writable,
    .failed = on_server_failed,
    .timeout = on_server_timeout,
};

/* ---- the beginning ---- */

static void introduce(const struct relay *r)
{
    const struct conn *client = r->ends[CLIENT].conn;
    struct address source, destination;
    conn_peer(client, &source);
    conn_local(client, &destination);
    upstream_introduce(r->ends[SERVER].conn, r->attempt.server, &source, &destination);
}

/* A server is chosen, or `none` says why not. */
static void picked(struct relay *r, enum reason none)
{
    struct end *server = &r->ends[SERVER];
    for (; none == REASON_NONE; none = attempt_pick(&r->attempt)) {
        enum reason why;
        server->conn = upstream_connect(r->attempt.server, &server_handler, r, &why);
        r->active_at = r->connect_at = loop_now(loop_of(r));
        if (server->conn) {
            if (UNLIKELY(server_sends_proxy(r->attempt.server)))
                introduce(r);
            return;
        }
        if (!attempt_failed(&r->attempt, why)) {
            none = why;
            break;
        }
    }
    if (none == REASON_MAXCONN)
        attempt_wait(&r->attempt, woken);
    else
        end_relay(r, none);
}

static void woken(struct attempt *a, enum reason none)
{
    picked(CONTAINER_OF(a, struct relay, attempt), none);
}

static void try_server(struct relay *r)
{
    picked(r, attempt_pick(&r->attempt));
}

/* ---- rules ---- */

static void decide(struct relay *r, struct rule_outcome *out)
{
    static const struct rule_world nothing; /* the actions on connections need none of it */
    const struct frontend *f = r->client.frontend;
    const struct conn *c = r->ends[CLIENT].conn;
    struct address client, peer, local = {0};
    conn_peer(c, &client);
    conn_real_peer(c, &peer);
    if (f->relay->connections.wants_dst)
        conn_local(c, &local);
    struct http_subject s = {
        .src = ip_of_address(&client),
        .peer = ip_of_address(&peer),
        .src_port = address_port(&client),
        .dst = ip_of_address(&local),
        .dst_port = address_port(&local),
        .frontend = f->name,
        .generation = f->worker->generation,
        .now_us = clock_wall_ms() * 1000,
    };
    if (f->relay->connections.wants_tls)
        s.tls = conn_tls_info(c);
    rules_decide(&f->relay->connections, &s, &nothing, NULL, out);
    if (out->rule)
        r->rule = out->rule->label;
}

static void tell(const struct relay *r, const struct rule *rule, const char *what)
{
    char text[ADDRESS_TEXT_MAX], not_told[RULE_NOT_TOLD_SIZE];
    struct address peer;
    conn_peer(r->ends[CLIENT].conn, &peer);
    if (rule_may_tell(rule, loop_now(loop_of(r)), not_told))
        log_warn("Frontend [%s] rule %s, client %s: %s%s", r->client.frontend->name, rule->label,
                 address_print(&peer, text), what, not_told);
}

static void tell_failure(const struct relay *r, const struct rule_outcome *out)
{
    char text[sizeof out->failure + 16];
    snprintf(text, sizeof text, "failed: %s", out->failure);
    tell(r, out->rule, text);
}

static void tell_unknown_backend(const struct relay *r, const struct rule_outcome *out)
{
    char text[ACTION_SHOWN_SIZE + 32], shown[ACTION_SHOWN_SIZE];
    snprintf(text, sizeof text, "there is no backend \"%s\"", action_show(out->backend_name, shown));
    tell(r, out->rule, text);
}

/* Where the rules send the connection. False: they ended it. */
static bool walk_rules(struct relay *r, struct backend **b)
{
    struct rule_outcome out;
    enum reason why = REASON_NONE;
    decide(r, &out);
    if (out.verdict == VERDICT_REJECT) {
        why = REASON_REJECTED;
    } else if (out.verdict == VERDICT_FAILED) {
        tell_failure(r, &out);
        why = REASON_RULE_FAILED;
    } else if (out.verdict == VERDICT_BACKEND && !out.backend) {
        tell_unknown_backend(r, &out);
        why = REASON_UNKNOWN_BACKEND;
    } else if (out.verdict == VERDICT_BACKEND) {
        *b = out.backend;
    }
    if (why != REASON_NONE)
        end_relay(r, why);
    return why == REASON_NONE;
}

/* What is under way goes on until it ends by itself or the drain's time is over. */
static void drain(struct client *c)
{
    (void)c;
}

static void end(struct client *c, enum reason why)
{
    end_relay(CONTAINER_OF(c, struct relay, client), why);
}

static const struct client_ops client_ops = {.drain = drain, .end = end};

static void accepted(struct bind *bind, struct conn *c)
{
    struct frontend *f = bind->frontend;
    struct relay *r = pool_get(&relays);
    struct address peer;
    *r = (struct relay){
        .ends[CLIENT] = {.conn = c, .burst = 1},
        .ends[SERVER] = {.burst = 1},
        .task.run = free_relay,
        .begun_at = loop_now(f->worker->loop),
    };
    client_open(&r->client, f, &client_ops);
    conn_set_owner(c, &client_handler, r);
    state_count(f->block, COUNTER_REQUESTS, 1);
    state_gauge_add(f->slot, GAUGE_REQUESTS);
    struct backend *b = f->use_backend;
    if (UNLIKELY(f->relay && rules_any(&f->relay->connections)) && !walk_rules(r, &b))
        return;
    if (!b) {
        end_relay(r, REASON_NO_BACKEND);
        return;
    }
    conn_peer(c, &peer);
    attempt_begin(&r->attempt, b, &peer);
    try_server(r);
}

const struct mode_ops tcp_mode = {.name = "tcp", .accepted = accepted};
