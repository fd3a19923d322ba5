/*
 * tls_certificate.c: certificates and keys out of PEM files.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/tls_context.h"
#include "net/tls_parts.h"

enum { FILE_MAX = 16 << 20, CHAIN_MAX = 32, DAY_SECONDS = 86400 };

/* ---- files ---- */

static char *read_all(int fd, size_t size, size_t *len)
{
    char *bytes = memory_zalloc(size + 1);
    ssize_t n;
    *len = 0;
    while (*len < size && (n = read(fd, bytes + *len, size - *len)) != 0) {
        if (n < 0 && errno != EINTR) {
            free(bytes);
            return NULL;
        }
        *len += (size_t)MAX(n, 0);
    }
    return bytes;
}

char *tls_read_file(const char *path, size_t *len, struct error *err)
{
    struct stat st;
    char *bytes = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        error_set_errno(err, "cannot read %s", path);
    else if (!S_ISREG(st.st_mode))
        error_set(err, "%s is no file", path);
    else if (st.st_size > FILE_MAX)
        error_set(err, "%s is too large to hold certificates: %jd bytes", path, (intmax_t)st.st_size);
    else if (!(bytes = read_all(fd, (size_t)st.st_size, len)))
        error_set_errno(err, "cannot read %s", path);
    if (fd >= 0)
        close(fd);
    return bytes;
}

static BIO *open_file(const char *path, char **bytes, struct tls_trouble *trouble)
{
    size_t len;
    *bytes = tls_read_file(path, &len, &trouble->what);
    if (*bytes)
        return BIO_new_mem_buf(*bytes, (int)len);
    trouble->hint.text[0] = '\0';
    if (errno == EACCES)
        error_set(&trouble->hint, "it is read as the user who starts noxy");
    return NULL;
}

/* ---- the certificate and its chain ---- */

static int read_chain(struct tls_certificate *c, BIO *in, struct tls_trouble *trouble)
{
    X509 *x;
    c->leaf = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL);
    if (!c->leaf) {
        error_set(&trouble->hint, "a PEM file begins with -----BEGIN CERTIFICATE-----");
        return error_set(&trouble->what, "there is no certificate in %s", c->path);
    }
    c->chain = sk_X509_new_null();
    while (c->chain && sk_X509_num(c->chain) < CHAIN_MAX && (x = PEM_read_bio_X509(in, NULL, NULL, NULL)))
        if (!sk_X509_push(c->chain, x))
            X509_free(x);
    unsigned long end = ERR_peek_last_error();
    bool whole = ERR_GET_LIB(end) == ERR_LIB_PEM && ERR_GET_REASON(end) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (whole)
        return 0;
    error_set(&trouble->hint, "it holds the certificate first, then those that it was signed with, in order");
    return error_set(&trouble->what, "a certificate in %s can't be read", c->path);
}

static int read_certificate(struct tls_certificate *c, struct tls_trouble *trouble)
{
    char *bytes;
    BIO *in = open_file(c->path, &bytes, trouble);
    trouble->key = "cert";
    int result = in ? read_chain(c, in, trouble) : -1;
    BIO_free(in);
    free(bytes);
    return result;
}

/* ---- the key ---- */

/* A key that asks for a passphrase. */
static int note_passphrase(char *out, int size, int writing, void *asked)
{
    (void)out, (void)size, (void)writing;
    *(bool *)asked = true;
    return -1;
}

/* 1: read; 0: there is none in the file; -1 with `trouble`. */
static int read_key_in(struct tls_certificate *c, const char *path, struct tls_trouble *trouble)
{
    char *bytes;
    bool encrypted = false;
    BIO *in = open_file(path, &bytes, trouble);
    if (!in)
        return -1;
    c->key = PEM_read_bio_PrivateKey(in, NULL, note_passphrase, &encrypted);
    bool begun = strstr(bytes, "PRIVATE KEY-----");
    BIO_free(in);
    OPENSSL_cleanse(bytes, strlen(bytes));
    free(bytes);
    ERR_clear_error();
    if (c->key)
        return 1;
    if (!begun)
        return 0;
    if (encrypted) {
        error_set(&trouble->hint,
                  "nobody is there to type its passphrase: openssl pkey -in %s -out PLAIN_KEY", path);
        return error_set(&trouble->what, "the private key in %s is encrypted", path);
    }
    return error_set(&trouble->what, "the private key in %s can't be read", path);
}

/* "site.crt" and "site.pem" have their key in "site.key". */
static bool key_beside(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    size_t len = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
    return (size_t)snprintf(out, size, "%.*s.key", (int)len, path) < size && access(out, F_OK) == 0;
}

static int read_key(struct tls_certificate *c, const char *key_path, struct tls_trouble *trouble)
{
    char beside[4096];
    trouble->key = key_path ? "key" : "cert";
    int found = read_key_in(c, key_path ? key_path : c->path, trouble);
    if (found == 0 && !key_path && key_beside(c->path, beside, sizeof beside)) {
        key_path = beside;
        found = read_key_in(c, beside, trouble);
    }
    if (found < 0)
        return -1;
    if (found == 0) {
        error_set(&trouble->hint, key_path ? "a PEM file has a line like -----BEGIN PRIVATE KEY-----"
                                           : "name its file with `key`, or put the key into the same file");
        return error_set(&trouble->what, "there is no private key in %s", key_path ? key_path : c->path);
    }
    if (X509_check_private_key(c->leaf, c->key) == 1)
        return 0;
    ERR_clear_error();
    error_set(&trouble->hint, "the two were made together: has one of them been renewed alone?");
    return error_set(&trouble->what, "the private key in %s does not belong to the certificate in %s",
                     key_path ? key_path : c->path, c->path);
}

