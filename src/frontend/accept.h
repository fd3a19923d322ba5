/*
 * accept.h: the frontend room's own: starting and stopping to accept.
 */
#ifndef NOXY_FRONTEND_ACCEPT_H
#define NOXY_FRONTEND_ACCEPT_H

#include "frontend/frontend.h"

int frontend_start_accepting(struct frontend *f, struct error *err);
/* The sockets stay open: connections in their queues go to other workers. */
void frontend_stop_accepting(struct frontend *f);
const struct mode_ops *frontend_mode(const struct frontend *f);

/* Begins TLS with the client, whose connection the mode gets when that is done. */
void frontend_handshake(struct bind *b, struct conn *c);
/* Takes it off the worker's list; its place goes over to who takes the connection. */
void client_leave(struct client *c);

#endif
