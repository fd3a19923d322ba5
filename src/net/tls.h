/*
 * tls.h: TLS under a connection (RFC 8446, RFC 5246). Only this room uses
 * OpenSSL, and nothing of it shows here.
 *
 * A tls_context is what one side of TLS is made with: the certificates,
 * versions and rules of a bind, or how a server is to be spoken with. The
 * master makes it while it loads the configuration, which is when all files are
 * read; it lives in the load's arena and the workers inherit it. Keys are never
 * logged.
 *
 * conn_secure() puts a connection under TLS (conn.h). Then conn_tls_info()
 * knows what was negotiated.
 */
#ifndef NOXY_NET_TLS_H
#define NOXY_NET_TLS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "net/conn.h"

/* What is known of a secured connection. What is not there is empty. */
struct tls_info {
    struct slice version; /* "TLSv1.3" */
    struct slice cipher;  /* "TLS_AES_128_GCM_SHA256" */
    struct slice sni;     /* the name that the client asked for */
    struct slice alpn;    /* the protocol that was agreed on */
    bool resumed;
    /* Of the peer's certificate. */
    struct slice subject, issuer; /* RFC 4514: "CN=alice,O=Example" */
    struct slice serial;          /* hexadecimal, "0A1B" */
    struct slice fingerprint;     /* SHA-256, 64 hexadecimal digits in lower case */
    struct slice verify;          /* "ok", or why it isn't valid */
};

enum tls_failure_kind {
    TLS_FAILED,      /* the two don't come together */
    TLS_CLOSED,      /* the peer went away before the handshake's end */
    TLS_CERTIFICATE, /* the peer's certificate is missing or not valid */
    TLS_NOT_TLS,     /* the peer doesn't speak TLS */
    TLS_PLAIN_HTTP,  /* it speaks HTTP */
};

struct tls_failure {
    enum tls_failure_kind kind;
    char words[256]; /* why, for people */
};

/* NULL: a plain connection. Made when first asked for; belongs to the connection. */
const struct tls_info *conn_tls_info(const struct conn *c);
/* The protocol that was agreed on (RFC 7301), without making the rest; "" : none. */
struct slice conn_tls_alpn(const struct conn *c);
/* Version and cipher, without making the rest; "": a plain connection. They live for ever. */
void conn_tls_words(const struct conn *c, struct slice *version, struct slice *cipher);
/* Why the latest handshake of this process failed: for handler->failed(). */
const struct tls_failure *conn_tls_failure(void);

#endif
