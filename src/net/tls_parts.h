/*
 * tls_parts.h: what the files of TLS share. Nobody else includes it.
 *
 * conn_tls.c is the connection's side of it: handshake, bytes, end.
 * tls_context.c makes contexts, tls_certificate.c reads certificates and keys,
 * tls_names.c chooses among them, tls_ticket.c resumes sessions, tls_info.c
 * says what was negotiated, tls_words.c says what went wrong.
 */
#ifndef NOXY_NET_TLS_PARTS_H
#define NOXY_NET_TLS_PARTS_H

#include <openssl/ssl.h>

#include "net/conn_parts.h"
#include "net/tls.h"

/* TLS of one connection. */
struct tls {
    SSL *ssl;
    struct tls_info *info; /* once asked for */
    const struct tls_context *context;
    int16_t ended;         /* what reading came to: CONN_FAILED, ENDED, or 0 */
    uint8_t turns;         /* receives that one read may still make */
    bool readable;         /* the socket may have more */
    bool begun;            /* the peer's first byte has come */
    bool not_tls, is_http; /* and is none of TLS; but one of HTTP */
    bool eof;              /* the socket's stream has ended */
    bool truncated;        /* and that without close_notify */
    bool notified;         /* ours was sent */
    uint32_t control;      /* bytes sent in answer to what isn't data, since the latest data */
};

/* OpenSSL's latest errors as words, after which it has none. "" if there were none. */
void tls_take_error(char *out, size_t size);

struct tls_info *tls_info_make(SSL *ssl);

#endif
