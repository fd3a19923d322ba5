/*
 * resolver.h: host names to addresses without blocking (this room is the only
 * user of c-ares, which reads /etc/hosts and resolv.conf; a changed
 * resolv.conf is noticed).
 */
#ifndef NOXY_NET_RESOLVER_H
#define NOXY_NET_RESOLVER_H

#include "base/error.h"
#include "event/loop.h"
#include "net/address.h"

enum { RESOLVER_ADDRESSES_MAX = 32 }; /* of one name; what an answer has beyond is left out */

struct resolver;

/*
 * The addresses of a name, in the resolver's order (count > 0), or count 0 with the reason in words. May ask
 * again, but not free the resolver.
 */
typedef void resolver_done(void *context, const struct address *addresses, unsigned count,
                           const char *reason);

/* `timeout_us` for the first of `tries` at each name server, more for each later one. NULL with `err`. */
struct resolver *resolver_new(struct loop *l, uint64_t timeout_us, unsigned tries, struct error *err);
/* Ends open queries without calling back. NULL is allowed. */
void resolver_free(struct resolver *r);
/* Name servers in place of resolv.conf's: "IP:PORT", separated by commas. -1 with `err`. */
int resolver_use_servers(struct resolver *r, const char *servers, struct error *err);
/* Calls back exactly once, perhaps before it returns. Addresses carry `port`; IPv4 and IPv6 as the system has
 * them. */
void resolver_ask(struct resolver *r, const char *host, uint16_t port, resolver_done *done, void *context);

#endif
