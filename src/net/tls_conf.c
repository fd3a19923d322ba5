#include "net/tls_conf.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "net/tls_context.h"
#include "net/tls_parts.h"

enum { ALPN_MAX = 255, CERTIFICATES_MAX = 10000 };

/* Mozilla's "intermediate" profile, but for DHE, which needs parameters and which no client of today asks
 * for. */
#define CIPHERS                                                                                              \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                             \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                             \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define CIPHERSUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define CURVES       "X25519:P-256:P-384"

/* One text, or a list of them. */
struct texts {
    const char **items;
    const struct conf_node **nodes; /* where each stands */
    uint32_t count;
};

struct tls_conf {
    struct texts cert, key, ocsp, versions, ciphers, ciphersuites, curves, alpn;
    const char *ca, *crl;
    int verify; /* enum tls_verify; -1: not written */
    bool strict_sni, tickets;
    bool enabled;    /* of a server */
    const char *sni; /* of a server */
    const struct conf_node *node;
    struct tls_settings settings;
    struct tls_context *context;
};

/* ---- values ---- */

static int read_texts(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                      struct texts *t, struct error *err)
{
    bool list = node->kind == CONF_LIST;
    uint32_t count = list ? node->count : 1;
    t->items = ARENA_ARRAY(&l->arena, const char *, count);
    t->nodes = ARENA_ARRAY(&l->arena, const struct conf_node *, count);
    for (const struct conf_node *n = list ? node->first : node; t->count < count; n = n->next) {
        const char *text = conf_read_scalar(key, n, "a text or a list of texts", err);
        if (!text)
            return -1;
        if (!*text)
            return error_set(err, "\"%s\" can't be empty", key->name);
        t->nodes[t->count] = n;
        t->items[t->count++] = text;
    }
    return count > 0 ? 0 : error_set(err, "\"%s\" can't be empty", key->name);
}

static int set_words(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                     void *field, struct error *err)
{
    return read_texts(l, key, node, field, err);
}

static int set_paths(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                     void *field, struct error *err)
{
    struct texts *t = field;
    if (read_texts(l, key, node, t, err) < 0)
        return -1;
    for (uint32_t i = 0; i < t->count; i++)
        t->items[i] = conf_path(l, t->nodes[i], t->items[i]);
    return 0;
}

static const struct {
    const char *name;
    int version; /* OpenSSL's */
} versions[] = {{"TLSv1.2", TLS1_2_VERSION}, {"TLSv1.3", TLS1_3_VERSION}};

static int version_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(versions); i++)
        if (strcasecmp(versions[i].name, name) == 0)
            return versions[i].version;
    return -1;
}

static int set_versions(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                        void *field, struct error *err)
{
    struct texts *t = field;
    if (read_texts(l, key, node, t, err) < 0)
        return -1;
    for (uint32_t i = 0; i < t->count; i++) {
        if (version_of(t->items[i]) >= 0)
            continue;
        conf_error(l, t->nodes[i], "noxy speaks TLSv1.2 and TLSv1.3: earlier ones can be broken",
                   "\"versions\" can't be \"%s\"", t->items[i]);
        return -1;
    }
    return 0;
}

static const struct conf_type type_words = {.name = "text or list", .set = set_words};
static const struct conf_type type_paths = {.name = "path or list", .set = set_paths};
static const struct conf_type type_versions = {.name = "list", .set = set_versions};

/* ---- certificates ---- */

static void report(struct conf_load *l, const struct tls_conf *c, const struct conf_node *at,
                   const struct tls_trouble *t)
{
    const struct conf_node *row = t->key ? conf_node_get(c->node, t->key) : NULL;
    conf_error(l, at ? at : row ? row : c->node, t->hint.text[0] ? t->hint.text : NULL, "%s", t->what.text);
}

/* One that was read: is it valid now? */
static void judge(struct conf_load *l, const struct tls_certificate *cert, const struct conf_node *at)
{
    char words[128];
    if (*tls_certificate_validity(cert, words))
        conf_warning(l, at, "clients will refuse it", "the certificate in %s %s", cert->path, words);
}

