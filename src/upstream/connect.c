#include "upstream/connect.h"

#include <errno.h>

#include "log/log.h"
#include "net/tls.h"

enum { SAY_AGAIN_US = 10000000 }; /* the least time between two log lines about TLS with a server */

static enum reason reason_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
    case ENOENT: /* a Unix socket that isn't there */
        return REASON_SERVER_REFUSED;
    case ETIMEDOUT:
        return REASON_SERVER_CONNECT_TIMEOUT;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL:
        return REASON_RESOURCES;
    default:
        return REASON_SERVER_UNREACHABLE;
    }
}

static void say_tls_failed(struct server *s, const char *words)
{
    char name[256];
    uint64_t now = loop_now(s->backend->loop);
    if (s->said_tls_at && now - s->said_tls_at < SAY_AGAIN_US)
        return;
    s->said_tls_at = now;
    log_warn("Backend [%s] TLS with the server failed: %s", server_print(s, name, sizeof name), words);
}

enum reason upstream_failed(struct server *s, int error)
{
    if (error != EPROTO || !s->tls)
        return reason_of(error);
    const struct tls_failure *failure = conn_tls_failure();
    say_tls_failed(s, failure->words);
    return failure->kind == TLS_CERTIFICATE ? REASON_SERVER_CERTIFICATE : REASON_SERVER_TLS;
}

struct conn *upstream_connect(struct server *s, const struct conn_handler *h, void *owner, enum reason *why)
{
    struct address to;
    if (!server_address(s, &to)) {
        *why = REASON_SERVER_UNRESOLVED;
        return NULL;
    }
    struct conn *c = conn_connect(s->backend->loop, &to.any, to.len, h, owner);
    if (!c) {
        *why = reason_of(errno);
        return NULL;
    }
    if (s->tls && conn_secure(c, s->tls) < 0) {
        conn_close(c, REASON_RESOURCES);
        *why = REASON_RESOURCES;
        return NULL;
    }
    conn_timeout(c, s->backend->timeout_connect);
    state_gauge_add(s->slot, GAUGE_SESSIONS);
    state_count(s->block, COUNTER_SESSIONS, 1);
    return c;
}

void upstream_introduce(struct conn *c, const struct server *s, const struct address *source,
                        const struct address *destination)
{
    struct buffer *b = buffer_get();
    b->end = (uint32_t)proxy_write((enum proxy_version)s->send_proxy, source, destination, b->data);
    if (!conn_secured(c)) {
        conn_push_buffer(c, b);
        return;
    }
    conn_push_plain(c, b->data, b->end);
    buffer_put(b);
}
