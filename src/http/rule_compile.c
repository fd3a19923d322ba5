#include "http/rule_compile.h"

#include <stdlib.h>
#include <string.h>

#include "base/hashmap.h"
#include "conf/report.h"
#include "http/action.h"
#include "upstream/backend.h"

/* One name in one set_var. */
struct setter {
    struct setter *next; /* in the order of the file */
    const struct action_pair *pair;
    enum rules_stage stage;
    enum { UNKNOWN, UNDER_WAY, KNOWN, BAD } state;
    enum rules_type type;
    const struct setter *wanted_by; /* UNDER_WAY: whose expression asks for it; NULL: none */
};

struct rule_compiler {
    struct conf_load *load;
    struct rules_language language;
    struct rule_backends backends;
    const char **names; /* of the backends, NULL-ended */
    struct setter *setters, **end;
    const struct setter *learning; /* whose expression is compiled to learn its type; NULL: none */
};

/* ---- variables ---- */

static enum rules_stage stage_of(enum rule_place place)
{
    static const enum rules_stage stages[] = {
        [RULES_OF_CONNECTIONS] = RULES_AT_CONNECTION,     [RULES_OF_FRONTEND_REQUESTS] = RULES_AT_REQUEST,
        [RULES_OF_BACKEND_REQUESTS] = RULES_AT_REQUEST,   [RULES_OF_FRONTEND_RESPONSES] = RULES_AT_RESPONSE,
        [RULES_OF_BACKEND_RESPONSES] = RULES_AT_RESPONSE,
    };
    return stages[place];
}

void rule_compiler_note(struct rule_compiler *c, const struct rule_list *list, enum rule_place place)
{
    for (uint32_t i = 0; i < list->rules.count; i++) {
        const struct rule *r = list->rules.items[i];
        for (const struct action *a = r->actions; a; a = a->next)
            for (unsigned p = 0; a->kind == &action_set_var && p < a->pair_count; p++) {
                struct setter *s = ARENA_NEW(&c->load->arena, struct setter);
                *s = (struct setter){.pair = &a->pairs[p], .stage = stage_of(place)};
                *c->end = s;
                c->end = &s->next;
            }
    }
}

/* An expression that sets a variable may use others: each type is found when it is first asked for. */
static bool learn_type(struct rule_compiler *c, struct setter *s)
{
    if (s->state == UNKNOWN) {
        struct rules_scope *scope = rules_scope_new(&c->load->arena, &c->language, s->stage);
        s->state = UNDER_WAY;
        s->wanted_by = c->learning;
        c->learning = s;
        const struct rules_expression *e = rules_compile(scope, c->load, s->pair->node, RULES_TYPE_COUNT);
        c->learning = s->wanted_by;
        s->state = e ? KNOWN : BAD;
        s->type = e ? rules_type_of(e) : RULES_STRING;
    }
    return s->state == KNOWN;
}

static struct setter *find_setter(struct rule_compiler *c, struct slice name)
{
    for (struct setter *s = c->setters; s; s = s->next)
        if (slice_equal(s->pair->name, name) && learn_type(c, s))
            return s;
    return NULL;
}

/* The type of a variable that is set from itself alone, by way of others perhaps, is nowhere to be found. */
static bool report_circle(struct rule_compiler *c, struct slice name)
{
    const struct setter *s = c->setters, *asks = c->learning;
    while (s && !(s->state == UNDER_WAY && slice_equal(s->pair->name, name)))
        s = s->next;
    if (!s)
        return false;
    const char *hint = "one of them must be set to something else first";
    if (asks == s)
        conf_error(c->load, s->pair->node, "set it to something else first",
                   "the variable \"%.*s\" is set from itself alone", SLICE_ARG(name));
    else
        conf_error(c->load, s->pair->node, hint, "the variables \"%.*s\" and \"%.*s\" set each other",
                   SLICE_ARG(name), SLICE_ARG(asks->pair->name));
    return true;
}

/* A circle counts as a string once it was reported, so that no second message hides what is wrong. */
static bool variable_type(void *context, struct slice name, enum rules_type *type)
{
    const struct setter *s = find_setter(context, name);
    *type = s ? s->type : RULES_STRING;
    return s || report_circle(context, name);
}

void rule_check_variable(struct rule_compiling *c, const struct action_pair *p)
{
    const struct setter *first = find_setter(c->compiler, p->name);
    enum rules_type type = p->expression ? rules_type_of(p->expression) : RULES_STRING;
    if (!first || !p->expression || type == first->type)
        return;
    conf_error(c->load, p->node, "a variable has one type in the whole configuration",
               "\"%.*s\" is %s here and %s at line %u", SLICE_ARG(p->name), rules_type_name(type),
               rules_type_name(first->type), (unsigned)first->pair->node->place.line);
}

/* ---- names ---- */

static int compare_backends(const void *a, const void *b)
{
    return strcmp((*(struct backend *const *)a)->name, (*(struct backend *const *)b)->name);
}

