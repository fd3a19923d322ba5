/*
 * authority.h: "host", "host:port" and "[v6]:port" (RFC 3986, 3.2), as they
 * stand in URLs, X-Forwarded-Host and Forwarded. Never with userinfo.
 */
#ifndef NOXY_HTTP_AUTHORITY_H
#define NOXY_HTTP_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct authority {
    struct slice host; /* without brackets; never empty */
    bool bracketed;    /* it is an IPv6 address */
    uint16_t port;     /* 0: none is written */
};

/* Strict: a host of letters, digits and "-_" in labels with dots between, or an IPv6 address in brackets; a
 * port from 1 to 65535. */
bool authority_parse(struct slice text, struct authority *a);
/* Do both name the same host? Names without case, addresses however they are written. */
bool authority_same_host(const struct authority *a, const struct authority *b);

#endif
