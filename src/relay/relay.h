/*
 * relay.h: mode tcp: each client's connection is paired with one to a server,
 * and bytes are passed on both ways, unread. TLS that the server ends
 * (passthrough) is this mode.
 */
#ifndef NOXY_RELAY_RELAY_H
#define NOXY_RELAY_RELAY_H

#include "frontend/frontend.h"

extern const struct mode_ops tcp_mode;

#endif
