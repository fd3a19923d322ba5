/*
 * parser.h: the text of an expression to its tree, by the grammar of rules.h.
 * Internal to rules/. Names and types are not looked at.
 */
#ifndef NOXY_RULES_PARSER_H
#define NOXY_RULES_PARSER_H

#include "rules/tree.h"

/* NULL with `fault`. `source` must live as long as the arena. */
struct node *tree_parse(struct arena *a, struct slice source, struct fault *fault);

#endif
