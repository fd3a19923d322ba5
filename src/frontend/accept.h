/*
 * accept.h: the frontend room's own: starting and stopping to accept.
 */
#ifndef NOXY_FRONTEND_ACCEPT_H
#define NOXY_FRONTEND_ACCEPT_H

#include "frontend/frontend.h"

int frontend_start_accepting(struct frontend *f, struct error *err);
/* The sockets stay open: connections in their queues go to other workers. */
void frontend_stop_accepting(struct frontend *f);

/* Begins what the bind asks for before its frontend's mode gets the connection: TLS, if it is spoken there.
 */
void frontend_hand_over(struct bind *b, struct conn *c);
/* The same when its PROXY header has come (proxied.c). */
void frontend_await_proxy(struct bind *b, struct conn *c);
/* Begins TLS with the client, whose connection the mode gets when that is done (handshake.c). */
void frontend_handshake(struct bind *b, struct conn *c);
const struct mode_ops *frontend_mode(const struct frontend *f);

#endif
