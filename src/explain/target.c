/*
 * target.c: the request of a command line as a client would send it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "explain/parts.h"
#include "http/authority.h"
#include "http/chars.h"
#include "http/http.h"
#include "http1/head.h"

enum { HTTP_PORT = 80, HTTPS_PORT = 443 };

/* "ADDRESS:PORT", "NAME:PORT", "*:PORT". */
static int read_connection(struct target *t, const char *text, struct error *err)
{
    struct endpoint e;
    if (endpoint_parse(&e, text, err) < 0)
        return -1;
    if (e.port == 0)
        return error_set(err, "a connection is explained for ADDRESS:PORT");
    t->tcp = true;
    t->port = e.port;
    t->host = slice_of(text);
    struct authority a;
    if (authority_parse(t->host, &a))
        t->host = a.host;
    return 0;
}

static int read_authority(struct target *t, struct slice text, struct arena *memory, struct error *err)
{
    struct authority a;
    if (text.len && memchr(text.ptr, '@', text.len))
        return error_set(err,
                         "a user's name in a URL is no part of the request: write -H 'Authorization: ...'");
    if (!authority_parse(text, &a))
        return error_set(err, "\"%.*s\" is no host, or its port is none", (int)MIN(text.len, 80), text.ptr);
    uint16_t usual = strcmp(t->scheme, "https") == 0 ? HTTPS_PORT : HTTP_PORT;
    t->port = a.port ? a.port : usual;
    t->host = a.host;
    /* The scheme's own port is left out by clients. */
    const char *host = arena_printf(memory, a.bracketed ? "[%.*s]" : "%.*s", SLICE_ARG(a.host));
    if (t->port != usual)
        host = arena_printf(memory, "%s:%u", host, t->port);
    t->authority = slice_of(host);
    return 0;
}

static int read_url(struct target *t, const char *url, struct arena *memory, struct error *err)
{
    static const struct {
        const char *prefix, *scheme;
    } schemes[] = {{"http://", "http"}, {"https://", "https"}};
    const char *rest = NULL;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (strncasecmp(url, schemes[i].prefix, strlen(schemes[i].prefix)) == 0) {
            t->scheme = schemes[i].scheme;
            rest = url + strlen(schemes[i].prefix);
        }
    if (!rest)
        return error_set(err, "the URL must begin with http:// or https://");
    size_t len = strcspn(rest, "/?#");
    if (read_authority(t, (struct slice){rest, len}, memory, err) < 0)
        return -1;
    rest += len;
    if (strchr(rest, '#'))
        return error_set(err, "clients keep what follows a # to themselves: remove it");
    t->path = slice_of(rest[0] == '/' ? rest : arena_printf(memory, "/%s", rest));
    if (!chars_all(t->path, CHAR_TARGET))
        return error_set(err, "the URL has characters that no client can send so: write them as %%XX");
    return 0;
}

static bool is_name(const char *line, const char *name)
{
    size_t len = strlen(name);
    return strncasecmp(line, name, len) == 0 && line[len] == ':';
}

static int check_header(const char *line, struct error *err)
{
    struct slice name = {line, strcspn(line, ":")};
    if (!line[name.len])
        return error_set(err, "\"%.80s\" is no header field: write it as 'Name: value'", line);
    if (name.len == 0 || !chars_all(name, CHAR_TOKEN))
        return error_set(err, "no header field can have the name \"%.*s\"", (int)MIN(name.len, 80), line);
    if (!chars_all(slice_of(line + name.len + 1), CHAR_VALUE))
        return error_set(err, "the value of \"%.*s\" has a control character, which no client can send",
                         (int)MIN(name.len, 80), line);
    return 0;
}

int target_read(struct target *t, const struct explain_request *r, struct arena *a, struct error *err)
{
    *t = (struct target){0};
    if (!ip_parse(slice_of(r->src ? r->src : "127.0.0.1"), &t->src))
        return error_set(err, "\"%.80s\" is no IP address", r->src);
    if (strcmp(r->method, "tcp") == 0) {
        if (r->header_count || r->has_body)
            return error_set(err, "a connection alone has no header fields and no body");
        return read_connection(t, r->url, err);
    }
    if (!r->method[0] || !chars_all(slice_of(r->method), CHAR_TOKEN))
        return error_set(err, "\"%.80s\" is no method", r->method);
    for (unsigned i = 0; i < r->header_count; i++)
        if (check_header(r->headers[i], err) < 0)
            return -1;
    return read_url(t, r->url, a, err);
}

static bool has_header(const struct explain_request *r, const char *name)
{
    for (unsigned i = 0; i < r->header_count; i++)
        if (is_name(r->headers[i], name))
            return true;
    return false;
}

static void make_head(const struct target *t, const struct explain_request *r, struct text *head)
{
    text_printf(head, "%s %.*s HTTP/1.1\r\n", r->method, SLICE_ARG(t->path));
    if (!has_header(r, "Host"))
        text_printf(head, "Host: %.*s\r\n", SLICE_ARG(t->authority));
    for (unsigned i = 0; i < r->header_count; i++)
        text_printf(head, "%s\r\n", r->headers[i]);
    if (r->has_body && !has_header(r, "Content-Length") && !has_header(r, "Transfer-Encoding"))
        text_printf(head, "Content-Length: %llu\r\n", (unsigned long long)r->body_length);
    text_puts(head, "\r\n");
}

uint16_t target_make_message(const struct target *t, const struct explain_request *r,
                             const struct http_conf *conf, struct arena *a, struct message *m)
{
    struct text head = {0};
    struct head_scan scan = {0};
    make_head(t, r, &head);
    const char *bytes = arena_copy(a, head.data, head.len);
    size_t len = head.len, line = strcspn(bytes, "\r");
    text_free(&head);
    message_init(m);
    if (len > BUFFER_SIZE)
        return line > conf->max_header ? 414 : 431;
    int scanned = head_scan(&scan, bytes, len);
    if (scanned <= 0)
        return scanned == HEAD_TOO_MANY ? 431 : 400;
    uint16_t refused = head_parse_request(m, bytes, len);
    return refused ? refused : http_check_limits(conf, m, len);
}
