/*
 * conn_finish.c: a connection that its owner has let go: it sends what is
 * left, and ends.
 */
#include "log/log.h"
#include "net/conn_parts.h"

enum {
    LINGER_BYTES = 64 << 20,
    LINGER_US = 2000000, /* of silence */
    LINGER_TOTAL_US = 30000000,
    TURNS_MAX = 16, /* reads before others have their turn */
};

static size_t finishing; /* connections with finish_handler */

static void finish_step(struct conn *c)
{
    if (c->queued > 0 && !(c->flags & BROKEN))
        return;
    if (c->flags & BROKEN || !(c->flags & FINISH_LINGER)) {
        conn_close(c, REASON_NONE);
        return;
    }
    if (!(c->flags & SHUT)) {
        conn_shutdown(c);
        c->active_at = loop_now(c->loop);
        c->finish_by = c->active_at + LINGER_TOTAL_US;
        conn_timeout(c, LINGER_US);
    }
}

static void finish_readable(struct conn *c)
{
    static char thrown_away[BUFFER_SIZE];
    for (int turn = 0; conn_may_read(c); turn++) {
        if (turn == TURNS_MAX) {
            conn_read_later(c);
            break;
        }
        ssize_t n = conn_read(c, thrown_away, sizeof thrown_away);
        if (n == CONN_AGAIN)
            break;
        if (n == CONN_FAILED || (n == CONN_END && c->queued == 0) || (n > 0 && (uint32_t)n > c->discard)) {
            conn_close(c, REASON_NONE);
            return;
        }
        if (n == CONN_END)
            break;
        c->discard -= (uint32_t)n;
    }
    finish_step(c);
}

/* The peer may take some time, as long as it takes bytes, or sends some while we linger. */
static void finish_timeout(struct conn *c)
{
    uint64_t now = loop_now(c->loop), silence = conn_silence(c);
    uint64_t limit = c->queued > 0 ? c->finish_limit : LINGER_US;
    if (silence < limit && now < c->finish_by)
        conn_timeout(c, MIN(limit - silence, c->finish_by - now));
    else
        conn_close(c, REASON_NONE);
}

static const struct conn_handler finish_handler = {
    .readable = finish_readable,
    .writable = finish_step,
    .timeout = finish_timeout,
};

void conn_finish(struct conn *c, enum reason why, bool linger, uint64_t limit_us, uint64_t total_us)
{
    if (c->flags & CLOSED)
        return;
    bool connecting = c->flags & CONNECTING;
    if (connecting || conn_flush(c) < 0 || (c->queued == 0 && !linger)) {
        conn_close(c, why);
        return;
    }
    log_debug("connection %d finishes: %s", c->watch.fd, reason_word(why));
    if (c->tls) { /* from here on there are only bytes that are encrypted already, or thrown away */
        conn_tls_end(c, 0);
        conn_tls_free(c);
        c->flags |= READABLE;
    }
    conn_set_owner(c, &finish_handler, NULL);
    finishing++;
    if (linger)
        c->flags |= FINISH_LINGER;
    c->discard = LINGER_BYTES;
    c->finish_limit = limit_us;
    c->finish_by = loop_now(c->loop) + total_us;
    conn_timeout(c, MIN(limit_us, total_us));
    finish_step(c);
    if (!(c->flags & CLOSED) && conn_may_read(c))
        conn_read_later(c);
}

size_t conn_finishing(void)
{
    return finishing;
}

void conn_finish_closed(const struct conn *c)
{
    if (c->handler == &finish_handler)
        finishing--;
}
