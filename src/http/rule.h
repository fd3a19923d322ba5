/*
 * rule.h: the lists http_condition, http_response and tcp_condition: rules,
 * each a condition and what is done when it holds.
 *
 * A list is read by the rows of rule_conf.c and compiled when the whole file
 * was read (rule_compile.h). rules_decide() walks it. That needs no socket
 * and no exchange: what actions reach beyond the messages they find in a
 * struct rule_world, and an observer is told each step, so that `explain`
 * walks the same code as a request.
 *
 * Actions of a rule run in the order written, the one that ends the list
 * last; each sees what those before it changed.
 */
#ifndef NOXY_HTTP_RULE_H
#define NOXY_HTTP_RULE_H

#include "base/arena.h"
#include "conf/table.h"
#include "http/subject.h"
#include "rules/rules.h"

struct action;
struct backend;
struct respond; /* action_respond.h */

/* Where a list stands: each has actions of its own. */
enum rule_place {
    RULES_OF_CONNECTIONS,       /* tcp_condition of a frontend */
    RULES_OF_FRONTEND_REQUESTS, /* http_condition */
    RULES_OF_BACKEND_REQUESTS,
    RULES_OF_FRONTEND_RESPONSES, /* http_response */
    RULES_OF_BACKEND_RESPONSES,
};

struct rule {
    const char *name;  /* its own; NULL: none */
    const char *label; /* for logs: the name, or FILE:LINE */
    const struct conf_node *when_node;
    const struct rules_expression *when; /* NULL: always */
    struct action *actions;              /* in the order they run */
    int code;                            /* of `redirect` */
    const struct conf_node *node;
    struct rule_told *told; /* by this process of its failures */
};

struct rule_told {
    uint64_t at; /* us: the latest line; 0: none yet */
    uint64_t not_told;
};

/* The backends of the configuration by name. */
struct rule_backends {
    struct backend **items; /* in the order of their names */
    uint32_t count;
};

struct rule_list {
    struct conf_list rules; /* struct rule */
    const struct rules_scope *scope;
    const struct rules_index *index; /* of the conditions; NULL: none */
    const struct rule_backends *backends;
    bool wants_dst; /* an expression looks at the address that the client connected to */
    bool wants_tls; /* or at what is known of TLS with the client */
};

enum rule_verdict {
    VERDICT_NONE, /* the list came to its end */
    VERDICT_ALLOW,
    VERDICT_BACKEND,  /* `backend`, or none of the name `backend_name` */
    VERDICT_REDIRECT, /* `status`, `fields` */
    VERDICT_RESPOND,  /* `respond`, `fields` */
    VERDICT_DENY,     /* `status` */
    VERDICT_REJECT,   /* the connection ends */
    VERDICT_FAILED,   /* a condition or a result can't be used: `failure` */
};

/* What a list came to. Texts live as long as what rule_world.alloc() gives, but for backend_name and server:
 * until the next list is walked. */
struct rule_outcome {
    enum rule_verdict verdict;
    const struct rule *rule; /* the one that ended the list; NULL: none */
    uint16_t status;
    struct backend *backend;
    struct slice backend_name;
    struct slice server; /* of use_server; "": none */
    const struct respond *respond;
    struct field *fields; /* lines of the answer */
    unsigned field_count;
    char failure[192]; /* in words */
};

/* What actions reach beyond the messages. */
struct rule_world {
    void *context;
    /* Memory that lives as long as the request. */
    char *(*alloc)(void *context, size_t len);
    /* A line of the action `log`. */
    void (*log)(void *context, const struct rule *r, struct slice text);
};

/* Told each step, in order. */
struct rule_observer {
    struct rules_trace *trace; /* of the values seen; NULL: none */
    void (*tried)(struct rule_observer *o, const struct rule *r, bool held);
    /* An action was taken: its name, and in words what it did ("X-A: 1"). */
    void (*acted)(struct rule_observer *o, const struct rule *r, const char *action, struct slice what);
};

/* Walks the list over `s`, whose messages and variables the actions change. `o` may be NULL. */
void rules_decide(const struct rule_list *list, struct http_subject *s, const struct rule_world *w,
                  struct rule_observer *o, struct rule_outcome *out);

static inline bool rules_any(const struct rule_list *list)
{
    return list->rules.count > 0;
}

enum { RULE_NOT_TOLD_SIZE = 48 };
/* May the log tell of a failure of that rule `now` (us)? At most one line in 10 s; `not_told` is what the
 * line says of those that came since the one before, or "". */
bool rule_may_tell(const struct rule *r, uint64_t now, char not_told[static RULE_NOT_TOLD_SIZE]);

/* NULL: none of that name. */
struct backend *rule_backend_find(const struct rule_backends *backends, struct slice name);

/* The rows of a rule, by where it stands. */
extern const struct conf_table rule_frontend_request_table, rule_backend_request_table, rule_response_table,
    rule_connection_table;

/* The manual's tables of actions, variables and functions, in Markdown, from the rows. */
void rule_reference_print(struct text *out);

#endif
