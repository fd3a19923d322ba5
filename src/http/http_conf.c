/*
 * http_conf.c: the rows that mode http has in the section `frontend`.
 */
#include "frontend/frontend.h"
#include "http/action_respond.h"
#include "http/http.h"
#include "http/rule_compile.h"
#include "http/trusted.h"

static const struct conf_key error_page_keys[] = {
    {"status", &conf_type_number, offsetof(struct error_page, status), CONF_REQUIRED, NULL,
     "The status that it is for.", .min = 400, .max = 599, .example = "503"},
    {"file", &conf_type_path, offsetof(struct error_page, file), CONF_REQUIRED, NULL,
     "The file that holds it; read when the configuration is loaded.", .example = "/etc/noxy/503.html"},
    {"content_type", &conf_type_string, offsetof(struct error_page, content_type), 0,
     "text/html; charset=utf-8", .doc = "The Content-Type field."},
    {0},
};

static void check_error_page(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct error_page *p = structure;
    struct error err;
    size_t len;
    if (!respond_check_value(l, conf_node_get(node, "content_type"), p->content_type))
        return;
    const char *page = respond_read_file(l, p->file, &len, &err);
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
     "Pages of one's own for statuses that noxy answers with. For others it makes a short page, in JSON "
     "where "
     "Accept gives application/json more weight than text/html, or the same and names it first.",
     .table = &error_page_table, .example = "[ { status: 503, file: /etc/noxy/503.html } ]"},
    {"trusted_proxies", &trusted_conf_type, FIELD(trusted_proxies), CONF_INHERITED, NULL,
     "The networks of proxies in front of noxy: when one of them is connected, the client is whom its fields "
     "name. An X-Forwarded-For, Forwarded or X-Real-IP that names another, or that anybody else sent, is "
     "then "
     "removed. `unix:` is whoever comes over a Unix socket.",
     .example = "[ 10.0.0.0/8, '::1' ]"},
    {"trusted_field", &conf_type_choice, FIELD(trusted_field), CONF_INHERITED, "any",
     "What is believed of trusted proxies: the fields that they write, rather than pass on.",
     .choices = trusted_conf_fields},
    {"forwarded", &conf_type_bool, FIELD(forwarded), CONF_INHERITED, "false",
     .doc =
         "Whether servers are told of the client with Forwarded (RFC 7239). One that a trusted proxy sent is "
         "continued."},
    {"x_forwarded", &conf_type_bool, FIELD(x_forwarded), CONF_INHERITED, "true",
     .doc = "Whether servers are told of the client with X-Forwarded-For, -Proto and -Host. If not, those of "
            "trusted proxies are passed on and others removed."},
    {"hide_server", &conf_type_bool, FIELD(hide_server), CONF_INHERITED, "false",
     .doc = "Whether fields that tell what a server is made of are removed from its responses: Server, "
            "X-Powered-By, X-AspNet-Version, X-AspNetMvc-Version, X-Powered-CMS, X-Generator, X-Runtime."},
    {"http_condition", &conf_type_list, FIELD(requests.rules), 0, NULL,
     "In mode http, what is done with requests, in order: conditions, and actions for those that hold.",
     .table = &rule_frontend_request_table,
     .example = "[ { when: \"path =~ '^/api/'\", use_backend: api } ]"},
    {"http_response", &conf_type_list, FIELD(responses.rules), 0, NULL,
     "In mode http, what is done with the responses of servers, in order; noxy's own answers are left alone.",
     .table = &rule_response_table, .example = "[ { del_header: Server } ]"},
    {0},
};

static void check_http(struct conf_load *l, void *structure, const struct conf_node *node)
{
    const struct conf_node *mode = conf_node_get(node, "mode");
    bool tcp = mode && mode->kind == CONF_SCALAR && slice_equal(slice_of(mode->text), SLICE("tcp"));
    struct http_conf *conf = structure;
    conf->forwarding_differs = conf->trusted_proxies || conf->forwarded || !conf->x_forwarded;
    if (!tcp && !conf_node_get(node, "http_condition") && !conf_node_get(node, "use_backend"))
        conf_error(l, node, "write use_backend: NAME", "no request would be served: there is no use_backend");
}

