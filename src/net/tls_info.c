/*
 * tls_info.c: what was negotiated, and who the peer is, as texts.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/memory.h"
#include "net/tls_parts.h"

enum { DIGEST_SIZE = 32, TEXTS_MAX = 4096 }; /* a name that is longer is cut */

/* The texts are gathered here, and then stand behind the structure. */
static char texts[TEXTS_MAX];

struct builder {
    char *at, *end;
};

static struct slice add(struct builder *b, const char *text, size_t len)
{
    struct slice s = {b->at, MIN(len, (size_t)(b->end - b->at))};
    memcpy(b->at, text, s.len);
    b->at += s.len;
    return s;
}

static struct slice add_name(struct builder *b, const X509_NAME *name)
{
    struct slice s = SLICE("");
    char *text = NULL;
    BIO *out = BIO_new(BIO_s_mem());
    if (out && X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        long len = BIO_get_mem_data(out, &text);
        s = add(b, text, (size_t)MAX(len, 0));
    }
    BIO_free(out);
    return s;
}

static struct slice add_serial(struct builder *b, const X509 *x)
{
    struct slice s = SLICE("");
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *text = number ? BN_bn2hex(number) : NULL;
    if (text)
        s = add(b, text, strlen(text));
    OPENSSL_free(text);
    BN_free(number);
    return s;
}

static struct slice add_fingerprint(struct builder *b, const X509 *x)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[2 * DIGEST_SIZE];
    unsigned len = 0;
    if (X509_digest(x, EVP_sha256(), digest, &len) != 1 || len != DIGEST_SIZE)
        return SLICE("");
    for (unsigned i = 0; i < len; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    return add(b, text, sizeof text);
}

static struct slice text_or_none(const char *text)
{
    return slice_of(text ? text : "");
}

static void add_peer(struct builder *b, struct tls_info *info, X509 *peer, long verdict)
{
    info->serial = add_serial(b, peer);
    info->fingerprint = add_fingerprint(b, peer);
    info->subject = add_name(b, X509_get_subject_name(peer));
    info->issuer = add_name(b, X509_get_issuer_name(peer));
    info->verify = verdict == X509_V_OK ? SLICE("ok") : slice_of(X509_verify_cert_error_string(verdict));
}

/* A copy of no more than there is. */
static struct tls_info *keep(const struct tls_info *made, size_t len)
{
    struct tls_info *info = memory_zalloc(sizeof *info + len);
    char *copy = (char *)(info + 1);
    *info = *made;
    memcpy(copy, texts, len);
    struct slice *const own[] = {&info->sni,    &info->alpn,   &info->subject,
                                 &info->issuer, &info->serial, &info->fingerprint};
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (own[i]->len > 0)
            own[i]->ptr = copy + (own[i]->ptr - texts);
    return info;
}

struct tls_info *tls_info_make(SSL *ssl)
{
    struct builder b = {texts, texts + TEXTS_MAX};
    const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const unsigned char *alpn = NULL;
    unsigned alpn_len = 0;
    X509 *peer = SSL_get1_peer_certificate(ssl);
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
    struct tls_info info = {
        .version = text_or_none(SSL_get_version(ssl)),
        .cipher = text_or_none(SSL_get_cipher_name(ssl)),
        .sni = sni ? add(&b, sni, strlen(sni)) : SLICE(""),
        .alpn = alpn_len ? add(&b, (const char *)alpn, alpn_len) : SLICE(""),
        .resumed = SSL_session_reused(ssl),
        .subject = SLICE(""),
        .issuer = SLICE(""),
        .serial = SLICE(""),
        .fingerprint = SLICE(""),
        .verify = SLICE(""),
    };
    if (peer)
        add_peer(&b, &info, peer, SSL_get_verify_result(ssl));
    X509_free(peer);
    ERR_clear_error();
    return keep(&info, (size_t)(b.at - texts));
}
