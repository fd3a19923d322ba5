#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "http/subject.h"
#include "rules/functions.h"
#include "rules/rules.h"

static const enum rules_stage stages[] = {RULES_AT_CONNECTION, RULES_AT_REQUEST, RULES_AT_RESPONSE};

static struct conf_load load;
static struct rules_language language;

/* What the examples of var() suppose. */
static bool variable_type(void *context, struct slice name, enum rules_type *type)
{
    (void)context;
    *type = slice_equal(name, SLICE("n")) ? RULES_INT : RULES_STRING;
    return !slice_equal(name, SLICE("unset"));
}

static void setup(void)
{
    load = (struct conf_load){.directory = "."};
    arena_init(&load.arena);
    load.report.arena = &load.arena;
    language = http_language;
    language.variable_type = variable_type;
}

static void teardown(void)
{
    arena_free(&load.arena);
}

/* NULL: it does not compile, and the report says why. */
static const struct rules_expression *compile(const char *text, enum rules_stage stage, enum rules_type want)
{
    static const struct conf_file file = {.path = "test.yaml", .bytes = ""};
    struct conf_node *node = ARENA_NEW(&load.arena, struct conf_node);
    *node = (struct conf_node){
        .kind = CONF_SCALAR, .place = {&file, 1, 1, 1}, .text = arena_strdup(&load.arena, text)};
    return rules_compile(rules_scope_new(&load.arena, &language, stage), &load, node, want);
}

static const char *first_error(void)
{
    return load.report.count ? load.report.messages[0].text : "";
}

/* Compiles where it may stand, and only there. */
static void check_stages(const char *name, const char *text, unsigned where, enum rules_type want)
{
    for (unsigned i = 0; i < ARRAY_LEN(stages); i++) {
        const struct rules_expression *e = compile(text, stages[i], want);
        ck_assert_msg((e != NULL) == ((where & stages[i]) != 0), "%s: \"%s\" at stage %u: %s", name, text,
                      (unsigned)stages[i], first_error());
        ck_assert_msg(!e || want == RULES_TYPE_COUNT || rules_type_of(e) == want, "%s: \"%s\"", name, text);
        ck_assert_msg(!e || rules_mentions(e, name), "%s: \"%s\"", name, text);
    }
}

START_TEST(each_variable_and_its_example_compile_where_it_exists)
{
    for (const struct rules_variable *const *t = language.variables; *t; t++)
        for (const struct rules_variable *v = *t; v->name; v++) {
            check_stages(v->name, v->name, v->stages, v->type);
            check_stages(v->name, v->example, v->stages, RULES_TYPE_COUNT);
        }
}
END_TEST

START_TEST(the_example_of_each_function_compiles_where_it_exists)
{
    for (const struct rules_function *f = http_functions; f->name; f++) {
        char call[64];
        snprintf(call, sizeof call, "%s('x')", f->name);
        check_stages(f->name, f->example, f->stages, RULES_TYPE_COUNT);
        check_stages(f->name, call, f->stages, f->result == RULES_TYPE_COUNT ? RULES_STRING : f->result);
    }
}
END_TEST

static unsigned times_in(const struct rules_function *const *tables, const struct rules_function *table)
{
    unsigned count = 0;
    for (; *tables; tables++)
        count += *tables == table;
    return count;
}

START_TEST(every_function_without_a_message_is_in_the_language_once)
{
    for (const struct rules_function *const *t = rules_functions; *t; t++)
        ck_assert_uint_eq(times_in(http_language.functions, *t), 1);
    ck_assert_uint_eq(times_in(http_language.functions, http_functions), 1);
}
END_TEST

/* A name is one thing. */
START_TEST(no_name_is_there_twice)
{
    const char *names[512];
    unsigned count = 0;
    for (const struct rules_variable *const *t = language.variables; *t; t++)
        for (const struct rules_variable *v = *t; v->name; v++)
            names[count++] = v->name;
    for (const struct rules_function *const *t = language.functions; *t; t++)
        for (const struct rules_function *f = *t; f->name; f++)
            names[count++] = f->name;
    ck_assert_uint_gt(count, 40);
    for (unsigned i = 0; i < count; i++)
        for (unsigned j = 0; j < i; j++)
            ck_assert_str_ne(names[i], names[j]);
}
END_TEST

