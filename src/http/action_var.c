/*
 * action_var.c: set_var, and log.
 */
#include <string.h>

#include "http/action.h"

/* ---- set_var ---- */

static int read_variables(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                          struct action *a, struct error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    uint32_t raised = l->report.raised;
    if (action_read_pairs(l, key, node, a, err) < 0)
        return -1;
    for (unsigned i = 0; i < a->pair_count; i++) {
        const char *name = a->pairs[i].node->key->text;
        size_t len = strlen(name);
        if (len == 0 || len > 64 || strspn(name, allowed) != len)
            conf_error(l, a->pairs[i].node->key, "it is 1 to 64 letters, digits and _ - .",
                       "\"%s\" can't be a variable's name", name);
    }
    return raised == l->report.raised ? 0 : -1;
}

static void compile_variables(struct rule_compiling *c, struct action *a)
{
    for (unsigned i = 0; i < a->pair_count; i++) {
        a->pairs[i].expression = action_compile_text(c, a->pairs[i].node);
        rule_check_variable(c, &a->pairs[i]);
    }
}

static struct http_var *find_or_add(struct rule_run *run, const struct action_pair *p)
{
    for (struct http_var *v = run->subject->vars; v; v = v->next)
        if (slice_equal(v->name, p->name))
            return v;
    size_t align = _Alignof(struct http_var);
    char *bytes = rule_alloc(run, sizeof(struct http_var) + align);
    struct http_var *v = (void *)(((uintptr_t)bytes + align - 1) / align * align);
    *v = (struct http_var){.next = run->subject->vars, .name = p->name};
    run->subject->vars = v;
    return v;
}

/* Texts are copied: they outlive the run, and what they are slices of may change. */
static void keep(struct rule_run *run, struct rules_value *v)
{
    if (v->string.len == 0)
        return;
    char *bytes = rule_alloc(run, v->string.len);
    memcpy(bytes, v->string.ptr, v->string.len);
    v->string.ptr = bytes;
}

static void run_variables(struct rule_run *run, const struct action *a)
{
    for (unsigned i = 0; i < a->pair_count; i++) {
        const struct action_pair *p = &a->pairs[i];
        struct rules_value value;
        if (!rule_value(run, p->expression, &value))
            return;
        if (rules_type_of(p->expression) == RULES_STRING)
            keep(run, &value);
        struct http_var *v = find_or_add(run, p);
        v->type = rules_type_of(p->expression);
        v->value = value;
        rules_forget(run->values);
        if (run->observer)
            rule_acted_pair(run, a, p->name, rules_print_value(run->values, v->type, &value));
    }
}

const struct action_kind action_set_var = {.type = {"variables", action_set},
                                           .read = read_variables,
                                           .compile = compile_variables,
                                           .run = run_variables};

/* ---- log ---- */

static void compile_log(struct rule_compiling *c, struct action *a)
{
    a->expression = action_compile_text(c, a->node);
}

static void run_log(struct rule_run *run, const struct action *a)
{
    struct slice text;
    if (!rule_text(run, a->expression, &text))
        return;
    run->world->log(run->world->context, run->rule, text);
    rule_acted(run, a, text);
}

const struct action_kind action_log = {.type = {"expression", action_set},
                                       .read = action_read_expression,
                                       .compile = compile_log,
                                       .run = run_log};
