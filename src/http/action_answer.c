/*
 * action_answer.c: the actions that answer a request, or end a list without
 * an answer: redirect, respond, deny, allow, reject.
 */
#include <stdio.h>
#include <string.h>

#include "http/action_respond.h"

/* ---- redirect ---- */

static const struct slice target_name = SLICE("the redirect's target");

static int check_target(struct slice what, struct slice text, struct error *err)
{
    if (action_check_value(what, text, err) < 0)
        return -1;
    if (text.len == 0)
        return error_set(err, "%.*s would be empty", SLICE_ARG(what));
    if (memchr(text.ptr, ' ', text.len) || memchr(text.ptr, '\t', text.len))
        return error_set(err, "%.*s would hold a space", SLICE_ARG(what));
    return 0;
}

static void compile_redirect(struct rule_compiling *c, struct action *a)
{
    a->expression = rule_compile(c, a->node, RULES_STRING);
    action_check_constant(c, a->node, a->expression, target_name, check_target);
    a->status = (uint16_t)(c->rule->code ? c->rule->code : 302);
}

/* Room for the lines of the answer. */
static void begin_fields(struct rule_run *run, unsigned count)
{
    size_t align = _Alignof(struct field);
    char *bytes = rule_alloc(run, count * sizeof(struct field) + align);
    run->out->fields = (void *)(((uintptr_t)bytes + align - 1) / align * align);
    run->out->field_count = 0;
}

static void run_redirect(struct rule_run *run, const struct action *a)
{
    static const struct action_pair location = {.name = {"Location", 8}, .id = FIELD_LOCATION};
    struct slice target;
    if (!rule_checked_text(run, a->expression, target_name, check_target, &target))
        return;
    begin_fields(run, 1);
    run->out->fields[run->out->field_count++] = rule_field(run, &location, target);
    run->out->status = a->status;
    rule_acted(run, a, target);
    rule_end(run, VERDICT_REDIRECT);
}

const struct action_kind action_redirect = {.type = {"expression", action_set},
                                            .ends = true,
                                            .read = action_read_expression,
                                            .compile = compile_redirect,
                                            .run = run_redirect};

/* ---- respond ---- */

static int set_headers(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                       void *field, struct error *err)
{
    struct respond *r = CONTAINER_OF(field, struct respond, headers);
    struct action a = {.pair_count = 0};
    if (action_read_pairs(l, key, node, &a, err) < 0)
        return -1;
    r->headers = node;
    r->pairs = a.pairs;
    r->pair_count = a.pair_count;
    return 0;
}

static const struct conf_type type_headers = {.name = "fields", .set = set_headers};

#define FIELD(name) offsetof(struct respond, name)

static const struct conf_key respond_keys[] = {
    {"status", &conf_type_number, FIELD(status), 0, "200", "The status code.", .min = 200, .max = 599},
    {"content_type", &conf_type_string, FIELD(content_type), 0, "text/plain; charset=utf-8",
     .doc = "The Content-Type field."},
    {"headers", &type_headers, FIELD(headers), 0, NULL,
     "Further header fields, each with an expression for its value.",
     .example = "{ Cache-Control: \"'no-store'\" }"},
    {"body", &conf_type_string, FIELD(body), 0, NULL, "The body, as it is written; none when absent.",
     .example = "hello"},
    {"file", &conf_type_path, FIELD(file), 0, NULL,
     "A file whose bytes are the body; read when the configuration is loaded.",
     .example = "/etc/noxy/hello.html"},
    {0},
};

bool respond_check_value(struct conf_load *l, const struct conf_node *node, const char *value)
{
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            conf_error(l, node, NULL, "a field's value can't hold control characters");
            return false;
        }
    return true;
}

