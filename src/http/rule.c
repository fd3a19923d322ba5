#include "http/rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http/action.h"
#include "upstream/backend.h"

enum { TELL_AGAIN_US = 10000000 };

/* ---- what actions ask for ---- */

void rule_fail(struct rule_run *run, const char *fmt, ...)
{
    struct rule_outcome *out = run->out;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(out->failure, sizeof out->failure, fmt, ap);
    va_end(ap);
    rule_end(run, VERDICT_FAILED);
}

void rule_end(struct rule_run *run, enum rule_verdict verdict)
{
    run->out->verdict = verdict;
    run->out->rule = run->rule;
}

char *rule_alloc(struct rule_run *run, size_t len)
{
    return run->world->alloc(run->world->context, len);
}

/* An expression of an action may match something itself, which concerns no other, nor what rules_forget()
 * spares. */
static void restore_captures(struct rule_run *run)
{
    if (UNLIKELY(run->captured))
        memcpy(run->values->captures, run->captures, sizeof run->captures);
    else if (UNLIKELY(run->values->captures[0].ptr != run->no_capture))
        rules_forget_captures(run->values);
}

bool rule_value(struct rule_run *run, const struct rules_expression *e, struct rules_value *out)
{
    rules_value(e, run->values, out);
    restore_captures(run);
    if (LIKELY(!rules_failed(run->values)))
        return true;
    rule_fail(run, "%s", run->values->failure);
    return false;
}

bool rule_text(struct rule_run *run, const struct rules_expression *e, struct slice *out)
{
    struct rules_value v;
    if (!rule_value(run, e, &v))
        return false;
    *out = v.string;
    if (rules_type_of(e) != RULES_STRING)
        *out = rules_print_value(run->values, rules_type_of(e), &v);
    if (LIKELY(!rules_failed(run->values)))
        return true;
    rule_fail(run, "%s", run->values->failure);
    return false;
}

void rule_acted(struct rule_run *run, const struct action *a, struct slice what)
{
    if (UNLIKELY(run->observer != NULL))
        run->observer->acted(run->observer, run->rule, a->name, what);
}

void rule_acted_pair(struct rule_run *run, const struct action *a, struct slice name, struct slice value)
{
    char text[512];
    if (LIKELY(!run->observer))
        return;
    int len = snprintf(text, sizeof text, "%.*s: %.*s", SLICE_ARG(name), SLICE_ARG(value));
    rule_acted(run, a, (struct slice){text, MIN((size_t)MAX(len, 0), sizeof text - 1)});
}

/* ---- walking a list ---- */

static bool holds(struct rule_run *run, const struct rule *r)
{
    bool held = !r->when || rules_true(r->when, run->values);
    if (UNLIKELY(rules_failed(run->values))) {
        rule_fail(run, "%s", run->values->failure);
        return false;
    }
    if (UNLIKELY(run->observer != NULL))
        run->observer->tried(run->observer, r, held);
    return held;
}

/* A server's name is looked at when the list is over: what it was made in may be used for others by then. */
static void keep_server(struct rule_run *run)
{
    struct slice *name = &run->out->server;
    if (name->len > 0)
        name->ptr = memcpy(rule_alloc(run, name->len), name->ptr, name->len);
}

static void act(struct rule_run *run, const struct rule *r)
{
    run->captured = run->values->captures[0].ptr != run->no_capture;
    if (UNLIKELY(run->captured))
        memcpy(run->captures, run->values->captures, sizeof run->captures);
    for (const struct action *a = r->actions; a && run->out->verdict == VERDICT_NONE; a = a->next) {
        const char *server = run->out->server.ptr;
        a->kind->run(run, a);
        if (run->out->server.ptr != server && a->word.len == 0)
            keep_server(run);
        rules_relieve(run->values);
    }
}

void rules_decide(const struct rule_list *list, struct http_subject *s, const struct rule_world *w,
                  struct rule_observer *o, struct rule_outcome *out)
{
    static struct rules_run values; /* large; one list is walked at a time */
    struct rule_run run = {
        .values = &values, .list = list, .subject = s, .world = w, .observer = o, .out = out};
    run.message = s->response ? s->response : s->request;
    memset(out, 0, offsetof(struct rule_outcome, failure));
    out->failure[0] = '\0';
    rules_begin(&values, list->scope, s, o ? o->trace : NULL);
    run.no_capture = values.captures[0].ptr;
    const struct rules_index *index = o ? NULL : list->index; /* who observes is told each */
    for (uint32_t i = 0; out->verdict == VERDICT_NONE; i++) {
        i = index ? rules_index_next(index, &values, i) : i;
        if (i >= list->rules.count)
            break;
        const struct rule *r = list->rules.items[i];
        run.rule = r;
        if (holds(&run, r))
            act(&run, r);
        if (UNLIKELY(values.captures[0].ptr != run.no_capture)) /* most rules make none */
            rules_forget_captures(&values);
        rules_relieve(&values);
    }
}

bool rule_may_tell(const struct rule *r, uint64_t now, char not_told[static RULE_NOT_TOLD_SIZE])
{
    struct rule_told *t = r->told;
    if (t->at && now - t->at < TELL_AGAIN_US) {
        t->not_told++;
        return false;
    }
    not_told[0] = '\0';
    if (t->not_told)
        snprintf(not_told, RULE_NOT_TOLD_SIZE, " (%llu more were not told)", (unsigned long long)t->not_told);
    *t = (struct rule_told){.at = now};
    return true;
}

struct backend *rule_backend_find(const struct rule_backends *backends, struct slice name)
{
    uint32_t low = 0, high = backends->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct backend *b = backends->items[middle];
        struct slice its = slice_of(b->name);
        int order = memcmp(name.ptr, its.ptr, MIN(name.len, its.len));
        if (order == 0 && name.len == its.len)
            return b;
        if (order < 0 || (order == 0 && name.len < its.len))
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
