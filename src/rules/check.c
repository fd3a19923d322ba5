#include "rules/check.h"

#include <stdio.h>

#include "conf/report.h"
#include "rules/lexer.h"

const char *check_article(enum rules_type t)
{
    static const char *const names[] = {
        [RULES_STRING] = "a string", [RULES_INT] = "an int",  [RULES_BOOL] = "a bool",
        [RULES_IP] = "an ip",        [RULES_LIST] = "a list",
    };
    return names[t];
}

const char *check_copy(struct checker *c, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return arena_strdup(c->scope->arena, text);
}

bool check_fail(struct checker *c, const struct node *n, const char *hint, const char *fmt, ...)
{
    va_list ap;
    *c->fault = (struct fault){.at = n->at, .len = n->len, .hint = hint};
    va_start(ap, fmt);
    vsnprintf(c->fault->error.text, sizeof c->fault->error.text, fmt, ap);
    va_end(ap);
    return false;
}

/* As it was written, shortened. */
static const char *excerpt(struct checker *c, const struct node *n)
{
    char shown[CONF_EXCERPT_SIZE];
    const char *text = arena_copy(c->scope->arena, c->source.ptr + n->at, n->len);
    conf_excerpt(text, shown);
    return n->kind == NODE_STRING ? check_copy(c, "%s", shown) : check_copy(c, "\"%s\"", shown);
}

static bool is_number(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len > 0 && s.len < 19;
}

static const char *mismatch_hint(struct checker *c, const struct node *n, enum rules_type want)
{
    if (want == RULES_INT && n->kind == NODE_STRING && is_number(n->text))
        return check_copy(c, "without the quotes %.*s is an int", SLICE_ARG(n->text));
    if (want == RULES_STRING && n->kind == NODE_INT)
        return check_copy(c, "in quotes '%lld' is a string", (long long)n->number);
    if (want == RULES_BOOL && n->kind == NODE_VARIABLE && n->type == RULES_STRING)
        return check_copy(c, "compare it with something: %.*s == '...'", SLICE_ARG(n->text));
    if (want == RULES_BOOL && n->type != RULES_LIST)
        return "compare it with something, for example with ==";
    if (want == RULES_LIST)
        return "a list is written ('a', 'b')";
    return NULL;
}

bool check_mismatch(struct checker *c, const struct node *n, enum rules_type want)
{
    return check_fail(c, n, mismatch_hint(c, n, want), "%s is %s, %s is wanted here", excerpt(c, n),
                      check_article(n->type), check_article(want));
}

static struct rules_value *new_constant(struct checker *c, struct node *n, enum rules_type t)
{
    struct rules_value *v = ARENA_NEW(c->scope->arena, struct rules_value);
    n->type = t;
    n->pure = true;
    n->constant = v;
    return v;
}

/* An address is a string literal where an ip is wanted. */
static bool make_ip(struct checker *c, struct node *n)
{
    struct ip ip;
    if (!ip_parse(n->text, &ip))
        return check_fail(c, n, "for example '10.0.0.1' or '2001:db8::1'", "this is no IP address");
    new_constant(c, n, RULES_IP)->ip = ip;
    return true;
}

static bool check_list(struct checker *c, struct node *n, enum rules_type of)
{
    struct rules_list *list = ARENA_NEW(c->scope->arena, struct rules_list);
    struct rules_value *items = ARENA_ARRAY(c->scope->arena, struct rules_value, n->count);
    for (uint32_t i = 0; i < n->count; i++) {
        struct node *item = n->children[i];
        if (!check_tree(c, item, of))
            return false;
        if (item->type == RULES_LIST)
            return check_fail(c, item, NULL, "a list can't be an item of another");
        if (!item->constant)
            return check_fail(c, item,
                              "compare with each of several by || and ==", "a list holds constants only");
        of = item->type;
        items[i] = *item->constant;
    }
    *list = (struct rules_list){of, n->count, items};
    new_constant(c, n, RULES_LIST)->list = list;
    n->of = of;
    return true;
}

/* The right side of "in". One constant alone is a list of one. */
static bool check_set(struct checker *c, struct node *n, enum rules_type of)
{
    if (n->kind == NODE_LIST)
        return check_list(c, n, of);
    if (!check_tree(c, n, n->kind == NODE_STRING || n->kind == NODE_INT ? of : RULES_LIST))
        return false;
    if (n->type == RULES_LIST) {
        n->of = RULES_STRING;
        return true;
    }
    struct rules_list *list = ARENA_NEW(c->scope->arena, struct rules_list);
    *list = (struct rules_list){of, 1, n->constant};
    new_constant(c, n, RULES_LIST)->list = list;
    n->of = of;
    return true;
}

static bool check_in(struct checker *c, struct node *n)
{
    struct node *item = n->children[0], *list = n->children[1];
    if (!check_tree(c, item, RULES_TYPE_COUNT))
        return false;
    if (item->type == RULES_LIST)
        return check_fail(c, item, NULL, "a list is in no other");
    if (!check_set(c, list, item->type))
        return false;
    return list->of == item->type || check_mismatch(c, item, list->of);
}

static bool check_equal(struct checker *c, struct node *n)
{
    /* A literal takes its type from the other side. */
    bool turned = n->children[0]->kind == NODE_STRING;
    struct node *first = n->children[turned], *second = n->children[!turned];
    if (!check_tree(c, first, RULES_TYPE_COUNT))
        return false;
    if (first->type == RULES_LIST)
        return check_fail(c, first, "a value is looked for with \"in\"", "lists can't be compared");
    return check_tree(c, second, first->type);
}

