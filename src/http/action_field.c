/*
 * action_field.c: set_header, add_header, del_header, on requests and
 * responses.
 */
#include <string.h>

#include "http/action.h"
#include "http/chars.h"

enum { NAME_MAX_LEN = 128 };

/* Fields that frame messages or belong to one connection: noxy writes them itself. */
static bool is_own(enum field_id id)
{
    return field_flags(id) & FIELD_HOP || id == FIELD_CONTENT_LENGTH || id == FIELD_TRAILER ||
           id == FIELD_EXPECT;
}

bool action_check_field(struct conf_load *l, const struct action_pair *p)
{
    if (p->name.len == 0 || p->name.len > NAME_MAX_LEN || !chars_all(p->name, CHAR_TOKEN)) {
        conf_error(l, p->node->key ? p->node->key : p->node,
                   "it is at most 128 letters, digits and !#$%&'*+-.^_`|~",
                   "\"%.*s\" can't be a header field's name", SLICE_ARG(p->name));
        return false;
    }
    if (!is_own(p->id))
        return true;
    conf_error(l, p->node->key ? p->node->key : p->node,
               "remove it: it goes with how noxy passes messages on", "noxy sets the field \"%.*s\" itself",
               SLICE_ARG(p->name));
    return false;
}

static bool of_responses(const struct rule_compiling *c)
{
    return c->place == RULES_OF_FRONTEND_RESPONSES || c->place == RULES_OF_BACKEND_RESPONSES;
}

static void compile_pairs(struct rule_compiling *c, struct action *a)
{
    for (unsigned i = 0; i < a->pair_count; i++) {
        struct action_pair *p = &a->pairs[i];
        if (!action_check_field(c->load, p))
            continue;
        p->expression = action_compile_text(c, p->node);
        action_check_constant(c, p->node, p->expression, p->name, action_check_of(p));
    }
}

static void compile_add(struct rule_compiling *c, struct action *a)
{
    for (unsigned i = 0; i < a->pair_count; i++)
        if (field_flags(a->pairs[i].id) & FIELD_ONCE)
            conf_error(c->load, a->pairs[i].node->key, "write set_header", "\"%.*s\" may stand only once",
                       SLICE_ARG(a->pairs[i].name));
    compile_pairs(c, a);
}

/* Of two values for one field, whatever its case, only the second would arrive. */
static void compile_set(struct rule_compiling *c, struct action *a)
{
    for (unsigned i = 1; i < a->pair_count; i++)
        for (unsigned k = 0; k < i; k++)
            if (slice_equal_nocase(a->pairs[i].name, a->pairs[k].name)) {
                conf_error(c->load, a->pairs[i].node->key, "remove one of the two",
                           "\"%.*s\" and \"%.*s\" are the same field", SLICE_ARG(a->pairs[k].name),
                           SLICE_ARG(a->pairs[i].name));
                break;
            }
    compile_pairs(c, a);
}

static bool has_name(const struct field *f, const struct action_pair *p)
{
    struct slice name = {f->name, p->prefix ? MIN(f->name_len, p->name.len) : f->name_len};
    return !f->dropped && slice_equal_nocase(name, p->name);
}

/* A host is set anew where none but the target's is left: it stands in the target's place then. */
static void put_field(struct rule_run *run, const struct action_pair *p, struct slice value, bool replace)
{
    struct message *m = run->message;
    struct field *place = NULL;
    for (unsigned i = 0; replace && i < m->count; i++) {
        struct field *f = &m->fields[i];
        if (!has_name(f, p))
            continue;
        if (place)
            f->dropped = true;
        else
            place = f;
    }
    if (!place && m->count < MESSAGE_FIELDS_MAX + MESSAGE_FIELDS_OF_RULES)
        place = &m->fields[m->count++];
    if (place)
        *place = rule_field(run, p, value);
    else
        rule_fail(run, "no room for the field %.*s: there are %u", SLICE_ARG(p->name), m->count);
}

static void run_pairs(struct rule_run *run, const struct action *a, bool replace)
{
    for (unsigned i = 0; i < a->pair_count; i++) {
        const struct action_pair *p = &a->pairs[i];
        struct slice value;
        if (!rule_checked_text(run, p->expression, p->name, action_check_of(p), &value))
            return;
        put_field(run, p, value, replace);
        if (run->out->verdict != VERDICT_NONE)
            return;
        rules_forget(run->values);
        rule_acted_pair(run, a, p->name, value);
    }
}

static void run_set(struct rule_run *run, const struct action *a)
{
    run_pairs(run, a, true);
}

static void run_add(struct rule_run *run, const struct action *a)
{
    run_pairs(run, a, false);
}

/* ---- del_header ---- */

static void add_name(struct conf_load *l, struct action *a, const struct conf_node *node)
{
    struct action_pair *p = &a->pairs[a->pair_count++];
    if (node->kind != CONF_SCALAR || conf_node_is_null(node)) {
        conf_error(l, node, NULL, "the name of a header field belongs here");
        return;
    }
    *p = (struct action_pair){.name = slice_of(node->text), .node = node};
    const char *star = memchr(p->name.ptr, '*', p->name.len);
    if (star && (p->name.len == 1 || star != p->name.ptr + p->name.len - 1)) {
        conf_error(l, node, "X-Internal-* is all that begin with X-Internal-",
                   "a * stands only at the end of a name, behind how those begin that are meant");
        return;
    }
    if (star) {
        p->prefix = true;
        p->name.len--;
    }
    p->id = p->prefix ? FIELD_OTHER : field_lookup(p->name);
}

static int read_names(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                      struct action *a, struct error *err)
{
    uint32_t raised = l->report.raised;
    if (node->kind == CONF_MAP || (node->kind == CONF_LIST && node->count == 0))
        return error_set(err, "\"%s\" must be a name or a list of names", key->name);
    a->pairs = ARENA_ARRAY(&l->arena, struct action_pair, node->kind == CONF_LIST ? node->count : 1);
    if (node->kind == CONF_SCALAR)
        add_name(l, a, node);
    else
        CONF_NODE_FOREACH (child, node)
            add_name(l, a, child);
    return raised == l->report.raised ? 0 : -1;
}

static void compile_del(struct rule_compiling *c, struct action *a)
{
    for (unsigned i = 0; i < a->pair_count; i++) {
        const struct action_pair *p = &a->pairs[i];
        if (p->id == FIELD_HOST && !of_responses(c))
            conf_error(c->load, p->node, "write set_header: { Host: ... }",
                       "a request can't be without \"Host\"");
        else
            action_check_field(c->load, p);
    }
}

static void run_del(struct rule_run *run, const struct action *a)
{
    struct message *m = run->message;
    for (unsigned n = 0; n < a->pair_count; n++) {
        const struct action_pair *p = &a->pairs[n];
        for (unsigned i = 0; i < m->count; i++) {
            struct field *f = &m->fields[i];
            if (has_name(f, p) && !(p->prefix && (is_own(f->id) || f->id == FIELD_HOST)))
                f->dropped = true;
        }
        rule_acted(run, a, p->name);
    }
    rules_forget(run->values);
}

const struct action_kind action_set_header = {
    .type = {"fields", action_set}, .read = action_read_pairs, .compile = compile_set, .run = run_set};
const struct action_kind action_add_header = {
    .type = {"fields", action_set}, .read = action_read_pairs, .compile = compile_add, .run = run_add};
const struct action_kind action_del_header = {
    .type = {"name or list", action_set}, .read = read_names, .compile = compile_del, .run = run_del};
