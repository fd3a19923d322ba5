/*
 * action.c: what the actions' files share.
 */
#include "http/action.h"

#include <stdio.h>
#include <string.h>

/* ---- reading and compiling ---- */

int action_read_expression(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                           struct action *a, struct error *err)
{
    (void)l, (void)a;
    return conf_read_scalar(key, node, "an expression", err) ? 0 : -1;
}

int action_read_pairs(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                      struct action *a, struct error *err)
{
    uint32_t raised = l->report.raised;
    if (node->kind != CONF_MAP || node->count == 0)
        return error_set(err, "\"%s\" must be a map of names with expressions, such as %s", key->name,
                         key->example);
    a->pairs = ARENA_ARRAY(&l->arena, struct action_pair, node->count);
    CONF_NODE_FOREACH (child, node) {
        struct action_pair *p = &a->pairs[a->pair_count++];
        *p = (struct action_pair){.name = slice_of(child->key->text), .node = child};
        p->id = field_lookup(p->name);
        if (child->kind != CONF_SCALAR || conf_node_is_null(child))
            conf_error(l, child, "text stands in single quotes: \"'text'\"",
                       "the value of \"%s\" must be an expression", child->key->text);
    }
    return raised == l->report.raised ? 0 : -1;
}

const struct rules_expression *action_compile_text(struct rule_compiling *c, const struct conf_node *node)
{
    const struct rules_expression *e = rule_compile(c, node, RULES_TYPE_COUNT);
    if (e && rules_type_of(e) == RULES_LIST) {
        conf_error(c->load, node, NULL, "a list can't be written as text");
        return NULL;
    }
    return e;
}

void action_compile_expression(struct rule_compiling *c, struct action *a)
{
    a->expression = rule_compile(c, a->node, RULES_STRING);
}

/* ---- running ---- */

bool rule_field_value(struct rule_run *run, const struct rules_expression *e, struct slice what,
                      struct slice *out)
{
    if (!rule_text(run, e, out))
        return false;
    if (out->len > ACTION_TEXT_MAX) {
        rule_fail(run, "%.*s would be longer than %d bytes", SLICE_ARG(what), ACTION_TEXT_MAX);
        return false;
    }
    for (size_t i = 0; i < out->len; i++) {
        unsigned char byte = (unsigned char)out->ptr[i];
        if (UNLIKELY((byte < 0x20 && byte != '\t') || byte == 0x7f)) {
            rule_fail(run, "%.*s would hold the control character 0x%02x", SLICE_ARG(what), byte);
            return false;
        }
    }
    return true;
}

static char *put(char *at, struct slice s)
{
    if (s.len)
        memcpy(at, s.ptr, s.len);
    return at + s.len;
}

struct field rule_field(struct rule_run *run, const struct action_pair *p, struct slice value)
{
    char *line = rule_alloc(run, p->name.len + value.len + 4);
    put(put(put(put(line, p->name), SLICE(": ")), value), SLICE("\r\n"));
    return (struct field){
        .name = line,
        .value = line + p->name.len + 2,
        .name_len = (uint16_t)p->name.len,
        .value_len = (uint16_t)value.len,
        .id = (uint8_t)p->id,
        .raw = true,
        .own = true,
    };
}
