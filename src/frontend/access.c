/*
 * access.c: the access log of a worker. Lines gather in its buffers and are
 * written together when a buffer is full, and at the latest FLUSH_US after
 * the first of them.
 */
#include "frontend/access.h"

#include "base/clock.h"
#include "net/tls.h"

enum { FLUSH_US = 100000 };

/* False: there are lines that could not be written. */
static bool flush(struct worker *w)
{
    bool all = true;
    for (uint32_t i = 0; i < w->frontend_count; i++)
        if (w->frontends[i]->access_log && !access_flush(w->frontends[i]->access_log))
            all = false;
    return all;
}

static void flush_fired(struct timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, access_flush);
    if (!flush(w))
        loop_timer_set(w->loop, t, FLUSH_US);
}

void frontend_access_start(struct worker *w)
{
    w->access_flush.fire = flush_fired;
}

void frontend_access_stop(struct worker *w)
{
    loop_timer_stop(w->loop, &w->access_flush);
    for (uint32_t i = 0; i < w->frontend_count; i++)
        if (w->frontends[i]->access_log)
            access_finish(w->frontends[i]->access_log);
}

/* The first line since all were written: sets when this one is, and reads the clock for it and the next ones.
 */
static void begin(struct worker *w)
{
    loop_timer_set(w->loop, &w->access_flush, FLUSH_US);
    w->wall_offset_us = clock_wall_ms() * 1000 - clock_monotonic_us();
}

void frontend_log_access(struct frontend *f, const struct conn *client, struct access_entry *e,
                         const struct attempt *a, enum reason why)
{
    struct worker *w = f->worker;
    char address[ADDRESS_TEXT_MAX];
    struct address peer;
    if (!w->access_flush.armed)
        begin(w);
    if (e->client.len == 0) {
        conn_peer(client, &peer);
        e->client = slice_of(address_print(&peer, address));
    }
    e->frontend = slice_of(f->name);
    conn_tls_words(client, &e->tls_version, &e->tls_cipher);
    e->queue_us = ACCESS_ABSENT;
    if (a->backend) {
        e->backend = slice_of(a->backend->name);
        e->queue_us = a->waited_us + (a->woken ? loop_now(w->loop) - a->waits_since : 0);
    }
    if (a->last)
        e->server = slice_of(a->last->name);
    e->retries = a->retries;
    e->generation = w->generation;
    e->reason = reason_word(why);
    e->ended_by = reason_side_word(reason_side(why));
    e->time_ms = (loop_now(w->loop) + w->wall_offset_us) / 1000;
    access_write(f->access_log, e);
}
