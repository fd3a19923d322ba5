/*
 * share.c: what the expressions of a scope have in common.
 *
 * A variable has a slot from its first sight, a call from its second one on:
 * a slot for each call of a long list of conditions would be slots for what
 * is never asked twice. Then the program in which it was first is made anew.
 */
#include "rules/scope.h"

static bool is_shareable(const struct node *n)
{
    return (n->kind == NODE_VARIABLE || n->kind == NODE_CALL) && n->pure && !n->constant;
}

struct shared *scope_find(struct rules_scope *s, const struct node *n)
{
    struct text key = {0};
    tree_print(n, &key);
    struct shared *found = hashmap_find(&s->shared, (struct slice){key.data, key.len});
    text_free(&key);
    return found;
}

static struct shared *add(struct rules_scope *s, struct rules_expression *e, struct node *n,
                          struct shared *parent)
{
    struct text key = {0};
    struct shared *new = ARENA_NEW(s->arena, struct shared);
    *new = (struct shared){n, e, parent, NO_SLOT};
    tree_print(n, &key);
    hashmap_add(&s->shared, (struct slice){key.data, key.len}, new);
    text_free(&key);
    return new;
}

static void give_slot(struct rules_scope *s, struct shared *shared)
{
    const struct node *n = shared->node;
    if (s->slot_count == RULES_CACHED_MAX)
        return;
    shared->slot = s->slot_count++;
    s->slots[shared->slot] = (struct slot){n->type, n->variable, NULL};
    if (n->kind == NODE_VARIABLE)
        return;
    s->slots[shared->slot].program = program_make(s, n, false, true);
    /* It stood in the program of the call around it that has a slot, or in that of its expression. */
    const struct shared *around = shared->parent;
    while (around && around->slot == NO_SLOT)
        around = around->parent;
    if (around)
        s->slots[around->slot].program = program_make(s, around->node, false, true);
    else if (shared->owner->program)
        shared->owner->program = program_make(s, shared->owner->tree, false, false);
}

static void share(struct rules_scope *s, struct rules_expression *e, struct node *n, struct shared *parent)
{
    if (n->constant)
        return;
    if (is_shareable(n)) {
        n->shared = scope_find(s, n);
        if (n->shared) {
            if (n->shared->slot == NO_SLOT)
                give_slot(s, n->shared);
            return;
        }
        n->shared = parent = add(s, e, n, parent);
        if (n->kind == NODE_VARIABLE)
            give_slot(s, n->shared);
    }
    for (uint32_t i = 0; i < n->count; i++)
        share(s, e, n->children[i], parent);
}

void scope_share(struct rules_scope *s, struct rules_expression *e)
{
    share(s, e, e->tree, NULL);
}
