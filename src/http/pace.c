#include "http/pace.h"

#include "http/http.h"

enum { WINDOW_US = 5000000, SLOW_WINDOWS = 2, SECOND_US = 1000000 };

static uint64_t interval(const struct frontend *f)
{
    return MIN(f->timeout_client, (uint64_t)WINDOW_US);
}

uint64_t pace_begin(struct pace *p, const struct frontend *f, uint64_t moved)
{
    p->awaited_at = p->window_at = loop_now(f->worker->loop);
    p->bytes = moved;
    p->slow = 0;
    return interval(f);
}

/* At the end of a window, however often was looked within it. */
static void judge_window(struct pace *p, const struct frontend *f, uint64_t now, uint64_t moved)
{
    uint64_t due = f->http->min_body_rate * (now - p->window_at) / SECOND_US;
    p->slow = moved - p->bytes < due ? p->slow + 1 : 0;
    p->bytes = moved;
    p->window_at = now;
}

enum reason pace_look(struct pace *p, const struct frontend *f, const struct pace_view *v, uint64_t *next_us)
{
    uint64_t now = loop_now(f->worker->loop), limit = f->timeout_client;
    if (!v->awaited) {
        *next_us = pace_begin(p, f, v->moved);
        return REASON_NONE;
    }
    uint64_t silent = now - MAX(p->awaited_at, v->active_at);
    if (silent >= limit)
        return REASON_CLIENT_TIMEOUT;
    if (now - p->window_at >= WINDOW_US)
        judge_window(p, f, now, v->moved);
    if (p->slow >= SLOW_WINDOWS)
        return REASON_CLIENT_SLOW;
    *next_us = MIN(MIN(interval(f), limit - silent), p->window_at + WINDOW_US - now);
    return REASON_NONE;
}

uint64_t pace_of_rest(const struct frontend *f, size_t bytes)
{
    uint64_t rate = f->http->min_body_rate;
    return rate ? f->timeout_client + bytes * SECOND_US / rate : CONN_ANY_TIME;
}
