#include "http/exchange.h"

#include "base/pool.h"
#include "http/exchange_rules.h"
#include "http/http.h"
#include "http/method.h"
#include "http/status.h"
#include "log/log.h"

static struct pool exchanges = POOL_OF(struct exchange);
static const struct server_codec *server_codec;

void exchange_set_server_codec(const struct server_codec *codec)
{
    server_codec = codec;
}

static void step_pick(struct exchange *x);
static void step_connect(struct exchange *x, bool fresh);
static void step_send(struct exchange *x);

/* ---- life ---- */

struct exchange *exchange_new(struct stream *client, struct frontend *f, const struct conn *c)
{
    struct exchange *x = pool_get(&exchanges);
    memset(x, 0, offsetof(struct exchange, scratch));
    x->client = client;
    x->frontend = f;
    x->client_conn = c;
    x->client_scheme = conn_secured(c) ? "https" : "http";
    x->scratch_next = x->scratch;
    arena_init(&x->arena);
    message_init(&x->request);
    client->exchange = x;
    return x;
}

static void exchange_free(struct exchange *x)
{
    arena_free(&x->arena);
    pool_put(&exchanges, x);
}

void exchange_drop(struct exchange *x)
{
    x->client->exchange = NULL;
    exchange_free(x);
}

/* Every entry from outside holds the exchange until it returns. */
static void hold(struct exchange *x)
{
    x->busy++;
}

static void release(struct exchange *x)
{
    if (--x->busy == 0 && x->finished)
        exchange_free(x);
}

static uint64_t now_of(const struct exchange *x)
{
    return loop_now(x->frontend->worker->loop);
}

char *exchange_alloc(struct exchange *x, size_t len)
{
    if (len > (size_t)(x->scratch + sizeof x->scratch - x->scratch_next))
        return arena_alloc(&x->arena, len);
    char *p = x->scratch_next;
    x->scratch_next += len;
    return p;
}

/* ---- counting ---- */

/* One more of a counter, wherever the exchange has come. */
static void count_everywhere(struct exchange *x, enum counter c, uint64_t n)
{
    state_count(x->frontend->block, c, n);
    if (x->attempt.backend)
        state_count(x->attempt.backend->block, c, n);
    if (x->attempt.server)
        state_count(x->attempt.server->block, c, n);
}

static void count_begin(struct exchange *x)
{
    x->begun_at = now_of(x);
    state_count(x->frontend->block, COUNTER_REQUESTS, 1);
    state_gauge_add(x->frontend->slot, GAUGE_REQUESTS);
}

static void record(struct exchange *x, enum latency which, uint64_t us)
{
    histogram_record(&x->attempt.backend->block->latency[which], us);
    if (x->attempt.server)
        histogram_record(&x->attempt.server->block->latency[which], us);
}

static void count_finish(struct exchange *x, enum reason why)
{
    if (x->status >= 200 && x->status < 600)
        count_everywhere(x, (enum counter)(COUNTER_RESPONSES_1XX + x->status / 100 - 1), 1);
    count_everywhere(x, COUNTER_BYTES_IN, x->head_in);
    count_everywhere(x, COUNTER_BYTES_OUT, x->head_out);
    if (why != REASON_NONE)
        state_count(x->frontend->block, (enum counter)(COUNTER_REASON + why), 1);
    if (x->attempt.backend && x->first_byte_at) {
        record(x, LATENCY_FIRST_BYTE, x->first_byte_at - x->sent_at);
        record(x, LATENCY_TOTAL, now_of(x) - x->begun_at);
    }
    state_gauge_sub(x->frontend->slot, GAUGE_REQUESTS);
}

/* ---- the end ---- */

static void let_server_go(struct exchange *x, enum reason why, bool complete)
{
    struct stream *s = x->server;
    if (!s)
        return;
    x->server = NULL;
    x->request_sending = false;
    s->exchange = NULL;
    s->ops->done(s, why, complete);
}

void exchange_finish(struct exchange *x, enum reason why)
{
    struct stream *c = x->client;
    if (x->finished)
        return;
    x->finished = true;
    count_finish(x, why);
    if (UNLIKELY(x->frontend->access_log != NULL))
        exchange_log(x, why);
    let_server_go(x, why, x->response_ended && x->request_ended && !x->tunnel && why == REASON_NONE);
    attempt_end(&x->attempt, why);
    c->exchange = NULL;
    c->ops->done(c, why, x->response_ended);
}

void exchange_fail(struct exchange *x, uint16_t status, enum reason why)
{
    let_server_go(x, why, false);
    if (x->response_begun || status == 0)
        exchange_finish(x, why);
    else
        exchange_answer_status(x, status, why);
}

/* ---- the steps ---- */

