/*
 * check.h: what the names of a tree stand for, the types of its nodes, and
 * what of it is known before any run. Internal to rules/.
 */
#ifndef NOXY_RULES_CHECK_H
#define NOXY_RULES_CHECK_H

#include "rules/scope.h"

struct checker {
    struct rules_scope *scope;
    struct conf_load *load; /* NULL: none */
    struct slice source;
    struct fault *fault;
};

/* Gives all of `n` its types; it must be a `want` (RULES_TYPE_COUNT: any). False with the fault. */
bool check_tree(struct checker *c, struct node *n, enum rules_type want);

/* ---- within the check_*.c files ---- */

/* All return false. */
bool check_fail(struct checker *c, const struct node *n, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
bool check_mismatch(struct checker *c, const struct node *n, enum rules_type want);
/* The row of a variable or function by the node's name. */
bool check_name(struct checker *c, struct node *n);
bool check_call(struct checker *c, struct node *n);
/* Works out a node whose children are known, if it can be. False with the fault: it has failed. */
bool check_fold(struct checker *c, struct node *n);
/* "a string". */
const char *check_article(enum rules_type t);
const char *check_copy(struct checker *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
