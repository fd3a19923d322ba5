#include "test_rules.h"

#include <stdlib.h>

static uint64_t seed;

unsigned test_random(unsigned below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % below;
}

static struct text told;

static void seen(struct rules_trace *t, const char *what, enum rules_type type, const struct rules_value *v)
{
    struct rules_run *run = &CONTAINER_OF(t, struct bench, trace)->run;
    char *before = run->next;
    struct slice s = rules_print_value(run, type, v);
    text_printf(&told, "%s=%.*s; ", what, SLICE_ARG(s));
    run->next = before;
}

static const char *value_of(struct bench *b, const struct rules_expression *e)
{
    struct rules_value v;
    if (!e)
        return arena_printf(&b->load.arena, "error: %s", bench_error(b));
    rules_value(e, &b->run, &v);
    enum rules_type t = rules_type_of(e);
    if (t == RULES_BOOL)
        ck_assert_int_eq(rules_true(e, &b->run), v.boolean && !rules_failed(&b->run));
    if (rules_failed(&b->run))
        return arena_printf(&b->load.arena, "failed: %s", b->run.failure);
    struct slice s = rules_print_value(&b->run, t, &v);
    return arena_printf(&b->load.arena, "%s %.*s", rules_type_name(t), SLICE_ARG(s));
}

const char *test_value(struct bench *b, const char *expression)
{
    return value_of(b, bench_compile(b, expression, RULES_TYPE_COUNT));
}

const char *test_told(struct bench *b, const char *expression)
{
    const struct rules_expression *e = bench_compile(b, expression, RULES_TYPE_COUNT);
    struct rules_value v;
    ck_assert_ptr_nonnull(e);
    b->trace.seen = seen;
    rules_begin(&b->run, b->scope, &b->sample, &b->trace);
    rules_value(e, &b->run, &v);
    b->run.trace = NULL;
    text_puts(&told, value_of(b, e));
    const char *all = arena_strdup(&b->load.arena, text_str(&told));
    text_free(&told);
    return all;
}

int main(void)
{
    Suite *suite = suite_create("rules");
    suite_add_tcase(suite, rules_print_tests());
    suite_add_tcase(suite, rules_error_tests());
    suite_add_tcase(suite, rules_evaluate_tests());
    suite_add_tcase(suite, rules_regex_tests());
    suite_add_tcase(suite, rules_run_tests());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
