/*
 * What expressions give, plainly and with a trace.
 */
#include <stdio.h>

#include "test_rules.h"

static struct bench *b;

static void setup(void)
{
    b = bench_new(RULES_AT_RESPONSE);
}

static void teardown(void)
{
    bench_free(b);
}

static void expect_all(const char *const (*cases)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bench_begin(b);
        ck_assert_msg(strcmp(test_value(b, cases[i][0]), cases[i][1]) == 0, "%s: %s, not %s", cases[i][0],
                      test_value(b, cases[i][0]), cases[i][1]);
    }
}

START_TEST(operators)
{
    static const char *const cases[][2] = {
        {"host == 'www.example.org'", "bool true"},
        {"'www.example.org' == host", "bool true"},
        {"host == 'www.example.orG'", "bool false"},
        {"host == 'wwx.example.org'", "bool false"},
        {"host != 'www.example.org'", "bool false"},
        {"host == ''", "bool false"},
        {"header('none') == ''", "bool true"},
        {"host == path", "bool false"},
        {"host == lower(host)", "bool true"},
        {"status == 404 && status != 405", "bool true"},
        {"status < 404 || status > 404", "bool false"},
        {"status <= 404 && status >= 404", "bool true"},
        {"len(host) < status && status > len(host)", "bool true"},
        {"len(host) >= status || status <= len(host)", "bool false"},
        {"400 < status && 500 >= status", "bool true"},
        {"secure", "bool false"},
        {"!secure", "bool true"},
        {"secure == false", "bool true"},
        {"secure == (host == 'a')", "bool true"},
        {"secure != (!secure)", "bool true"},
        {"src == '10.1.2.3'", "bool true"},
        {"src == '::ffff:10.1.2.3'", "bool true"},
        {"'10.1.2.4' == src", "bool false"},
        {"src", "ip 10.1.2.3"},
        {"secure ? 'a' : host", "string www.example.org"},
        {"!secure ? status : 1", "int 404"},
        {"(secure ? '1.1.1.1' : src) == '10.1.2.3'", "bool true"},
        {"true ? host : path", "string www.example.org"},
        {"host + ':' + path + '!'", "string www.example.org:/api/v1/users!"},
        {"'' + ''", "string "},
        {"1 + 2 * 3 - 10 / 3 % 2", "int 6"},
        {"-(status - 400) * 2", "int -8"},
        {"-7 / 2 * 10 + -7 % 2", "int -31"},
        {"status + 1 + 2 + len('abc')", "int 410"},
    };
    expect_all(cases, ARRAY_LEN(cases));
}
END_TEST

START_TEST(lists)
{
    static const char *const cases[][2] = {
        {"host in ('a', 'www.example.org')", "bool true"},
        {"host not in ('a', 'www.example.org')", "bool false"},
        {"host in ('a', 'b', 'ww.example.org', 'www.example.or')", "bool false"},
        {"host in ('www.example.org')", "bool true"},
        {"host + ':' + path + '!' in ('a', 'www.example.org:/api/v1/users?', "
         "'www.example.org:/api/v1/users!')",
         "bool true"},
        {"host + host + host in ('a', 'www.example.orgwww.example.orgwww.example.org')", "bool true"},
        {"'a' in ('a')", "bool true"},
        {"'' in ('a', '')", "bool true"},
        {"status in (200, 404, 200)", "bool true"},
        {"status not in (200, 301)", "bool true"},
        {"src in ('10.1.2.3', '2001:db8::1')", "bool true"},
        {"src in ('10.1.2.4')", "bool false"},
        {"secure in (true, false)", "bool true"},
        {"'red' in tags && 'green' in tags && 'blue' not in tags", "bool true"},
        {"lower('RED') in tags", "bool true"},
        {"tags", "list red, green"},
        {"('a', 'b')", "list a, b"},
        {"show((1, 2))", "string list=1, 2"},
    };
    expect_all(cases, ARRAY_LEN(cases));
}
END_TEST

START_TEST(long_lists)
{
    struct text in = {0};
    text_puts(&in, "host in ('x'");
    for (unsigned i = 0; i < 600; i++)
        text_printf(&in, ", 'host-%u.example.org'", i);
    text_puts(&in, ")");
    const struct rules_expression *e = bench_compile(b, text_str(&in), RULES_BOOL);
    ck_assert_ptr_nonnull(e);
    for (unsigned i = 0; i < 1400; i++) {
        char host[64];
        snprintf(host, sizeof host, "host-%u.example.org", i);
        b->sample.host = host;
        bench_begin(b);
        ck_assert_int_eq(rules_true(e, &b->run), i < 600);
    }
    text_free(&in);
}
END_TEST

