/*
 * tls_context.c: what TLS is made with, out of settings.
 *
 * For each combination of certificates that a name can have there is an
 * SSL_CTX; all of a context have the same settings. A connection begins with
 * the one that stands for clients without a name of ours, and the client's name
 * moves it to another.
 */
#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <time.h>

#include "base/memory.h"
#include "net/tls_parts.h"

enum {
    READ_AHEAD = 2 * (16384 + 320), /* two records, received at once where they are there */
    SESSION_SECONDS = 86400,
    OCSP_NONE_LEFT = 60, /* seconds before its end from which a response isn't stapled any more */
};

static void release_ctx(void *ctx)
{
    SSL_CTX_free(ctx);
}

static int trouble_set(struct tls_trouble *t, const char *key, const char *what)
{
    char words[256];
    tls_take_error(words, sizeof words);
    t->key = key;
    return error_set(&t->what, "%s: %s", what, words[0] ? words : "OpenSSL refuses it");
}

/* ---- who the peer may be ---- */

/* Certificates and revocation lists of a PEM file, into the store and into the hash. */
static int load_store(X509_STORE *store, EVP_MD_CTX *hash, const char *key, const char *path,
                      struct tls_trouble *t)
{
    size_t len, found = 0;
    t->key = key;
    char *bytes = tls_read_file(path, &len, &t->what);
    if (!bytes)
        return -1;
    EVP_DigestUpdate(hash, bytes, len);
    BIO *in = BIO_new_mem_buf(bytes, (int)len);
    STACK_OF(X509_INFO) *all = in ? PEM_X509_INFO_read_bio(in, NULL, NULL, NULL) : NULL;
    for (int i = 0; i < sk_X509_INFO_num(all); i++) {
        const X509_INFO *one = sk_X509_INFO_value(all, i);
        if (strcmp(key, "ca") == 0 && one->x509)
            found += X509_STORE_add_cert(store, one->x509) == 1;
        else if (strcmp(key, "crl") == 0 && one->crl)
            found += X509_STORE_add_crl(store, one->crl) == 1;
    }
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    BIO_free(in);
    free(bytes);
    ERR_clear_error();
    if (found > 0)
        return 0;
    error_set(&t->hint, "a PEM file begins with -----BEGIN %s-----",
              strcmp(key, "ca") == 0 ? "CERTIFICATE" : "X509 CRL");
    return error_set(&t->what, "there is no %s in %s",
                     strcmp(key, "ca") == 0 ? "certificate" : "certificate revocation list", path);
}

/* The names of the CAs, by which a client chooses its certificate. */
static STACK_OF(X509_NAME) * ca_names(const X509_STORE *store)
{
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    for (int i = 0; names && i < sk_X509_OBJECT_num(objects); i++) {
        X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        X509_NAME *name = x ? X509_NAME_dup(X509_get_subject_name(x)) : NULL;
        if (name && !sk_X509_NAME_push(names, name))
            X509_NAME_free(name);
    }
    return names;
}

/* A session is resumed only where it would have been made the same way. */
static void hash_scope(struct tls_context *t, EVP_MD_CTX *hash)
{
    unsigned len = 0;
    unsigned char verify = (unsigned char)t->settings->verify;
    if (t->settings->scope)
        EVP_DigestUpdate(hash, t->settings->scope, strlen(t->settings->scope));
    EVP_DigestUpdate(hash, &verify, 1);
    EVP_DigestFinal_ex(hash, t->ticket_scope, &len);
}

static int read_verification(struct tls_context *t, X509_STORE *store, struct tls_trouble *trouble)
{
    const struct tls_settings *s = t->settings;
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    int result = -1;
    if (!hash || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
        trouble_set(trouble, "ca", "cannot make a hash");
    else if ((!s->ca || load_store(store, hash, "ca", s->ca, trouble) == 0) &&
             (!s->crl || load_store(store, hash, "crl", s->crl, trouble) == 0))
        result = 0;
    if (result == 0 && !t->server && !s->ca && s->verify != TLS_VERIFY_NONE &&
        X509_STORE_set_default_paths(store) != 1)
        result = trouble_set(trouble, "ca", "cannot use the system's certificates");
    if (result == 0)
        hash_scope(t, hash);
    if (s->crl)
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    EVP_MD_CTX_free(hash);
    return result;
}

static void set_verification(const struct tls_context *t, SSL_CTX *ctx, X509_STORE *store)
{
    const struct tls_settings *s = t->settings;
    int mode = s->verify == TLS_VERIFY_NONE ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
    if (t->server && s->verify == TLS_VERIFY_REQUIRED)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ctx, mode, NULL);
    SSL_CTX_set1_cert_store(ctx, store);
    if (t->server && s->ca)
        SSL_CTX_set_client_CA_list(ctx, ca_names(store));
    SSL_CTX_set_session_id_context(ctx, t->ticket_scope, sizeof t->ticket_scope);
}

