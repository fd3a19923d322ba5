/*
 * variables.c: what expressions know of the request, its response, and where
 * it went. One row and one function each. All are slices of the message where
 * they can be.
 */
#include "base/macros.h"
#include "base/random.h"
#include "http/subject.h"
#include "rules/rules.h"

enum { HTTP_PORT = 80, HTTPS_PORT = 443, PORT_MAX = 65535 };

static const struct http_subject *subject_of(const struct rules_run *run)
{
    return run->subject;
}

static struct message *request_of(const struct rules_run *run)
{
    return subject_of(run)->request;
}

static struct slice name_or_empty(const char *name)
{
    return name ? slice_of(name) : SLICE("");
}

/* ---- the request ---- */

static void get_method(struct rules_run *run, struct rules_value *out)
{
    out->string = request_of(run)->method;
}

/* The connection's, not that of an absolute target: a client can't claim to have come by TLS. */
static void get_scheme(struct rules_run *run, struct rules_value *out)
{
    out->string = name_or_empty(subject_of(run)->scheme);
}

static void get_authority(struct rules_run *run, struct rules_value *out)
{
    out->string = request_of(run)->host;
}

/* The length of the name in "name:port" and "[address]:port". */
static size_t name_len(struct slice authority)
{
    bool literal = authority.len > 0 && authority.ptr[0] == '[';
    const char *end = authority.len ? memchr(authority.ptr, literal ? ']' : ':', authority.len) : NULL;
    return end ? (size_t)(end - authority.ptr) + literal : authority.len;
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static struct slice in_small_letters(struct rules_run *run, struct slice s)
{
    size_t i = 0;
    while (i < s.len && !is_capital(s.ptr[i]))
        i++;
    if (LIKELY(i == s.len))
        return s;
    char *copy = rules_alloc(run, s.len);
    if (!copy)
        return SLICE("");
    for (i = 0; i < s.len; i++)
        copy[i] = is_capital(s.ptr[i]) ? (char)(s.ptr[i] | 0x20) : s.ptr[i];
    return (struct slice){copy, s.len};
}

static void get_host(struct rules_run *run, struct rules_value *out)
{
    struct slice authority = request_of(run)->host, name = {authority.ptr, name_len(authority)};
    /* The root's dot changes nothing of what is named. */
    if (name.len > 1 && name.ptr[name.len - 1] == '.')
        name.len--;
    out->string = in_small_letters(run, name);
}

/* 0: it names none. */
static unsigned port_of(struct slice authority)
{
    unsigned port = 0;
    for (size_t i = name_len(authority) + 1; i < authority.len; i++) {
        if (authority.ptr[i] < '0' || authority.ptr[i] > '9' || port > PORT_MAX)
            return 0;
        port = port * 10 + (unsigned)(authority.ptr[i] - '0');
    }
    return port <= PORT_MAX ? port : 0;
}

static void get_port(struct rules_run *run, struct rules_value *out)
{
    const char *scheme = subject_of(run)->scheme;
    unsigned port = port_of(request_of(run)->host);
    if (port == 0)
        port = scheme && strcmp(scheme, "https") == 0 ? HTTPS_PORT : HTTP_PORT;
    out->number = port;
}

/* Where the query begins, or the end. */
static size_t path_len(struct slice uri)
{
    const char *mark = uri.len ? memchr(uri.ptr, '?', uri.len) : NULL;
    return mark ? (size_t)(mark - uri.ptr) : uri.len;
}

static struct slice path_of(const struct message *request)
{
    /* "http://host" asks for "/" (RFC 9110, 4.2.3). */
    size_t len = path_len(request->path);
    return len > 0 ? (struct slice){request->path.ptr, len} : SLICE("/");
}

static void get_uri(struct rules_run *run, struct rules_value *out)
{
    struct slice uri = request_of(run)->path;
    out->string = uri;
    if (LIKELY(uri.len > 0 && uri.ptr[0] != '?'))
        return;
    char *copy = rules_alloc(run, uri.len + 1);
    out->string = SLICE("");
    if (!copy)
        return;
    copy[0] = '/';
    if (uri.len)
        memcpy(copy + 1, uri.ptr, uri.len);
    out->string = (struct slice){copy, uri.len + 1};
}

static void get_path(struct rules_run *run, struct rules_value *out)
{
    out->string = path_of(request_of(run));
}

static void get_query(struct rules_run *run, struct rules_value *out)
{
    struct slice uri = request_of(run)->path;
    size_t len = path_len(uri);
    out->string = len < uri.len ? (struct slice){uri.ptr + len + 1, uri.len - len - 1} : SLICE("");
}

static void get_version(struct rules_run *run, struct rules_value *out)
{
    struct slice text = http_version_text(request_of(run)->version);
    out->string = (struct slice){text.ptr + 5, text.len - 5};
}

static int64_t length_of(const struct message *m)
{
    if (m->body == BODY_LENGTH)
        return m->body_length <= INT64_MAX ? (int64_t)m->body_length : INT64_MAX;
    return m->body == BODY_NONE ? 0 : -1;
}

static void get_content_length(struct rules_run *run, struct rules_value *out)
{
    out->number = length_of(request_of(run));
}

static void get_unique_id(struct rules_run *run, struct rules_value *out)
{
    static const char digits[] = "0123456789abcdef";
    struct http_subject *s = run->subject;
    while ((s->unique_id[0] | s->unique_id[1]) == 0)
        s->unique_id[0] = random_u64(), s->unique_id[1] = random_u64();
    char *text = rules_alloc(run, 32);
    out->string = SLICE("");
    if (!text)
        return;
    for (unsigned i = 0; i < 32; i++)
        text[i] = digits[s->unique_id[i / 16] >> (60 - 4 * (i % 16)) & 15];
    out->string = (struct slice){text, 32};
}

/* ---- the response ---- */

static void get_status(struct rules_run *run, struct rules_value *out)
{
    out->number = subject_of(run)->response->status;
}

static void get_response_content_length(struct rules_run *run, struct rules_value *out)
{
    out->number = length_of(subject_of(run)->response);
}

/* ---- where the request went ---- */

static void get_backend(struct rules_run *run, struct rules_value *out)
{
    out->string = name_or_empty(subject_of(run)->backend);
}

static void get_server(struct rules_run *run, struct rules_value *out)
{
    out->string = name_or_empty(subject_of(run)->server);
}

const struct rules_variable http_variables[] = {
    {.name = "method",
     .type = RULES_STRING,
     .stages = RULES_WITH_REQUEST,
     .get = get_method,
     .doc = "The request's method. It has case: methods are in capitals.",
     .example = "method in ('GET', 'HEAD')",
     .source = "RFC 9110, 9.1"},
    {.name = "scheme",
     .type = RULES_STRING,
     .stages = RULES_WITH_REQUEST,
     .get = get_scheme,
     .doc = "'http' or 'https': how the request came, whatever its target says.",
     .example = "scheme == 'http'",
     .source = "RFC 9110, 4.2"},
    {.name = "host",
     .type = RULES_STRING,
     .stages = RULES_WITH_REQUEST,
     .get = get_host,
     .doc = "The name that the request asks for: in small letters, without port and without a dot at its "
            "end; an "
            "IPv6 address in its brackets; '' if there is none.",
     .example = "host == 'www.example.org'",
     .source = "RFC 9110, 7.2"},
    {.name = "port",
     .type = RULES_INT,
     .stages = RULES_WITH_REQUEST,
     .get = get_port,
     .doc =
         "The port that the request asks for: the one behind the host's name, else 443 for https and 80 for "
         "http.",
     .example = "port == 8443",
     .source = "RFC 9110, 4.2"},
    {.name = "authority",
     .type = RULES_STRING,
     .stages = RULES_WITH_REQUEST,
     .get = get_authority,
     .doc = "Host and port as received.",
     .example = "sprintf('https://%s%s', authority, uri)",
     .source = "RFC 3986, 3.2"},
    {.name = "uri",
     .type = RULES_STRING,
     .stages = RULES_WITH_REQUEST,
     .get = get_uri,
     .doc = "Path and query as received, nothing decoded.",
     .example = "uri == '/search?q=noxy'",
     .source = "RFC 9112, 3.2.1"},
    {.name = "path",
     .type = RULES_STRING,
     .stages = RULES_WITH_REQUEST,
     .get = get_path,
     .doc =
         "The path as received, nothing decoded: '/%61dmin' isn't '/admin'. What protects something looks at "
         "normalize_path(path).",
     .example = "path =~ '^/api/'",
     .source = "RFC 3986, 3.3"},
    {.name = "query",
     .type = RULES_STRING,
     .stages = RULES_WITH_REQUEST,
     .get = get_query,
     .doc = "What follows the first '?', nothing decoded; '' if there is none.",
     .example = "query != ''",
     .source = "RFC 3986, 3.4"},
    {.name = "version",
     .type = RULES_STRING,
     .stages = RULES_WITH_REQUEST,
     .get = get_version,
     .doc = "The version of HTTP that the client speaks: '1.0' or '1.1'.",
     .example = "version == '1.0'",
     .source = "RFC 9112, 2.3"},
    {.name = "content_length",
     .type = RULES_INT,
     .stages = RULES_WITH_REQUEST,
     .get = get_content_length,
     .doc = "Bytes of the request's body: 0 if it has none, -1 if the length isn't known beforehand.",
     .example = "content_length > 1048576",
     .source = "RFC 9110, 8.6"},
    {.name = "unique_id",
     .type = RULES_STRING,
     .stages = RULES_WITH_REQUEST,
     .get = get_unique_id,
     .doc =
         "A random number of the request's own in 32 hexadecimal digits, the same at the request and at its "
         "response. It is no secret.",
     .example = "unique_id",
     .source = ""},
    {.name = "status",
     .type = RULES_INT,
     .stages = RULES_AT_RESPONSE,
     .get = get_status,
     .doc = "The response's status.",
     .example = "status >= 500",
     .source = "RFC 9110, 15"},
    {.name = "response_content_length",
     .type = RULES_INT,
     .stages = RULES_AT_RESPONSE,
     .get = get_response_content_length,
     .doc = "Bytes of the response's body: 0 if it has none, -1 if the length isn't known beforehand.",
     .example = "response_content_length > 1048576",
     .source = "RFC 9110, 8.6"},
    {.name = "backend",
     .type = RULES_STRING,
     .stages = RULES_WITH_REQUEST,
     .get = get_backend,
     .doc = "The name of the chosen backend; '' while none is chosen.",
     .example = "backend == 'site'",
     .source = ""},
    {.name = "server",
     .type = RULES_STRING,
     .stages = RULES_AT_RESPONSE,
     .get = get_server,
     .doc = "The name of the server that answered; '' where noxy itself did.",
     .example = "server == 'web1'",
     .source = ""},
    {.name = NULL},
};