const struct conf_table http_conf_table = {
    .doc = "Mode http.",
    .keys = http_keys,
    .size = sizeof(struct http_conf),
    .part_offset = offsetof(struct frontend, http),
    .check = check_http,
};

const struct answer *http_conf_error_page(const struct http_conf *conf, uint16_t status)
{
    for (uint32_t i = 0; i < conf->error_pages.count; i++) {
        const struct error_page *p = conf->error_pages.items[i];
        if (p->status == status)
            return &p->answer;
    }
    return NULL;
}

uint16_t http_check_limits(const struct http_conf *conf, const struct message *m, size_t head_len)
{
    if (head_len > conf->max_header || m->count > conf->max_headers)
        return m->method.len + m->target.len + 12 > conf->max_header ? 414 : 431; /* the line alone */
    if (conf->max_body > 0 && m->body == BODY_LENGTH && m->body_length > conf->max_body)
        return 413;
    if (!slice_equal(m->method, SLICE("TRACE")))
        return 0;
    if (!conf->allow_trace)
        return 405;
    return m->body == BODY_NONE ? 0 : 400; /* RFC 9110, 9.3.8 */
}

/* ---- rules ---- */

/* Notes a list, or compiles it. */
static void visit(struct rule_compiler *c, bool compile, struct rule_list *list, enum rule_place place,
                  const struct backend *b)
{
    if (compile)
        rule_compiler_compile(c, list, place, b);
    else
        rule_compiler_note(c, list, place);
}

static void visit_all(struct conf_load *l, struct rule_compiler *c, bool compile)
{
    uint32_t count;
    const struct conf_object *frontends = conf_load_objects(l, "frontend", &count);
    for (uint32_t i = 0; i < count; i++) {
        struct http_conf *conf = ((const struct frontend *)frontends[i].structure)->http;
        visit(c, compile, &conf->requests, RULES_OF_FRONTEND_REQUESTS, NULL);
        visit(c, compile, &conf->responses, RULES_OF_FRONTEND_RESPONSES, NULL);
    }
    const struct conf_object *backends = conf_load_objects(l, "backend", &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct backend *b = backends[i].structure;
        visit(c, compile, &b->http->requests, RULES_OF_BACKEND_REQUESTS, b);
        visit(c, compile, &b->http->responses, RULES_OF_BACKEND_RESPONSES, b);
    }
}

static void warn(struct conf_load *l)
{
    uint32_t count;
    const struct conf_object *frontends = conf_load_objects(l, "frontend", &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct http_conf *conf = ((const struct frontend *)frontends[i].structure)->http;
        rule_list_warn(l, &conf->requests, conf_node_get(frontends[i].node, "use_backend"));
        rule_list_warn(l, &conf->responses, NULL);
    }
    const struct conf_object *backends = conf_load_objects(l, "backend", &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct http_backend_conf *conf = ((const struct backend *)backends[i].structure)->http;
        rule_list_warn(l, &conf->requests, NULL);
        rule_list_warn(l, &conf->responses, NULL);
    }
}

static void refuse_in_tcp(struct conf_load *l, const struct conf_object *frontend, const char *key)
{
    const struct conf_node *value = conf_node_get(frontend->node, key);
    if (value)
        conf_error(l, value, "remove it, or write mode: http", "%s has no effect in mode tcp", key);
}

static void check_modes(struct conf_load *l)
{
    uint32_t count;
    const struct conf_object *frontends = conf_load_objects(l, "frontend", &count);
    for (uint32_t i = 0; i < count; i++) {
        if (((const struct frontend *)frontends[i].structure)->mode != MODE_TCP)
            continue;
        refuse_in_tcp(l, &frontends[i], "http_condition");
        refuse_in_tcp(l, &frontends[i], "http_response");
    }
}

void http_rules_compile(struct conf_load *l, struct rule_compiler *c)
{
    if (l->report.errors == 0) /* a mode may be what is wrong */
        check_modes(l);
    visit_all(l, c, false);
    visit_all(l, c, true);
    warn(l);
}
