/*
 * fold.c: what of an expression is the same in every run, worked out when it
 * is compiled, by the evaluator itself.
 */
#include "base/memory.h"
#include "rules/check.h"

static bool is_known(const struct node *n)
{
    for (uint32_t i = 0; i < n->count; i++)
        if (!n->children[i]->constant)
            return false;
    return n->pure;
}

/* A call may look into the message, unless it may stand where there is none. */
static bool is_foldable(const struct node *n)
{
    if (n->kind == NODE_CALL)
        return n->function->stages == RULES_ANYWHERE && n->function->result != RULES_ANY &&
               n->type != RULES_LIST && is_known(n);
    return n->count && is_known(n);
}

/* "a && false": what decides a chain alone; or what it is when all of it is known; or NULL. */
static const struct rules_value *deciding(const struct node *n)
{
    bool decides = n->kind == NODE_OR;
    uint32_t known = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        const struct rules_value *v = n->children[i]->constant;
        if (v && v->boolean == decides)
            return v;
        known += v != NULL;
    }
    return known == n->count ? n->children[0]->constant : NULL;
}

static bool work_out(struct checker *c, struct node *n)
{
    struct arena *a = c->scope->arena;
    struct rules_run *run = memory_zalloc(sizeof *run);
    struct rules_value *v = ARENA_NEW(a, struct rules_value);
    rules_begin(run, c->scope, NULL, NULL);
    bool truth = program_run(c->scope, program_make(c->scope, n, false, false), run, run->stack);
    bool good = !rules_failed(run);
    if (!good)
        check_fail(c, n, NULL, "%s", run->failure);
    else if (n->type == RULES_BOOL)
        v->boolean = truth;
    else
        *v = run->stack[0];
    if (good && n->type == RULES_STRING)
        v->string.ptr = arena_copy(a, v->string.ptr, v->string.len);
    n->constant = v;
    free(run);
    return good;
}

bool check_fold(struct checker *c, struct node *n)
{
    if (n->kind == NODE_OR || n->kind == NODE_AND) {
        n->constant = deciding(n);
        return true;
    }
    if (n->kind == NODE_CHOICE && n->children[0]->constant) {
        n->constant = n->children[n->children[0]->constant->boolean ? 1 : 2]->constant;
        return true;
    }
    return !is_foldable(n) || work_out(c, n);
}
