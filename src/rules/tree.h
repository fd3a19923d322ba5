/*
 * tree.h: an expression as a tree, as it was written. Internal to rules/.
 *
 * The parser makes it (parser.h), the checker gives each node its type, its
 * row and, where it can be known, its value (check.h); the shape stays what
 * was written, so that it can be printed. All of it lives in the arena of the
 * configuration.
 *
 * "a && b && c" is one node with three children, likewise || and +, so that a
 * long chain is not a deep tree.
 */
#ifndef NOXY_RULES_TREE_H
#define NOXY_RULES_TREE_H

#include "base/text.h"
#include "rules/language.h"

enum {
    TREE_DEPTH_MAX = 64,   /* expressions in each other */
    TREE_TEXT_MAX = 16384, /* bytes of an expression as it is written */
};

enum node_kind {
    NODE_STRING,
    NODE_INT,
    NODE_BOOL,
    NODE_LIST,     /* children: the items */
    NODE_CAPTURE,  /* $0 to $9: `number` */
    NODE_VARIABLE, /* `text` is the name */
    NODE_CALL,     /* likewise; children: the arguments */
    NODE_CHOICE,   /* children: condition, then, else */
    NODE_OR,       /* two children or more; none is an OR */
    NODE_AND,      /* likewise */
    NODE_NOT,
    NODE_EQUAL, /* from here to NOT_IN: comparisons, with two children */
    NODE_UNEQUAL,
    NODE_LESS,
    NODE_LESS_EQUAL,
    NODE_GREATER,
    NODE_GREATER_EQUAL,
    NODE_MATCH,
    NODE_NO_MATCH,
    NODE_IN,
    NODE_NOT_IN,
    NODE_ADD, /* two children or more; the first is no ADD */
    NODE_SUBTRACT,
    NODE_MULTIPLY,
    NODE_DIVIDE,
    NODE_REMAINDER,
    NODE_NEGATE,
};

struct regex;
struct shared;

struct node {
    enum node_kind kind;
    uint32_t at, len; /* bytes of the expression's text */
    uint16_t depth;   /* 1: no children */
    struct slice text;
    int64_t number; /* of a bool 0 or 1 */
    struct node **children;
    uint32_t count;
    /* From the checker. */
    enum rules_type type, of; /* `of`: of a list's items */
    bool pure;                /* gives the same whenever it is asked within one run, and sets nothing */
    const struct rules_value *constant; /* NULL: not known before a run */
    const struct rules_variable *variable;
    const struct rules_function *function;
    const void *data;          /* of a call: what the row's prepare() made */
    const struct regex *regex; /* of MATCH and NO_MATCH */
    struct shared *shared;     /* of a variable or call that is kept within a run; else NULL */
};

static inline bool node_is_comparison(const struct node *n)
{
    return n->kind >= NODE_EQUAL && n->kind <= NODE_NOT_IN;
}

/* What is wrong with an expression: the first of its faults. */
struct fault {
    uint32_t at, len; /* bytes of the text; len 0: one character */
    const char *hint; /* or NULL */
    struct error error;
};

/* The canonical form: parses to the same tree. */
void tree_print(const struct node *n, struct text *out);
/* One operator as it is printed. */
const char *tree_operator(enum node_kind kind);

#endif