START_TEST(calls)
{
    static const char *const cases[][2] = {
        {"show('a')", "string string=a"},
        {"show(host, src, status, secure)", "string string=www.example.org ip=10.1.2.3 int=404 bool=false"},
        {"show(1, '::1', host == 'a', 'x' + path)", "string int=1 ip=::1 bool=false string=x/api/v1/users"},
        {"show(show(1) + 'a', src)", "string string=int=1a ip=10.1.2.3"},
        {"mask(src, '10.0.0.0/8') && !mask(src, '11.0.0.0/8')", "bool true"},
        {"mask('10.0.0.1', '10.0.0.0/8')", "bool true"},
        {"starts_with(path, '/api') && !starts_with(path, '/apj')", "bool true"},
        {"ends_with(path, 'users') && !ends_with(path, '/api/v1/users ')", "bool true"},
        {"starts_with(path, '') && ends_with(path, '')", "bool true"},
        {"starts_with(path, lower('/API'))", "bool true"},
        {"starts_with(path, header('x'))", "bool true"},
        {"var('level') + 1", "int 5"},
        {"var('colour') + '!'", "string blue!"},
        {"lower('ABC')", "string abc"},
        {"tick == tick", "bool false"},
        {"draw(1) == draw(1)", "bool false"},
        {"next() == next()", "bool false"},
        {"broken(host)", "failed: broken: www.example.org"},
        {"1 / (status - 404) == 0", "failed: a number is divided by zero"},
        {"(9223372036854775000 + status) + status == 0", "failed: a number does not fit 64 bits"},
        {"(-9223372036854775807 - 1) / (status - 405)", "failed: a number does not fit 64 bits"},
    };
    expect_all(cases, ARRAY_LEN(cases));
}
END_TEST

