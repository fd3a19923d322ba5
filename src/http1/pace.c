#include "http1/pace.h"

#include "http/http.h"

enum { WINDOW_US = 5000000, SLOW_WINDOWS = 2, SECOND_US = 1000000 };

static uint64_t interval(const struct exchange *x)
{
    return MIN(x->frontend->timeout_client, (uint64_t)WINDOW_US);
}

/* Bytes that the client has sent or taken so far. */
static uint64_t moved(const struct exchange *x)
{
    const struct conn *c = x->client_conn;
    return x->bytes_in + conn_pushed(c) - conn_queued(c);
}

uint64_t pace_begin(struct exchange *x)
{
    x->pace.awaited_at = x->pace.window_at = loop_now(x->frontend->worker->loop);
    x->pace.bytes = moved(x);
    x->pace.slow = 0;
    return interval(x);
}

/* Are we waiting for the client, and not for the server? */
static bool awaited(const struct exchange *x, const struct conn *c)
{
    return conn_queued(c) > 0 || (!x->request_ended && exchange_wants_body(x, SIDE_OF_CLIENT));
}

/* At the end of a window, however often was looked within it. */
static void judge_window(struct exchange *x, uint64_t now)
{
    uint64_t bytes = moved(x), due = x->frontend->http->min_body_rate * (now - x->pace.window_at) / SECOND_US;
    x->pace.slow = bytes - x->pace.bytes < due ? x->pace.slow + 1 : 0;
    x->pace.bytes = bytes;
    x->pace.window_at = now;
}

enum reason pace_look(struct exchange *x, const struct conn *c, uint64_t *next_us)
{
    uint64_t now = loop_now(c->loop), limit = x->frontend->timeout_client;
    if (!awaited(x, c)) {
        *next_us = pace_begin(x);
        return REASON_NONE;
    }
    uint64_t silent = now - MAX(x->pace.awaited_at, c->active_at);
    if (silent >= limit)
        return REASON_CLIENT_TIMEOUT;
    if (now - x->pace.window_at >= WINDOW_US)
        judge_window(x, now);
    if (x->pace.slow >= SLOW_WINDOWS)
        return REASON_CLIENT_SLOW;
    *next_us = MIN(MIN(interval(x), limit - silent), x->pace.window_at + WINDOW_US - now);
    return REASON_NONE;
}

uint64_t pace_of_rest(const struct frontend *f, size_t bytes)
{
    uint64_t rate = f->http->min_body_rate;
    return rate ? f->timeout_client + bytes * SECOND_US / rate : CONN_ANY_TIME;
}
