/*
 * print.c: a tree in the canonical form. Parentheses stand where the grammar
 * needs them, and around a comparison behind "!", which most other languages
 * read differently.
 */
#include "rules/tree.h"

/* How loosely an operator binds, by the grammar of rules.h. */
enum level {
    LEVEL_CHOICE,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_COMPARISON,
    LEVEL_SUM,
    LEVEL_TERM,
    LEVEL_UNARY,
    LEVEL_PRIMARY,
};

static const struct {
    enum level level, first, others; /* of the node, and the least of its children */
    const char *operator;
} shapes[] = {
    [NODE_STRING] = {LEVEL_PRIMARY, 0, 0, ""},
    [NODE_INT] = {LEVEL_PRIMARY, 0, 0, ""},
    [NODE_BOOL] = {LEVEL_PRIMARY, 0, 0, ""},
    [NODE_LIST] = {LEVEL_PRIMARY, LEVEL_CHOICE, LEVEL_CHOICE, ","},
    [NODE_CAPTURE] = {LEVEL_PRIMARY, 0, 0, ""},
    [NODE_VARIABLE] = {LEVEL_PRIMARY, 0, 0, ""},
    [NODE_CALL] = {LEVEL_PRIMARY, LEVEL_CHOICE, LEVEL_CHOICE, ","},
    [NODE_CHOICE] = {LEVEL_CHOICE, LEVEL_OR, LEVEL_CHOICE, "?"},
    [NODE_OR] = {LEVEL_OR, LEVEL_AND, LEVEL_AND, "||"},
    [NODE_AND] = {LEVEL_AND, LEVEL_NOT, LEVEL_NOT, "&&"},
    [NODE_NOT] = {LEVEL_NOT, LEVEL_NOT, 0, "!"},
    [NODE_EQUAL] = {LEVEL_COMPARISON, LEVEL_SUM, LEVEL_SUM, "=="},
    [NODE_UNEQUAL] = {LEVEL_COMPARISON, LEVEL_SUM, LEVEL_SUM, "!="},
    [NODE_LESS] = {LEVEL_COMPARISON, LEVEL_SUM, LEVEL_SUM, "<"},
    [NODE_LESS_EQUAL] = {LEVEL_COMPARISON, LEVEL_SUM, LEVEL_SUM, "<="},
    [NODE_GREATER] = {LEVEL_COMPARISON, LEVEL_SUM, LEVEL_SUM, ">"},
    [NODE_GREATER_EQUAL] = {LEVEL_COMPARISON, LEVEL_SUM, LEVEL_SUM, ">="},
    [NODE_MATCH] = {LEVEL_COMPARISON, LEVEL_SUM, LEVEL_SUM, "=~"},
    [NODE_NO_MATCH] = {LEVEL_COMPARISON, LEVEL_SUM, LEVEL_SUM, "!~"},
    [NODE_IN] = {LEVEL_COMPARISON, LEVEL_SUM, LEVEL_SUM, "in"},
    [NODE_NOT_IN] = {LEVEL_COMPARISON, LEVEL_SUM, LEVEL_SUM, "not in"},
    [NODE_ADD] = {LEVEL_SUM, LEVEL_SUM, LEVEL_TERM, "+"},
    [NODE_SUBTRACT] = {LEVEL_SUM, LEVEL_SUM, LEVEL_TERM, "-"},
    [NODE_MULTIPLY] = {LEVEL_TERM, LEVEL_TERM, LEVEL_UNARY, "*"},
    [NODE_DIVIDE] = {LEVEL_TERM, LEVEL_TERM, LEVEL_UNARY, "/"},
    [NODE_REMAINDER] = {LEVEL_TERM, LEVEL_TERM, LEVEL_UNARY, "%"},
    [NODE_NEGATE] = {LEVEL_UNARY, LEVEL_UNARY, 0, "-"},
};

const char *tree_operator(enum node_kind kind)
{
    return shapes[kind].operator;
}

/* Is a backslash before `next` taken for the start of an escape? (-1: the string's end) */
static bool starts_escape(int next)
{
    return next < 0 || memchr("'\\nrtx", next, 6);
}

static void print_string(struct slice s, struct text *out)
{
    text_puts(out, "'");
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        int next = i + 1 < s.len ? (unsigned char)s.ptr[i + 1] : -1;
        if (c == '\'')
            text_puts(out, "\\'");
        else if (c == '\\')
            text_puts(out, starts_escape(next) || next < 0x20 || next == 0x7f ? "\\\\" : "\\");
        else if (c == '\n')
            text_puts(out, "\\n");
        else if (c == '\r')
            text_puts(out, "\\r");
        else if (c == '\t')
            text_puts(out, "\\t");
        else if (c < 0x20 || c == 0x7f)
            text_printf(out, "\\x%02x", c);
        else
            text_add(out, &s.ptr[i], 1);
    }
    text_puts(out, "'");
}

static void print_child(const struct node *child, bool parentheses, struct text *out)
{
    if (parentheses)
        text_puts(out, "(");
    tree_print(child, out);
    if (parentheses)
        text_puts(out, ")");
}

static void print_items(const struct node *n, struct text *out)
{
    text_puts(out, "(");
    for (uint32_t i = 0; i < n->count; i++) {
        if (i)
            text_puts(out, ", ");
        tree_print(n->children[i], out);
    }
    text_puts(out, ")");
}

/* "x in ('a')": what looks like a list of one. */
static bool is_short_list(const struct node *n, uint32_t i)
{
    return (n->kind == NODE_IN || n->kind == NODE_NOT_IN) && i == 1 &&
           (n->children[1]->kind == NODE_STRING || n->children[1]->kind == NODE_INT);
}

static void print_operator(const struct node *n, uint32_t i, struct text *out)
{
    if (i)
        text_printf(out, " %s ", n->kind == NODE_CHOICE && i == 2 ? ":" : tree_operator(n->kind));
    else if (n->count == 1)
        text_puts(out, tree_operator(n->kind));
}

void tree_print(const struct node *n, struct text *out)
{
    if (n->kind == NODE_STRING)
        print_string(n->text, out);
    else if (n->kind == NODE_INT)
        text_printf(out, "%lld", (long long)n->number);
    else if (n->kind == NODE_BOOL)
        text_puts(out, n->number ? "true" : "false");
    else if (n->kind == NODE_CAPTURE)
        text_printf(out, "$%d", (int)n->number);
    else if (n->kind == NODE_VARIABLE || n->kind == NODE_CALL)
        text_add(out, n->text.ptr, n->text.len);
    if (n->kind == NODE_CALL || n->kind == NODE_LIST) {
        print_items(n, out);
        return;
    }
    for (uint32_t i = 0; i < n->count; i++) {
        const struct node *child = n->children[i];
        enum level least = i ? shapes[n->kind].others : shapes[n->kind].first;
        bool misread = n->kind == NODE_NOT && node_is_comparison(child);
        print_operator(n, i, out);
        print_child(child, shapes[child->kind].level < least || misread || is_short_list(n, i), out);
    }
}
