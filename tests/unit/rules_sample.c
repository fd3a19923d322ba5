#include "rules_sample.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "conf/parse.h"

unsigned sample_prepared;

static struct sample *sample_of(struct rules_run *run)
{
    return run->subject;
}

static void get_host(struct rules_run *run, struct rules_value *out)
{
    sample_of(run)->asked_host++;
    out->string = slice_of(sample_of(run)->host);
}

static void get_path(struct rules_run *run, struct rules_value *out)
{
    out->string = slice_of(sample_of(run)->path);
}

static void get_status(struct rules_run *run, struct rules_value *out)
{
    out->number = sample_of(run)->status;
}

static void get_src(struct rules_run *run, struct rules_value *out)
{
    if (!ip_parse(slice_of(sample_of(run)->src), &out->ip))
        out->ip = (struct ip){{0}};
}

static void get_secure(struct rules_run *run, struct rules_value *out)
{
    out->boolean = sample_of(run)->secure;
}

static void get_tags(struct rules_run *run, struct rules_value *out)
{
    out->list = sample_of(run)->tags;
}

static void get_tick(struct rules_run *run, struct rules_value *out)
{
    out->number = ++sample_of(run)->ticks;
}

static const struct rules_variable variables[] = {
    {"host", RULES_STRING, RULES_WITH_REQUEST, get_host, .doc = "The host.", .example = "host == 'a'"},
    {"path", RULES_STRING, RULES_WITH_REQUEST, get_path, .doc = "The path.", .example = "path == '/'"},
    {"status", RULES_INT, RULES_AT_RESPONSE, get_status, .doc = "The status.", .example = "status == 200"},
    {"src", RULES_IP, RULES_ANYWHERE, get_src, .doc = "The client.", .example = "src == '10.0.0.1'"},
    {"secure", RULES_BOOL, RULES_ANYWHERE, get_secure, .doc = "Is it?", .example = "secure || path == '|'"},
    {"tags", RULES_LIST, RULES_ANYWHERE, get_tags, .doc = "Some.", .example = "'a' in tags"},
    {"tick", RULES_INT, RULES_ANYWHERE, get_tick, true, "A new one each time.", "tick > 0", ""},
    {.name = NULL},
};

static void call_lower(const struct rules_call *call, struct rules_value *out)
{
    struct slice s = call->args[0].string;
    char *text = rules_alloc(call->run, s.len);
    for (size_t i = 0; text && i < s.len; i++)
        text[i] = (char)(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] + 32 : s.ptr[i]);
    out->string = (struct slice){text ? text : "", text ? s.len : 0};
}

static void call_len(const struct rules_call *call, struct rules_value *out)
{
    if (call->run->subject)
        sample_of(call->run)->asked_len++;
    out->number = (int64_t)call->args[0].string.len;
}

static void call_header(const struct rules_call *call, struct rules_value *out)
{
    bool agent = slice_equal_nocase(call->args[0].string, SLICE("user-agent"));
    out->string = agent ? slice_of(sample_of(call->run)->agent) : SLICE("");
}

/* Prints what it was called with: the types and values of its arguments. */
static void call_show(const struct rules_call *call, struct rules_value *out)
{
    char text[512] = "";
    for (unsigned i = 0; i < call->count; i++) {
        struct slice s = rules_print_value(call->run, call->types[i], &call->args[i]);
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s%s=%.*s", i ? " " : "", rules_type_name(call->types[i]),
                 SLICE_ARG(s));
    }
    char *copy = rules_alloc(call->run, strlen(text));
    if (copy)
        memcpy(copy, text, strlen(text));
    out->string = (struct slice){copy ? copy : "", copy ? strlen(text) : 0};
}

static const void *prepare_mask(struct rules_preparing *p, int *at, struct error *err)
{
    struct network *n = ARENA_NEW(p->arena, struct network);
    sample_prepared++;
    *at = 1;
    return p->constants[0] || network_parse(n, p->constants[1]->string, err) == 0 ? n : NULL;
}

static void call_mask(const struct rules_call *call, struct rules_value *out)
{
    out->boolean = network_has(call->data, call->args[0].ip);
}

static void call_starts(const struct rules_call *call, struct rules_value *out)
{
    struct slice s = call->args[0].string, with = call->args[1].string;
    out->boolean = s.len >= with.len && memcmp(s.ptr, with.ptr, with.len) == 0;
}

static void call_ends(const struct rules_call *call, struct rules_value *out)
{
    struct slice s = call->args[0].string, with = call->args[1].string;
    out->boolean = s.len >= with.len && memcmp(s.ptr + s.len - with.len, with.ptr, with.len) == 0;
}

static void call_broken(const struct rules_call *call, struct rules_value *out)
{
    rules_fail(call->run, "broken: %.*s", SLICE_ARG(call->args[0].string));
    out->boolean = true;
}

/* Counts from its argument on, and so gives another number each time. */
static void call_draw(const struct rules_call *call, struct rules_value *out)
{
    out->number = call->args[0].number + ++sample_of(call->run)->ticks;
}

static void call_next(const struct rules_call *call, struct rules_value *out)
{
    out->number = ++sample_of(call->run)->ticks;
}

static void call_var(const struct rules_call *call, struct rules_value *out)
{
    if (slice_equal(call->args[0].string, SLICE("level")))
        out->number = sample_of(call->run)->status / 100;
    else
        out->string = SLICE("blue");
}

