/*
 * network.h: IP addresses as plain 16 bytes, networks of them, and tables of
 * networks that find the longest prefix.
 *
 * IPv4 stands in IPv6 (::ffff:a.b.c.d), so that both compare and match alike.
 */
#ifndef NOXY_NET_NETWORK_H
#define NOXY_NET_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "net/address.h"

struct ip {
    uint8_t bytes[16]; /* in network order; all zero: none (a Unix socket's peer) */
};

struct network {
    struct ip ip; /* bits beyond the prefix are zero */
    uint8_t bits; /* of the prefix, as IPv6: an IPv4 network's are 96 and more */
};

/* The address without its port; none of a Unix socket or an empty address. */
struct ip ip_of_address(const struct address *a);
/* An address for that IP and port. */
void ip_to_address(struct ip ip, uint16_t port, struct address *out);
/* "10.0.0.1", "2001:db8::1"; strict: nothing before or behind, no zone, no leading zeros. False: it is none.
 */
bool ip_parse(struct slice text, struct ip *out);
bool ip_is_v4(struct ip ip);
bool ip_equal(struct ip a, struct ip b);
bool ip_is_none(struct ip ip);
/* The first `bits` (0 to 128, as IPv6) of an address; the rest is zero. */
struct ip ip_mask(struct ip ip, unsigned bits);
/* As address_print_ip(), but "" for none; returns the length. */
unsigned ip_print(struct ip ip, char out[static ADDRESS_TEXT_MAX]);

/* "10.0.0.0/8", "2001:db8::/32", or an address alone. Bits set beyond the prefix are an error. -1 with `err`.
 */
int network_parse(struct network *n, struct slice text, struct error *err);
/* No network has the address none. */
bool network_has(const struct network *n, struct ip ip);

/*
 * A table from networks to values: the most exact network that has an address wins. Made once, in an arena
 * (of the configuration), then read only; a look-up costs one probe for each length of prefix in use.
 */
struct network_table;

struct network_table *network_table_new(struct arena *a);
/* Adds a network with `value` (not NULL); returns the value that the same network has already, which stays;
 * else NULL. */
void *network_table_add(struct network_table *t, const struct network *n, void *value);
/* NULL: no network has it. */
void *network_table_find(const struct network_table *t, struct ip ip);

#endif