static void step_rules(struct exchange *x)
{
    if (!exchange_count_forwards(x))
        return;
    struct exchange_route route = {.backend = x->frontend->use_backend};
    if (UNLIKELY(rules_any(&x->frontend->http->requests)) && !exchange_rules_frontend(x, &route))
        return;
    if (UNLIKELY(x->last_to_get)) {
        exchange_answer_last(x);
        return;
    }
    if (!route.backend) {
        exchange_fail(x, status_of_reason(REASON_NO_BACKEND), REASON_NO_BACKEND);
        return;
    }
    struct address client;
    exchange_client_address(x, &client);
    attempt_begin(&x->attempt, route.backend, &client);
    x->attempt.preferred = route.server;
    const struct http_backend_conf *b = route.backend->http;
    if (UNLIKELY(b && rules_any(&b->requests)) && !exchange_rules_backend(x))
        return;
    step_pick(x);
}

/* A server is chosen, or `none` says why not. */
static void picked(struct exchange *x, enum reason none)
{
    if (none == REASON_NONE)
        step_connect(x, x->repeated);
    else if (none == REASON_QUEUE_TIMEOUT)
        exchange_fail(x, 503, none);
    /* After a failure the client is told of that; `none` only says that nobody is left to try. */
    else if (x->attempt.retries > 0)
        exchange_fail(x, status_of_reason(x->failure), x->failure);
    else
        exchange_fail(x, x->attempt.backend->when_down == WHEN_DOWN_CLOSE ? 0 : status_of_reason(none), none);
}

static void woken(struct attempt *a, enum reason none)
{
    struct exchange *x = CONTAINER_OF(a, struct exchange, attempt);
    hold(x);
    picked(x, none);
    release(x);
}

static void step_pick(struct exchange *x)
{
    enum reason none = attempt_pick(&x->attempt);
    if (none == REASON_MAXCONN)
        attempt_wait(&x->attempt, woken);
    else
        picked(x, none);
}

static void step_connect(struct exchange *x, bool fresh)
{
    enum reason why;
    bool ready;
    x->connect_at = now_of(x);
    x->sent_at = 0;
    x->server = server_codec->open(x, x->attempt.server, fresh, &ready, &why);
    if (!x->server) {
        exchange_server_failed(x, why);
        return;
    }
    x->reused = ready;
    if (ready) {
        count_everywhere(x, COUNTER_REUSED, 1);
        step_send(x);
    }
}

static void step_send(struct exchange *x)
{
    struct stream *s = x->server;
    exchange_prepare_request(x);
    x->sent_at = now_of(x);
    s->ops->head(s, &x->request);
    if (x->request_ended) {
        exchange_flush(x, SIDE_OF_CLIENT);
        return;
    }
    x->request_sending = true;
    x->client->ops->resume(x->client);
    if (x->server == s)
        exchange_flush(x, SIDE_OF_CLIENT);
}

void exchange_begin(struct exchange *x)
{
    hold(x);
    count_begin(x);
    x->request_ended = x->request.body == BODY_NONE;
    if (UNLIKELY(x->frontend->http->trusted_proxies != NULL))
        exchange_find_client(x);
    step_rules(x);
    release(x);
}

void exchange_refuse(struct exchange *x, uint16_t status, enum reason why)
{
    hold(x);
    count_begin(x);
    x->client_close = true;
    exchange_fail(x, status, why);
    release(x);
}

void exchange_server_ready(struct exchange *x)
{
    hold(x);
    attempt_connected(&x->attempt, now_of(x) - x->connect_at);
    step_send(x);
    release(x);
}

void exchange_server_failed(struct exchange *x, enum reason why)
{
    hold(x);
    x->server = NULL;
    x->failure = why;
    if (attempt_failed(&x->attempt, why))
        step_pick(x);
    else
        exchange_fail(x, status_of_reason(why), why);
    release(x);
}

/* ---- the response ---- */

/* Both directions are the client's and the server's own from now on. */
static void begin_tunnel(struct exchange *x, struct message *m)
{
    x->tunnel = true;
    x->request_ended = false;
    x->request_sending = true;
    x->response_begun = true;
    x->status = m->status;
    x->active_at = now_of(x);
    m->body = x->request.body = BODY_TUNNEL;
    message_drop_hop(m);
    x->client->ops->head(x->client, m);
    exchange_flush(x, SIDE_OF_SERVER);
    if (!x->finished)
        x->client->ops->resume(x->client);
}

/* A 101 switches to what the client asked for, and to nothing else (RFC 9110, 7.8). */
static bool may_switch(const struct exchange *x, const struct message *m)
{
    if (!x->request.upgrade || !m->upgrade)
        return false;
    for (unsigned i = 0; i < m->count; i++)
        if (m->fields[i].id == FIELD_UPGRADE &&
            !message_list_has(&x->request, FIELD_UPGRADE, field_value(&m->fields[i])))
            return false;
    return true;
}