static void find_backends(struct rule_compiler *c)
{
    uint32_t count;
    const struct conf_object *objects = conf_load_objects(c->load, "backend", &count);
    c->backends.items = ARENA_ARRAY(&c->load->arena, struct backend *, count);
    c->names = ARENA_ARRAY(&c->load->arena, const char *, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        struct backend *b = objects[i].structure;
        if (b && b->name) /* one without a name was reported */
            c->backends.items[c->backends.count++] = b;
    }
    if (c->backends.count > 0)
        qsort(c->backends.items, c->backends.count, sizeof *c->backends.items, compare_backends);
    for (uint32_t i = 0; i < c->backends.count; i++)
        c->names[i] = c->backends.items[i]->name;
}

bool rule_is_word(const struct rule_compiling *c, const char *text)
{
    static const char of_names[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-/";
    if (!*text || text[strspn(text, of_names)])
        return false;
    const struct rules_variable *const *tables = c->compiler->language.variables;
    for (; *tables; tables++)
        for (const struct rules_variable *v = *tables; v->name; v++)
            if (strcmp(v->name, text) == 0)
                return false;
    return true;
}

void rule_report_unknown(struct rule_compiling *c, const struct conf_node *at, const char *kind,
                         struct slice name, const char *const *names)
{
    const char *text = arena_copy(&c->load->arena, name.ptr, name.len), *hint = NULL;
    char shown[CONF_EXCERPT_SIZE];
    const char *near = conf_nearest(text, names);
    if (near)
        hint = arena_printf(&c->load->arena, "did you mean \"%s\"?", near);
    conf_error(c->load, at, hint, "unknown %s \"%s\"", kind, conf_excerpt(text, shown));
}

void rule_report_unknown_backend(struct rule_compiling *c, const struct conf_node *at, struct slice name)
{
    rule_report_unknown(c, at, "backend", name, c->compiler->names);
}

/* ---- lists ---- */

const struct rules_expression *rule_compile(struct rule_compiling *c, const struct conf_node *node,
                                            enum rules_type want)
{
    const struct rules_expression *e = rules_compile(c->scope, c->load, node, want);
    if (e && (rules_mentions(e, "dst") || rules_mentions(e, "dst_port")))
        c->list->wants_dst = true;
    for (const struct rules_variable *v = http_tls_variables; e && v->name; v++)
        if (rules_mentions(e, v->name))
            c->list->wants_tls = true;
    return e;
}

struct rule_compiler *rule_compiler_new(struct conf_load *l)
{
    struct rule_compiler *c = ARENA_NEW(&l->arena, struct rule_compiler);
    c->load = l;
    c->language = http_language;
    c->language.variable_type = variable_type;
    c->language.context = c;
    c->end = &c->setters;
    find_backends(c);
    return c;
}

static void make_index(struct rule_compiling *c)
{
    uint32_t count = c->list->rules.count;
    const struct rules_expression **conditions =
        ARENA_ARRAY(&c->load->arena, const struct rules_expression *, count);
    for (uint32_t i = 0; i < count; i++)
        conditions[i] = ((const struct rule *)c->list->rules.items[i])->when;
    c->list->index = rules_index_new(c->scope, conditions, count);
}

/* Logs, counters and `explain` tell rules by their names. */
static void check_names(struct rule_compiler *c, const struct rule_list *list)
{
    struct hashmap names = {0};
    for (uint32_t i = 0; i < list->rules.count; i++) {
        struct rule *r = list->rules.items[i];
        const struct rule *first = r->name ? hashmap_add(&names, slice_of(r->name), r) : NULL;
        if (first)
            conf_error(c->load, conf_node_get(r->node, "name"), "give one of them another name",
                       "two rules of this list are called \"%s\": the first is at line %u", r->name,
                       (unsigned)first->node->place.line);
    }
    hashmap_free(&names);
}

void rule_compiler_compile(struct rule_compiler *c, struct rule_list *list, enum rule_place place,
                           const struct backend *b)
{
    struct rule_compiling compiling = {
        .compiler = c, .load = c->load, .list = list, .place = place, .backend = b};
    if (list->rules.count == 0)
        return;
    check_names(c, list);
    compiling.scope = rules_scope_new(&c->load->arena, &c->language, stage_of(place));
    list->scope = compiling.scope;
    list->backends = &c->backends;
    for (uint32_t i = 0; i < list->rules.count; i++) {
        struct rule *r = list->rules.items[i];
        compiling.rule = r;
        if (r->when_node)
            r->when = rule_compile(&compiling, r->when_node, RULES_BOOL);
        for (struct action *a = r->actions; a; a = a->next)
            if (a->kind->compile)
                a->kind->compile(&compiling, a);
        for (const struct action *a = r->actions; a; a = a->next)
            if (a->kind->check)
                a->kind->check(&compiling, a);
    }
    make_index(&compiling);
}
