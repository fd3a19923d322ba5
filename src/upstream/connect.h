/*
 * connect.h: beginning a connection to a server, the same way for each mode
 * and codec.
 */
#ifndef NOXY_UPSTREAM_CONNECT_H
#define NOXY_UPSTREAM_CONNECT_H

#include "net/conn.h"
#include "upstream/backend.h"

/*
 * Begins a connection, with timeout_connect set, and counts it as a session of the server (whoever closes it
 * takes it off again: state_gauge_sub(..., GAUGE_SESSIONS)). NULL: it failed at once for `*why`.
 */
struct conn *upstream_connect(struct server *s, const struct conn_handler *h, void *owner, enum reason *why);

/*
 * Where the server is to get a PROXY header: puts it in front of what will be sent on `c`, which has just
 * begun, and names `source` and `destination` as the client's connection. It goes out with the owner's first
 * conn_flush(), in one segment with what else is pushed until then; an owner who has nothing to send flushes
 * when the connection is made.
 */
void upstream_introduce(struct conn *c, const struct server *s, const struct address *source,
                        const struct address *destination);

/* What conn_handler.failed() means, whose errno `error` is. That TLS failed is logged, with why in words. */
enum reason upstream_failed(struct server *s, int error);

#endif