static const struct rules_function functions[] = {
    {"lower",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     .call = call_lower,
     .doc = "In small letters.",
     .example = "lower('A')"},
    {"len",
     RULES_INT,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     .call = call_len,
     .doc = "Bytes.",
     .example = "len('a')"},
    {"header",
     RULES_STRING,
     RULES_WITH_REQUEST,
     {{"name", RULES_STRING, RULES_CONSTANT}},
     .call = call_header,
     .doc = "A field.",
     .example = "header('a')"},
    {"show",
     RULES_STRING,
     RULES_WITH_REQUEST,
     {{"first", RULES_STRING, RULES_ANY_TYPE},
      {"second", RULES_IP, RULES_OPTIONAL},
      {"more", RULES_STRING, RULES_OPTIONAL | RULES_ANY_TYPE | RULES_REPEATED}},
     .call = call_show,
     .doc = "Its arguments.",
     .example = "show(1, src, 'a', true)"},
    {"mask",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"ip", RULES_IP, 0}, {"network", RULES_STRING, RULES_CONSTANT}},
     .prepare = prepare_mask,
     .call = call_mask,
     .doc = "Is it in?",
     .example = "mask(src, '10.0.0.0/8')"},
    {"starts_with",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}, {"start", RULES_STRING, 0}},
     .call = call_starts,
     .comparison = RULES_STARTS_WITH,
     .doc = "Does it?",
     .example = "starts_with(path, '/')"},
    {"ends_with",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}, {"end", RULES_STRING, 0}},
     .call = call_ends,
     .comparison = RULES_ENDS_WITH,
     .doc = "Does it?",
     .example = "ends_with(path, '/')"},
    {"broken",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"why", RULES_STRING, 0}},
     .call = call_broken,
     .doc = "Fails.",
     .example = "broken(path)"},
    {"draw",
     RULES_INT,
     RULES_ANYWHERE,
     {{"from", RULES_INT, 0}},
     .call = call_draw,
     .volatile_ = true,
     .doc = "A new one each time.",
     .example = "draw(1) > 1"},
    {"next",
     RULES_INT,
     RULES_ANYWHERE,
     {{0}},
     .call = call_next,
     .volatile_ = true,
     .doc = "A new one each time.",
     .example = "next() > 1"},
    {"var",
     RULES_ANY,
     RULES_WITH_REQUEST,
     {{"name", RULES_STRING, RULES_CONSTANT}},
     .call = call_var,
     .doc = "What was set.",
     .example = "var('colour') == 'blue'"},
    {.name = NULL},
};

static bool variable_type(void *context, struct slice name, enum rules_type *type)
{
    (void)context;
    *type = slice_equal(name, SLICE("level")) ? RULES_INT : RULES_STRING;
    return *type == RULES_INT || slice_equal(name, SLICE("colour"));
}

static const struct rules_variable *const variable_tables[] = {variables, NULL};
static const struct rules_function *const function_tables[] = {functions, NULL};

const struct rules_language sample_language = {variable_tables, function_tables, variable_type, NULL};

struct bench *bench_new(enum rules_stage stage)
{
    static const struct rules_value tags[] = {{.string = {"red", 3}}, {.string = {"green", 5}}};
    static const struct rules_list list = {RULES_STRING, 2, tags};
    struct bench *b = memory_zalloc(sizeof *b);
    arena_init(&b->load.arena);
    b->load.report.arena = &b->load.arena;
    b->scope = rules_scope_new(&b->load.arena, &sample_language, stage);
    b->sample = (struct sample){.host = "www.example.org",
                                .path = "/api/v1/users",
                                .agent = "Mozilla/5.0 BadBot",
                                .status = 404,
                                .src = "10.1.2.3",
                                .tags = &list};
    return b;
}

void bench_free(struct bench *b)
{
    arena_free(&b->load.arena);
    free(b);
}

/* As a literal block that is indented by one, so that the text stands in the file as it is. */
static const struct conf_node *write_node(struct bench *b, const char *expression)
{
    struct conf_file *file = ARENA_NEW(&b->load.arena, struct conf_file);
    struct conf_report report = {.arena = &b->load.arena};
    struct text yaml = {0};
    text_puts(&yaml, "|1-\n ");
    for (const char *p = expression; *p; p++) {
        text_add(&yaml, p, 1);
        if (*p == '\n')
            text_puts(&yaml, " ");
    }
    *file = (struct conf_file){
        .path = "t.yaml", .bytes = arena_copy(&b->load.arena, yaml.data, yaml.len), .len = yaml.len};
    text_free(&yaml);
    return conf_parse(&report, file);
}

const struct rules_expression *bench_compile(struct bench *b, const char *expression, enum rules_type want)
{
    const struct conf_node *node = write_node(b, expression);
    if (!node || strcmp(node->text, expression) != 0)
        abort();
    return rules_compile(b->scope, &b->load, node, want);
}

const char *bench_error(struct bench *b)
{
    const struct conf_report *r = &b->load.report;
    const char *text = "";
    if (r->count) {
        const struct conf_message *m = &r->messages[0];
        text = arena_printf(&b->load.arena, "%u+%u: %s%s%s%s", (unsigned)m->place.column - 1,
                            (unsigned)m->place.width, m->text, m->hint ? " (" : "", m->hint ? m->hint : "",
                            m->hint ? ")" : "");
    }
    if (r->errors > 1)
        text = "more than one";
    b->load.report = (struct conf_report){.arena = &b->load.arena};
    return text;
}

void bench_begin(struct bench *b)
{
    rules_begin(&b->run, b->scope, &b->sample, NULL);
}
