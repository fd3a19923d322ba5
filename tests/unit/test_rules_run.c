/*
 * Runs: what expressions share, what is forgotten, the memory; and what is
 * told of an expression and of the language.
 */
#include <stdio.h>

#include "test_rules.h"

static struct bench *b;

static void setup(void)
{
    b = bench_new(RULES_AT_RESPONSE);
    sample_prepared = 0;
}

static void teardown(void)
{
    bench_free(b);
}

START_TEST(variables_and_calls_are_worked_out_once_a_run)
{
    const struct rules_expression *e[] = {
        bench_compile(b, "len(host) == 1", RULES_BOOL),
        bench_compile(b, "secure || len( host ) == 2", RULES_BOOL),
        bench_compile(b, "len(host) == 3 || host == 'x' || len(host) == 4", RULES_BOOL),
    };
    for (unsigned run = 1; run <= 3; run++) {
        bench_begin(b);
        for (unsigned i = 0; i < ARRAY_LEN(e); i++)
            ck_assert(!rules_true(e[i], &b->run));
        ck_assert_uint_eq(b->sample.asked_host, run);
        ck_assert_uint_eq(b->sample.asked_len, run);
    }
}
END_TEST

START_TEST(what_stands_in_a_shared_call_is_shared_too)
{
    const struct rules_expression *e[] = {
        bench_compile(b, "lower('' + lower(show(len(host)))) == 'a'", RULES_BOOL),
        bench_compile(b, "lower('' + lower(show(len(host)))) == 'b'", RULES_BOOL),
        bench_compile(b, "lower(show(len(host))) == 'int=15'", RULES_BOOL),
        bench_compile(b, "len(host) == 15", RULES_BOOL),
        bench_compile(b, "lower('' + lower(show(len(host)))) == 'int=15'", RULES_BOOL),
    };
    for (unsigned first = 0; first < ARRAY_LEN(e); first++) {
        b->sample.asked_len = 0;
        bench_begin(b);
        for (unsigned i = 0; i < ARRAY_LEN(e); i++) {
            unsigned which = (first + i) % ARRAY_LEN(e);
            ck_assert_int_eq(rules_true(e[which], &b->run), which >= 2);
        }
        ck_assert_uint_eq(b->sample.asked_len, 1);
    }
}
END_TEST

START_TEST(a_changed_message_is_looked_at_anew)
{
    const struct rules_expression *one = bench_compile(b, "len(host) == 15", RULES_BOOL);
    const struct rules_expression *two = bench_compile(b, "len(host) == 1 && host == 'x'", RULES_BOOL);
    bench_begin(b);
    ck_assert(rules_true(one, &b->run));
    b->sample.host = "x";
    ck_assert(rules_true(one, &b->run));
    rules_forget(&b->run);
    ck_assert(!rules_true(one, &b->run));
    ck_assert(rules_true(two, &b->run));
}
END_TEST

START_TEST(a_call_is_prepared_once_in_a_scope)
{
    ck_assert_ptr_nonnull(bench_compile(b, "mask(src, '10.0.0.0/8')", RULES_BOOL));
    ck_assert_ptr_nonnull(bench_compile(b, "host == 'a' && mask(src, '10.0.0.0/8')", RULES_BOOL));
    ck_assert_uint_eq(sample_prepared, 1);
    ck_assert_ptr_nonnull(bench_compile(b, "mask(src, '11.0.0.0/8')", RULES_BOOL));
    ck_assert_uint_eq(sample_prepared, 2);
}
END_TEST

START_TEST(more_calls_than_can_be_kept_are_right_too)
{
    enum { COUNT = 400 };
    const struct rules_expression *e[2 * COUNT];
    for (unsigned i = 0; i < 2 * COUNT; i++) {
        char text[128];
        snprintf(text, sizeof text, "show(host, '10.0.%u.%u') == 'string=www.example.org ip=10.0.%u.%u'",
                 i % COUNT / 100, i % COUNT % 100, i / 100 % 4, i % 100);
        e[i] = bench_compile(b, text, RULES_BOOL);
        ck_assert_ptr_nonnull(e[i]);
    }
    for (unsigned i = 0; i < 2 * COUNT; i++) {
        if (i % 200 == 0)
            bench_begin(b);
        ck_assert(rules_true(e[i], &b->run));
    }
}
END_TEST

static char *many(size_t count)
{
    char *text = arena_alloc(&b->load.arena, count + 1);
    return memset(text, 'x', count);
}

START_TEST(a_run_that_needs_too_much_text_fails)
{
    b->sample.host = many(10000);
    bench_begin(b);
    ck_assert_str_eq(test_value(b, "len(host + 'a') == 10001"), "bool true");
    bench_begin(b);
    ck_assert_str_eq(test_value(b, "host + host + host + host == ''"),
                     "failed: the texts of one rule are longer than 32 KiB");
    bench_begin(b);
    ck_assert_str_eq(test_value(b, "lower(host) == ''"), "bool false");
}
END_TEST