static const struct {
    const char *text, *error;
} mistakes[] = {
    {"header('x y') == ''", "no header field can have the name 'x y'"},
    {"header(host) == ''", "must be constant"},
    {"header('x', 'y') == ''", "takes 1 argument"},
    {"header(1) == ''", "string"},
    {"cookie('a=b') == ''", "no cookie can have the name 'a=b'"},
    {"arg('') == ''", "the name of an argument is empty"},
    {"var('unset') == ''", "nothing sets this variable"},
    {"var('n') == 'x'", "int"},
    {"status == 200", "status"},
    {"response_header('x') == ''", "response_header"},
};

START_TEST(mistakes_are_found_when_compiled)
{
    ck_assert_ptr_null(compile(mistakes[_i].text, RULES_AT_REQUEST, RULES_BOOL));
    ck_assert_msg(strstr(first_error(), mistakes[_i].error), "%s: %s", mistakes[_i].text, first_error());
}
END_TEST

/* ---- a run ---- */

static bool holds(const char *text, struct http_subject *subject)
{
    struct rules_run *run = calloc(1, sizeof *run);
    struct rules_scope *scope = rules_scope_new(&load.arena, &language, RULES_AT_RESPONSE);
    struct conf_node node = {.kind = CONF_SCALAR, .text = text};
    const struct rules_expression *e = rules_compile(scope, &load, &node, RULES_BOOL);
    ck_assert_msg(e && run, "%s: %s", text, first_error());
    rules_begin(run, scope, subject, NULL);
    bool result = rules_true(e, run);
    ck_assert_msg(!rules_failed(run), "%s: %s", text, run->failure);
    free(run);
    return result;
}

START_TEST(conditions_see_the_message)
{
    struct message request, response;
    struct http_var tier = {.name = SLICE("tier"), .type = RULES_STRING, .value.string = SLICE("gold")};
    struct http_var n = {.next = &tier, .name = SLICE("n"), .type = RULES_INT, .value.number = 7};
    struct http_subject subject = {
        .request = &request, .response = &response, .scheme = "http", .dst_port = 8080};
    message_init(&request);
    message_init(&response);
    request.method = SLICE("GET");
    request.host = SLICE("WWW.Example.org:8080");
    request.path = SLICE("/api/v1?lang=d%65");
    response.status = 404;
    static const char line[] = "Cookie: beta=yes\r\n";
    message_add_raw(&request, FIELD_COOKIE, line, 6, 8);
    ck_assert(holds("host == 'www.example.org' && port == dst_port && path =~ '^/api/'", &subject));
    ck_assert(holds("arg('lang') in ('de', 'fr') and cookie('beta') == 'yes'", &subject));
    ck_assert(holds("status >= 400 && !has_response_header('server') && header('x') == ''", &subject));
    ck_assert(holds("var('tier') == '' && var('n') == 0", &subject));
    ck_assert(holds("starts_with(var('tier'), '') && var('tier') + 'x' == 'x'", &subject));
    subject.vars = &n;
    ck_assert(holds("var('tier') == 'gold' && var('n') == 7", &subject));
    ck_assert(!holds("var('other') == 'gold'", &subject));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http language");
    TCase *tcase = tcase_create("language");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, each_variable_and_its_example_compile_where_it_exists);
    tcase_add_test(tcase, the_example_of_each_function_compiles_where_it_exists);
    tcase_add_test(tcase, every_function_without_a_message_is_in_the_language_once);
    tcase_add_test(tcase, no_name_is_there_twice);
    tcase_add_loop_test(tcase, mistakes_are_found_when_compiled, 0, ARRAY_LEN(mistakes));
    tcase_add_test(tcase, conditions_see_the_message);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