const char *respond_read_file(struct conf_load *l, const char *path, size_t *len, struct error *err)
{
    FILE *f = fopen(path, "rbe");
    if (!f) {
        error_set_errno(err, "cannot open %s", path);
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

static void read_body(struct conf_load *l, struct respond *r, const struct conf_node *node)
{
    struct error err;
    if (r->file) {
        r->answer.body.ptr = respond_read_file(l, r->file, &r->answer.body.len, &err);
        if (!r->answer.body.ptr)
            conf_error(l, conf_node_get(node, "file"), NULL, "%s", err.text);
    } else if (r->body) {
        r->answer.body = slice_of(r->body);
    }
}

static void check_respond(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct respond *r = structure;
    const struct conf_node *body = conf_node_get(node, r->file ? "file" : "body");
    if (!respond_check_value(l, conf_node_get(node, "content_type"), r->content_type))
        return;
    if (r->file && r->body)
        conf_error(l, body->key, "remove one of the two", "\"file\" and \"body\" are both the body");
    if (body && (r->status == 204 || r->status == 205 || r->status == 304))
        conf_error(l, body->key, NULL, "a response %u has no body", r->status);
    r->answer.status = (uint16_t)r->status;
    r->answer.content_type = slice_of(r->content_type);
    read_body(l, r, node);
}

const struct conf_table respond_table = {
    .doc = "An answer that noxy gives by itself.",
    .keys = respond_keys,
    .size = sizeof(struct respond),
    .check = check_respond,
};

static int read_respond(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                        struct action *a, struct error *err)
{
    return conf_type_map.set(l, key, node, &a->respond, err);
}

static void compile_respond(struct rule_compiling *c, struct action *a)
{
    struct respond *r = a->respond;
    for (unsigned i = 0; i < r->pair_count; i++) {
        struct action_pair *p = &r->pairs[i];
        if (!action_check_field(c->load, p))
            continue;
        if (p->id == FIELD_CONTENT_TYPE || p->id == FIELD_DATE)
            conf_error(c->load, p->node->key, p->id == FIELD_DATE ? NULL : "write content_type beside status",
                       "noxy sets the field \"%.*s\" itself", SLICE_ARG(p->name));
        p->expression = action_compile_text(c, p->node);
        action_check_constant(c, p->node, p->expression, p->name, action_check_value);
    }
}

static void run_respond(struct rule_run *run, const struct action *a)
{
    const struct respond *r = a->respond;
    begin_fields(run, r->pair_count);
    for (unsigned i = 0; i < r->pair_count; i++) {
        struct slice value;
        if (!rule_checked_text(run, r->pairs[i].expression, r->pairs[i].name, action_check_value, &value))
            return;
        run->out->fields[run->out->field_count++] = rule_field(run, &r->pairs[i], value);
    }
    run->out->respond = r;
    run->out->status = (uint16_t)r->status;
    rule_acted(run, a, r->answer.body);
    rule_end(run, VERDICT_RESPOND);
}

const struct action_kind action_respond = {.type = {"map", action_set},
                                           .ends = true,
                                           .read = read_respond,
                                           .compile = compile_respond,
                                           .run = run_respond};

/* ---- deny ---- */

static int read_deny(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                     struct action *a, struct error *err)
{
    const struct conf_key status = {.name = key->name, .min = 400, .max = 599};
    uint32_t number;
    if (conf_type_number.set(l, &status, node, &number, err) < 0)
        return -1;
    a->status = (uint16_t)number;
    return 0;
}

static void run_deny(struct rule_run *run, const struct action *a)
{
    run->out->status = a->status;
    rule_acted(run, a, slice_of(a->node->text));
    rule_end(run, VERDICT_DENY);
}

const struct action_kind action_deny = {
    .type = {"number", action_set}, .ends = true, .read = read_deny, .run = run_deny};

/* ---- allow, reject ---- */

static int read_true(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                     struct action *a, struct error *err)
{
    bool value;
    (void)a;
    if (conf_type_bool.set(l, key, node, &value, err) < 0)
        return -1;
    return value ? 0 : error_set(err, "\"%s\" can only be true: remove the rule", key->name);
}

static void run_allow(struct rule_run *run, const struct action *a)
{
    rule_acted(run, a, SLICE(""));
    rule_end(run, VERDICT_ALLOW);
}

static void run_reject(struct rule_run *run, const struct action *a)
{
    rule_acted(run, a, SLICE(""));
    rule_end(run, VERDICT_REJECT);
}

const struct action_kind action_allow = {
    .type = {"true", action_set}, .ends = true, .read = read_true, .run = run_allow};
const struct action_kind action_reject = {
    .type = {"true", action_set}, .ends = true, .read = read_true, .run = run_reject};
