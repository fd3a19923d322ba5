/*
 * forwarded.h: the field Forwarded (RFC 7239), one element at a time: what a
 * proxy says of the connection that it got the request on.
 */
#ifndef NOXY_HTTP_FORWARDED_H
#define NOXY_HTTP_FORWARDED_H

#include "http/pen.h"
#include "net/network.h"

/* An element's parameters that noxy knows, without their quotes; one that isn't there is empty. */
struct forwarded {
    struct slice node; /* of `for` */
    struct slice host, proto;
};

/* Strict: no parameter twice, values as tokens or in quotes. Unknown parameters are passed over. */
bool forwarded_parse(struct slice element, struct forwarded *f);

enum node_kind { NODE_MALFORMED, NODE_HIDDEN /* "unknown", "_name" */, NODE_ADDRESS };
/* The address of a node (RFC 7239, 6), its port left out. */
enum node_kind forwarded_read_node(struct slice node, struct ip *ip);

/* Writes an element. A host or scheme that is empty is left out; without an address it is for=unknown. */
void forwarded_put(struct pen *p, struct ip ip, struct slice host, struct slice proto);

#endif
