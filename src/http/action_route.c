/*
 * action_route.c: where a request or a connection goes: use_backend,
 * use_server. Both take a name as it is, or an expression that gives one.
 */
#include "conf/report.h"
#include "http/action.h"
#include "upstream/backend.h"

enum { POSSIBLE_MISTAKES = 20 }; /* that are reported of the maps of one expression */

/* ---- use_backend ---- */

/* The backend of that name is the action's, or the error is reported. */
static void take_backend(struct rule_compiling *c, struct action *a, struct slice name)
{
    a->backend = rule_backend_find(c->list->backends, name);
    if (a->backend)
        conf_object_used(c->load, "backend", a->backend->name);
    else
        rule_report_unknown_backend(c, a->node, name);
}

struct possible_backends {
    struct rule_compiling *compiling;
    const struct action *action;
    unsigned in_files; /* unknown ones that were reported */
};

/* A name that use_backend's expression can give. */
static void check_possible(void *context, struct slice name, const struct rules_file *f)
{
    struct possible_backends *p = context;
    struct rule_compiling *c = p->compiling;
    if (rule_backend_find(c->list->backends, name))
        return;
    if (!f) {
        rule_report_unknown_backend(c, p->action->node, name);
    } else if (p->in_files++ < POSSIBLE_MISTAKES) {
        char shown[ACTION_SHOWN_SIZE];
        const struct conf_place *rule = &p->action->node->place, place = rules_file_place(f, name);
        conf_report_add(&c->load->report, CONF_ERROR, &place,
                        arena_printf(&c->load->arena, "use_backend takes it from here at %s:%u",
                                     rule->file ? rule->file->path : "", (unsigned)rule->line),
                        "unknown backend \"%s\"", action_show(name, shown));
    }
}

static void compile_backend(struct rule_compiling *c, struct action *a)
{
    struct slice name = slice_of(a->node->text);
    if (rule_backend_find(c->list->backends, name) || rule_is_word(c, a->node->text)) {
        take_backend(c, a, name);
        return;
    }
    a->expression = rule_compile(c, a->node, RULES_STRING);
    const struct rules_value *constant = a->expression ? rules_constant(a->expression) : NULL;
    if (constant) {
        take_backend(c, a, constant->string);
        return;
    }
    conf_object_used(c->load, "backend", NULL);
    if (a->expression)
        rules_possible_texts(a->expression, check_possible,
                             &(struct possible_backends){.compiling = c, .action = a});
}

static void run_backend(struct rule_run *run, const struct action *a)
{
    struct rule_outcome *out = run->out;
    out->backend = a->backend;
    if (!a->backend) {
        if (!rule_text(run, a->expression, &out->backend_name))
            return;
        out->backend = rule_backend_find(run->list->backends, out->backend_name);
    }
    rule_acted(run, a, a->backend ? slice_of(a->backend->name) : out->backend_name);
    rule_end(run, VERDICT_BACKEND);
}

const struct action_kind action_use_backend = {.type = {"name or expression", action_set},
                                               .ends = true,
                                               .read = action_read_expression,
                                               .compile = compile_backend,
                                               .run = run_backend};

/* ---- use_server ---- */

/* The backend whose servers are meant, where that is known. */
static const struct backend *its_backend(const struct rule_compiling *c)
{
    if (c->backend)
        return c->backend;
    for (const struct action *a = c->rule->actions; a; a = a->next)
        if (a->kind == &action_use_backend)
            return a->backend ? a->backend : rule_backend_find(c->list->backends, slice_of(a->node->text));
    return NULL;
}

static void compile_server(struct rule_compiling *c, struct action *a)
{
    const struct backend *b = its_backend(c);
    struct slice name = slice_of(a->node->text);
    if ((b && backend_server(b, name)) || rule_is_word(c, a->node->text)) {
        a->word = name;
        return;
    }
    a->expression = rule_compile(c, a->node, RULES_STRING);
    const struct rules_value *constant = a->expression ? rules_constant(a->expression) : NULL;
    if (constant)
        a->word = constant->string;
}

/* use_backend may stand behind it, and be an expression whose value is known only when it was compiled. */
static void check_server(struct rule_compiling *c, const struct action *a)
{
    const struct backend *b = its_backend(c);
    if (!b || a->word.len == 0 || backend_server(b, a->word))
        return;
    const char **names = ARENA_ARRAY(&c->load->arena, const char *, b->server_count + 1);
    for (uint32_t i = 0; i < b->server_count; i++)
        names[i] = b->servers[i]->name;
    rule_report_unknown(c, a->node, "server", a->word, names);
}

static void run_server(struct rule_run *run, const struct action *a)
{
    run->out->server = a->word;
    if (a->word.len == 0 && !rule_text(run, a->expression, &run->out->server))
        return;
    rule_acted(run, a, run->out->server);
}

const struct action_kind action_use_server = {.type = {"name or expression", action_set},
                                              .read = action_read_expression,
                                              .compile = compile_server,
                                              .check = check_server,
                                              .run = run_server};
