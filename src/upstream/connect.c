#include "upstream/connect.h"

#include <errno.h>

enum reason upstream_connect_reason(int error)
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

struct conn *upstream_connect(struct server *s, const struct conn_handler *h, void *owner, enum reason *why)
{
    struct address to;
    if (!server_address(s, &to)) {
        *why = REASON_SERVER_UNRESOLVED;
        return NULL;
    }
    struct conn *c = conn_connect(s->backend->loop, &to.any, to.len, h, owner);
    if (!c) {
        *why = upstream_connect_reason(errno);
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
    conn_push_buffer(c, b);
}
