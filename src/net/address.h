/*
 * address.h: where to listen and where to connect.
 *
 * As written: "10.0.0.1:80", "[2001:db8::1]:80", "*:80" and ":80" (all
 * addresses, IPv6 and IPv4), "name:80", "unix:/path".
 */
#ifndef NOXY_NET_ADDRESS_H
#define NOXY_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"
#include "base/slice.h"

enum { ADDRESS_TEXT_MAX = 128 };

struct address {
    socklen_t len; /* 0: none */
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
        struct sockaddr_storage storage;
    };
};

/* "host:port" taken apart. A literal address is complete; a name has to be resolved. */
struct endpoint {
    char host[254]; /* of a name or literal, without brackets; "*" for all addresses; "" for a Unix socket */
    uint16_t port;
    bool literal;           /* `address` is complete */
    struct address address; /* of a name: empty */
};

/*
 * Strict: the port is 1 to 65535 in decimal digits, nothing follows. "*:80" and ":80" become [::]:80, which
 * listener_open() opens for IPv4, too. -1 with `err`.
 */
int endpoint_parse(struct endpoint *e, const char *text, struct error *err);

/*
 * "10.0.0.1:80", "[::1]:80", "unix:/path", "none" for an empty address; returns `out`. IPv4 in IPv6
 * (::ffff:a.b.c.d, the peer of a socket for both) is printed as IPv4.
 */
const char *address_print(const struct address *a, char out[static ADDRESS_TEXT_MAX]);
/* The same of the IP alone; "unix:" for a Unix socket's peer. */
const char *address_print_ip(const struct address *a, char out[static ADDRESS_TEXT_MAX]);
bool address_equal(const struct address *a, const struct address *b);
/* 0.0.0.0 or [::]: all addresses of the machine. */
bool address_is_wildcard(const struct address *a);
void address_set_port(struct address *a, uint16_t port);
uint16_t address_port(const struct address *a);
/* A hash of the IP alone (not the port), the same for IPv4 and IPv4 in IPv6. */
uint64_t address_hash_ip(const struct address *a);

/* Name and port of the system's resolver, blocking: for binds, when a file is loaded. -1 with `err`. */
int address_resolve(struct address *out, const char *host, uint16_t port, struct error *err);

#endif
