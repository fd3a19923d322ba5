/*
 * tls_context.h: making contexts. For the net room's own files: who configures
 * TLS (tls_conf.h) and the connections.
 */
#ifndef NOXY_NET_TLS_CONTEXT_H
#define NOXY_NET_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "net/tls.h"
#include "net/tls_names.h"

/* What is wrong with a setting, and what to do about it. */
struct tls_trouble {
    struct error what, hint;
    const char *key; /* the row that it concerns */
};

/* A certificate with its key, as read from files. */
struct tls_certificate {
    const char *path;
    X509 *leaf;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    unsigned char *ocsp; /* the response to staple, DER; NULL: none */
    int ocsp_len;
    uint64_t ocsp_until; /* seconds since 1970; 0: no end is given */
};

/*
 * Reads a certificate, its chain and its key (from `key_path`, or where NULL from the certificate's own file
 * or the one beside it that ends with .key). It is released with the arena. NULL with `trouble`.
 */
struct tls_certificate *tls_certificate_read(struct arena *a, const char *path, const char *key_path,
                                             struct tls_trouble *trouble);
/* Reads the response to staple. -1 with `trouble`. */
int tls_certificate_read_ocsp(struct tls_certificate *c, const char *path, struct tls_trouble *trouble);
enum tls_key_kind tls_certificate_kind(const struct tls_certificate *c);
/* Calls `each` for each name that it is valid for: those of SAN, else CN. */
void tls_certificate_names(const struct tls_certificate *c, void (*each)(void *context, struct slice name),
                           void *context);
/* Days until it ends, rounded down; negative: it has ended. */
int64_t tls_certificate_days(const struct tls_certificate *c);
/* "" , or in words why it isn't valid now. */
const char *tls_certificate_validity(const struct tls_certificate *c, char out[static 128]);

/* A whole file of at most a few MiB, to be freed; NULL with `err`. */
char *tls_read_file(const char *path, size_t *len, struct error *err);

enum tls_verify { TLS_VERIFY_NONE, TLS_VERIFY_OPTIONAL, TLS_VERIFY_REQUIRED };

struct tls_settings {
    int min_version, max_version; /* OpenSSL's */
    const char *ciphers;          /* up to TLS 1.2 */
    const char *ciphersuites;     /* of TLS 1.3 */
    const char *curves;
    const unsigned char *alpn; /* as on the wire (RFC 7301, 3.1), in the order of our preference */
    unsigned alpn_len;
    const char *ca, *crl; /* files; NULL: none */
    enum tls_verify verify;
    bool strict_sni; /* clients must ask for a name that a certificate has */
    bool tickets;
    const char *scope; /* sessions are resumed only where this is the same */
    struct tls_certificate **certificates;
    uint32_t certificate_count;
    /* Of a client: what the certificate must be for, a name or an address (NULL: anything); what it asks for.
     */
    const char *server_name, *server_ip, *sni;
};

struct tls_context {
    bool server;
    const struct tls_settings *settings;
    SSL_CTX *ctx; /* of the certificates that stand for clients without a name of ours */
    struct tls_names names;
    SSL_SESSION *session; /* of a client: the latest that can be resumed; this process */
    unsigned char ticket_scope[32];
};

/* `s` and its texts are kept. Released with the arena. NULL with `trouble`. */
struct tls_context *tls_context_new(struct arena *a, const struct tls_settings *s, bool server,
                                    struct tls_trouble *trouble);
/* Does OpenSSL know such a cipher of up to TLS 1.2, or class of them? */
bool tls_cipher_known(const char *name);
/* TLS for one connection. NULL without memory. */
SSL *tls_context_begin(struct tls_context *t);

/* Resumption by tickets (RFC 5077; RFC 8446, 4.6.1), whose keys are those of state/ticket.h. */
void tls_ticket_enable(SSL_CTX *ctx);

#endif
