/*
 * rule_conf.c: the rows of a rule: its name, its condition, and one row an
 * action.
 */
#include <string.h>

#include "http/action.h"
#include "http/action_respond.h"

static int set_when(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                    void *field, struct error *err)
{
    (void)l;
    if (!conf_read_scalar(key, node, "an expression", err))
        return -1;
    *(const struct conf_node **)field = node;
    return 0;
}

static const struct conf_type type_condition = {.name = "condition", .set = set_when};

static const struct conf_choice codes[] = {
    {"301", 301, "moved permanently"},
    {"302", 302, "found"},
    {"303", 303, "see other: asked for with GET"},
    {"307", 307, "temporary redirect: asked for with the same method"},
    {"308", 308, "permanent redirect: asked for with the same method"},
    {0},
};

int action_set(struct conf_load *l, const struct conf_key *key, const struct conf_node *node, void *field,
               struct error *err)
{
    struct rule *r = CONTAINER_OF(field, struct rule, actions);
    struct action *a = ARENA_NEW(&l->arena, struct action);
    a->kind = CONTAINER_OF(key->type, const struct action_kind, type);
    a->name = key->name;
    a->node = node;
    if (a->kind->read(l, key, node, a, err) < 0)
        return -1;
    a->next = r->actions;
    r->actions = a;
    return 0;
}

/* ---- the rows ---- */

#define FIELD(name) offsetof(struct rule, name)

#define ROW_NAME                                                                                             \
    {                                                                                                        \
        "name", &conf_type_string, FIELD(name), CONF_NAME, NULL,                                             \
            "What logs call it; the file and line when absent.", .example = "to-https"                       \
    }
#define ROW_WHEN(example_)                                                                                   \
    {                                                                                                        \
        "when", &type_condition, FIELD(when_node), 0, NULL,                                                  \
            "The condition, an expression that is true or false; always true when absent.",                  \
            .example = example_                                                                              \
    }
#define ROW_CODE                                                                                             \
    {                                                                                                        \
        "code", &conf_type_choice, FIELD(code), 0, NULL, "The status of `redirect`; 302 when absent.",       \
            .choices = codes, .example = "301"                                                               \
    }
#define ROW_RESPOND                                                                                          \
    {                                                                                                        \
        "respond", &action_respond.type, FIELD(actions), 0, NULL, "Answers the request; ends the list.",     \
            .table = &respond_table, .example = "{ status: 200, body: hello }"                               \
    }
#define ACTION(name_, example_, doc_)                                                                        \
    {                                                                                                        \
#name_, &action_##name_.type, FIELD(actions), 0, NULL, doc_, .example = example_                     \
    }

/* Rows that several tables share. */
#define ROW_REDIRECT                                                                                         \
    ACTION(redirect, "\"sprintf('https://%s%s', host, uri)\"",                                               \
           "Sends the client to another address, an expression; ends the list.")
#define ROW_DENY        ACTION(deny, "403", "Refuses the request with that status and its page; ends the list.")
#define ROW_ALLOW(what) ACTION(allow, "true", what)
#define ROW_SET_HEADER                                                                                       \
    ACTION(set_header, "{ X-Client: src }",                                                                  \
           "Header fields, each with an expression for its value; what has the name already is replaced.")
#define ROW_ADD_HEADER                                                                                       \
    ACTION(add_header, "{ Via: \"'1.1 noxy'\" }",                                                            \
           "Header fields, each with an expression for its value, beside those that are there.")
#define ROW_DEL_HEADER                                                                                       \
    ACTION(                                                                                                  \
        del_header, "[ X-Debug, X-Internal-* ]",                                                             \
        "The name of a header field to remove, or a list of them; with a * at its end all that begin so.")
#define ROW_SET_VAR                                                                                          \
    ACTION(set_var, "{ tier: \"'gold'\" }",                                                                  \
           "Variables of this request, each with an expression for its value; `var('NAME')` reads them.")
#define ROW_LOG                                                                                              \
    ACTION(log, "\"sprintf('%s asks for %s', src, path)\"",                                                  \
           "An expression that is written to the log, at level info.")
#define ROW_USE_SERVER                                                                                       \
    ACTION(use_server, "web1",                                                                               \
           "The server that gets the request if it is eligible and has room, its name or an expression; "    \
           "else the balancer chooses.")