void exchange_response(struct exchange *x, struct message *m)
{
    hold(x);
    if (!x->first_byte_at)
        x->first_byte_at = now_of(x);
    exchange_prepare_response(x, m);
    bool final = m->status >= 200 || (m->status == 101 && may_switch(x, m));
    if (final && UNLIKELY(exchange_has_response_rules(x)) && !exchange_rules_response(x, m)) {
        release(x);
        return;
    }
    if (m->status == 101 && final) {
        begin_tunnel(x, m);
    } else if (m->status == 101) {
        exchange_fail(x, status_of_reason(REASON_SERVER_BAD_RESPONSE), REASON_SERVER_BAD_RESPONSE);
    } else if (m->status < 200) {
        count_everywhere(x, COUNTER_RESPONSES_1XX, 1);
        message_drop_hop(m);
        if (x->request.version > HTTP_1_0)
            x->client->ops->head(x->client, m);
    } else {
        x->status = m->status;
        x->response_begun = true;
        message_drop_hop(m);
        x->client->ops->head(x->client, m);
    }
    release(x);
}

/* ---- bodies ---- */

size_t exchange_room(const struct exchange *x, enum side from)
{
    if (from == SIDE_OF_SERVER)
        return x->client->ops->room(x->client);
    return x->request_sending && x->server ? x->server->ops->room(x->server) : 0;
}

bool exchange_wants_body(const struct exchange *x, enum side from)
{
    return exchange_room(x, from) > 0;
}

static struct stream *receiver(struct exchange *x, enum side from)
{
    return from == SIDE_OF_CLIENT ? x->server : x->client;
}

static void count_body(struct exchange *x, enum side from, size_t len)
{
    x->active_at = now_of(x);
    if (from == SIDE_OF_CLIENT) {
        x->body_sent = true;
        x->bytes_in += len;
        x->too_large = x->frontend->http->max_body > 0 && x->bytes_in > x->frontend->http->max_body;
        count_everywhere(x, COUNTER_BYTES_IN, len);
    } else {
        x->bytes_out += len;
        count_everywhere(x, COUNTER_BYTES_OUT, len);
    }
}

void exchange_body(struct exchange *x, enum side from, const char *bytes, size_t len)
{
    struct stream *to = receiver(x, from);
    count_body(x, from, len);
    to->ops->body(to, bytes, len);
}

void exchange_body_buffer(struct exchange *x, enum side from, struct buffer *b)
{
    struct stream *to = receiver(x, from);
    count_body(x, from, buffer_len(b));
    to->ops->body_buffer(to, b);
}

void exchange_flush(struct exchange *x, enum side from)
{
    struct stream *to = receiver(x, from);
    if (UNLIKELY(x->too_large) && from == SIDE_OF_CLIENT && !x->tunnel) {
        x->client_close = true; /* whether its end came with it or is still to come */
        exchange_broke(x, SIDE_OF_CLIENT, REASON_CLIENT_TOO_LARGE);
    } else if (to) {
        to->ops->flush(to);
    }
}

void exchange_body_end(struct exchange *x, enum side from, const struct message *trailers)
{
    struct stream *to = receiver(x, from);
    hold(x);
    if (from == SIDE_OF_CLIENT)
        x->request_ended = true;
    else
        x->response_ended = true;
    to->ops->end(to, trailers);
    exchange_flush(x, from);
    bool over = x->tunnel ? x->request_ended && x->response_ended : x->response_ended;
    if (over && !x->finished)
        exchange_finish(x, REASON_NONE);
    release(x);
}

void exchange_sent(struct exchange *x, enum side to)
{
    hold(x);
    if (to == SIDE_OF_SERVER)
        x->client->ops->resume(x->client);
    else if (x->server)
        x->server->ops->resume(x->server);
    release(x);
}

/* ---- failures ---- */

/* May the request be sent again, its first sending having brought no byte of an answer (RFC 9110, 9.2.2)? */
static bool may_repeat(const struct exchange *x)
{
    return !x->first_byte_at && !x->body_sent && !x->tunnel && method_is_idempotent(x->request.method);
}

static void server_broke(struct exchange *x, enum reason why)
{
    x->failure = why;
    bool late = why == REASON_SERVER_TIMEOUT;
    if (late || why == REASON_SERVER_BAD_RESPONSE || x->repeated || !may_repeat(x)) {
        exchange_fail(x, status_of_reason(why), why);
        return;
    }
    let_server_go(x, why, false);
    if (x->reused) {
        attempt_repeat(&x->attempt);
        step_connect(x, true);
        return;
    }
    x->repeated = true; /* it may be what breaks servers: not one after the other */
    if (attempt_failed(&x->attempt, why))
        step_pick(x);
    else
        exchange_fail(x, status_of_reason(why), why);
}

bool exchange_tunnel_look(struct exchange *x, uint64_t *next_us)
{
    uint64_t silent = now_of(x) - x->active_at, limit = x->attempt.backend->timeout_tunnel;
    if (silent < limit) {
        *next_us = limit - silent;
        return true;
    }
    hold(x);
    exchange_finish(x, REASON_TUNNEL_TIMEOUT);
    release(x);
    return false;
}

void exchange_broke(struct exchange *x, enum side which, enum reason why)
{
    hold(x);
    if (which == SIDE_OF_SERVER)
        server_broke(x, why);
    else
        exchange_fail(x, status_of_reason(why), why);
    release(x);
}