/* ---- what a handshake asks ---- */

static int choose_certificate(SSL *ssl, int *alert, void *context)
{
    const struct tls_context *t = context;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const struct tls_choice *choice = name ? tls_names_find(&t->names, slice_of(name)) : NULL;
    if (choice) {
        if (choice->made != SSL_get_SSL_CTX(ssl) && !SSL_set_SSL_CTX(ssl, choice->made)) {
            *alert = SSL_AD_INTERNAL_ERROR;
            return SSL_TLSEXT_ERR_ALERT_FATAL;
        }
        return SSL_TLSEXT_ERR_OK;
    }
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return t->settings->strict_sni ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
}

/* No protocol in common ends it (RFC 7301, 3.2). */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned offered_len, void *context)
{
    const struct tls_settings *s = ((const struct tls_context *)context)->settings;
    unsigned char *chosen = NULL;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_len, s->alpn, s->alpn_len, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int staple(SSL *ssl, void *context)
{
    const struct tls_settings *s = ((const struct tls_context *)context)->settings;
    const X509 *leaf = SSL_get_certificate(ssl);
    for (uint32_t i = 0; i < s->certificate_count; i++) {
        const struct tls_certificate *c = s->certificates[i];
        if (c->leaf != leaf || c->ocsp_len <= 0)
            continue;
        if (c->ocsp_until && (uint64_t)time(NULL) + OCSP_NONE_LEFT > c->ocsp_until)
            break;
        unsigned char *copy = OPENSSL_memdup(c->ocsp, (size_t)c->ocsp_len);
        if (!copy)
            break;
        SSL_set_tlsext_status_ocsp_resp(ssl, copy, c->ocsp_len);
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

/* A server's session that can be resumed: the latest is the one that is. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_context *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    SSL_SESSION_free(t->session);
    t->session = session;
    return 1;
}

/* ---- an SSL_CTX ---- */

static int set_algorithms(SSL_CTX *ctx, const struct tls_settings *s, struct tls_trouble *t)
{
    if (s->ciphers && SSL_CTX_set_cipher_list(ctx, s->ciphers) != 1)
        return trouble_set(t, "ciphers", s->ciphers);
    if (s->ciphersuites && SSL_CTX_set_ciphersuites(ctx, s->ciphersuites) != 1)
        return trouble_set(t, "ciphersuites", s->ciphersuites);
    if (s->curves && SSL_CTX_set1_groups_list(ctx, s->curves) != 1)
        return trouble_set(t, "curves", s->curves);
    if (SSL_CTX_set_min_proto_version(ctx, s->min_version) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, s->max_version) != 1)
        return trouble_set(t, "versions", "these versions can't be had");
    return 0;
}

bool tls_cipher_known(const char *name)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    bool known = ctx && SSL_CTX_set_cipher_list(ctx, name) == 1;
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return known;
}

static void set_server(struct tls_context *t, SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(ctx, SESSION_SECONDS);
    SSL_CTX_set_tlsext_servername_callback(ctx, choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(ctx, t);
    SSL_CTX_set_tlsext_status_cb(ctx, staple);
    SSL_CTX_set_tlsext_status_arg(ctx, t);
    if (t->settings->alpn_len > 0)
        SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, t);
    if (t->settings->tickets) {
        tls_ticket_enable(ctx);
    } else {
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(ctx, 0);
    }
}

static void set_client(const struct tls_context *t, SSL_CTX *ctx)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, keep_session);
    if (t->settings->alpn_len > 0)
        SSL_CTX_set_alpn_protos(ctx, t->settings->alpn, t->settings->alpn_len);
}

static int add_certificate(SSL_CTX *ctx, const struct tls_certificate *c, struct tls_trouble *t)
{
    char what[300];
    if (SSL_CTX_use_cert_and_key(ctx, c->leaf, c->key, c->chain, 1) == 1)
        return 0;
    snprintf(what, sizeof what, "the certificate in %s can't be used", c->path);
    return trouble_set(t, "cert", what);
}

