/*
 * check_call.c: the names of an expression and the arguments of its calls.
 */
#include <stdio.h>

#include "conf/report.h"
#include "rules/check.h"

enum { NAMES_MAX = 500 };

static const struct rules_variable *find_variable(const struct rules_language *l, struct slice name)
{
    for (const struct rules_variable *const *t = l->variables; t && *t; t++)
        for (const struct rules_variable *v = *t; v->name; v++)
            if (slice_equal(slice_of(v->name), name))
                return v;
    return NULL;
}

static const struct rules_function *find_function(const struct rules_language *l, struct slice name)
{
    for (const struct rules_function *const *t = l->functions; t && *t; t++)
        for (const struct rules_function *f = *t; f->name; f++)
            if (slice_equal(slice_of(f->name), name))
                return f;
    return NULL;
}

/* The variables or functions that a wrong name may have meant. */
static const char *nearest(const struct rules_language *l, const char *word, bool functions)
{
    const char *names[NAMES_MAX + 1];
    unsigned count = 0;
    for (const struct rules_variable *const *t = l->variables; !functions && t && *t; t++)
        for (const struct rules_variable *v = *t; v->name && count < NAMES_MAX; v++)
            names[count++] = v->name;
    for (const struct rules_function *const *t = l->functions; functions && t && *t; t++)
        for (const struct rules_function *f = *t; f->name && count < NAMES_MAX; f++)
            names[count++] = f->name;
    names[count] = NULL;
    return conf_nearest(word, names);
}

/* The name alone, without a call's arguments. */
static bool fail_name(struct checker *c, const struct node *n, const char *hint, const char *fmt)
{
    char shown[CONF_EXCERPT_SIZE], text[512];
    snprintf(text, sizeof text, fmt, conf_excerpt(n->text.ptr, shown));
    check_fail(c, n, hint, "%s", text);
    c->fault->len = (uint32_t)n->text.len;
    return false;
}

static bool unknown(struct checker *c, const struct node *n)
{
    const struct rules_language *l = c->scope->language;
    bool call = n->kind == NODE_CALL;
    if (call && find_variable(l, n->text))
        return fail_name(c, n, "it is written without parentheses", "\"%s\" is a variable, not a function");
    if (!call && find_function(l, n->text))
        return fail_name(c, n, check_copy(c, "it is written %s(...)", n->text.ptr),
                         "\"%s\" is a function, not a variable");
    const char *name = nearest(l, n->text.ptr, call), *other = nearest(l, n->text.ptr, !call);
    const char *hint = name    ? check_copy(c, "did you mean \"%s\"?", name)
                       : other ? check_copy(c, "did you mean \"%s%s\"?", other, call ? "" : "(...)")
                       : call  ? NULL
                               : "a text stands in single quotes";
    return fail_name(c, n, hint, call ? "unknown function \"%s\"" : "unknown variable \"%s\"");
}

static bool wrong_stage(struct checker *c, const struct node *n, unsigned stages)
{
    const char *hint = stages & RULES_AT_REQUEST    ? "it can stand in http_condition and http_response"
                       : stages & RULES_AT_RESPONSE ? "it can stand in http_response"
                                                    : "it can stand in tcp_condition";
    const char *why = c->scope->stage == RULES_AT_CONNECTION
                          ? "there is no request where \"%s\" is asked here"
                      : stages & RULES_AT_RESPONSE ? "there is no response yet where \"%s\" is asked here"
                                                   : "\"%s\" can't be asked here";
    return fail_name(c, n, hint, why);
}

bool check_name(struct checker *c, struct node *n)
{
    if (n->kind == NODE_VARIABLE)
        n->variable = find_variable(c->scope->language, n->text);
    else
        n->function = find_function(c->scope->language, n->text);
    if (!n->variable && !n->function)
        return unknown(c, n);
    unsigned stages = n->variable ? n->variable->stages : n->function->stages;
    return stages & c->scope->stage || wrong_stage(c, n, stages);
}

void rules_print_signature(const struct rules_function *f, struct text *out)
{
    unsigned open = 0;
    text_printf(out, "%s(", f->name);
    for (const struct rules_parameter *p = f->parameters; p->name; p++) {
        bool optional = p->flags & RULES_OPTIONAL;
        text_printf(out, "%s%s%s%s", optional ? "[" : "", p == f->parameters ? "" : ", ", p->name,
                    p->flags & RULES_REPEATED ? ", ..." : "");
        open += optional;
    }
    while (open--)
        text_puts(out, "]");
    text_puts(out, ")");
}

