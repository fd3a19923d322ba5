/*
 * rule_warn.c: what is allowed in a list of rules and yet can hardly be meant.
 */
#include "conf/report.h"
#include "http/action.h"

static bool always_holds(const struct rule *r)
{
    const struct rules_value *constant = r->when ? rules_constant(r->when) : NULL;
    return !r->when || (constant && constant->boolean);
}

static void warn_of_constant(struct conf_load *l, const struct rule *r)
{
    const struct rules_value *constant = r->when ? rules_constant(r->when) : NULL;
    if (constant && constant->boolean)
        conf_warning(l, r->when_node, "remove \"when\"", "this condition always holds");
    else if (constant)
        conf_warning(l, r->when_node, "remove the rule", "this condition never holds");
}

static bool ends(const struct rule *r)
{
    for (const struct action *a = r->actions; a; a = a->next)
        if (a->kind->ends)
            return true;
    return false;
}

static bool has(const struct rule *r, const struct action_kind *kind)
{
    for (const struct action *a = r->actions; a; a = a->next)
        if (a->kind == kind)
            return true;
    return false;
}

/* Where a rule stands, told at `here`: "line 5", or "FILE:5" of another file. */
static const char *place_of(struct conf_load *l, const struct rule *r, const struct conf_node *here)
{
    const struct conf_place *at = &r->node->place;
    if (at->file == here->place.file)
        return arena_printf(&l->arena, "line %u", (unsigned)at->line);
    return arena_printf(&l->arena, "%s:%u", at->file ? at->file->path : "", (unsigned)at->line);
}

/* ---- what is never reached ---- */

static void warn_of_unreached(struct conf_load *l, const struct rule_list *list,
                              const struct conf_node *use_backend)
{
    bool may_go_on = false; /* by an `allow`, to use_backend */
    uint32_t i = 0;
    const struct rule *r = NULL;
    for (; i < list->rules.count; i++) {
        r = list->rules.items[i];
        const struct rules_value *constant = r->when ? rules_constant(r->when) : NULL;
        may_go_on = may_go_on || (has(r, &action_allow) && !(constant && !constant->boolean));
        if (always_holds(r) && ends(r))
            break;
    }
    if (i == list->rules.count)
        return;
    if (i + 1 < list->rules.count) {
        const struct rule *next = list->rules.items[i + 1];
        conf_warning(l, next->node, "move it before that one, or give that one a condition",
                     "nothing reaches this rule: the one at %s always ends the list",
                     place_of(l, r, next->node));
    }
    if (use_backend && !may_go_on)
        conf_warning(l, use_backend->key, "remove it, or give that rule a condition",
                     "nothing reaches this use_backend: the rule at %s always ends the list before it",
                     place_of(l, r, use_backend));
}

/* ---- redirects to what the client says ---- */

/* The client's Host is looked at. */
static bool looks_at_host(const struct rules_expression *e)
{
    return rules_mentions(e, "host") || rules_mentions(e, "authority") || rules_calls(e, "header", "host");
}

static bool passes_host_on(const struct rules_expression *e)
{
    return rules_passes_on(e, "host", NULL) || rules_passes_on(e, "authority", NULL) ||
           rules_passes_on(e, "header", "host");
}

/*
 * A condition on the host, of the rule itself or of an earlier one that ends the list, is taken for a check:
 * which hosts it means is the operator's to know.
 */
static void warn_of_hosts(struct conf_load *l, const struct rule_list *list)
{
    bool checked = false;
    for (uint32_t i = 0; i < list->rules.count && !checked; i++) {
        const struct rule *r = list->rules.items[i];
        bool looks = r->when && looks_at_host(r->when);
        for (const struct action *a = r->actions; a && !looks; a = a->next)
            if (a->kind == &action_redirect && passes_host_on(a->expression))
                conf_warning(l, a->node,
                             "name the hosts that are yours in a condition: when: \"... && host in "
                             "('www.example.org', 'example.org')\"",
                             "this redirect leads to whatever host the client names");
        checked = looks && ends(r);
    }
}

void rule_list_warn(struct conf_load *l, const struct rule_list *list, const struct conf_node *use_backend)
{
    if (l->report.errors)
        return;
    for (uint32_t i = 0; i < list->rules.count; i++)
        warn_of_constant(l, list->rules.items[i]);
    warn_of_unreached(l, list, use_backend);
    warn_of_hosts(l, list);
}
