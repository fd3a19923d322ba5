#include "http1/pace.h"

#include "http/http.h"

enum { LOOK_US = 5000000, SLOW_LOOKS = 2 };

static uint64_t interval(const struct exchange *x)
{
    return MIN(x->frontend->timeout_client, (uint64_t)LOOK_US);
}

uint64_t pace_begin(struct exchange *x)
{
    x->pace.awaited_at = loop_now(x->frontend->worker->loop);
    return interval(x);
}

/* Are we waiting for the client, and not for the server? */
static bool awaited(const struct exchange *x, const struct conn *c)
{
    return conn_queued(c) > 0 || (!x->request_ended && exchange_wants_body(x, SIDE_OF_CLIENT));
}

enum reason pace_look(struct exchange *x, const struct conn *c, uint64_t *next_us)
{
    uint64_t now = loop_now(c->loop), bytes = x->bytes_in + conn_pushed(c) - conn_queued(c);
    uint64_t moved = bytes - x->pace.bytes, limit = x->frontend->timeout_client;
    x->pace.bytes = bytes;
    *next_us = interval(x);
    if (!awaited(x, c)) {
        x->pace.awaited_at = now;
        x->pace.slow = 0;
        return REASON_NONE;
    }
    uint64_t silent = now - MAX(x->pace.awaited_at, c->active_at);
    if (silent >= limit)
        return REASON_CLIENT_TIMEOUT;
    if (interval(x) == LOOK_US && moved < x->frontend->http->min_body_rate * (LOOK_US / 1000000))
        x->pace.slow++;
    else
        x->pace.slow = 0;
    if (x->pace.slow >= SLOW_LOOKS)
        return REASON_CLIENT_SLOW;
    *next_us = MIN(*next_us, limit - silent);
    return REASON_NONE;
}
