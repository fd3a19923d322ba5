/*
 * action.h: what a rule does when its condition holds. An action is one row
 * of rule_conf.c and one struct action_kind with its functions.
 *
 * read() when its map is read, compile() when the whole file was read, run()
 * for each request.
 */
#ifndef NOXY_HTTP_ACTION_H
#define NOXY_HTTP_ACTION_H

#include "http/rule_compile.h"

enum { ACTION_TEXT_MAX = 8192 }; /* bytes of a field's value, a path, a redirect's target */

/* A name with an expression: a field, a variable. */
struct action_pair {
    struct slice name;
    enum field_id id; /* of a field */
    bool prefix;      /* of del_header: all names that begin so */
    const struct conf_node *node;
    const struct rules_expression *expression;
};

enum { ACTION_SHOWN_MAX = 80, ACTION_SHOWN_SIZE = 4 * ACTION_SHOWN_MAX + 1 };
/* The beginning of a text of any bytes, fit for a sentence. */
const char *action_show(struct slice text, char out[static ACTION_SHOWN_SIZE]);

struct action {
    const struct action_kind *kind;
    const char *name;             /* as written */
    const struct conf_node *node; /* its value */
    struct action *next;
    /* what the kind makes use of */
    const struct rules_expression *expression;
    struct action_pair *pairs;
    unsigned pair_count;
    uint16_t status;
    struct slice word; /* a name that is known when compiled */
    struct backend *backend;
    struct respond *respond;
};

/* One list being walked. */
struct rule_run {
    struct rules_run *values;
    const struct rule_list *list;
    struct http_subject *subject;
    struct message *message; /* the one whose fields are changed; NULL: a connection alone */
    const struct rule_world *world;
    struct rule_observer *observer;
    const struct rule *rule; /* under way */
    struct rule_outcome *out;
    const char *no_capture;                /* what $0 begins at while nothing has matched */
    bool captured;                         /* the rule's condition has set $0 to $9: */
    struct slice captures[RULES_CAPTURES]; /* as it left them */
};

struct action_kind {
    struct conf_type type; /* first: the row's */
    bool ends;             /* nothing after it is looked at */
    /* 0, or -1 as struct conf_type's set(). */
    int (*read)(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                struct action *a, struct error *err);
    void (*compile)(struct rule_compiling *c,
                    struct action *a); /* reports what is wrong; NULL: nothing to do */
    /* Likewise, when all actions of the rule were compiled. */
    void (*check)(struct rule_compiling *c, const struct action *a);
    void (*run)(struct rule_run *run, const struct action *a);
};

extern const struct action_kind action_redirect, action_respond, action_deny, action_allow, action_reject;
extern const struct action_kind action_use_backend, action_use_server;
extern const struct action_kind action_set_header, action_add_header, action_del_header;
extern const struct action_kind action_set_path, action_set_query, action_set_method, action_set_status;
extern const struct action_kind action_set_var, action_log;

/* The setter of all rows: reads the value and hangs the action into its rule. */
int action_set(struct conf_load *l, const struct conf_key *key, const struct conf_node *node, void *field,
               struct error *err);

/* ---- for read() and compile() ---- */

/* read() of an action whose value is one expression, which compile() compiles itself. */
int action_read_expression(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                           struct action *a, struct error *err);
/* A map of names with expressions: fills a->pairs. */
int action_read_pairs(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                      struct action *a, struct error *err);
/* An expression that gives text, or what can be printed as text. */
const struct rules_expression *action_compile_text(struct rule_compiling *c, const struct conf_node *node);
/* compile() of such an action. */
void action_compile_expression(struct rule_compiling *c, struct action *a);
/*
 * A check of a text that an action makes use of; `what` names it in `err`. -1 with `err`: it can't be used.
 * The same is checked of each request's, and when the configuration is loaded, where the text is known then.
 */
typedef int action_check(struct slice what, struct slice text, struct error *err);
/* Of a field's value, and of Host's. */
action_check action_check_value, action_check_host;
/* The one for that field. */
action_check *action_check_of(const struct action_pair *p);
/* Reports an expression that gives the same text for every request, one that can't be used. `e` may be NULL.
 */
void action_check_constant(struct rule_compiling *c, const struct conf_node *node,
                           const struct rules_expression *e, struct slice what, action_check *check);
/* A name that is a header field's and may be set. False: reported. */
bool action_check_field(struct conf_load *l, const struct action_pair *p);

/* ---- for run() ---- */

/* The list ends: the request can't go on. */
void rule_fail(struct rule_run *run, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The list ends with that verdict. */
void rule_end(struct rule_run *run, enum rule_verdict verdict);
/* The value of an action's expression, which sees $0 to $9 as the rule's condition left them. False: the rule
 * has failed. */
bool rule_value(struct rule_run *run, const struct rules_expression *e, struct rules_value *out);
/* Its text, in the run's memory. False: the rule has failed. */
bool rule_text(struct rule_run *run, const struct rules_expression *e, struct slice *out);
/* The same, checked. `what` names it in the failure. */
bool rule_checked_text(struct rule_run *run, const struct rules_expression *e, struct slice what,
                       action_check *check, struct slice *out);
/* Memory that lives as long as the request. */
char *rule_alloc(struct rule_run *run, size_t len);
/* "name: value CRLF" in such memory. */
struct field rule_field(struct rule_run *run, const struct action_pair *p, struct slice value);
/* Tells the observer. */
void rule_acted(struct rule_run *run, const struct action *a, struct slice what);
void rule_acted_pair(struct rule_run *run, const struct action *a, struct slice name, struct slice value);

#endif