START_TEST(what_is_known_is_worked_out_when_compiled)
{
    static const struct {
        const char *expression;
        bool known;
    } cases[] = {
        {"1 + 2 == 3", true},
        {"lower('A') == 'a'", true},
        {"host == 'a' && false", true},
        {"secure || true", true},
        {"true && true || false", true},
        {"true ? 1 == 1 : secure", true},
        {"mask('10.0.0.1', '10.0.0.0/8')", true},
        {"'a' in ('a', 'b')", true},
        {"header('a') == ''", false},
        {"var('level') == 4", false},
        {"tick == 1", false},
        {"secure || false", false},
        {"secure ? true : true", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct rules_expression *e = bench_compile(b, cases[i].expression, RULES_BOOL);
        ck_assert_msg((rules_constant(e) != NULL) == cases[i].known, "%s", cases[i].expression);
        if (!cases[i].known)
            continue;
        bench_begin(b);
        ck_assert_int_eq(rules_true(e, &b->run), rules_constant(e)->boolean);
    }
    ck_assert_uint_eq(b->sample.asked_len, 0);
}
END_TEST

START_TEST(a_trace_tells_what_was_evaluated)
{
    ck_assert_str_eq(test_told(b, "host == 'a' || path =~ '^/api/'"),
                     "host=www.example.org; host == 'a'=false; path=/api/v1/users; path =~ '^/api/'=true; "
                     "bool true");
    ck_assert_str_eq(test_told(b, "secure && host == 'a'"), "secure=false; bool false");
    ck_assert_str_eq(test_told(b, "len(host) > 1 && (len(host) < 99 && host != '')"),
                     "host=www.example.org; len(host)=15; len(host) > 1=true; len(host) < 99=true; host != "
                     "''=true; bool true");
    ck_assert_str_eq(test_told(b, "secure ? host : path + 'x'"),
                     "secure=false; path=/api/v1/users; string /api/v1/usersx");
    /* What an earlier expression of the run has worked out is told, too. */
    bench_begin(b);
    const struct rules_expression *e = bench_compile(b, "len(path) == 1", RULES_BOOL);
    ck_assert(!rules_true(e, &b->run));
    ck_assert_str_eq(test_told(b, "len(path) == 13"),
                     "path=/api/v1/users; len(path)=13; len(path) == 13=true; bool true");
}
END_TEST

/* ---- random expressions ---- */

static void random_expression(struct text *t, enum rules_type type, unsigned depth);

static void random_leaf(struct text *t, enum rules_type type)
{
    static const char *const leaves[][5] = {
        [RULES_STRING] = {"host", "path", "'www'", "header('user-agent')", "$1"},
        [RULES_INT] = {"status", "4", "404", "len(path)", "len(host)"},
        [RULES_BOOL] = {"secure", "true", "false", "mask(src, '10.0.0.0/8')", "starts_with(path, '/api')"},
        [RULES_IP] = {"src", "src", "src", "src", "src"},
    };
    text_puts(t, leaves[type][test_random(5)]);
}

static void random_pair(struct text *t, enum rules_type type, const char *operator, unsigned depth)
{
    text_puts(t, "(");
    random_expression(t, type, depth);
    text_printf(t, " %s ", operator);
    random_expression(t, type, depth);
    text_puts(t, ")");
}

static void random_bool(struct text *t, unsigned depth)
{
    static const char *const orders[] = {"==", "!=", "<", "<=", ">", ">="};
    static const char *const ends[] = {" =~ '^(/api|www)')", " =~ '(?i)badbot')", " !~ 'e(.)')",
                                       " in ('a', 'www'))", " not in tags)"};
    switch (test_random(8)) {
    case 0:
    case 1:
        random_pair(t, RULES_BOOL, test_random(2) ? "&&" : "||", depth);
        break;
    case 2:
        random_pair(t, RULES_INT, orders[test_random(6)], depth);
        break;
    case 3:
        random_pair(t, RULES_STRING, orders[test_random(2)], depth);
        break;
    case 4:
        text_puts(t, "!(");
        random_expression(t, RULES_BOOL, depth);
        text_puts(t, ")");
        break;
    case 5:
        random_pair(t, RULES_BOOL, orders[test_random(2)], depth);
        break;
    case 6:
        text_puts(t, "(");
        random_expression(t, RULES_IP, depth);
        text_puts(t, " in ('10.1.2.3', '::1'))");
        break;
    default:
        text_puts(t, "(");
        random_expression(t, RULES_STRING, depth);
        text_puts(t, ends[test_random(5)]);
    }
}

static void random_expression(struct text *t, enum rules_type type, unsigned depth)
{
    if (!depth) {
        random_leaf(t, type);
    } else if (test_random(6) == 0) {
        text_puts(t, "(");
        random_expression(t, RULES_BOOL, depth - 1);
        text_puts(t, " ? ");
        random_expression(t, type, depth - 1);
        text_puts(t, " : ");
        random_expression(t, type, depth - 1);
        text_puts(t, ")");
    } else if (type == RULES_BOOL) {
        random_bool(t, depth - 1);
    } else if (type == RULES_INT) {
        random_pair(t, RULES_INT, (const char *[]){"+", "-", "*", "/"}[test_random(4)], depth - 1);
    } else if (type == RULES_STRING && test_random(2)) {
        text_puts(t, test_random(2) ? "lower(" : "show(");
        random_expression(t, RULES_STRING, depth - 1);
        text_puts(t, ")");
    } else if (type == RULES_STRING) {
        random_pair(t, RULES_STRING, "+", depth - 1);
    } else {
        random_leaf(t, type);
    }
}

/* A condition of &&, ||, !, == and ?: whose truth is known as it is written. */
static bool random_logic(struct text *t, unsigned depth)
{
    static const char *const leaves[] = {"secure", "!secure", "host == 'a'", "host != 'a'", "false", "true"};
    unsigned which = test_random(depth ? 5 : 6);
    bool a, x, y;
    if (!depth) {
        text_printf(t, "(%s)", leaves[which]);
        return which % 2;
    }
    text_puts(t, which == 4 ? "(!(" : "((");
    a = random_logic(t, depth - 1);
    if (which == 4) {
        text_puts(t, "))");
        return !a;
    }
    text_puts(t, (const char *[]){") && (", ") || (", ") == (", ") ? ("}[which]);
    x = random_logic(t, depth - 1);
    if (which == 3) {
        text_puts(t, ") : (");
        y = random_logic(t, depth - 1);
        x = a ? x : y;
    }
    text_puts(t, "))");
    return which == 0 ? a && x : which == 1 ? a || x : which == 2 ? a == x : x;
}

START_TEST(logic_is_what_is_written)
{
    for (unsigned round = 0; round < 5000; round++) {
        struct bench *one = bench_new(RULES_AT_RESPONSE);
        struct text t = {0};
        bool truth = random_logic(&t, 1 + round % 6);
        const struct rules_expression *e = bench_compile(one, text_str(&t), RULES_BOOL);
        bench_begin(one);
        ck_assert_msg(rules_true(e, &one->run) == truth, "not %d: %s", truth, text_str(&t));
        text_free(&t);
        bench_free(one);
    }
}
END_TEST

static void ignore(struct rules_trace *t, const char *what, enum rules_type type, const struct rules_value *v)
{
    (void)t, (void)what, (void)type, (void)v;
}

/* All of them in one run; `answers` gets what each one said. */
static void run_all(struct bench *bench, const struct rules_expression **e, unsigned count,
                    struct rules_trace *trace, int *answers)
{
    rules_begin(&bench->run, bench->scope, &bench->sample, trace);
    for (unsigned i = 0; i < count; i++) {
        bool held = rules_true(e[i], &bench->run);
        answers[i] = rules_failed(&bench->run) ? -1 : held;
        bench->run.failure[0] = '\0';
    }
}

/* The same alone, in scopes of their own, where nothing is shared. */
static int run_alone(const char *expression)
{
    struct bench *alone = bench_new(RULES_AT_RESPONSE);
    const struct rules_expression *e = bench_compile(alone, expression, RULES_BOOL);
    int answer;
    ck_assert_ptr_nonnull(e);
    rules_begin(&alone->run, alone->scope, &alone->sample, NULL);
    run_all(alone, &e, 1, NULL, &answer);
    bench_free(alone);
    return answer;
}

START_TEST(shared_alone_and_traced_decide_the_same)
{
    enum { COUNT = 12 };
    unsigned held = 0, wrong = 0;
    for (unsigned round = 0; round < 400; round++) {
        struct bench *together = bench_new(RULES_AT_RESPONSE);
        struct rules_trace trace = {ignore};
        const struct rules_expression *e[COUNT];
        char *texts[COUNT];
        int plain[COUNT], told[COUNT];
        unsigned count = 0;
        while (count < COUNT) {
            struct text t = {0};
            random_expression(&t, RULES_BOOL, 1 + test_random(4));
            /* $1 is what an earlier expression of the run has caught. */
            bool usable = !strstr(text_str(&t), "$1");
            e[count] = usable ? bench_compile(together, text_str(&t), RULES_BOOL) : NULL;
            wrong += usable && !e[count];
            together->load.report.count = together->load.report.errors = 0;
            texts[count] = arena_strdup(&together->load.arena, text_str(&t));
            count += e[count] != NULL;
            text_free(&t);
        }
        run_all(together, e, COUNT, NULL, plain);
        run_all(together, e, COUNT, &trace, told);
        for (unsigned i = 0; i < COUNT; i++) {
            ck_assert_msg(plain[i] == told[i], "traced %d, plain %d: %s", told[i], plain[i], texts[i]);
            int alone = run_alone(texts[i]);
            ck_assert_msg(plain[i] == alone, "alone %d, shared %d: %s", alone, plain[i], texts[i]);
            held += plain[i] == 1;
        }
        bench_free(together);
    }
    ck_assert_uint_gt(held, 400);
    ck_assert_uint_lt(wrong, 4800); /* divisions by zero and the like */
}
END_TEST

START_TEST(captures_decide_the_same_with_a_trace)
{
    for (unsigned round = 0; round < 2000; round++) {
        struct bench *one = bench_new(RULES_AT_RESPONSE);
        struct rules_trace trace = {ignore};
        struct text t = {0};
        int plain, told;
        random_expression(&t, RULES_BOOL, 4);
        const struct rules_expression *e = bench_compile(one, text_str(&t), RULES_BOOL);
        if (e) {
            run_all(one, &e, 1, NULL, &plain);
            run_all(one, &e, 1, &trace, &told);
            ck_assert_msg(plain == told, "traced %d, plain %d: %s", told, plain, text_str(&t));
        }
        text_free(&t);
        bench_free(one);
    }
}
END_TEST

TCase *rules_evaluate_tests(void)
{
    TCase *t = tcase_create("evaluate");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, operators);
    tcase_add_test(t, lists);
    tcase_add_test(t, long_lists);
    tcase_add_test(t, calls);
    tcase_add_test(t, what_is_known_is_worked_out_when_compiled);
    tcase_add_test(t, a_trace_tells_what_was_evaluated);
    tcase_add_test(t, logic_is_what_is_written);
    tcase_add_test(t, shared_alone_and_traced_decide_the_same);
    tcase_add_test(t, captures_decide_the_same_with_a_trace);
    return t;
}