static void add_certificate(struct conf_load *l, struct tls_conf *c, uint32_t i, const char *path)
{
    struct tls_trouble t;
    const struct conf_node *at = c->cert.nodes[i];
    bool own_key = i < c->key.count, own_ocsp = i < c->ocsp.count;
    struct tls_certificate *cert =
        tls_certificate_read(&l->arena, path, own_key ? c->key.items[i] : NULL, &t);
    if (!cert) {
        report(l, c, own_key && strcmp(t.key, "key") == 0 ? c->key.nodes[i] : at, &t);
        return;
    }
    if (own_ocsp && tls_certificate_read_ocsp(cert, c->ocsp.items[i], &t) < 0)
        report(l, c, c->ocsp.nodes[i], &t);
    judge(l, cert, at);
    c->settings.certificates[c->settings.certificate_count++] = cert;
}

static int is_certificate(const struct dirent *d)
{
    static const char *const endings[] = {".pem", ".crt", ".cer"};
    const char *dot = strrchr(d->d_name, '.');
    for (size_t i = 0; dot && dot != d->d_name && i < ARRAY_LEN(endings); i++)
        if (strcmp(dot, endings[i]) == 0)
            return 1;
    return 0;
}

/* How many files of certificates the path stands for, 1 unless it is a folder; -1: reported. */
static int list_paths(struct conf_load *l, const struct tls_conf *c, uint32_t i, const char ***paths)
{
    const char *path = c->cert.items[i];
    struct dirent **entries = NULL;
    struct stat st;
    size_t len = strlen(path);
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        *paths = ARENA_NEW(&l->arena, const char *);
        **paths = path;
        return 1;
    }
    int count = scandir(path, &entries, is_certificate, alphasort);
    if (count <= 0) {
        conf_error(l, c->cert.nodes[i], "its files end with .pem, .crt or .cer",
                   count < 0 ? "cannot read the folder %s: %s" : "there is no certificate in the folder %s%s",
                   path, count < 0 ? strerrordesc_np(errno) : "");
        free(entries);
        return -1;
    }
    *paths = ARENA_ARRAY(&l->arena, const char *, (size_t)count);
    for (int n = 0; n < count; n++) {
        (*paths)[n] =
            arena_printf(&l->arena, "%s%s%s", path, path[len - 1] == '/' ? "" : "/", entries[n]->d_name);
        free(entries[n]);
    }
    free(entries);
    return count;
}

static void read_certificates(struct conf_load *l, struct tls_conf *c)
{
    const char ***paths = ARENA_ARRAY(&l->arena, const char **, c->cert.count);
    int *counts = ARENA_ARRAY(&l->arena, int, c->cert.count), total = 0;
    for (uint32_t i = 0; i < c->cert.count; i++) {
        counts[i] = list_paths(l, c, i, &paths[i]);
        if (counts[i] > 1 && (c->key.count > i || c->ocsp.count > i)) {
            conf_error(
                l, c->key.count > i ? c->key.nodes[i] : c->ocsp.nodes[i],
                "in a folder a certificate's key is in its own file, or in the one of that name that ends "
                "with .key",
                "a folder of certificates has no \"%s\"", c->key.count > i ? "key" : "ocsp");
            return;
        }
        total += MAX(counts[i], 0);
    }
    if (total > CERTIFICATES_MAX)
        conf_error(l, c->node, NULL, "%d certificates are more than the %d that fit", total,
                   CERTIFICATES_MAX);
    else
        c->settings.certificates = ARENA_ARRAY(&l->arena, struct tls_certificate *, (size_t)total);
    for (uint32_t i = 0; c->settings.certificates && i < c->cert.count; i++)
        for (int n = 0; n < counts[i]; n++)
            add_certificate(l, c, i, paths[i][n]);
}

/* ---- the other settings ---- */

static const char *join(struct conf_load *l, const struct texts *t, const char *preset)
{
    struct text all = {0};
    if (t->count == 0)
        return preset;
    for (uint32_t i = 0; i < t->count; i++)
        text_printf(&all, "%s%s", i ? ":" : "", t->items[i]);
    const char *joined = arena_strdup(&l->arena, text_str(&all));
    text_free(&all);
    return joined;
}

static void fill_versions(struct tls_conf *c)
{
    int low = c->versions.count ? TLS1_3_VERSION : TLS1_2_VERSION;
    int high = c->versions.count ? TLS1_2_VERSION : TLS1_3_VERSION;
    for (uint32_t i = 0; i < c->versions.count; i++) {
        int version = version_of(c->versions.items[i]);
        low = MIN(low, version);
        high = MAX(high, version);
    }
    c->settings.min_version = low;
    c->settings.max_version = high;
}

