/*
 * What is wrong with an expression is said where it is wrong: each case is
 * "COLUMN+WIDTH: message (hint)".
 */
#include "test_rules.h"

static void expect(enum rules_stage stage, enum rules_type want, const char *expression, const char *message)
{
    struct bench *b = bench_new(stage);
    const struct rules_expression *e = bench_compile(b, expression, want);
    ck_assert_str_eq(bench_error(b), message);
    ck_assert_int_eq(e == NULL, *message != '\0');
    bench_free(b);
}

static void expect_all(const char *const (*cases)[2], size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect(RULES_AT_RESPONSE, RULES_BOOL, cases[i][0], cases[i][1]);
}

START_TEST(syntax)
{
    static const char *const cases[][2] = {
        {"host = 'a'", "6+1: this character can't stand here (equality is written ==)"},
        {"secure & secure", "8+1: this character can't stand here (and is written &&)"},
        {"host == \"a\"", "9+1: this character can't stand here (a string stands in single quotes)"},
        {"host == 'a", "9+2: this string has no closing quote (a ' in a string is written \\')"},
        {"$10 == 'a'", "1+1: this character can't stand here (what a regular expression caught is $0 to $9)"},
        {"status == 10.0", "13+1: this character can't stand here"},
        {"status == 12ab", "11+3: a number has digits only (an address or a text stands in single quotes)"},
        {"status == 9223372036854775808",
         "11+19: this number is too large (the largest is 9223372036854775807)"},
        {"(secure",
         "8+1: a comma or a closing parenthesis is missing here (the parenthesis of column 1 of the "
         "expression is open)"},
        {"secure)", "7+1: this parenthesis closes none"},
        {"secure secure", "8+6: the expression should end here (two conditions are joined with && or ||)"},
        {"secure, secure", "7+1: a comma can't stand here (a list stands in parentheses)"},
        {"host ==", "8+1: the expression ends where a value is missing"},
        {"host == == 'a'", "9+2: a value is missing here"},
        {"host == !secure", "9+1: \"not\" can't stand here (put it in parentheses: (!a) == b)"},
        {"1 < status < 3",
         "12+1: comparisons can't stand one behind the other (join two with &&, or put one in "
         "parentheses)"},
        {"host not 'a'", "10+3: only \"in\" follows \"not\" here"},
        {"secure ? true",
         "14+1: \":\" is missing here (a choice is written: condition ? value : other value)"},
    };
    expect_all(cases, ARRAY_LEN(cases));
}
END_TEST

START_TEST(names_and_arguments)
{
    static const char *const cases[][2] = {
        {"hots == 'a'", "1+4: unknown variable \"hots\" (did you mean \"host\"?)"},
        {"Host == 'a'", "1+4: unknown variable \"Host\" (did you mean \"host\"?)"},
        {"lowr(host) == 'a'", "1+4: unknown function \"lowr\" (did you mean \"lower\"?)"},
        {"secure && zzzzzzzz", "11+8: unknown variable \"zzzzzzzz\" (a text stands in single quotes)"},
        {"host() == 'a'", "1+4: \"host\" is a variable, not a function (it is written without parentheses)"},
        {"lower == 'a'", "1+5: \"lower\" is a function, not a variable (it is written lower(...))"},
        {"lower() == 'a'", "1+7: lower() takes 1 argument, not 0 (it is written lower(text))"},
        {"lower(host, path) == 'a'", "1+17: lower() takes 1 argument, not 2 (it is written lower(text))"},
        {"show() == 'a'",
         "1+6: show() takes 1 to 16 arguments, not 0 (it is written show(first[, second[, more, ...]]))"},
        {"header(path) == 'a'", "8+4: the name of header() must be constant (it is looked at when the "
                                "configuration is loaded)"},
        {"mask(src, 'ten')", "11+5: \"ten\" is no IP address or network such as 10.0.0.0/8 or 2001:db8::/32"},
        {"var('nobody') == 'a'", "5+8: nothing sets this variable (set_var gives it a value)"},
    };
    expect_all(cases, ARRAY_LEN(cases));
}
END_TEST

START_TEST(types)
{
    static const char *const cases[][2] = {
        {"host",
         "1+4: \"host\" is a string, a bool is wanted here (compare it with something: host == '...')"},
        {"status", "1+6: \"status\" is an int, a bool is wanted here (compare it with something, for example "
                   "with ==)"},
        {"host == 200", "9+3: \"200\" is an int, a string is wanted here (in quotes '200' is a string)"},
        {"status == '200'",
         "11+5: '200' is a string, an int is wanted here (without the quotes 200 is an int)"},
        {"'200' == status",
         "1+5: '200' is a string, an int is wanted here (without the quotes 200 is an int)"},
        {"host < 'b'", "1+4: \"host\" is a string, an int is wanted here"},
        {"secure && host",
         "11+4: \"host\" is a string, a bool is wanted here (compare it with something: host "
         "== '...')"},
        {"!status",
         "2+6: \"status\" is an int, a bool is wanted here (compare it with something, for example "
         "with ==)"},
        {"src == 'ten'", "8+5: this is no IP address (for example '10.0.0.1' or '2001:db8::1')"},
        {"src == host", "8+4: \"host\" is a string, an ip is wanted here"},
        {"src in ('10.0.0.1', 'x')", "21+3: this is no IP address (for example '10.0.0.1' or '2001:db8::1')"},
        {"tags == tags", "1+4: lists can't be compared (a value is looked for with \"in\")"},
        {"host in ('a', 1)", "15+1: \"1\" is an int, a string is wanted here (in quotes '1' is a string)"},
        {"host in ('a', path)",
         "15+4: a list holds constants only (compare with each of several by || and ==)"},
        {"host in path", "9+4: \"path\" is a string, a list is wanted here (a list is written ('a', 'b'))"},
        {"status in tags", "1+6: \"status\" is an int, a string is wanted here"},
        {"secure + secure == 2", "1+6: + joins strings and adds ints; this is a bool"},
        {"host + 1 == 'a'", "8+1: \"1\" is an int, a string is wanted here (in quotes '1' is a string)"},
        {"(secure ? 1 : 'a') == 1", "15+3: 'a' is a string, an int is wanted here"},
        {"host =~ path",
         "9+4: a regular expression must be constant (it is compiled when the configuration is "
         "loaded)"},
        {"status =~ '4'", "1+6: \"status\" is an int, a string is wanted here"},
        {"1 / 0 == 1", "1+5: a number is divided by zero"},
        {"9223372036854775807 + 1 == status", "1+23: a number does not fit 64 bits"},
        {"lower(host + path) == len(host)", "23+9: \"len(host)\" is an int, a string is wanted here"},
    };
    expect_all(cases, ARRAY_LEN(cases));
    expect(RULES_AT_RESPONSE, RULES_IP, "'10.0.0.1'", "");
    expect(RULES_AT_RESPONSE, RULES_IP, "secure ? '10.0.0.1' : '::1'", "");
    expect(RULES_AT_RESPONSE, RULES_IP, "secure ? '10.0.0.1' : 'x'",
           "23+3: this is no IP address (for example '10.0.0.1' or '2001:db8::1')");
}
END_TEST

