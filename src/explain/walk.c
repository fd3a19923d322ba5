/*
 * walk.c: a list of rules, walked as for a request, with all that was seen on
 * the way.
 */
#include "explain/parts.h"
#include "http/action.h"

enum { SHOWN_MAX = 512 }; /* bytes of a value or of what an action did */

struct walk {
    struct rule_observer observer;
    struct rules_trace trace;
    const struct rule *rule; /* the one tried last */
    json_t *rules, *current;
    json_t *seen; /* values that belong to what is told next; owned */
};

static struct slice cut(struct slice s)
{
    return (struct slice){s.ptr, MIN(s.len, SHOWN_MAX)};
}

static json_t *value_json(enum rules_type type, const struct rules_value *v)
{
    json_t *list;
    switch (type) {
    case RULES_INT:
        return json_integer(v->number);
    case RULES_BOOL:
        return json_boolean(v->boolean);
    case RULES_IP:
        return part_ip(v->ip);
    case RULES_LIST:
        list = json_array();
        for (uint32_t i = 0; v->list && i < v->list->count; i++)
            json_array_append_new(list, value_json(v->list->of, &v->list->items[i]));
        return list;
    default:
        return part_string(cut(v->string));
    }
}

static void seen(struct rules_trace *t, const char *what, enum rules_type type,
                 const struct rules_value *value)
{
    struct walk *w = CONTAINER_OF(t, struct walk, trace);
    json_t *o = json_object();
    part_set(o, "what", part_text(what));
    part_set(o, "type", json_string(rules_type_name(type)));
    part_set(o, "value", value_json(type, value));
    json_array_append_new(w->seen, o);
}

/* What was seen since the last call, without the whole of `e` itself. */
static json_t *take_seen(struct walk *w, const struct rules_expression *e)
{
    json_t *values = w->seen;
    struct text whole = {0};
    size_t last = json_array_size(values);
    w->seen = json_array();
    if (e)
        rules_print(e, &whole);
    const char *what =
        last ? json_string_value(json_object_get(json_array_get(values, last - 1), "what")) : "";
    if (e && strcmp(what, text_str(&whole)) == 0)
        json_array_remove(values, last - 1);
    text_free(&whole);
    return values;
}

static void begin_rule(struct walk *w, const struct rule *r, bool reached, json_t *held)
{
    const struct conf_place *at = &r->node->place;
    json_t *o = json_object();
    part_set(o, "rule", part_text(r->label));
    part_set(o, "place", part_printf("%s:%u", at->file ? at->file->path : "", (unsigned)at->line));
    part_set(o, "when", r->when ? part_string(rules_source(r->when)) : json_null());
    part_set(o, "reached", json_boolean(reached));
    part_set(o, "held", held);
    part_set(o, "values", take_seen(w, r->when));
    part_set(o, "actions", json_array());
    json_array_append_new(w->rules, o);
    w->rule = r;
    w->current = o;
}

static void tried(struct rule_observer *o, const struct rule *r, bool held)
{
    begin_rule(CONTAINER_OF(o, struct walk, observer), r, true, json_boolean(held));
}

static void acted(struct rule_observer *o, const struct rule *r, const char *action, struct slice what)
{
    struct walk *w = CONTAINER_OF(o, struct walk, observer);
    json_t *a = json_object();
    (void)r;
    part_set(a, "action", json_string(action));
    part_set(a, "what", part_string(cut(what)));
    part_set(a, "values", take_seen(w, NULL));
    json_array_append_new(json_object_get(w->current, "actions"), a);
}

/* The rule that failed: in its condition, or in an action. */
static void tell_failure(struct walk *w, const struct rule_outcome *out)
{
    if (out->rule != w->rule)
        begin_rule(w, out->rule, true, json_null());
    part_set(w->current, "failure", part_text(out->failure));
}

static char *alloc(void *context, size_t len)
{
    return arena_alloc(context, len);
}

/* A line of the action `log` is told as an action, and not written. */
static void say(void *context, const struct rule *r, struct slice text)
{
    (void)context, (void)r, (void)text;
}

json_t *walk_list(const struct rule_list *list, const char *key, const char *kind, const char *name,
                  struct http_subject *s, struct arena *a, struct rule_outcome *out)
{
    const struct rule_world world = {.context = a, .alloc = alloc, .log = say};
    struct walk w = {.observer = {.tried = tried, .acted = acted},
                     .trace = {.seen = seen},
                     .rules = json_array(),
                     .seen = json_array()};
    w.observer.trace = &w.trace;
    rules_decide(list, s, &world, &w.observer, out);
    if (out->verdict == VERDICT_FAILED)
        tell_failure(&w, out);
    for (uint32_t i = (uint32_t)json_array_size(w.rules); i < list->rules.count; i++)
        begin_rule(&w, list->rules.items[i], false, json_null());
    json_decref(w.seen);
    json_t *o = json_object();
    part_set(o, "list", json_string(key));
    part_set(o, "of", json_string(kind));
    part_set(o, "name", part_text(name));
    part_set(o, "rules", w.rules);
    return o;
}