static bool check_match(struct checker *c, struct node *n)
{
    struct node *pattern = n->children[1];
    if (!check_tree(c, n->children[0], RULES_STRING) || !check_tree(c, pattern, RULES_STRING))
        return false;
    if (!pattern->constant)
        return check_fail(c, pattern, "it is compiled when the configuration is loaded",
                          "a regular expression must be constant");
    struct error err;
    size_t at = 0;
    n->regex = regex_new(c->scope->arena, pattern->constant->string, &at, &err);
    if (n->regex)
        return true;
    check_fail(c, pattern, NULL, "wrong regular expression: %s", err.text);
    if (pattern->kind == NODE_STRING) {
        c->fault->at = lexer_string_place(c->source, pattern->at, (uint32_t)at);
        c->fault->len = 1;
    }
    return false;
}

static bool check_children(struct checker *c, struct node *n, enum rules_type want)
{
    for (uint32_t i = 0; i < n->count; i++)
        if (!check_tree(c, n->children[i], want))
            return false;
    return true;
}

static bool check_add(struct checker *c, struct node *n)
{
    if (!check_tree(c, n->children[0], RULES_TYPE_COUNT))
        return false;
    n->type = n->children[0]->type;
    if (n->type != RULES_STRING && n->type != RULES_INT)
        return check_fail(c, n->children[0], NULL, "+ joins strings and adds ints; this is %s",
                          check_article(n->type));
    for (uint32_t i = 1; i < n->count; i++)
        if (!check_tree(c, n->children[i], n->type))
            return false;
    return true;
}

static bool check_choice(struct checker *c, struct node *n, enum rules_type want)
{
    struct node *yes = n->children[1], *no = n->children[2];
    if (!check_tree(c, n->children[0], RULES_BOOL))
        return false;
    bool turned = want == RULES_TYPE_COUNT && yes->kind == NODE_STRING;
    struct node *first = turned ? no : yes, *second = turned ? yes : no;
    if (!check_tree(c, first, want) || !check_tree(c, second, first->type))
        return false;
    n->type = first->type;
    n->of = first->of;
    return n->type != RULES_LIST || check_fail(c, n, NULL, "a choice can't be of lists");
}

static bool check_variable(struct checker *c, struct node *n)
{
    if (!check_name(c, n))
        return false;
    n->type = n->variable->type;
    n->of = RULES_STRING;
    n->pure = !n->variable->volatile_;
    return true;
}

static bool check_operator(struct checker *c, struct node *n, enum rules_type want)
{
    switch (n->kind) {
    case NODE_CHOICE:
        return check_choice(c, n, want);
    case NODE_ADD:
        return check_add(c, n);
    case NODE_SUBTRACT ... NODE_NEGATE:
        n->type = RULES_INT;
        return check_children(c, n, RULES_INT);
    default:
        break;
    }
    n->type = RULES_BOOL;
    switch (n->kind) {
    case NODE_EQUAL:
    case NODE_UNEQUAL:
        return check_equal(c, n);
    case NODE_LESS ... NODE_GREATER_EQUAL:
        return check_children(c, n, RULES_INT);
    case NODE_MATCH:
    case NODE_NO_MATCH:
        return check_match(c, n);
    case NODE_IN:
    case NODE_NOT_IN:
        return check_in(c, n);
    default: /* OR, AND, NOT */
        return check_children(c, n, RULES_BOOL);
    }
}

static bool check_node(struct checker *c, struct node *n, enum rules_type want)
{
    switch (n->kind) {
    case NODE_STRING:
        if (want == RULES_IP)
            return make_ip(c, n);
        new_constant(c, n, RULES_STRING)->string = n->text;
        return true;
    case NODE_INT:
        new_constant(c, n, RULES_INT)->number = n->number;
        return true;
    case NODE_BOOL:
        new_constant(c, n, RULES_BOOL)->boolean = n->number;
        return true;
    case NODE_LIST:
        return check_list(c, n, RULES_TYPE_COUNT);
    case NODE_CAPTURE:
        n->type = RULES_STRING;
        c->scope->captures = true;
        return true;
    case NODE_VARIABLE:
        return check_variable(c, n);
    case NODE_CALL:
        return check_call(c, n);
    default:
        return check_operator(c, n, want);
    }
}

/* The same whenever it is asked, if its children are. Of a call the row has a say, too. */
static bool is_pure(const struct node *n)
{
    if (n->kind == NODE_MATCH || n->kind == NODE_NO_MATCH)
        return false;
    if (n->kind == NODE_CALL && (n->function->volatile_ || n->function->captures))
        return false;
    for (uint32_t i = 0; i < n->count; i++)
        if (!n->children[i]->pure)
            return false;
    return true;
}

bool check_tree(struct checker *c, struct node *n, enum rules_type want)
{
    if (!check_node(c, n, want))
        return false;
    if (n->count)
        n->pure = is_pure(n);
    else if (n->kind == NODE_CALL)
        n->pure = !n->function->volatile_ && !n->function->captures;
    if (want != RULES_TYPE_COUNT && n->type != want)
        return check_mismatch(c, n, want);
    return n->constant || check_fold(c, n);
}