static SSL_CTX *make_ctx(struct arena *a, struct tls_context *t, const int *certificates, X509_STORE *store,
                         struct tls_trouble *trouble)
{
    SSL_CTX *ctx = SSL_CTX_new(t->server ? TLS_server_method() : TLS_client_method());
    if (!ctx) {
        trouble_set(trouble, "cert", "cannot prepare TLS");
        return NULL;
    }
    arena_on_free(a, release_ctx, ctx);
    SSL_CTX_set_app_data(ctx, t);
    /* An end without close_notify is told by us: OpenSSL would end the other direction, too. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD);
    for (unsigned kind = 0; kind < TLS_KEY_KINDS; kind++)
        if (certificates[kind] >= 0 &&
            add_certificate(ctx, t->settings->certificates[certificates[kind]], trouble) < 0)
            return NULL;
    if (set_algorithms(ctx, t->settings, trouble) < 0)
        return NULL;
    if (t->server)
        set_server(t, ctx);
    else
        set_client(t, ctx);
    set_verification(t, ctx, store);
    return ctx;
}

/* ---- the certificates of each name ---- */

struct naming {
    struct tls_context *context;
    enum tls_key_kind kind;
    int index;
    struct tls_choice *first; /* of the first certificate's first name */
};

static void add_name(void *context, struct slice name)
{
    struct naming *n = context;
    if (tls_names_add(&n->context->names, name, n->kind, n->index) && n->index == 0 && !n->first)
        n->first = n->context->names.choices;
}

/* `fallback`: for clients without a name of ours. The first certificate, with those that share its first
 * name. */
static void fill_names(struct tls_context *t, int fallback[static TLS_KEY_KINDS])
{
    const struct tls_settings *s = t->settings;
    struct naming n = {.context = t};
    for (uint32_t i = 0; i < s->certificate_count; i++) {
        n.index = (int)i;
        n.kind = tls_certificate_kind(s->certificates[i]);
        tls_certificate_names(s->certificates[i], add_name, &n);
    }
    if (n.first)
        memcpy(fallback, n.first->certificate, sizeof n.first->certificate);
    else if (s->certificate_count > 0)
        fallback[tls_certificate_kind(s->certificates[0])] = 0;
}

static int make_choices(struct arena *a, struct tls_context *t, const int *fallback, X509_STORE *store,
                        struct tls_trouble *trouble)
{
    for (struct tls_choice *c = t->names.choices; c; c = c->next) {
        if (memcmp(c->certificate, fallback, sizeof c->certificate) == 0)
            c->made = t->ctx;
        for (const struct tls_choice *d = t->names.choices; d != c && !c->made; d = d->next)
            if (memcmp(c->certificate, d->certificate, sizeof c->certificate) == 0)
                c->made = d->made;
        if (!c->made)
            c->made = make_ctx(a, t, c->certificate, store, trouble);
        if (!c->made)
            return -1;
    }
    return 0;
}

/* ---- whole ---- */

static void release(void *what)
{
    struct tls_context *t = what;
    tls_names_free(&t->names);
    SSL_SESSION_free(t->session);
}

struct tls_context *tls_context_new(struct arena *a, const struct tls_settings *s, bool server,
                                    struct tls_trouble *trouble)
{
    struct tls_context *t = ARENA_NEW(a, struct tls_context);
    int fallback[TLS_KEY_KINDS];
    for (unsigned i = 0; i < TLS_KEY_KINDS; i++)
        fallback[i] = -1;
    *trouble = (struct tls_trouble){0};
    *t = (struct tls_context){.server = server, .settings = s, .names.arena = a};
    arena_on_free(a, release, t);
    X509_STORE *store = X509_STORE_new();
    bool made = store && read_verification(t, store, trouble) == 0;
    if (made) {
        fill_names(t, fallback);
        t->ctx = make_ctx(a, t, fallback, store, trouble);
        made = t->ctx && (!server || make_choices(a, t, fallback, store, trouble) == 0);
    }
    X509_STORE_free(store);
    ERR_clear_error();
    return made ? t : NULL;
}

SSL *tls_context_begin(struct tls_context *t)
{
    SSL *ssl = SSL_new(t->ctx);
    if (!ssl)
        return NULL;
    if (t->server) {
        SSL_set_accept_state(ssl);
        return ssl;
    }
    SSL_set_connect_state(ssl);
    const struct tls_settings *s = t->settings;
    if ((s->sni && SSL_set_tlsext_host_name(ssl, s->sni) != 1) ||
        (s->server_name && SSL_set1_host(ssl, s->server_name) != 1) ||
        (s->server_ip && X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), s->server_ip) != 1)) {
        SSL_free(ssl);
        return NULL;
    }
    if (t->session)
        SSL_set_session(ssl, t->session);
    return ssl;
}
