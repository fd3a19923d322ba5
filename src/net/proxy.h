/*
 * proxy.h: the header of the PROXY protocol, which stands before the first
 * byte of a connection and names the two ends of the one that it stands for
 * (HAProxy's proxy-protocol.txt, versions 1 and 2). Bytes in, addresses out,
 * and the other way round; no socket here.
 */
#ifndef NOXY_NET_PROXY_H
#define NOXY_NET_PROXY_H

#include <stddef.h>

#include "net/address.h"

/* What a server is sent. */
enum proxy_version { PROXY_UNSET, PROXY_NONE, PROXY_V1, PROXY_V2 };

enum {
    PROXY_READ_MAX = 16 + 4096, /* bytes of a header that is taken, of version 2 with all its TLVs */
    PROXY_WRITE_MAX = 108,      /* and of one that is written: version 1's longest line and a NUL */
};

enum {
    PROXY_MORE = 0, /* well so far, but not complete */
    PROXY_BAD = -1, /* no header, whatever follows */
};

/* `named`: the connection is passed on for `source`, who had connected to `destination`. Else it is the
 * sender's own (LOCAL), or he doesn't know (UNKNOWN, UNSPEC): its real ends count. */
struct proxy_header {
    bool named;
    struct address source, destination;
};

/*
 * Looks at what a connection has brought so far: the header's length, PROXY_MORE or PROXY_BAD, then with
 * `*why` for people. Strict; never looks beyond `len`. With PROXY_READ_MAX bytes it always decides.
 */
int proxy_read(const char *bytes, size_t len, struct proxy_header *out, const char **why);

/*
 * Writes a header of version 1 or 2 and returns its length. IPv4 in IPv6 goes as IPv4 where both ends are;
 * one that is no IP address (a Unix socket's) goes as the other family's 0. No IP `source` (or NULL): UNKNOWN
 * or LOCAL.
 */
size_t proxy_write(enum proxy_version v, const struct address *source, const struct address *destination,
                   char out[static PROXY_WRITE_MAX]);

#endif
