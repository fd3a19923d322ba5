#include "functions_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[] = "/tmp/noxy-rules-XXXXXX";

void rules_make_directory(void)
{
    memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

void rules_remove_directory(void)
{
    DIR *dir = opendir(directory);
    ck_assert_ptr_nonnull(dir);
    for (const struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.')
            ck_assert_int_eq(unlinkat(dirfd(dir), e->d_name, 0), 0);
    closedir(dir);
    ck_assert_int_eq(rmdir(directory), 0);
}

const char *rules_directory(void)
{
    return directory;
}

void rules_write_file(const char *name, const char *bytes, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
}

void rules_write_hole(const char *name, long len)
{
    char path[256];
    rules_write_file(name, "", 0);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    ck_assert_int_eq(truncate(path, len), 0);
}

/* ---- the test language ---- */

static void get_text(struct rules_run *run, struct rules_value *out)
{
    (void)run;
    out->string = SLICE("Hello, World");
}

static void get_nul(struct rules_run *run, struct rules_value *out)
{
    (void)run;
    out->string = SLICE("a\0b");
}

static void get_none(struct rules_run *run, struct rules_value *out)
{
    (void)run;
    out->string = (struct slice){NULL, 0};
}

static void get_long(struct rules_run *run, struct rules_value *out)
{
    static char text[20000];
    (void)run;
    memset(text, 'x', sizeof text);
    out->string = (struct slice){text, sizeof text};
}

static void get_n(struct rules_run *run, struct rules_value *out)
{
    (void)run;
    out->number = 7;
}

static void get_low(struct rules_run *run, struct rules_value *out)
{
    (void)run;
    out->number = INT64_MIN;
}

static void get_peer(struct rules_run *run, struct rules_value *out)
{
    (void)run;
    ck_assert(ip_parse(SLICE("192.0.2.7"), &out->ip));
}

static void get_peer6(struct rules_run *run, struct rules_value *out)
{
    (void)run;
    ck_assert(ip_parse(SLICE("2001:db8::7"), &out->ip));
}

static void get_nobody(struct rules_run *run, struct rules_value *out)
{
    (void)run;
    out->ip = (struct ip){0};
}

#define VARIABLE(name, type)                                                                                 \
    {                                                                                                        \
#name, type, RULES_ANYWHERE, get_##name, .doc = "For tests.", .example = #name, .source = ""         \
    }

static const struct rules_variable variables[] = {
    VARIABLE(text, RULES_STRING), VARIABLE(nul, RULES_STRING),
    VARIABLE(none, RULES_STRING), VARIABLE(long, RULES_STRING),
    VARIABLE(n, RULES_INT),       VARIABLE(low, RULES_INT),
    VARIABLE(peer, RULES_IP),     VARIABLE(peer6, RULES_IP),
    VARIABLE(nobody, RULES_IP),   {0},
};

enum { FUNCTIONS_MAX = 32, TABLES_MAX = 16 };

/* The functions, and the same marked so that nothing of them is worked out when compiled. */
static const struct rules_function *const *all_volatile(void)
{
    static struct rules_function tables[TABLES_MAX][FUNCTIONS_MAX];
    static const struct rules_function *list[TABLES_MAX];
    for (unsigned i = 0; rules_functions[i]; i++) {
        ck_assert_uint_lt(i, TABLES_MAX - 1);
        list[i] = tables[i];
        for (unsigned j = 0; rules_functions[i][j].name; j++) {
            ck_assert_uint_lt(j, FUNCTIONS_MAX - 1);
            tables[i][j] = rules_functions[i][j];
            tables[i][j].volatile_ = true;
        }
    }
    return list;
}

/* ---- one expression ---- */

struct trial {
    struct conf_load load;
    struct rules_language language;
    struct rules_scope *scope;
    const struct rules_expression *expression;
};

static void compile(struct trial *t, const char *expression, bool fold)
{
    static const struct rules_variable *const tables[] = {variables, NULL};
    struct conf_node node = {.kind = CONF_SCALAR, .text = expression};
    *t = (struct trial){.load = {.directory = directory}};
    arena_init(&t->load.arena);
    t->load.report.arena = &t->load.arena;
    t->language = (struct rules_language){tables, fold ? rules_functions : all_volatile(), NULL, NULL};
    t->scope = rules_scope_new(&t->load.arena, &t->language, RULES_AT_CONNECTION);
    t->expression = rules_compile(t->scope, &t->load, &node, RULES_TYPE_COUNT);
}

static char *print_messages(const struct trial *t, enum conf_severity severity)
{
    struct text out = {0};
    for (uint32_t i = 0; i < t->load.report.count; i++) {
        const struct conf_message *m = &t->load.report.messages[i];
        if (m->severity != severity)
            continue;
        /* The files' names without their directory, which is another in each test. */
        struct text line = {0};
        conf_message_print_line(m, &line);
        const char *rest = text_str(&line), *found;
        for (; (found = strstr(rest, directory)); rest = found + strlen(directory) + 1)
            text_add(&out, rest, (size_t)(found - rest));
        text_printf(&out, "%s\n", rest);
        text_free(&line);
    }
    return out.data ? out.data : strdup("");
}

static struct rules_run run;

static void expect(struct rules_check want, bool fold)
{
    struct trial t;
    compile(&t, want.expression, fold);
    char *errors = print_messages(&t, CONF_ERROR);
    ck_assert_msg(t.expression != NULL, "%s: %s", want.expression, errors);
    free(errors);
    struct rules_value v;
    rules_begin(&run, t.scope, NULL, NULL);
    rules_value(t.expression, &run, &v);
    ck_assert_msg(!rules_failed(&run), "%s: %s", want.expression, run.failure);
    struct slice is = rules_print_value(&run, rules_type_of(t.expression), &v);
    struct slice wanted = {want.value, want.len ? want.len : strlen(want.value)};
    ck_assert_msg(slice_equal(is, wanted), "%s is '%.*s' %s, not '%s'", want.expression, SLICE_ARG(is),
                  fold ? "when compiled" : "at run time", want.value);
    arena_free(&t.load.arena);
}

void rules_expect(struct rules_check want)
{
    expect(want, true);
    expect(want, false);
}

void rules_expect_error(struct rules_check want)
{
    struct trial t;
    compile(&t, want.expression, true);
    char *errors = print_messages(&t, CONF_ERROR);
    ck_assert_msg(t.expression == NULL && t.load.report.errors > 0, "%s is compiled", want.expression);
    ck_assert_msg(strstr(errors, want.value) != NULL, "%s: says\n%snot\n%s", want.expression, errors,
                  want.value);
    free(errors);
    arena_free(&t.load.arena);
}

void rules_expect_failure(struct rules_check want)
{
    struct trial t;
    struct rules_value v;
    compile(&t, want.expression, false);
    ck_assert_msg(t.expression != NULL, "%s isn't compiled", want.expression);
    rules_begin(&run, t.scope, NULL, NULL);
    rules_value(t.expression, &run, &v);
    ck_assert_msg(strstr(run.failure, want.value) && run.failure[0], "%s: \"%s\", not \"%s\"",
                  want.expression, run.failure, want.value);
    arena_free(&t.load.arena);
}

int64_t rules_number(const char *expression)
{
    struct trial t;
    struct rules_value v;
    compile(&t, expression, false);
    ck_assert_msg(t.expression != NULL, "%s isn't compiled", expression);
    rules_begin(&run, t.scope, NULL, NULL);
    rules_value(t.expression, &run, &v);
    arena_free(&t.load.arena);
    return v.number;
}

char *rules_messages(const char *expression, enum conf_severity severity)
{
    struct trial t;
    compile(&t, expression, true);
    char *messages = print_messages(&t, severity);
    arena_free(&t.load.arena);
    return messages;
}
