/*
 * action_request.c: the request's start line: set_path, set_query,
 * set_method.
 */
#include <string.h>

#include "http/action.h"
#include "http/chars.h"

enum { METHOD_MAX_LEN = 32 };

static char *put(char *at, struct slice s)
{
    if (s.len)
        memcpy(at, s.ptr, s.len);
    return at + s.len;
}

/* The path without its query, and the query with its question mark. */
static void split(struct slice target, struct slice *path, struct slice *query)
{
    const char *mark = target.len ? memchr(target.ptr, '?', target.len) : NULL;
    size_t len = mark ? (size_t)(mark - target.ptr) : target.len;
    *path = (struct slice){target.ptr, len};
    *query = (struct slice){target.ptr + len, target.len - len};
}

static void set_target(struct rule_run *run, struct slice path, struct slice query)
{
    struct message *m = run->subject->request;
    char *bytes = rule_alloc(run, path.len + query.len);
    put(put(bytes, path), query);
    m->path = (struct slice){bytes, path.len + query.len};
    m->raw_line = (struct slice){NULL, 0};
    rules_forget(run->values);
}

static int check_target(struct slice what, struct slice text, struct error *err)
{
    char shown[ACTION_SHOWN_SIZE];
    if (text.len > ACTION_TEXT_MAX)
        return error_set(err, "%.*s: longer than %d bytes", SLICE_ARG(what), ACTION_TEXT_MAX);
    if (!chars_all(text, CHAR_TARGET))
        return error_set(err, "%.*s: \"%s\" can't stand in a request line", SLICE_ARG(what),
                         action_show(text, shown));
    return 0;
}

static int check_path(struct slice what, struct slice text, struct error *err)
{
    char shown[ACTION_SHOWN_SIZE];
    if (check_target(what, text, err) < 0)
        return -1;
    if (text.len == 0 || text.ptr[0] != '/' || memchr(text.ptr, '?', text.len))
        return error_set(err, "%.*s: \"%s\" must begin with / and be without a ?", SLICE_ARG(what),
                         action_show(text, shown));
    return 0;
}

static void compile_path(struct rule_compiling *c, struct action *a)
{
    action_compile_expression(c, a);
    action_check_constant(c, a->node, a->expression, slice_of(a->name), check_path);
}

static void compile_query(struct rule_compiling *c, struct action *a)
{
    action_compile_expression(c, a);
    action_check_constant(c, a->node, a->expression, slice_of(a->name), check_target);
}

static void run_path(struct rule_run *run, const struct action *a)
{
    struct slice path, old, query;
    if (!rule_checked_text(run, a->expression, slice_of(a->name), check_path, &path))
        return;
    split(run->subject->request->path, &old, &query);
    set_target(run, path, query);
    rule_acted(run, a, path);
}

/* "a=b" and "?a=b" mean the same; the empty query takes the question mark away. */
static void run_query(struct rule_run *run, const struct action *a)
{
    struct slice query, path, old, mark = SLICE("?");
    if (!rule_checked_text(run, a->expression, slice_of(a->name), check_target, &query))
        return;
    split(run->subject->request->path, &path, &old);
    if (query.len && query.ptr[0] == '?') {
        query.ptr++;
        query.len--;
    }
    if (query.len == 0)
        mark.len = 0;
    char *bytes = rule_alloc(run, mark.len + query.len);
    put(put(bytes, mark), query);
    set_target(run, path, (struct slice){bytes, mark.len + query.len});
    rule_acted(run, a, query);
}

const struct action_kind action_set_path = {.type = {"expression", action_set},
                                            .read = action_read_expression,
                                            .compile = compile_path,
                                            .run = run_path};
const struct action_kind action_set_query = {.type = {"expression", action_set},
                                             .read = action_read_expression,
                                             .compile = compile_query,
                                             .run = run_query};

/* ---- set_method ---- */

/* Methods that change what a message looks like: how long the response's body is (HEAD), what becomes of the
 * connection (CONNECT), what may be sent (TRACE). NULL: it is none of them. */
static const char *why_not(struct slice method)
{
    if (method.len == 0 || method.len > METHOD_MAX_LEN || !chars_all(method, CHAR_TOKEN))
        return "it is no method";
    if (slice_equal(method, SLICE("CONNECT")))
        return "noxy makes no tunnels by CONNECT";
    if (slice_equal(method, SLICE("TRACE")))
        return "a request made into TRACE would show the server's client what others may not see";
    if (slice_equal(method, SLICE("HEAD")))
        return "the client awaits a body, and the server would send none";
    return NULL;
}

static void compile_method(struct rule_compiling *c, struct action *a)
{
    action_compile_expression(c, a);
    const struct rules_value *constant = a->expression ? rules_constant(a->expression) : NULL;
    const char *why = constant ? why_not(constant->string) : NULL;
    char shown[ACTION_SHOWN_SIZE];
    if (why)
        conf_error(c->load, a->node, why, "set_method can't make \"%s\" of a request",
                   action_show(constant->string, shown));
}

static void run_method(struct rule_run *run, const struct action *a)
{
    struct message *m = run->subject->request;
    struct slice method;
    if (!rule_text(run, a->expression, &method) || slice_equal(method, m->method))
        return;
    const char *why =
        m->head_method ? "the client awaits no body, and the server would send one" : why_not(method);
    if (why) {
        char shown[ACTION_SHOWN_SIZE];
        rule_fail(run, "set_method can't make \"%s\" of %.*s: %s", action_show(method, shown),
                  (int)MIN(m->method.len, 40), m->method.ptr, why);
        return;
    }
    char *bytes = rule_alloc(run, method.len);
    put(bytes, method);
    m->method = (struct slice){bytes, method.len};
    m->raw_line = (struct slice){NULL, 0};
    rules_forget(run->values);
    rule_acted(run, a, method);
}

const struct action_kind action_set_method = {.type = {"expression", action_set},
                                              .read = action_read_expression,
                                              .compile = compile_method,
                                              .run = run_method};
