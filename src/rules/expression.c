/*
 * expression.c: from the scalar of a configuration to an expression.
 */
#include "rules/check.h"
#include "rules/parser.h"

static void forget_shared(void *shared)
{
    hashmap_free(shared);
}

struct rules_scope *rules_scope_new(struct arena *a, const struct rules_language *language,
                                    enum rules_stage stage)
{
    struct rules_scope *s = ARENA_NEW(a, struct rules_scope);
    s->arena = a;
    s->language = language;
    s->stage = stage;
    arena_on_free(a, forget_shared, &s->shared);
    return s;
}

static void report(struct conf_load *l, const struct conf_node *node, const struct fault *f)
{
    struct conf_place place = conf_node_place(node, f->at, f->len);
    conf_report_add(&l->report, CONF_ERROR, &place, f->hint, "%s", f->error.text);
}

static struct node *make_tree(struct checker *c, enum rules_type want)
{
    struct node *tree = tree_parse(c->scope->arena, c->source, c->fault);
    if (!tree || !check_tree(c, tree, want))
        return NULL;
    if (program_stack(tree) <= RULES_STACK)
        return tree;
    check_fail(c, tree, "parts of it can be a set_var", "this expression has too many parts in each other");
    return NULL;
}

const struct rules_expression *rules_compile(struct rules_scope *s, struct conf_load *l,
                                             const struct conf_node *node, enum rules_type want)
{
    struct fault fault;
    if (node->kind != CONF_SCALAR) {
        conf_error(l, node, NULL, "an expression is wanted here, not a %s",
                   node->kind == CONF_LIST ? "list" : "map");
        return NULL;
    }
    size_t len = strlen(node->text);
    struct checker c = {s, l, {arena_copy(s->arena, node->text, len), len}, &fault};
    struct node *tree = make_tree(&c, want);
    if (!tree) {
        report(l, node, &fault);
        return NULL;
    }
    struct rules_expression *e = ARENA_NEW(s->arena, struct rules_expression);
    e->scope = s;
    e->tree = tree;
    e->source = c.source;
    scope_share(s, e);
    e->program = program_make(s, tree, false, false);
    return e;
}

enum rules_type rules_type_of(const struct rules_expression *e)
{
    return e->tree->type;
}

const struct rules_value *rules_constant(const struct rules_expression *e)
{
    return e->tree->constant;
}

struct slice rules_source(const struct rules_expression *e)
{
    return e->source;
}

void rules_print(const struct rules_expression *e, struct text *out)
{
    tree_print(e->tree, out);
}

static bool mentions(const struct node *n, struct slice name)
{
    if ((n->kind == NODE_VARIABLE || n->kind == NODE_CALL) && slice_equal(n->text, name))
        return true;
    for (uint32_t i = 0; i < n->count; i++)
        if (mentions(n->children[i], name))
            return true;
    return false;
}

bool rules_mentions(const struct rules_expression *e, const char *name)
{
    return mentions(e->tree, slice_of(name));
}

static bool is_call(const struct node *n, struct slice function, struct slice argument)
{
    return n->kind == NODE_CALL && slice_equal(n->text, function) && n->count &&
           n->children[0]->kind == NODE_STRING && slice_equal_nocase(n->children[0]->text, argument);
}

static bool calls(const struct node *n, struct slice function, struct slice argument)
{
    if (is_call(n, function, argument))
        return true;
    for (uint32_t i = 0; i < n->count; i++)
        if (calls(n->children[i], function, argument))
            return true;
    return false;
}

bool rules_calls(const struct rules_expression *e, const char *function, const char *argument)
{
    return calls(e->tree, slice_of(function), slice_of(argument));
}

/* The child from which on they become part of the value. */
static uint32_t first_passed_on(const struct node *n)
{
    if (n->kind == NODE_CHOICE)
        return 1;
    return n->kind == NODE_CALL && slice_equal(n->text, SLICE("map")) ? 2 : 0;
}

static bool passes_on(const struct node *n, struct slice name, const char *argument)
{
    if (n->type != RULES_STRING)
        return false;
    if (argument ? is_call(n, name, slice_of(argument))
                 : n->kind == NODE_VARIABLE && slice_equal(n->text, name))
        return true;
    for (uint32_t i = first_passed_on(n); i < n->count; i++)
        if (passes_on(n->children[i], name, argument))
            return true;
    return false;
}

bool rules_passes_on(const struct rules_expression *e, const char *name, const char *argument)
{
    return passes_on(e->tree, slice_of(name), argument);
}