/* OpenSSL passes over those that it doesn't know as long as there is one that it does. */
static void check_ciphers(struct conf_load *l, const struct texts *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const char *text = t->items[i];
        for (size_t at = 0, len; text[at]; at += len + (text[at + len] != '\0')) {
            len = strcspn(text + at, ":, ");
            const char *name = arena_copy(&l->arena, text + at, len);
            if (len > 0 && !strchr("!-+@", *name) && !tls_cipher_known(name))
                conf_error_at(l, conf_node_place(t->nodes[i], at, len),
                              "openssl ciphers -s -v lists those there are", "\"%s\" is no cipher", name);
        }
    }
}

static void check_lengths(struct conf_load *l, const struct tls_conf *c, const struct texts *t,
                          const char *key)
{
    if (t->count > c->cert.count)
        conf_error(l, t->nodes[c->cert.count], "the first belongs to the first certificate, and so on",
                   "there are %u of \"%s\" for %u of \"cert\"", t->count, key, c->cert.count);
}

static void fill_algorithms(struct conf_load *l, struct tls_conf *c)
{
    check_ciphers(l, &c->ciphers);
    fill_versions(c);
    c->settings.ciphers = join(l, &c->ciphers, CIPHERS);
    c->settings.ciphersuites = join(l, &c->ciphersuites, CIPHERSUITES);
    c->settings.curves = join(l, &c->curves, CURVES);
    c->settings.ca = c->ca;
    c->settings.crl = c->crl;
    c->settings.verify = (enum tls_verify)c->verify;
}

static void check_bind_tls(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct tls_conf *c = structure;
    c->node = node;
    if (!conf_node_get(node, "verify"))
        c->verify = c->ca ? TLS_VERIFY_REQUIRED : TLS_VERIFY_NONE;
    else if (!c->ca)
        conf_error(l, conf_node_get(node, "verify"), "name the CA's file with `ca`",
                   "clients' certificates can't be verified without the CA that signed them");
    if (c->crl && !c->ca)
        conf_error(l, conf_node_get(node, "crl"), "name the CA's file with `ca`",
                   "\"crl\" revokes certificates of clients, and none are asked for without \"ca\"");
    check_lengths(l, c, &c->key, "key");
    check_lengths(l, c, &c->ocsp, "ocsp");
    fill_algorithms(l, c);
    c->settings.strict_sni = c->strict_sni;
    c->settings.tickets = c->tickets;
    if (l->purpose == CONF_TO_SERVE)
        read_certificates(l, c);
}

/* ---- protocols ---- */

static void add_protocol(struct tls_settings *s, unsigned char *wire, const char *name)
{
    size_t len = strlen(name);
    wire[s->alpn_len] = (unsigned char)len;
    memcpy(wire + s->alpn_len + 1, name, len);
    s->alpn_len += (unsigned)len + 1;
}

/* Is one of the written protocols to be offered? Those that are known and not spoken are told of. */
static bool may_offer(struct conf_load *l, const struct conf_node *at, const char *name,
                      const char *const *protocols)
{
    size_t len = strlen(name);
    if (len > ALPN_MAX) {
        conf_error(l, at, NULL, "a protocol's name has at most %d bytes", ALPN_MAX);
        return false;
    }
    for (size_t i = 0; protocols && protocols[i]; i++)
        if (strcmp(protocols[i], name) == 0)
            return true;
    if (!protocols)
        return true;
    conf_error(l, at, "mode http speaks h2 and http/1.1", "\"alpn\" can't be \"%s\" in mode http", name);
    return false;
}

static void fill_protocols(struct conf_load *l, struct tls_conf *c, const char *const *protocols)
{
    unsigned char *wire = arena_alloc(&l->arena, (c->alpn.count + 8) * (ALPN_MAX + 1));
    for (uint32_t i = 0; i < c->alpn.count; i++)
        if (may_offer(l, c->alpn.nodes[i], c->alpn.items[i], protocols))
            add_protocol(&c->settings, wire, c->alpn.items[i]);
    for (size_t i = 0; c->alpn.count == 0 && protocols && protocols[i] && i < 8; i++)
        add_protocol(&c->settings, wire, protocols[i]);
    c->settings.alpn = wire;
}