/* The parameter that takes the argument `i`; NULL: there are fewer. */
static const struct rules_parameter *parameter_of(const struct rules_function *f, uint32_t i)
{
    const struct rules_parameter *p = f->parameters;
    for (; p->name; p++, i--)
        if (i == 0 || p->flags & RULES_REPEATED)
            return p;
    return NULL;
}

static bool wrong_count(struct checker *c, const struct node *n)
{
    struct text signature = {0};
    rules_print_signature(n->function, &signature);
    const char *hint = check_copy(c, "it is written %s", text_str(&signature));
    text_free(&signature);
    uint32_t least = 0, most = 0;
    bool repeated = false;
    for (const struct rules_parameter *p = n->function->parameters; p->name; p++, most++) {
        least += !(p->flags & RULES_OPTIONAL);
        repeated = p->flags & RULES_REPEATED;
    }
    most = repeated ? RULES_ARGUMENTS_MAX : most;
    char takes[64];
    if (least == most)
        snprintf(takes, sizeof takes, "%u", (unsigned)least);
    else
        snprintf(takes, sizeof takes, "%u to %u", (unsigned)least, (unsigned)most);
    return check_fail(c, n, hint, "%s() takes %s argument%s, not %u", n->function->name, takes,
                      most == 1 ? "" : "s", (unsigned)n->count);
}

static bool count_fits(const struct node *n)
{
    uint32_t least = 0;
    for (const struct rules_parameter *p = n->function->parameters; p->name; p++)
        least += !(p->flags & RULES_OPTIONAL);
    return n->count >= least && n->count <= RULES_ARGUMENTS_MAX &&
           (!n->count || parameter_of(n->function, n->count - 1));
}

static bool check_arguments(struct checker *c, struct node *n)
{
    for (uint32_t i = 0; i < n->count; i++) {
        const struct rules_parameter *p = parameter_of(n->function, i);
        struct node *arg = n->children[i];
        if (!check_tree(c, arg, p->flags & RULES_ANY_TYPE ? RULES_TYPE_COUNT : p->type))
            return false;
        if (p->flags & RULES_CONSTANT && !arg->constant)
            return check_fail(c, arg, "it is looked at when the configuration is loaded",
                              "the %s of %s() must be constant", p->name, n->function->name);
    }
    return true;
}

/* The type of a variable of the configuration's own, by its name. */
static bool find_result(struct checker *c, struct node *n)
{
    const struct rules_language *l = c->scope->language;
    n->type = n->function->result;
    n->of = RULES_STRING;
    if (n->function->result != RULES_ANY)
        return true;
    const struct rules_value *name = n->count ? n->children[0]->constant : NULL;
    if (name && l->variable_type && l->variable_type(l->context, name->string, &n->type))
        return true;
    return check_fail(c, n->count ? n->children[0] : n, "set_var gives it a value",
                      "nothing sets this variable");
}

static bool prepare(struct checker *c, struct node *n)
{
    const struct rules_value *constants[RULES_ARGUMENTS_MAX];
    uint8_t types[RULES_ARGUMENTS_MAX];
    if (!n->function->prepare)
        return true;
    struct shared *same = scope_find(c->scope, n);
    if (same && (n->data = same->node->data))
        return true;
    for (uint32_t i = 0; i < n->count; i++) {
        constants[i] = n->children[i]->constant;
        types[i] = (uint8_t)n->children[i]->type;
    }
    struct rules_preparing p = {c->scope->arena, c->load, constants, types, n->count};
    struct error err = {""};
    int at = -1;
    n->data = n->function->prepare(&p, &at, &err);
    if (n->data)
        return true;
    return check_fail(c, at >= 0 && (uint32_t)at < n->count ? n->children[at] : n, NULL, "%s", err.text);
}

bool check_call(struct checker *c, struct node *n)
{
    if (!check_name(c, n))
        return false;
    if (!count_fits(n))
        return wrong_count(c, n);
    return check_arguments(c, n) && find_result(c, n) && prepare(c, n);
}
