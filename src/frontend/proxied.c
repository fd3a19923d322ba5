/*
 * proxied.c: connections of binds with proxy_protocol, until their PROXY
 * header has come: then the mode gets them as if the client that the header
 * names had connected.
 *
 * The bytes are only looked at (MSG_PEEK) until the header is complete, and
 * then just the header is taken. So nothing behind it needs to be kept, and
 * whoever reads next, a TLS handshake included, finds what he expects.
 */
#include "base/pool.h"
#include "frontend/accept.h"
#include "log/log.h"
#include "net/proxy.h"

enum { SAY_AGAIN_US = 10000000 }; /* the least time between two log lines of a frontend */

struct proxied {
    struct client client;
    struct bind *bind;
    struct conn *conn;
    uint64_t begun_at;
    bool said_something; /* a byte has come */
};

static struct pool pool = POOL_OF(struct proxied);

/* Anybody can cause it, as often as he likes. */
static void say(struct frontend *f, const struct conn *c, const char *words)
{
    char text[ADDRESS_TEXT_MAX];
    struct address peer;
    uint64_t now = loop_now(f->worker->loop);
    if (f->said_proxy_at && now - f->said_proxy_at < SAY_AGAIN_US) {
        f->unsaid_proxy++;
        return;
    }
    conn_peer(c, &peer);
    log_warn("Frontend [%s] closes the connection of %s: %s (proxy_protocol)", f->name,
             address_print(&peer, text), words);
    if (f->unsaid_proxy > 0)
        log_warn("Frontend [%s] has closed %ju more without a PROXY header since the line before", f->name,
                 (uintmax_t)f->unsaid_proxy);
    f->said_proxy_at = now;
    f->unsaid_proxy = 0;
}

static void log_access(const struct proxied *p, enum reason why)
{
    static const struct attempt none;
    struct frontend *f = p->client.frontend;
    struct access_entry e = {
        .head_us = ACCESS_ABSENT,
        .connect_us = ACCESS_ABSENT,
        .first_byte_us = ACCESS_ABSENT,
        .total_us = loop_now(f->worker->loop) - p->begun_at,
    };
    frontend_log_access(f, p->conn, &e, &none, why);
}

static void end_proxied(struct proxied *p, enum reason why)
{
    struct frontend *f = p->client.frontend;
    if (UNLIKELY(f->access_log != NULL) && why != REASON_NONE)
        log_access(p, why);
    conn_close(p->conn, why);
    client_closed(&p->client, why);
    pool_put(&pool, p);
}

static void refuse(struct proxied *p, enum reason why, const char *words)
{
    say(p->client.frontend, p->conn, words);
    end_proxied(p, why);
}

/* It ended before its header was complete. A connection that never said anything looked whether noxy is
 * there. */
static void ended(struct proxied *p)
{
    if (p->said_something)
        refuse(p, REASON_CLIENT_NO_PROXY, "it ended within its PROXY header");
    else
        end_proxied(p, REASON_NONE);
}

/* Takes the header and passes the connection on; what has come behind it is read in this round. */
static void pass_on(struct proxied *p, char *bytes, size_t header, const struct proxy_header *h)
{
    struct bind *b = p->bind;
    struct conn *c = p->conn;
    if (conn_read(c, bytes, header) != (ssize_t)header) {
        end_proxied(p, REASON_CLIENT_RESET);
        return;
    }
    if (h->named)
        conn_set_names(c, &h->source, &h->destination);
    client_leave(&p->client);
    pool_put(&pool, p);
    conn_timeout(c, 0);
    conn_read_later(c);
    frontend_hand_over(b, c);
}

static void on_readable(struct conn *c)
{
    struct proxied *p = c->owner;
    char bytes[PROXY_READ_MAX];
    struct proxy_header h;
    const char *why;
    ssize_t got = conn_peek(c, bytes, sizeof bytes);
    if (got == CONN_AGAIN)
        return;
    if (got <= 0) {
        ended(p);
        return;
    }
    p->said_something = true;
    int header = proxy_read(bytes, (size_t)got, &h, &why);
    if (header > 0)
        pass_on(p, bytes, (size_t)header, &h);
    else if (header == PROXY_BAD)
        refuse(p, REASON_CLIENT_NO_PROXY, why);
    else if (conn_peer_closed(c))
        ended(p);
}

static void on_timeout(struct conn *c)
{
    refuse(c->owner, REASON_CLIENT_PROXY_TIMEOUT,
           "its PROXY header did not come within timeout_http_request");
}

static const struct conn_handler handler = {.readable = on_readable, .timeout = on_timeout};

/* A worker that drains still takes what was accepted: the header is on its way, or its time is soon over. */
static void drain(struct client *c)
{
    (void)c;
}

static void end(struct client *c, enum reason why)
{
    end_proxied(CONTAINER_OF(c, struct proxied, client), why);
}

static const struct client_ops proxied_ops = {.drain = drain, .end = end};

void frontend_await_proxy(struct bind *b, struct conn *c)
{
    struct frontend *f = b->frontend;
    struct proxied *p = pool_get(&pool);
    *p = (struct proxied){.bind = b, .conn = c, .begun_at = loop_now(f->worker->loop)};
    client_open(&p->client, f, &proxied_ops);
    conn_set_owner(c, &handler, p);
    conn_timeout(c, f->timeout_http_request);
}