struct tls_context *tls_conf_server(struct conf_load *l, struct tls_conf *c, const char *scope,
                                    const char *const *protocols)
{
    struct tls_trouble t;
    uint32_t raised = l->report.raised;
    if (c->context)
        return c->context;
    c->settings.scope = scope;
    fill_protocols(l, c, protocols);
    if (raised != l->report.raised)
        return NULL;
    c->context = tls_context_new(&l->arena, &c->settings, true, &t);
    if (!c->context)
        report(l, c, NULL, &t);
    return c->context;
}

/* ---- with servers ---- */

static void check_server_tls(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct tls_conf *c = structure;
    c->node = node;
    if (c->verify == TLS_VERIFY_NONE && (c->ca || c->crl))
        conf_error(l, conf_node_get(node, "verify"), "remove it, or `ca` and `crl`",
                   "with \"verify: none\" any certificate is taken");
    if (c->key.count && !c->cert.count)
        conf_error(l, c->key.nodes[0], "name its file with `cert`",
                   "a key without its certificate is of no use");
    if (c->cert.count > 1)
        conf_error(l, c->cert.nodes[1], NULL, "noxy shows a server one certificate");
    check_lengths(l, c, &c->key, "key");
    fill_algorithms(l, c);
    if (c->cert.count == 1 && l->purpose == CONF_TO_SERVE)
        read_certificates(l, c);
}

int tls_conf_client(struct conf_load *l, struct tls_conf *c, const char *host, const char *ip,
                    struct tls_context **out)
{
    struct tls_trouble t;
    struct tls_settings *s = &c->settings;
    bool verifies = c->verify != TLS_VERIFY_NONE;
    *out = NULL;
    if (!c->enabled)
        return 0;
    s->sni = c->sni ? c->sni : host;
    s->server_name = verifies ? s->sni : NULL;
    s->server_ip = verifies && !s->sni ? ip : NULL;
    if (verifies && !s->server_name && !s->server_ip) {
        conf_error(l, c->node, "write the name with `sni`", "which name must the server's certificate have?");
        return -1;
    }
    if (l->purpose == CONF_TO_EXPLAIN)
        return 0;
    *out = tls_context_new(&l->arena, s, false, &t);
    if (!*out)
        report(l, c, NULL, &t);
    return *out ? 0 : -1;
}

/* ---- rows ---- */

static const struct conf_choice verify_choices[] = {
    {"required", TLS_VERIFY_REQUIRED, "a client without a valid certificate is refused"},
    {"optional", TLS_VERIFY_OPTIONAL, "a client may have none; one that isn't valid is refused"},
    {0},
};

static const struct conf_choice server_verify_choices[] = {
    {"required", TLS_VERIFY_REQUIRED, "a CA that is trusted has signed it, and it has the server's name"},
    {"none", TLS_VERIFY_NONE, "any is taken: whoever is between can read and change everything"},
    {0},
};

#define FIELD(name) offsetof(struct tls_conf, name)

/* What both sides have. */
#define VERSIONS_ROW                                                                                         \
    {                                                                                                        \
        "versions", &type_versions, FIELD(versions), 0, NULL,                                                \
            "The versions of TLS that are spoken; TLSv1.2 and TLSv1.3 when absent.",                         \
            .example = "[ TLSv1.3 ]"                                                                         \
    }
#define CIPHERS_ROW                                                                                          \
    {                                                                                                        \
        "ciphers", &type_words, FIELD(ciphers), 0, NULL,                                                     \
            "The ciphers of TLS 1.2 in the order of preference, in OpenSSL's words; those with forward "     \
            "secrecy and "                                                                                   \
            "authenticated encryption when absent.",                                                         \
            .example = "[ ECDHE-ECDSA-AES128-GCM-SHA256, ECDHE-RSA-AES128-GCM-SHA256 ]"                      \
    }
#define CIPHERSUITES_ROW                                                                                     \
    {                                                                                                        \
        "ciphersuites", &type_words, FIELD(ciphersuites), 0, NULL,                                           \
            "The cipher suites of TLS 1.3 in the order of preference; all three when absent.",               \
            .example = "[ TLS_AES_128_GCM_SHA256 ]"                                                          \
    }
