/*
 * handshake.c: TLS with clients, before the mode gets their connections.
 */
#include "base/pool.h"
#include "frontend/accept.h"
#include "log/log.h"
#include "net/tls.h"

enum { FINISH_US = 2000000 }; /* for an alert to be taken */

struct handshake {
    struct client client;
    struct bind *bind;
    struct conn *conn;
    struct task task; /* frees it */
};

static struct pool handshakes = POOL_OF(struct handshake);

static void free_handshake(struct task *t)
{
    pool_put(&handshakes, CONTAINER_OF(t, struct handshake, task));
}

static void done(struct conn *c)
{
    struct handshake *h = c->owner;
    conn_timeout(c, 0);
    client_leave(&h->client);
    loop_defer(c->loop, &h->task);
    frontend_mode(h->bind->frontend)->accepted(h->bind, c);
}

static void end_handshake(struct handshake *h, enum reason why)
{
    loop_defer(h->conn->loop, &h->task);
    client_closed(&h->client, why);
}

/* ---- failing ---- */

static enum reason reason_of(const struct tls_failure *failure)
{
    static const enum reason reasons[] = {
        [TLS_FAILED] = REASON_CLIENT_TLS,
        [TLS_CLOSED] = REASON_CLIENT_CLOSED,
        [TLS_CERTIFICATE] = REASON_CLIENT_CERTIFICATE,
        [TLS_NOT_TLS] = REASON_CLIENT_NOT_TLS,
        [TLS_PLAIN_HTTP] = REASON_CLIENT_NOT_TLS,
    };
    return reasons[failure->kind];
}

/* Who connects and goes, as checks from outside do, is not worth a line for everybody. */
static void log_failure(const struct handshake *h, enum tls_failure_kind kind, const char *words)
{
    char text[ADDRESS_TEXT_MAX];
    struct address peer;
    conn_peer(h->conn, &peer);
    log_write(kind == TLS_CLOSED ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
              "Frontend [%s] TLS with client %s failed: %s", h->client.frontend->name,
              address_print(&peer, text), words);
}

static void failed(struct conn *c, int error)
{
    struct handshake *h = c->owner;
    const struct tls_failure *failure = conn_tls_failure();
    const char *answer = frontend_mode(h->client.frontend)->not_tls;
    enum reason why = reason_of(failure);
    (void)error;
    log_failure(h, failure->kind, failure->words);
    end_handshake(h, why);
    conn_unsecure(c);
    if (failure->kind == TLS_PLAIN_HTTP && answer)
        conn_push(c, answer, strlen(answer));
    if (failure->kind == TLS_CLOSED)
        conn_close(c, why);
    else
        conn_finish(c, why, true, FINISH_US, FINISH_US); /* so that the alert arrives */
}

static void timed_out(struct conn *c)
{
    struct handshake *h = c->owner;
    log_failure(h, TLS_FAILED, "the handshake was not complete in time");
    end_handshake(h, REASON_CLIENT_TLS_TIMEOUT);
    conn_close(c, REASON_CLIENT_TLS_TIMEOUT);
}

static void nothing_yet(struct conn *c)
{
    (void)c;
}

static const struct conn_handler handshake_handler = {
    .readable = nothing_yet, .writable = done, .failed = failed, .timeout = timed_out};

/* ---- beginning ---- */

/* A client in the middle of a handshake has its answer yet to come: it goes on, within its time. */
static void drain(struct client *c)
{
    (void)c;
}

static void end(struct client *c, enum reason why)
{
    struct handshake *h = CONTAINER_OF(c, struct handshake, client);
    struct conn *conn = h->conn;
    end_handshake(h, why);
    conn_close(conn, why);
}

static const struct client_ops handshake_ops = {.drain = drain, .end = end};

void frontend_handshake(struct bind *b, struct conn *c)
{
    struct handshake *h = pool_get(&handshakes);
    struct frontend *f = b->frontend;
    *h = (struct handshake){.bind = b, .conn = c, .task.run = free_handshake};
    client_open(&h->client, f, &handshake_ops);
    conn_set_owner(c, &handshake_handler, h);
    conn_timeout(c,
                 f->mode == MODE_HTTP ? MIN(f->timeout_http_request, f->timeout_client) : f->timeout_client);
    if (conn_secure(c, b->tls) == 0)
        return;
    end_handshake(h, REASON_RESOURCES);
    conn_close(c, REASON_RESOURCES);
}