#define ROWS_OF_REQUESTS                                                                                     \
    ROW_NAME, ROW_WHEN("\"path =~ '^/api/'\""), ROW_REDIRECT, ROW_CODE, ROW_RESPOND, ROW_DENY,               \
        ROW_ALLOW("Ends the list: the request goes on."), ROW_USE_SERVER, ROW_SET_HEADER, ROW_ADD_HEADER,    \
        ROW_DEL_HEADER,                                                                                      \
        ACTION(set_path, "\"regsub(path, '^/app(/|$)', '/')\"",                                              \
               "The path that the server is asked for, an expression; the query stays."),                    \
        ACTION(set_query, "\"'lang=en'\"",                                                                   \
               "The query that the server is asked for, an expression, with or without its ?; the empty "    \
               "string: none."),                                                                             \
        ACTION(set_method, "\"'POST'\"",                                                                     \
               "The method that the server is asked with, an expression; HEAD can't be changed, nor made."), \
        ROW_SET_VAR, ROW_LOG

static const struct conf_key frontend_request_keys[] = {
    ROWS_OF_REQUESTS,
    ACTION(use_backend, "api",
           "The backend that serves the request, its name or an expression that gives one; ends the list."),
    {0},
};

static const struct conf_key backend_request_keys[] = {ROWS_OF_REQUESTS, {0}};

static const struct conf_key response_keys[] = {
    ROW_NAME,
    ROW_WHEN("\"status >= 500\""),
    ROW_SET_HEADER,
    ROW_ADD_HEADER,
    ROW_DEL_HEADER,
    ACTION(set_status, "404", "The response's status, an expression that gives a number."),
    ROW_SET_VAR,
    ROW_LOG,
    ROW_ALLOW("Ends the list: the response goes on."),
    {0},
};

static const struct conf_key connection_keys[] = {
    ROW_NAME,
    ROW_WHEN("\"in_net(src, '10.0.0.0/8')\""),
    ACTION(
        use_backend, "db",
        "The backend that serves the connection, its name or an expression that gives one; ends the list."),
    ACTION(reject, "true", "Closes the connection; ends the list."),
    ROW_ALLOW("Ends the list: the connection goes on."),
    {0},
};

/* ---- checks ---- */

/* The actions in the order in which they are written, the one that ends the list last. */
static void order_actions(struct conf_load *l, struct rule *r, const struct conf_node *node)
{
    struct action *ordered = NULL, **end = &ordered, *last = NULL;
    CONF_NODE_FOREACH (child, node) {
        struct action **a = &r->actions;
        while (*a && (*a)->node != child)
            a = &(*a)->next;
        struct action *found = *a;
        if (!found)
            continue;
        *a = found->next;
        found->next = NULL;
        if (found->kind->ends && last) {
            conf_error(l, child->key, "make two rules of it", "\"%s\" and \"%s\" both end the list",
                       last->name, found->name);
        } else if (found->kind->ends) {
            last = found;
        } else {
            *end = found;
            end = &found->next;
        }
    }
    *end = last;
    r->actions = ordered;
}

static const struct action *find_action(const struct rule *r, const struct action_kind *kind)
{
    for (const struct action *a = r->actions; a; a = a->next)
        if (a->kind == kind)
            return a;
    return NULL;
}

static void check_rule(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct rule *r = structure;
    const struct conf_node *code = conf_node_get(node, "code");
    order_actions(l, r, node);
    r->node = node;
    r->told = ARENA_NEW(&l->arena, struct rule_told);
    r->label = r->name ? r->name
                       : arena_printf(&l->arena, "%s:%u", node->place.file ? node->place.file->path : "",
                                      (unsigned)node->place.line);
    if (!r->actions)
        conf_error(l, node, "write what is to be done, for example: deny: 403", "the rule has no action");
    if (code && !find_action(r, &action_redirect))
        conf_error(l, code->key, "write the status of an answer as respond: { status: ... }, or deny: ...",
                   "\"code\" belongs to \"redirect\", and there is none");
}

static void check_frontend_rule(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct rule *r = structure;
    check_rule(l, r, node);
    const struct action *server = find_action(r, &action_use_server);
    if (server && !find_action(r, &action_use_backend))
        conf_error(l, server->node->key, "add use_backend: NAME, or move the rule to the backend",
                   "\"use_server\" needs a \"use_backend\" beside it in a frontend");
}

#define TABLE(doc_, keys_, check_)                                                                           \
    {                                                                                                        \
        .doc = doc_, .keys = keys_, .size = sizeof(struct rule), .check = check_                             \
    }

const struct conf_table rule_frontend_request_table = TABLE(
    "A condition on requests and what is done when it holds.", frontend_request_keys, check_frontend_rule);
const struct conf_table rule_backend_request_table =
    TABLE("A condition on requests and what is done when it holds.", backend_request_keys, check_rule);
const struct conf_table rule_response_table =
    TABLE("A condition on responses and what is done when it holds.", response_keys, check_rule);
const struct conf_table rule_connection_table =
    TABLE("A condition on connections and what is done when it holds.", connection_keys, check_rule);
