/*
 * action_response.c: the response's start line: set_status.
 */
#include <string.h>

#include "http/action.h"
#include "http/status.h"

/* Responses with these have no body, and no other status may be made one of them. */
static bool is_bodiless(int64_t status)
{
    return status == 204 || status == 205 || status == 304;
}

static const char *why_not(int64_t status)
{
    if (status < 200 || status > 599)
        return "it must be between 200 and 599";
    return is_bodiless(status) ? "a response with it has no body" : NULL;
}

static void compile_status(struct rule_compiling *c, struct action *a)
{
    a->expression = rule_compile(c, a->node, RULES_INT);
    const struct rules_value *constant = a->expression ? rules_constant(a->expression) : NULL;
    const char *why = constant ? why_not(constant->number) : NULL;
    if (why)
        conf_error(c->load, a->node, why, "set_status can't be %lld", (long long)constant->number);
}

/* What had no body by its status has an empty one now, and says so. */
static void give_empty_body(struct rule_run *run, struct message *m)
{
    static const struct action_pair length = {.name = {"Content-Length", 14}, .id = FIELD_CONTENT_LENGTH};
    if (m->body != BODY_NONE || run->subject->request->head_method)
        return;
    message_drop(m, FIELD_CONTENT_LENGTH);
    if (m->count < MESSAGE_FIELDS_MAX + MESSAGE_FIELDS_OF_RULES)
        m->fields[m->count++] = rule_field(run, &length, SLICE("0"));
    else
        rule_fail(run, "no room for the field Content-Length");
}

static void run_status(struct rule_run *run, const struct action *a)
{
    struct message *m = run->subject->response;
    struct rules_value v;
    if (!rule_value(run, a->expression, &v))
        return;
    if (v.number == m->status)
        return;
    const char *why = m->status == 101 ? "the protocol is switched" : why_not(v.number);
    if (why) {
        rule_fail(run, "set_status can't make %lld of %u: %s", (long long)v.number, m->status, why);
        return;
    }
    if (is_bodiless(m->status))
        give_empty_body(run, m);
    m->status = (uint16_t)v.number;
    m->reason = slice_of(status_phrase(m->status));
    m->raw_line = (struct slice){NULL, 0};
    rules_forget(run->values);
    rule_acted(run, a, m->reason);
}

const struct action_kind action_set_status = {.type = {"expression", action_set},
                                              .read = action_read_expression,
                                              .compile = compile_status,
                                              .run = run_status};
