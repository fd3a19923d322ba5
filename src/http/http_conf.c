/*
 * http_conf.c: the rows that mode http has in the section `frontend`.
 */
#include <stdio.h>

#include "frontend/frontend.h"
#include "http/http.h"
#include "http/status.h"

struct respond {
    uint32_t status;
    const char *content_type, *body;
    struct answer answer;
};

struct condition {
    struct respond *respond;
};

enum { PAGE_MAX = 256 * 1024 }; /* bytes of a file of error_pages */

static const struct conf_key respond_keys[] = {
    {"status", &conf_type_number, offsetof(struct respond, status), 0, "200", "The status code.", .min = 200,
     .max = 599},
    {"content_type", &conf_type_string, offsetof(struct respond, content_type), 0,
     "text/plain; charset=utf-8", .doc = "The Content-Type field."},
    {"body", &conf_type_string, offsetof(struct respond, body), 0, NULL,
     "The body; the standard page of the status when absent.", .example = "hello"},
    {0},
};

/* A field's value that is written in the configuration. False: reported. */
static bool check_value(struct conf_load *l, const struct conf_node *node, const char *value)
{
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            conf_error(l, node, NULL, "a field's value can't hold control characters");
            return false;
        }
    return true;
}

static void check_respond(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct respond *r = structure;
    if (!check_value(l, conf_node_get(node, "content_type"), r->content_type))
        return;
    r->answer = (struct answer){.status = (uint16_t)r->status};
    if (!r->body)
        return;
    r->answer.content_type = slice_of(r->content_type);
    r->answer.body = slice_of(r->body);
}

static const struct conf_table respond_table = {
    .doc = "An answer that noxy gives by itself.",
    .keys = respond_keys,
    .size = sizeof(struct respond),
    .check = check_respond,
};

static const struct conf_key condition_keys[] = {
    {"respond", &conf_type_map, offsetof(struct condition, respond), CONF_REQUIRED, NULL,
     "Answers the request; nothing after it is looked at.", .table = &respond_table,
     .example = "{ status: 200, body: hello }"},
    {0},
};

static const struct conf_table condition_table = {.doc = "A condition and what is done when it holds.",
                                                  .keys = condition_keys,
                                                  .size = sizeof(struct condition)};

static const struct conf_key error_page_keys[] = {
    {"status", &conf_type_number, offsetof(struct error_page, status), CONF_REQUIRED, NULL,
     "The status that it is for.", .min = 400, .max = 599, .example = "503"},
    {"file", &conf_type_path, offsetof(struct error_page, file), CONF_REQUIRED, NULL,
     "The file that holds it; read when the configuration is loaded.", .example = "/etc/noxy/503.html"},
    {"content_type", &conf_type_string, offsetof(struct error_page, content_type), 0,
     "text/html; charset=utf-8", .doc = "The Content-Type field."},
    {0},
};

static const char *read_page(struct conf_load *l, const char *path, size_t *len, struct error *err)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        error_set_errno(err, "cannot read %s", path);
        return NULL;
    }
    char *page = arena_alloc(&l->arena, PAGE_MAX + 1);
    *len = fread(page, 1, PAGE_MAX + 1, f);
    if (ferror(f))
        error_set_errno(err, "cannot read %s", path);
    else if (*len > PAGE_MAX)
        error_set(err, "%s is larger than %d KiB", path, PAGE_MAX / 1024);
    else if (*len == 0)
        error_set(err, "%s is empty", path);
    bool good = !ferror(f) && *len > 0 && *len <= PAGE_MAX;
    fclose(f);
    return good ? page : NULL;
}

static void check_error_page(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct error_page *p = structure;
    struct error err;
    size_t len;
    if (!check_value(l, conf_node_get(node, "content_type"), p->content_type))
        return;
    const char *page = read_page(l, p->file, &len, &err);
    if (!page)
        conf_error(l, conf_node_get(node, "file"), NULL, "%s", err.text);
    p->answer = (struct answer){.status = (uint16_t)p->status,
                                .content_type = slice_of(p->content_type),
                                .body = {page, page ? len : 0}};
}

static const struct conf_table error_page_table = {
    .doc = "A page of one's own for a status that noxy answers with.",
    .keys = error_page_keys,
    .size = sizeof(struct error_page),
    .check = check_error_page,
};

#define FIELD(name) offsetof(struct http_conf, name)

static const struct conf_key http_keys[] = {
    {"max_header", &conf_type_size, FIELD(max_header), CONF_INHERITED, "16k",
     "A request's head may be as long: start line and fields. 414 or 431 beyond.", .min = 512,
     .max = BUFFER_SIZE},
    {"max_headers", &conf_type_number, FIELD(max_headers), CONF_INHERITED, "100",
     "A request may have as many field lines. 431 beyond.", .min = 4, .max = MESSAGE_FIELDS_MAX},
    {"max_body", &conf_type_size, FIELD(max_body), CONF_INHERITED, "0",
     .doc = "A request's body may be as long; 0: any length. 413 beyond."},
    {"min_body_rate", &conf_type_size, FIELD(min_body_rate), CONF_INHERITED, "500",
     .doc = "Bytes a second: a client that sends its body, or takes the response, more slowly for ten "
            "seconds is "
            "ended; 0: any rate will do."},
    {"allow_trace", &conf_type_bool, FIELD(allow_trace), CONF_INHERITED, "false",
     .doc = "Whether TRACE requests are served; else they are refused with 405."},
    {"error_pages", &conf_type_list, FIELD(error_pages), CONF_INHERITED, NULL,
     "Pages of one's own for statuses that noxy answers with.", .table = &error_page_table,
     .example = "[ { status: 503, file: /etc/noxy/503.html } ]"},
    {"http_condition", &conf_type_list, FIELD(conditions), 0, NULL,
     "In mode http, what is done with a request before a server is chosen, in order.",
     .table = &condition_table, .example = "[ { respond: { status: 200, body: hello } } ]"},
    {0},
};

static void check_http(struct conf_load *l, void *structure, const struct conf_node *node)
{
    const struct conf_node *mode = conf_node_get(node, "mode");
    const struct conf_node *conditions = conf_node_get(node, "http_condition");
    bool tcp = mode && mode->kind == CONF_SCALAR && slice_equal(slice_of(mode->text), SLICE("tcp"));
    (void)structure;
    if (tcp && conditions)
        conf_error(l, conditions, "remove it, or write mode: http",
                   "http_condition has no effect in mode tcp");
    if (!tcp && !conditions && !conf_node_get(node, "use_backend"))
        conf_error(l, node, "write use_backend: NAME", "no request would be served: there is no use_backend");
}

const struct conf_table http_conf_table = {
    .doc = "Mode http.",
    .keys = http_keys,
    .size = sizeof(struct http_conf),
    .part_offset = offsetof(struct frontend, http),
    .check = check_http,
};

const struct answer *http_conf_answer(const struct http_conf *conf)
{
    if (conf->conditions.count == 0)
        return NULL;
    const struct condition *first = conf->conditions.items[0];
    return &first->respond->answer;
}

const struct answer *http_conf_error_page(const struct http_conf *conf, uint16_t status)
{
    for (uint32_t i = 0; i < conf->error_pages.count; i++) {
        const struct error_page *p = conf->error_pages.items[i];
        if (p->status == status)
            return &p->answer;
    }
    return NULL;
}
