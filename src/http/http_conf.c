/*
 * http_conf.c: the rows that mode http has in the section `frontend`.
 */
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

struct http_conf {
    struct conf_list conditions;
};

static const struct conf_key respond_keys[] = {
    {"status", &conf_type_number, offsetof(struct respond, status), 0, "200", "The status code.", .min = 200,
     .max = 599},
    {"content_type", &conf_type_string, offsetof(struct respond, content_type), 0,
     "text/plain; charset=utf-8", .doc = "The Content-Type field."},
    {"body", &conf_type_string, offsetof(struct respond, body), 0, NULL,
     "The body; the standard page of the status when absent.", .example = "hello"},
    {0},
};

static void check_respond(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct respond *r = structure;
    for (const char *p = r->content_type; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            conf_error(l, conf_node_get(node, "content_type"), NULL,
                       "a field's value can't hold control characters");
            return;
        }
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

static const struct conf_key http_keys[] = {
    {"http_condition", &conf_type_list, offsetof(struct http_conf, conditions), 0, NULL,
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
    if (!conf || conf->conditions.count == 0)
        return NULL;
    const struct condition *first = conf->conditions.items[0];
    return &first->respond->answer;
}
