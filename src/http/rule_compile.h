/*
 * rule_compile.h: rules get their expressions, backends and servers when the
 * whole file was read, since they name what stands elsewhere in it.
 */
#ifndef NOXY_HTTP_RULE_COMPILE_H
#define NOXY_HTTP_RULE_COMPILE_H

#include "http/rule.h"

struct action_pair; /* action.h */

/* For all lists of a configuration, one after the other. In the load's arena. */
struct rule_compiler;

/* One list being compiled. */
struct rule_compiling {
    struct rule_compiler *compiler;
    struct conf_load *load;
    struct rules_scope *scope;
    struct rule_list *list;
    enum rule_place place;
    const struct rule *rule;       /* under way */
    const struct backend *backend; /* whose list it is; NULL: a frontend's */
};

struct rule_compiler *rule_compiler_new(struct conf_load *l);
/* Notes what the list sets with set_var: all lists before any is compiled, since any may use it. */
void rule_compiler_note(struct rule_compiler *c, const struct rule_list *list, enum rule_place place);
/* `b`: the backend whose list it is; NULL: a frontend's. Reports what is wrong. */
void rule_compiler_compile(struct rule_compiler *c, struct rule_list *list, enum rule_place place,
                           const struct backend *b);

/*
 * Warns of what is allowed and can hardly be meant: conditions that are the same for every request, rules
 * that nothing reaches, redirects to whatever host the client names. When all lists were compiled.
 * `use_backend`: what follows the list; NULL: nothing.
 */
void rule_list_warn(struct conf_load *l, const struct rule_list *list, const struct conf_node *use_backend);

/* ---- for actions ---- */

/* rules_compile() in the list's scope. NULL: reported. */
const struct rules_expression *rule_compile(struct rule_compiling *c, const struct conf_node *node,
                                            enum rules_type want);
/* A word that can only be meant as a name: neither an expression's signs nor a variable. */
bool rule_is_word(const struct rule_compiling *c, const char *text);
/* Reports that there is no `kind` of that name; `names` (NULL-ended) are those that there are. */
void rule_report_unknown(struct rule_compiling *c, const struct conf_node *at, const char *kind,
                         struct slice name, const char *const *names);
void rule_report_unknown_backend(struct rule_compiling *c, const struct conf_node *at, struct slice name);
/* Reports a variable that set_var gives another type elsewhere. */
void rule_check_variable(struct rule_compiling *c, const struct action_pair *p);

#endif
