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

/* What an errno of connect(2) means. */
enum reason upstream_connect_reason(int error);

#endif
