/*
 * field.h: header fields, and what noxy knows about their names. One row a
 * name that means something to it; all others are passed on unread.
 */
#ifndef NOXY_HTTP_FIELD_H
#define NOXY_HTTP_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum field_flag {
    FIELD_HOP = 1,  /* concerns one connection only: never passed on (RFC 9110, 7.6.1) */
    FIELD_ONCE = 2, /* may not be repeated */
    FIELD_NO_TRAILER =
        4, /* never taken from a trailer section: framing, routing, authentication (RFC 9110, 6.5.1) */
    FIELD_KEPT = 8, /* not removed though Connection names it: noxy or the server relies on it */
};

#define FIELD_TABLE(X)                                                                                       \
    X(HOST, "host", FIELD_ONCE | FIELD_NO_TRAILER | FIELD_KEPT)                                              \
    X(CONTENT_LENGTH, "content-length", FIELD_NO_TRAILER | FIELD_KEPT)                                       \
    X(TRANSFER_ENCODING, "transfer-encoding", FIELD_HOP | FIELD_NO_TRAILER)                                  \
    X(CONNECTION, "connection", FIELD_HOP | FIELD_NO_TRAILER)                                                \
    X(KEEP_ALIVE, "keep-alive", FIELD_HOP | FIELD_NO_TRAILER)                                                \
    X(PROXY_CONNECTION, "proxy-connection", FIELD_HOP | FIELD_NO_TRAILER)                                    \
    X(TE, "te", FIELD_HOP | FIELD_NO_TRAILER)                                                                \
    X(UPGRADE, "upgrade", FIELD_HOP | FIELD_NO_TRAILER)                                                      \
    X(HTTP2_SETTINGS, "http2-settings", FIELD_HOP | FIELD_NO_TRAILER)                                        \
    X(TRAILER, "trailer", FIELD_NO_TRAILER)                                                                  \
    X(EXPECT, "expect", FIELD_NO_TRAILER | FIELD_KEPT)                                                       \
    X(MAX_FORWARDS, "max-forwards", FIELD_ONCE | FIELD_NO_TRAILER | FIELD_KEPT)                              \
    X(CONTENT_TYPE, "content-type", FIELD_NO_TRAILER | FIELD_KEPT)                                           \
    X(CONTENT_ENCODING, "content-encoding", FIELD_NO_TRAILER | FIELD_KEPT)                                   \
    X(CONTENT_RANGE, "content-range", FIELD_NO_TRAILER | FIELD_KEPT)                                         \
    X(RANGE, "range", FIELD_NO_TRAILER | FIELD_KEPT)                                                         \
    X(CACHE_CONTROL, "cache-control", FIELD_NO_TRAILER | FIELD_KEPT)                                         \
    X(AUTHORIZATION, "authorization", FIELD_NO_TRAILER | FIELD_KEPT)                                         \
    X(PROXY_AUTHORIZATION, "proxy-authorization", FIELD_NO_TRAILER | FIELD_KEPT)                             \
    X(COOKIE, "cookie", FIELD_NO_TRAILER | FIELD_KEPT)                                                       \
    X(SET_COOKIE, "set-cookie", FIELD_NO_TRAILER | FIELD_KEPT)                                               \
    X(ACCEPT, "accept", FIELD_KEPT)                                                                          \
    X(LOCATION, "location", FIELD_NO_TRAILER | FIELD_KEPT)                                                   \
    X(DATE, "date", FIELD_NO_TRAILER)                                                                        \
    X(RETRY_AFTER, "retry-after", FIELD_NO_TRAILER)                                                          \
    X(X_FORWARDED_FOR, "x-forwarded-for", FIELD_NO_TRAILER | FIELD_KEPT)                                     \
    X(X_FORWARDED_PROTO, "x-forwarded-proto", FIELD_NO_TRAILER | FIELD_KEPT)                                 \
    X(X_FORWARDED_HOST, "x-forwarded-host", FIELD_NO_TRAILER | FIELD_KEPT)                                   \
    X(FORWARDED, "forwarded", FIELD_NO_TRAILER | FIELD_KEPT)                                                 \
    X(X_REAL_IP, "x-real-ip", FIELD_NO_TRAILER | FIELD_KEPT)

/*
 * What no trailer section may bring beside the rows with FIELD_NO_TRAILER: fields that noxy passes on unread
 * but that steer somebody behind it. Whole names, and the beginnings of names.
 */
#define FIELD_NO_TRAILER_TABLE(NAME, BEGINNING)                                                              \
    /* authentication */                                                                                     \
    NAME("www-authenticate")                                                                                 \
    NAME("authentication-info")                                                                              \
    BEGINNING("proxy-")                                                                                      \
    BEGINNING("sec-")                                                                                        \
    BEGINNING("set-cookie")                                                                                  \
    /* conditions and negotiation */                                                                         \
    BEGINNING("if-")                                                                                         \
    BEGINNING("accept")                                                                                      \
    /* what the content is, and how long it stays good */                                                    \
    BEGINNING("content-")                                                                                    \
    NAME("pragma")                                                                                           \
    NAME("age")                                                                                              \
    NAME("expires")                                                                                          \
    NAME("vary")                                                                                             \
    NAME("warning")                                                                                          \
    /* who asked for what: routing */                                                                        \
    BEGINNING("x-forwarded-")                                                                                \
    BEGINNING("x-original-")                                                                                 \
    BEGINNING("x-rewrite-")                                                                                  \
    BEGINNING("x-http-method")

enum field_id {
    FIELD_OTHER,
#define X(id, name, flags) FIELD_##id,
    FIELD_TABLE(X)
#undef X
        FIELD_ID_COUNT
};

/*
 * One field line. Name and value are slices of the buffer that they came in, or of the exchange's arena.
 */
struct field {
    const char *name, *value;
    uint16_t name_len, value_len;
    uint8_t id;   /* enum field_id */
    bool raw;     /* name to value stand as "name: value CRLF" in one piece, spaces between them included */
    bool dropped; /* is not passed on */
    bool own;     /* set by a rule: not removed though Connection names it */
};

enum field_id field_lookup(struct slice name);
unsigned field_flags(enum field_id id);
/* May it be taken from a trailer section (RFC 9110, 6.5.1)? */
bool field_may_trail(struct slice name, enum field_id id);

static inline struct slice field_name(const struct field *f)
{
    return (struct slice){f->name, f->name_len};
}

/* A Content-Length: decimal digits only, no sign, no list, no overflow (RFC 9110, 8.6). */
bool field_read_length(struct slice value, uint64_t *length);

static inline struct slice field_value(const struct field *f)
{
    return (struct slice){f->value, f->value_len};
}

#endif