START_TEST(stages)
{
    expect(RULES_AT_REQUEST, RULES_BOOL, "status == 200",
           "1+6: there is no response yet where \"status\" is asked here (it can stand in http_response)");
    expect(RULES_AT_CONNECTION, RULES_BOOL, "secure && header('a') == ''",
           "11+6: there is no request where \"header\" is asked here (it can stand in http_condition and "
           "http_response)");
    expect(RULES_AT_CONNECTION, RULES_BOOL, "src == '10.0.0.1'", "");
    expect(RULES_AT_REQUEST, RULES_BOOL, "host == 'a'", "");
}
END_TEST

START_TEST(regular_expressions_fail_at_their_byte)
{
    static const char *const cases[][2] = {
        {"path =~ '^/a(b'", "15+1: wrong regular expression: missing closing parenthesis"},
        {"path =~ '[z-a]'", "13+1: wrong regular expression: range out of order in character class"},
        /* Behind escapes, which are written longer than they mean. */
        {"path =~ '\\x41\\\\.\\'[z-a]'",
         "22+1: wrong regular expression: range out of order in character class"},
        {"path =~ '*'", "10+1: wrong regular expression: quantifier does not follow a repeatable item"},
        {"path =~ '(*UTF)a'", "16+1: wrong regular expression: using UTF is disabled by the application"},
    };
    expect_all(cases, ARRAY_LEN(cases));
}
END_TEST

static void expect_deep(const char *open, const char *close, unsigned count, bool good)
{
    struct text t = {0};
    struct bench *b = bench_new(RULES_AT_RESPONSE);
    for (unsigned i = 0; i < count; i++)
        text_puts(&t, open);
    text_puts(&t, "secure");
    for (unsigned i = 0; i < count; i++)
        text_puts(&t, close);
    const struct rules_expression *e = bench_compile(b, text_str(&t), RULES_BOOL);
    ck_assert_msg((e != NULL) == good, "%s", text_str(&t));
    const char *message = bench_error(b);
    ck_assert_msg(good || strstr(message, "more than 64 expressions stand in each other here"), "%s",
                  message);
    text_free(&t);
    bench_free(b);
}

START_TEST(sizes_are_bounded)
{
    expect_deep("(", ")", 60, true);
    expect_deep("(", ")", 70, false);
    expect_deep("!", "", 60, true);
    expect_deep("!", "", 70, false);
    expect_deep("", " == true", 1, true);
    expect_deep("(", " == true)", 70, false);

    struct text t = {0};
    struct bench *b = bench_new(RULES_AT_RESPONSE);
    text_puts(&t, "1");
    for (unsigned i = 0; i < 100; i++)
        text_puts(&t, " - 1");
    ck_assert_ptr_null(bench_compile(b, text_str(&t), RULES_INT));
    ck_assert_ptr_nonnull(strstr(bench_error(b), "more than 64 expressions"));
    while (t.len <= 16384)
        text_puts(&t, "                ");
    ck_assert_ptr_null(bench_compile(b, text_str(&t), RULES_INT));
    ck_assert_ptr_nonnull(strstr(bench_error(b), "has at most 16384 bytes"));
    text_free(&t);
    bench_free(b);
}
END_TEST

START_TEST(an_expression_has_something_in_it)
{
    struct bench *b = bench_new(RULES_AT_RESPONSE);
    ck_assert_ptr_null(bench_compile(b, "", RULES_BOOL));
    ck_assert_ptr_nonnull(strstr(bench_error(b), "there is no expression here"));
    ck_assert_ptr_null(bench_compile(b, "f(1, 2", RULES_BOOL));
    ck_assert_ptr_nonnull(strstr(bench_error(b), "is missing here"));
    bench_free(b);
}
END_TEST

TCase *rules_error_tests(void)
{
    TCase *t = tcase_create("errors");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, syntax);
    tcase_add_test(t, names_and_arguments);
    tcase_add_test(t, types);
    tcase_add_test(t, stages);
    tcase_add_test(t, regular_expressions_fail_at_their_byte);
    tcase_add_test(t, sizes_are_bounded);
    tcase_add_test(t, an_expression_has_something_in_it);
    return t;
}
