/*
 * tls_variables.c: what expressions know of TLS with the client. Without TLS,
 * and of a client without a certificate, all are ''.
 */
#include "http/subject.h"
#include "net/tls.h"
#include "rules/rules.h"

static const struct tls_info *tls_of(const struct rules_run *run)
{
    static const struct tls_info none;
    const struct tls_info *info = ((const struct http_subject *)run->subject)->tls;
    return info ? info : &none;
}

/* A function that gets one of the texts. */
#define GETTER(field)                                                                                        \
    static void get_##field(struct rules_run *run, struct rules_value *out)                                  \
    {                                                                                                        \
        struct slice s = tls_of(run)->field;                                                                 \
        out->string = s.ptr ? s : SLICE("");                                                                 \
    }

GETTER(sni)
GETTER(alpn)
GETTER(version)
GETTER(cipher)
GETTER(subject)
GETTER(issuer)
GETTER(serial)
GETTER(fingerprint)
GETTER(verify)

static void get_resumed(struct rules_run *run, struct rules_value *out)
{
    out->boolean = tls_of(run)->resumed;
}

const struct rules_variable http_tls_variables[] = {
    {.name = "sni",
     .type = RULES_STRING,
     .stages = RULES_ANYWHERE,
     .get = get_sni,
     .doc = "The name that the client asked for in its TLS handshake, as it wrote it.",
     .example = "lower(sni) == 'app.example.org'",
     .source = "RFC 6066, 3"},
    {.name = "alpn",
     .type = RULES_STRING,
     .stages = RULES_ANYWHERE,
     .get = get_alpn,
     .doc = "The protocol that was agreed on in the TLS handshake.",
     .example = "alpn == 'http/1.1'",
     .source = "RFC 7301"},
    {.name = "tls_version",
     .type = RULES_STRING,
     .stages = RULES_ANYWHERE,
     .get = get_version,
     .doc = "The version of TLS that is spoken with the client; '' without TLS.",
     .example = "tls_version == 'TLSv1.3'",
     .source = "RFC 8446"},
    {.name = "tls_cipher",
     .type = RULES_STRING,
     .stages = RULES_ANYWHERE,
     .get = get_cipher,
     .doc = "The cipher that TLS with the client uses, in OpenSSL's words.",
     .example = "tls_cipher == 'TLS_AES_128_GCM_SHA256'",
     .source = "RFC 8446, B.4"},
    {.name = "tls_resumed",
     .type = RULES_BOOL,
     .stages = RULES_ANYWHERE,
     .get = get_resumed,
     .doc = "Whether the client came back with an earlier TLS session.",
     .example = "tls_resumed",
     .source = "RFC 8446, 2.2"},
    {.name = "client_cert_subject",
     .type = RULES_STRING,
     .stages = RULES_ANYWHERE,
     .get = get_subject,
     .doc = "Whom the client's certificate names; '' if it showed none.",
     .example = "client_cert_subject == 'CN=alice,O=Example'",
     .source = "RFC 4514"},
    {.name = "client_cert_issuer",
     .type = RULES_STRING,
     .stages = RULES_ANYWHERE,
     .get = get_issuer,
     .doc = "Who signed the client's certificate.",
     .example = "client_cert_issuer == 'CN=Example CA'",
     .source = "RFC 4514"},
    {.name = "client_cert_serial",
     .type = RULES_STRING,
     .stages = RULES_ANYWHERE,
     .get = get_serial,
     .doc = "The serial number of the client's certificate: hexadecimal, in capitals, as `openssl x509 "
            "-serial` prints it.",
     .example = "client_cert_serial in ('0A1B', '0A1C')",
     .source = "RFC 5280, 4.1.2.2"},
    {.name = "client_cert_fingerprint",
     .type = RULES_STRING,
     .stages = RULES_ANYWHERE,
     .get = get_fingerprint,
     .doc = "The SHA-256 of the client's certificate: hexadecimal, in small letters.",
     .example = "starts_with(client_cert_fingerprint, '5f2c')",
     .source = ""},
    {.name = "client_cert_verify",
     .type = RULES_STRING,
     .stages = RULES_ANYWHERE,
     .get = get_verify,
     .doc = "'ok' for a client with a valid certificate, '' for one without.",
     .example = "client_cert_verify != 'ok'",
     .source = ""},
    {.name = NULL},
};
