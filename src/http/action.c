/*
 * action.c: what the actions' files share.
 */
#include "http/action.h"

#include <string.h>

#include "http/host.h"
#include "log/log.h"

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

/* ---- what texts may be ---- */

const char *action_show(struct slice text, char out[static ACTION_SHOWN_SIZE])
{
    size_t len = log_escape(out, ACTION_SHOWN_SIZE - 1, text.ptr, MIN(text.len, (size_t)ACTION_SHOWN_MAX));
    out[len] = '\0';
    return out;
}

int action_check_value(struct slice what, struct slice text, struct error *err)
{
    if (text.len > ACTION_TEXT_MAX)
        return error_set(err, "%.*s would be longer than %d bytes", SLICE_ARG(what), ACTION_TEXT_MAX);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (UNLIKELY((byte < 0x20 && byte != '\t') || byte == 0x7f))
            return error_set(err, "%.*s would hold the control character 0x%02x", SLICE_ARG(what), byte);
    }
    return 0;
}

int action_check_host(struct slice what, struct slice text, struct error *err)
{
    char shown[ACTION_SHOWN_SIZE];
    if (action_check_value(what, text, err) < 0)
        return -1;
    if (text.len == 0 || !host_is_valid(text))
        return error_set(err, "%.*s can't be \"%s\"", SLICE_ARG(what), action_show(text, shown));
    return 0;
}

action_check *action_check_of(const struct action_pair *p)
{
    return p->id == FIELD_HOST ? action_check_host : action_check_value;
}

void action_check_constant(struct rule_compiling *c, const struct conf_node *node,
                           const struct rules_expression *e, struct slice what, action_check *check)
{
    const struct rules_value *constant = e ? rules_constant(e) : NULL;
    struct error err;
    if (constant && rules_type_of(e) == RULES_STRING && check(what, constant->string, &err) < 0)
        conf_error(c->load, node, "it is the same for every request, and each would be answered 500", "%s",
                   err.text);
}

/* ---- running ---- */

bool rule_checked_text(struct rule_run *run, const struct rules_expression *e, struct slice what,
                       action_check *check, struct slice *out)
{
    struct error err;
    if (!rule_text(run, e, out))
        return false;
    if (LIKELY(check(what, *out, &err) == 0))
        return true;
    rule_fail(run, "%s", err.text);
    return false;
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