#define CURVES_ROW                                                                                           \
    {                                                                                                        \
        "curves", &type_words, FIELD(curves), 0, NULL,                                                       \
            "The groups for the key exchange in the order of preference; X25519, P-256 and P-384 when "      \
            "absent.",                                                                                       \
            .example = "[ X25519, P-256 ]"                                                                   \
    }

static const struct conf_key server_keys[] = {
    {"enabled", &conf_type_bool, FIELD(enabled), 0, "true", .doc = "Whether TLS is spoken with the server."},
    {"verify", &conf_type_choice, FIELD(verify), 0, "required",
     "Whether the server's certificate must be valid; a request that would go to one that isn't gets 502.",
     .choices = server_verify_choices},
    {"ca", &conf_type_path, FIELD(ca), 0, NULL,
     "The CAs that are trusted (PEM); those of the system when absent.",
     .example = "/etc/noxy/servers-ca.pem"},
    {"crl", &conf_type_path, FIELD(crl), 0, NULL, "Revocation lists of the CAs, one of each (PEM).",
     .example = "/etc/noxy/servers-crl.pem"},
    {"sni", &conf_type_string, FIELD(sni), 0, NULL,
     "The name that the server is asked for, and that its certificate must have; its host name when absent, "
     "or, "
     "where there is none, its address.",
     .example = "app.example.org"},
    {"cert", &type_paths, FIELD(cert), 0, NULL,
     "The certificate that noxy shows the server, if it asks for one.", .example = "/etc/noxy/client.pem"},
    {"key", &type_paths, FIELD(key), 0, NULL, "That certificate's private key, as on a bind.",
     .example = "/etc/noxy/client.key"},
    VERSIONS_ROW,
    CIPHERS_ROW,
    CIPHERSUITES_ROW,
    CURVES_ROW,
    {0},
};

const struct conf_table tls_server_table = {
    .doc = "TLS with the server.",
    .keys = server_keys,
    .size = sizeof(struct tls_conf),
    .toggle = "enabled",
    .check = check_server_tls,
};

static const struct conf_key bind_keys[] = {
    {"cert", &type_paths, FIELD(cert), CONF_REQUIRED, NULL,
     "The certificate, with its chain behind it (PEM); a list, or a folder, of which the client's SNI "
     "chooses. The "
     "first is for clients that ask for another name or none.",
     .example = "/etc/noxy/site.pem"},
    {"key", &type_paths, FIELD(key), 0, NULL,
     "The certificate's private key; when absent, it is in the certificate's file or in the one of that name "
     "that "
     "ends with .key. For a list of certificates: theirs in the same order.",
     .example = "/etc/noxy/site.key"},
    {"ca", &conf_type_path, FIELD(ca), 0, NULL,
     "Clients must show a certificate that a CA of this file signed.", .example = "/etc/noxy/clients-ca.pem"},
    {"verify", &conf_type_choice, FIELD(verify), 0, NULL,
     "Whether a client must show a certificate; `required` when absent and there is a `ca`.",
     .choices = verify_choices, .example = "optional"},
    {"crl", &conf_type_path, FIELD(crl), 0, NULL,
     "Revocation lists of the CAs, one of each (PEM): clients with a certificate that is on one are refused.",
     .example = "/etc/noxy/clients-crl.pem"},
    VERSIONS_ROW,
    CIPHERS_ROW,
    CIPHERSUITES_ROW,
    CURVES_ROW,
    {"alpn", &type_words, FIELD(alpn), 0, NULL,
     "The protocols that clients may choose (RFC 7301), the best first; when absent, in mode http, those "
     "that noxy "
     "speaks.",
     .example = "[ h2, http/1.1 ]"},
    {"strict_sni", &conf_type_bool, FIELD(strict_sni), 0, "false",
     .doc = "Whether clients that ask for a name of no certificate, or for none, are refused."},
    {"tickets", &conf_type_bool, FIELD(tickets), 0, "true",
     .doc = "Whether clients may come back without a full handshake, to any worker and across reloads."},
    {"ocsp", &type_paths, FIELD(ocsp), 0, NULL,
     "An OCSP response about the certificate (DER), which is handed to clients that ask for one; for a list "
     "of "
     "certificates: theirs in the same order.",
     .example = "/etc/noxy/site.ocsp"},
    {0},
};

const struct conf_table tls_bind_table = {
    .doc = "TLS with clients.",
    .keys = bind_keys,
    .size = sizeof(struct tls_conf),
    .check = check_bind_tls,
};
