/*
 * resolver.h: host names to addresses without blocking (this room is the only
 * user of c-ares, which reads /etc/hosts and resolv.conf).
 */
#ifndef NOXY_NET_RESOLVER_H
#define NOXY_NET_RESOLVER_H

#include "base/error.h"
#include "event/loop.h"
#include "net/address.h"

struct resolver;
struct resolver_query;

/* The addresses of a name, in the resolver's order (count > 0), or count 0 with the reason in words. */
typedef void resolver_done(void *context, const struct address *addresses, unsigned count, const char *reason);

/* `timeout_us` and `tries` for each name server. NULL with `err`. */
struct resolver *resolver_new(struct loop *l, uint64_t timeout_us, unsigned tries, struct error *err);
/* Ends open queries without calling back. */
void resolver_free(struct resolver *r);
/* Calls back exactly once, perhaps before it returns. Addresses carry `port`; IPv4 and IPv6 as the system has them. */
void resolver_ask(struct resolver *r, const char *host, uint16_t port, resolver_done *done, void *context);

#endif
