/*
 * listener.h: listening sockets. The master opens them, keeps them for as
 * long as a configuration names their address, and hands them to its workers
 * by fork(2).
 */
#ifndef NOXY_NET_LISTENER_H
#define NOXY_NET_LISTENER_H

#include "base/error.h"
#include "net/address.h"

/*
 * A bound, listening, non-blocking, close-on-exec socket with TCP_NODELAY (which accepted sockets inherit).
 * [::] takes IPv4's connections, too; on a system without IPv6 it is 0.0.0.0. For a Unix socket a stale file
 * is removed first, after trying that nobody answers. -1 with `err`, which names the address and, for one in
 * use, what to look at.
 */
int listener_open(const struct address *a, struct error *err);

#endif