START_TEST(memory_is_bounded_to_the_byte)
{
    bench_begin(b);
    ck_assert_ptr_null(rules_alloc(&b->run, SIZE_MAX));
    bench_begin(b);
    ck_assert_ptr_null(rules_alloc(&b->run, RULES_MEMORY + 1));
    bench_begin(b);
    char *all = rules_alloc(&b->run, RULES_MEMORY);
    ck_assert_ptr_nonnull(all);
    memset(all, 'x', RULES_MEMORY);
    ck_assert(!rules_failed(&b->run));
    ck_assert_ptr_null(rules_alloc(&b->run, 1));
    ck_assert(rules_failed(&b->run));
    rules_fail(&b->run, "another");
    ck_assert_ptr_null(strstr(b->run.failure, "another"));
}
END_TEST

START_TEST(what_is_forgotten_gives_its_memory_back_but_not_that_of_captures)
{
    b->sample.path = many(10000);
    const struct rules_expression *matches = bench_compile(b, "'<' + path + '>' =~ '^<(x+)>$'", RULES_BOOL);
    const struct rules_expression *capture = bench_compile(b, "$1 == path", RULES_BOOL);
    const struct rules_expression *other = bench_compile(b, "len('[' + path + ']') == 10002", RULES_BOOL);
    bench_begin(b);
    for (unsigned i = 0; i < 20; i++) {
        ck_assert(rules_true(matches, &b->run));
        rules_forget(&b->run);
        ck_assert_ptr_eq(b->run.next, (char *)b->run.memory + 10008); /* 10002 bytes, aligned */
        ck_assert(rules_true(other, &b->run));
        ck_assert(rules_true(capture, &b->run));
        rules_forget_captures(&b->run);
        rules_forget(&b->run);
        ck_assert_ptr_eq(b->run.next, b->run.memory);
    }
}
END_TEST

START_TEST(little_memory_is_left_alone_much_is_given_back)
{
    bench_begin(b);
    const struct rules_expression *e = bench_compile(b, "len(host) == 15", RULES_BOOL);
    ck_assert(rules_true(e, &b->run));
    char *half = rules_alloc(&b->run, RULES_MEMORY / 2);
    rules_relieve(&b->run);
    ck_assert_ptr_eq(b->run.next, half + RULES_MEMORY / 2);
    ck_assert(rules_true(e, &b->run));
    ck_assert_uint_eq(b->sample.asked_host, 1);
    ck_assert_ptr_nonnull(rules_alloc(&b->run, 1));
    rules_relieve(&b->run);
    ck_assert_ptr_eq(b->run.next, b->run.memory);
    ck_assert(rules_true(e, &b->run));
    ck_assert_uint_eq(b->sample.asked_host, 2);
}
END_TEST

START_TEST(what_an_expression_tells_of_itself)
{
    const struct rules_expression *e = bench_compile(b, " host=='a' or  lower(path) == $1", RULES_BOOL);
    struct text t = {0};
    rules_print(e, &t);
    ck_assert_str_eq(text_str(&t), "host == 'a' || lower(path) == $1");
    ck_assert(slice_equal(rules_source(e), SLICE(" host=='a' or  lower(path) == $1")));
    ck_assert_int_eq(rules_type_of(e), RULES_BOOL);
    ck_assert(rules_mentions(e, "host") && rules_mentions(e, "lower") && rules_mentions(e, "path"));
    ck_assert(!rules_mentions(e, "a") && !rules_mentions(e, "len"));
    ck_assert_ptr_null(rules_constant(e));
    text_free(&t);
}
END_TEST

START_TEST(the_manual_has_all_rows)
{
    struct text t = {0};
    rules_reference_print(&sample_language, &t);
    ck_assert_ptr_nonnull(
        strstr(text_str(&t), "| `host` | string | http | The host. | `host == 'a'` |  |\n"));
    ck_assert_ptr_nonnull(strstr(text_str(&t), "| `status` | int | http_response |"));
    ck_assert_ptr_nonnull(strstr(text_str(&t), "`secure \\|\\| path == '\\|'`"));
    ck_assert_ptr_nonnull(
        strstr(text_str(&t),
               "| `show(first[, second[, more, ...]])` | string | http | Its arguments. | `show(1, src,"));
    ck_assert_ptr_nonnull(strstr(text_str(&t), "| `var(name)` | any |"));
    text_free(&t);
}
END_TEST

TCase *rules_run_tests(void)
{
    TCase *t = tcase_create("run");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, variables_and_calls_are_worked_out_once_a_run);
    tcase_add_test(t, what_stands_in_a_shared_call_is_shared_too);
    tcase_add_test(t, a_changed_message_is_looked_at_anew);
    tcase_add_test(t, a_call_is_prepared_once_in_a_scope);
    tcase_add_test(t, more_calls_than_can_be_kept_are_right_too);
    tcase_add_test(t, a_run_that_needs_too_much_text_fails);
    tcase_add_test(t, memory_is_bounded_to_the_byte);
    tcase_add_test(t, what_is_forgotten_gives_its_memory_back_but_not_that_of_captures);
    tcase_add_test(t, little_memory_is_left_alone_much_is_given_back);
    tcase_add_test(t, what_an_expression_tells_of_itself);
    tcase_add_test(t, the_manual_has_all_rows);
    return t;
}