/* ---- whole ---- */

static void release(void *what)
{
    struct tls_certificate *c = what;
    X509_free(c->leaf);
    sk_X509_pop_free(c->chain, X509_free);
    EVP_PKEY_free(c->key);
    OPENSSL_free(c->ocsp);
}

struct tls_certificate *tls_certificate_read(struct arena *a, const char *path, const char *key_path,
                                             struct tls_trouble *trouble)
{
    struct tls_certificate *c = ARENA_NEW(a, struct tls_certificate);
    *trouble = (struct tls_trouble){0};
    c->path = path;
    arena_on_free(a, release, c);
    return read_certificate(c, trouble) == 0 && read_key(c, key_path, trouble) == 0 ? c : NULL;
}

enum tls_key_kind tls_certificate_kind(const struct tls_certificate *c)
{
    switch (EVP_PKEY_get_base_id(c->key)) {
    case EVP_PKEY_RSA:
        return TLS_KEY_RSA;
    case EVP_PKEY_EC:
        return TLS_KEY_EC;
    default:
        return TLS_KEY_OTHER;
    }
}

void tls_certificate_names(const struct tls_certificate *c, void (*each)(void *context, struct slice name),
                           void *context)
{
    char cn[TLS_NAME_MAX + 1];
    unsigned found = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(c->leaf, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
        if (n->type != GEN_DNS)
            continue;
        each(context, (struct slice){(const char *)ASN1_STRING_get0_data(n->d.dNSName),
                                     (size_t)ASN1_STRING_length(n->d.dNSName)});
        found++;
    }
    GENERAL_NAMES_free(names);
    int len = X509_NAME_get_text_by_NID(X509_get_subject_name(c->leaf), NID_commonName, cn, sizeof cn);
    if (found == 0 && len > 0)
        each(context, (struct slice){cn, (size_t)len});
}

int64_t tls_certificate_days(const struct tls_certificate *c)
{
    int days = 0, seconds = 0;
    if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(c->leaf)) != 1)
        return 0;
    return seconds < 0 ? days - 1 : days;
}

const char *tls_certificate_validity(const struct tls_certificate *c, char out[static 128])
{
    bool ended = X509_cmp_current_time(X509_get0_notAfter(c->leaf)) < 0;
    bool early = X509_cmp_current_time(X509_get0_notBefore(c->leaf)) > 0;
    char date[64] = "?";
    struct tm t;
    out[0] = '\0';
    if (!ended && !early)
        return out;
    if (ASN1_TIME_to_tm(ended ? X509_get0_notAfter(c->leaf) : X509_get0_notBefore(c->leaf), &t) == 1)
        strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S UTC", &t);
    snprintf(out, 128, ended ? "has ended on %s" : "begins to be valid only on %s", date);
    return out;
}

/* ---- OCSP (RFC 6960), stapled (RFC 6066, 8) ---- */

static uint64_t seconds_of(const ASN1_GENERALIZEDTIME *at)
{
    struct tm t;
    return at && ASN1_TIME_to_tm(at, &t) == 1 ? (uint64_t)timegm(&t) : 0;
}

/* Is it about this certificate? The serial number tells; and until when it is valid. */
static bool judge_ocsp(struct tls_certificate *c, OCSP_BASICRESP *basic)
{
    const ASN1_INTEGER *own = X509_get0_serialNumber(c->leaf);
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        ASN1_GENERALIZEDTIME *until = NULL;
        ASN1_INTEGER *serial = NULL;
        OCSP_id_get0_info(NULL, NULL, NULL, &serial,
                          (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single));
        if (!serial || ASN1_INTEGER_cmp(serial, own) != 0)
            continue;
        OCSP_single_get0_status(single, NULL, NULL, NULL, &until);
        c->ocsp_until = seconds_of(until);
        return true;
    }
    return false;
}

int tls_certificate_read_ocsp(struct tls_certificate *c, const char *path, struct tls_trouble *trouble)
{
    size_t len;
    *trouble = (struct tls_trouble){.key = "ocsp"};
    char *bytes = tls_read_file(path, &len, &trouble->what);
    if (!bytes)
        return -1;
    const unsigned char *at = (const unsigned char *)bytes;
    OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &at, (long)len);
    OCSP_BASICRESP *basic = r && OCSP_response_status(r) == 0 ? OCSP_response_get1_basic(r) : NULL;
    bool own = basic && judge_ocsp(c, basic);
    if (!basic)
        error_set(&trouble->what, "%s is no successful OCSP response in DER", path);
    else if (!own)
        error_set(&trouble->what, "the OCSP response in %s is about another certificate than that in %s",
                  path, c->path);
    if (own)
        c->ocsp_len = i2d_OCSP_RESPONSE(r, &c->ocsp);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(r);
    ERR_clear_error();
    free(bytes);
    return own ? 0 : -1;
}
