#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/random.h"
#include "http/query.h"
#include "subject_fixture.h"

static void ask(const char *target)
{
    request.path = request.target = exact(target);
}

/* ---- fields ---- */

START_TEST(a_field_is_found_without_case_and_not_copied)
{
    add_field(&request, "X-One: 1");
    add_field(&request, "USER-agent: Mozilla/5.0");
    add_field(&request, "Accept: text/html");
    ck_slice_eq(string_call("header", "user-AGENT"), "Mozilla/5.0");
    ck_slice_eq(string_call("header", "x-one"), "1");
    ck_slice_eq(string_call("header", "ACCEPT"), "text/html");
    ck_assert_ptr_eq(string_call("header", "accept").ptr, request.fields[2].value);
    ck_assert_ptr_eq(run.next, run.memory);
}
END_TEST

START_TEST(another_name_is_another_field)
{
    add_field(&request, "X-On: 1");
    add_field(&request, "X-OneX: 2");
    add_field(&request, "Y-One: 3");
    add_field(&request, "Accept-Language: 4");
    ck_slice_eq(string_call("header", "x-one"), "");
    ck_slice_eq(string_call("header", "accept"), "");
    ck_assert(!bool_call("has_header", "x-one"));
    ck_assert_int_eq(number_call("header_count", "x-one"), 0);
}
END_TEST

START_TEST(an_empty_field_is_there)
{
    add_field(&request, "X-Empty:");
    ck_slice_eq(string_call("header", "x-empty"), "");
    ck_assert(bool_call("has_header", "x-empty"));
    ck_assert_int_eq(number_call("header_count", "x-empty"), 1);
}
END_TEST

START_TEST(several_lines_are_joined_in_order)
{
    add_field(&request, "X-Tag: a");
    add_field(&request, "Via: 1.0 x");
    add_field(&request, "x-tag: b, c");
    add_field(&request, "Accept: text/html");
    add_field(&request, "X-TAG:");
    add_field(&request, "X-TAG: d");
    add_field(&request, "ACCEPT: */*");
    ck_slice_eq(string_call("header", "x-tag"), "a, b, c, , d");
    ck_slice_eq(string_call("header", "accept"), "text/html, */*");
    ck_assert_int_eq(number_call("header_count", "x-tag"), 4);
    add_field(&request, "X-None:");
    add_field(&request, "X-None:");
    ck_slice_eq(string_call("header", "x-none"), ", ");
}
END_TEST

START_TEST(lines_of_cookie_are_joined_as_one_cookie_field)
{
    add_field(&request, "Cookie: a=1; b=2");
    add_field(&request, "cookie: c=3");
    ck_slice_eq(string_call("header", "cookie"), "a=1; b=2; c=3");
}
END_TEST

START_TEST(set_cookie_is_never_joined)
{
    add_field(&response, "Set-Cookie: a=1");
    add_field(&response, "Set-Cookie: b=2; Expires=Sat, 21 Nov 2026 07:00:00 GMT");
    ck_slice_eq(string_call("response_header", "set-cookie"), "a=1");
}
END_TEST

START_TEST(what_an_action_dropped_is_not_seen_and_what_it_added_is)
{
    add_field(&request, "X-Tag: a");
    add_field(&request, "X-Tag: b");
    add_field(&request, "Cookie: a=1");
    drop_field(&request, "x-tag");
    drop_field(&request, "cookie");
    ck_slice_eq(string_call("header", "x-tag"), "");
    ck_assert(!bool_call("has_header", "x-tag"));
    ck_assert_int_eq(number_call("header_count", "x-tag"), 0);
    ck_slice_eq(string_call("cookie", "a"), "");
    static const char line[] = "X-Tag: ours\r\n";
    message_add_raw(&request, FIELD_OTHER, line, 5, 4);
    ck_slice_eq(string_call("header", "x-tag"), "ours");
    ck_assert_int_eq(number_call("header_count", "x-tag"), 1);
}
END_TEST

START_TEST(request_and_response_are_two)
{
    add_field(&request, "X-Side: request");
    add_field(&response, "X-Side: response");
    add_field(&response, "X-Other:");
    ck_slice_eq(string_call("header", "x-side"), "request");
    ck_slice_eq(string_call("response_header", "x-side"), "response");
    ck_assert(!bool_call("has_header", "x-other"));
    ck_assert(bool_call("has_response_header", "x-other"));
    ck_assert(!bool_call("has_response_header", "x-another"));
}
END_TEST

START_TEST(host_may_be_said_by_the_target_alone)
{
    ck_slice_eq(string_call("header", "host"), "");
    ck_assert(!bool_call("has_header", "host"));
    ck_assert_int_eq(number_call("header_count", "host"), 0);
    add_field(&request, "Host: other.example");
    drop_field(&request, "host");
    request.host = exact("target.example:81");
    ck_slice_eq(string_call("header", "Host"), "target.example:81");
    ck_assert(bool_call("has_header", "Host"));
    ck_assert_int_eq(number_call("header_count", "host"), 1);
    add_field(&request, "Host: set.example");
    ck_slice_eq(string_call("header", "host"), "set.example");
    ck_assert_int_eq(number_call("header_count", "host"), 1);
}
END_TEST

START_TEST(lines_too_long_to_be_joined_fail_the_run)
{
    char line[20000] = "X-Long: ";
    memset(line + 8, 'x', sizeof line - 9);
    add_field(&request, line);
    ck_assert_uint_eq(string_call("header", "x-long").len, sizeof line - 9);
    add_field(&request, line);
    ck_assert(!rules_failed(&run));
    ck_slice_eq(string_call("header", "x-long"), "");
    ck_assert(rules_failed(&run));
}
END_TEST

START_TEST(a_message_full_of_fields_is_read_whole)
{
    for (unsigned i = 0; i < MESSAGE_FIELDS_MAX; i++)
        add_field(&request, "X-Many: 1");
    ck_assert_int_eq(number_call("header_count", "x-many"), MESSAGE_FIELDS_MAX);
    ck_assert_uint_eq(string_call("header", "x-many").len, 3 * MESSAGE_FIELDS_MAX - 2);
    ck_slice_eq(string_call("header", "x-few"), "");
}
END_TEST

/* ---- cookies ---- */

static const struct {
    const char *lines[2], *name, *value; /* NULL: there is none */
} cookies[] = {
    {{"a=1"}, "a", "1"},
    {{"a=1; b=2"}, "b", "2"},
    {{"a=1;b=2"}, "b", "2"},
    {{"a=1; a=2"}, "a", "1"},
    {{"a=1; b=2", "c=3"}, "c", "3"},
    {{"a=1", "a=2"}, "a", "1"},
    {{"a=1"}, "A", NULL},
    {{"aa=1; ba=2"}, "a", NULL},
    {{"a=b=c"}, "a", "b=c"},
    {{"a=b=c"}, "b", NULL},
    {{"a="}, "a", ""},
    {{"a"}, "a", NULL},
    {{"a; b=2"}, "b", "2"},
    {{"a; b=2"}, "a", NULL},
    {{"=1"}, "a", NULL},
    {{" a = 1 ; b"}, "a", "1"},
    {{"\t a\t=\t1\t"}, "a", "1"},
    {{"a=\"1\""}, "a", "1"},
    {{"a=\"\"1\"\""}, "a", "\"1\""},
    {{"a=\"\""}, "a", ""},
    {{"a=\""}, "a", "\""},
    {{"a=\"1"}, "a", "\"1"},
    {{"a=1\""}, "a", "1\""},
    {{"a=\"1; b=2\""}, "a", "\"1"},
    {{"x=\"1; a=2; y=\""}, "a", "2"},
    {{";;; ;a=1;"}, "a", "1"},
    {{""}, "a", NULL},
    {{"="}, "a", NULL},
    {{";"}, "a", NULL},
    {{"a=%20"}, "a", "%20"},
    {{"a=1, b=2"}, "a", "1, b=2"},
};

START_TEST(cookies_are_found)
{
    for (unsigned i = 0; i < 2 && cookies[_i].lines[i]; i++) {
        char line[64];
        snprintf(line, sizeof line, "Cookie:%s", cookies[_i].lines[i]);
        add_field(&request, line);
    }
    const char *value = cookies[_i].value;
    struct slice got = string_call("cookie", cookies[_i].name);
    ck_assert(slice_equal_or_tell(got, value ? value : "", value ? strlen(value) : 0));
    ck_assert_int_eq(bool_call("has_cookie", cookies[_i].name), value != NULL);
    ck_assert_ptr_eq(run.next, run.memory);
}
END_TEST

START_TEST(without_cookies_there_is_none)
{
    ck_slice_eq(string_call("cookie", "a"), "");
    ck_assert(!bool_call("has_cookie", "a"));
    ck_slice_eq(string_call("response_cookie", "a"), "");
}
END_TEST

START_TEST(a_response_sets_cookies)
{
    add_field(&response, "Set-Cookie: a=1; Path=/; HttpOnly");
    add_field(&response, "Set-Cookie: b = 2;Path=/");
    add_field(&response, "Set-Cookie: a=3");
    add_field(&response, "Set-Cookie: c; d=4");
    add_field(&response, "Set-Cookie: e=");
    add_field(&response, "Set-Cookie:");
    add_field(&request, "Cookie: f=6");
    ck_slice_eq(string_call("response_cookie", "a"), "1");
    ck_slice_eq(string_call("response_cookie", "b"), "2");
    ck_slice_eq(string_call("response_cookie", "Path"), "");
    ck_slice_eq(string_call("response_cookie", "d"), "");
    ck_slice_eq(string_call("response_cookie", "e"), "");
    ck_slice_eq(string_call("response_cookie", "f"), "");
    drop_field(&response, "set-cookie");
    ck_slice_eq(string_call("response_cookie", "a"), "");
}
END_TEST

/* ---- arguments ---- */

static const struct {
    const char *target, *name, *value; /* NULL: there is none */
} args[] = {
    {"/?a=1", "a", "1"},
    {"/?a=1&b=2", "b", "2"},
    {"/?a=1&a=2", "a", "1"},
    {"/?b=2", "a", NULL},
    {"/?A=1", "a", NULL},
    {"/?aa=1&ba=1", "a", NULL},
    {"/?a", "a", ""},
    {"/?a&b", "b", ""},
    {"/?a=", "a", ""},
    {"/?=1", "a", NULL},
    {"/?&&&a=1&", "a", "1"},
    {"/?", "a", NULL},
    {"/", "a", NULL},
    {"/a=1", "a", NULL},
    {"*", "a", NULL},
    {"?a=1", "a", "1"},
    {"/?a=b=c", "a", "b=c"},
    {"/?a=1?b=2", "a", "1?b=2"},
    {"/?a=1;b=2", "a", "1;b=2"},
    {"/?a=1;b=2", "b", NULL},
    {"/?a=x+y%20z", "a", "x y z"},
    {"/?a=%41%6a%6A", "a", "Ajj"},
    {"/?a=%", "a", "%"},
    {"/?a=%4", "a", "%4"},
    {"/?a=%4g", "a", "%4g"},
    {"/?a=%%41", "a", "%A"},
    {"/?a=%2", "a", "%2"},
    {"/?a=%2541", "a", "%41"},
    {"/?a=%26b=%3D", "a", "&b=="},
    {"/?a=%ff%FF", "a", "\xff\xff"},
    {"/?%61=1", "a", "1"},
    {"/?%61%5Bx%5d=1", "a[x]", "1"},
    {"/?a+b=1", "a b", "1"},
    {"/?a%2Bb=1", "a+b", "1"},
    {"/?a+b=1", "a+b", NULL},
    {"/?%=1", "%", "1"},
    {"/?a%00=1", "a", NULL},
};

START_TEST(arguments_are_found_and_decoded)
{
    ask(args[_i].target);
    const char *value = args[_i].value;
    struct slice got = string_call("arg", args[_i].name);
    ck_assert(slice_equal_or_tell(got, value ? value : "", value ? strlen(value) : 0));
    ck_assert_int_eq(bool_call("has_arg", args[_i].name), value != NULL);
}
END_TEST

START_TEST(a_nul_ends_no_argument)
{
    ask("/?a=x%00y");
    ck_slice_eq(string_call("arg", "a"), "x\0y");
}
END_TEST

START_TEST(a_plain_argument_is_not_copied)
{
    ask("/?a=%41&b=plain");
    ck_slice_of(string_call("arg", "b"), request.path);
    ck_assert_ptr_eq(run.next, run.memory);
}
END_TEST

START_TEST(a_thousand_arguments_are_looked_through)
{
    char target[16000] = "/?";
    for (unsigned i = 0; i < 1000; i++)
        snprintf(target + strlen(target), 16, "&n%u=%u", i, i);
    ask(target);
    ck_slice_eq(string_call("arg", "n999"), "999");
    ck_slice_eq(string_call("arg", "n0"), "0");
    ck_slice_eq(string_call("arg", "n1000"), "");
}
END_TEST

START_TEST(an_argument_too_long_to_be_decoded_fails_the_run)
{
    char target[RULES_MEMORY + 64] = "/?a=%41";
    memset(target + 7, 'x', sizeof target - 8);
    ask(target);
    ck_slice_eq(string_call("arg", "a"), "");
    ck_assert(rules_failed(&run));
}
END_TEST

/* What is encoded comes back, whatever the bytes. */
START_TEST(any_value_comes_back)
{
    random_seed();
    for (unsigned round = 0; round < 20000; round++) {
        char value[16], encoded[64];
        size_t len = random_below(sizeof value), at = 0;
        for (size_t i = 0; i < len; i++) {
            unsigned char c = (unsigned char)random_below(256);
            value[i] = (char)c;
            if (c == ' ')
                encoded[at++] = '+';
            else if (strchr("%+&=;?#", c) || c < 0x21 || c > 0x7e || random_below(4) == 0)
                at += (size_t)snprintf(encoded + at, 4, random_below(2) ? "%%%02x" : "%%%02X", c);
            else
                encoded[at++] = (char)c;
        }
        char target[160];
        memcpy(target, "/?b=1&a=", 8);
        memcpy(target + 8, encoded, at);
        memcpy(target + 8 + at, "&a=2", 4);
        subject_teardown();
        subject_setup();
        request.path = exact_bytes(target, at + 12);
        ck_assert(slice_equal_or_tell(string_call("arg", "a"), value, len));
    }
}
END_TEST

/* ---- all values of a name ---- */

/* The strings of a list, "|" behind each. */
static const char *all(const char *function, const char *name)
{
    static char text[256];
    const struct rules_list *list = list_call(function, name);
    text[0] = '\0';
    for (uint32_t i = 0; i < list->count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s|", SLICE_ARG(list->items[i].string));
    return text;
}

START_TEST(every_line_of_a_field_is_listed)
{
    add_field(&request, "X-Block: no");
    add_field(&request, "X-Other: x");
    add_field(&request, "x-block: a, yes");
    add_field(&request, "X-BLOCK:");
    add_field(&request, "X-Block: yes");
    ck_assert_str_eq(all("headers", "x-block"), "no|a, yes||yes|");
    ck_assert_str_eq(all("headers", "x-none"), "");
    ck_assert_str_eq(all("headers", "host"), "");
    request.host = exact("target.example");
    ck_assert_str_eq(all("headers", "host"), "target.example|");
    add_field(&request, "Host: set.example");
    ck_assert_str_eq(all("headers", "host"), "set.example|");
    drop_field(&request, "x-block");
    ck_assert_str_eq(all("headers", "x-block"), "");
}
END_TEST

START_TEST(every_cookie_of_a_name_is_listed)
{
    add_field(&request, "Cookie: a=1; b=2; a=\"3\"; A=4; a");
    add_field(&request, "Cookie: a=; a=5");
    ck_assert_str_eq(all("cookies", "a"), "1|3||5|");
    ck_assert_str_eq(all("cookies", "c"), "");
}
END_TEST

START_TEST(every_argument_of_a_name_is_listed)
{
    ask("/?role=user&x=1&r%6fle=%61dmin&role&role=a+b");
    ck_assert_str_eq(all("args", "role"), "user|admin||a b|");
    ck_assert_str_eq(all("args", "y"), "");
    ask("/");
    ck_assert_str_eq(all("args", "role"), "");
}
END_TEST

START_TEST(values_too_many_for_a_list_fail_the_run)
{
    char target[600] = "/?";
    for (unsigned i = 0; i < 256; i++)
        strcat(target, "&a");
    ask(target);
    ck_assert_uint_eq(list_call("args", "a")->count, 256);
    ck_assert(!rules_failed(&run));
    ask(strcat(target, "&a"));
    ck_assert_uint_eq(list_call("args", "a")->count, 0);
    ck_assert_str_eq(run.failure, "more than 256 values of one name");
}
END_TEST

/* ---- variables of the configuration's own ---- */

START_TEST(var_is_what_was_set_last_of_that_name)
{
    struct http_var n = {.name = exact("n"), .type = RULES_INT, .value.number = -7};
    struct http_var nn = {
        .next = &n, .name = exact("nn"), .type = RULES_STRING, .value.string = exact("two")};
    ck_assert_int_eq(number_call("var", "n"), 0);
    ck_assert(!bool_call("var", "n"));
    ck_assert_uint_eq(string_call("var", "n").len, 0);
    subject.vars = &nn;
    ck_assert_int_eq(number_call("var", "n"), -7);
    ck_slice_eq(string_call("var", "nn"), "two");
    ck_assert_int_eq(number_call("var", "N"), 0);
}
END_TEST

/* ---- bytes of any kind ---- */

START_TEST(nothing_is_read_beyond_the_message)
{
    static const char letters[] = "aA=;&%4+ \t\"?/.,:[]\xff";
    random_seed();
    for (unsigned round = 0; round < 5000; round++) {
        char line[80] = "Cookie:";
        for (unsigned i = 0, n = random_below(24); i < n; i++)
            line[7 + i] = letters[random_below(sizeof letters - 1)];
        subject_teardown();
        subject_setup();
        request.path = exact(line + 7);
        request.host = exact(line + 7);
        add_field(&request, line);
        add_field(&request, line);
        add_field(&response, "X-A: b");
        response.fields[0].id = FIELD_SET_COOKIE;
        response.fields[0].value = request.path.ptr;
        response.fields[0].value_len = (uint16_t)request.path.len;
        for (const struct rules_variable *v = http_variables; v->name; v++) {
            struct rules_value out;
            v->get(&run, &out);
        }
        for (const struct rules_function *f = http_functions; f->name; f++)
            if (f->result == RULES_STRING || f->result == RULES_TYPE_COUNT)
                string_call(f->name, "a");
            else if (f->result == RULES_BOOL)
                bool_call(f->name, "a");
            else if (f->result == RULES_LIST)
                list_call(f->name, "a");
            else
                number_call(f->name, "a");
        string_call("header", "cookie");
        ck_assert(!rules_failed(&run));
    }
}
END_TEST

/* ---- names ---- */

START_TEST(a_name_that_can_not_be_is_refused)
{
    static const char *const fields[] = {"header",       "headers",         "has_header",
                                         "header_count", "response_header", "has_response_header"};
    static const char *const pairs[] = {"cookie", "cookies", "has_cookie", "response_cookie"};
    static const char *const bad[] = {"x y", "x:", "x\n", "x\r\ny", "\xc3\xa4", "x=", "x;", "\"x\"", "a,b"};
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
        for (unsigned j = 0; j < ARRAY_LEN(bad); j++)
            ck_assert_ptr_nonnull(strstr(refusal(fields[i], bad[j]), "header field"));
        ck_assert_str_eq(refusal(fields[i], ""), "the name of a header field is empty");
        ck_assert_str_eq(refusal(fields[i], "X-Good_1.~"), "");
    }
    for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
        for (unsigned j = 0; j < ARRAY_LEN(bad); j++)
            ck_assert_ptr_nonnull(strstr(refusal(pairs[i], bad[j]), "cookie"));
        ck_assert_str_eq(refusal(pairs[i], ""), "the name of a cookie is empty");
        ck_assert_str_eq(refusal(pairs[i], "__Host-id"), "");
    }
    ck_assert_str_eq(refusal("header", "x y"), "no header field can have the name 'x y'");
    ck_assert_str_eq(refusal("arg", ""), "the name of an argument is empty");
    ck_assert_str_eq(refusal("has_arg", ""), "the name of an argument is empty");
    ck_assert_str_eq(refusal("args", ""), "the name of an argument is empty");
    ck_assert_str_eq(refusal("arg", "a[x y]"), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http functions");
    TCase *tcase = tcase_create("functions");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, subject_setup, subject_teardown);
    tcase_add_test(tcase, a_field_is_found_without_case_and_not_copied);
    tcase_add_test(tcase, another_name_is_another_field);
    tcase_add_test(tcase, an_empty_field_is_there);
    tcase_add_test(tcase, several_lines_are_joined_in_order);
    tcase_add_test(tcase, lines_of_cookie_are_joined_as_one_cookie_field);
    tcase_add_test(tcase, set_cookie_is_never_joined);
    tcase_add_test(tcase, what_an_action_dropped_is_not_seen_and_what_it_added_is);
    tcase_add_test(tcase, request_and_response_are_two);
    tcase_add_test(tcase, host_may_be_said_by_the_target_alone);
    tcase_add_test(tcase, lines_too_long_to_be_joined_fail_the_run);
    tcase_add_test(tcase, a_message_full_of_fields_is_read_whole);
    tcase_add_loop_test(tcase, cookies_are_found, 0, ARRAY_LEN(cookies));
    tcase_add_test(tcase, without_cookies_there_is_none);
    tcase_add_test(tcase, a_response_sets_cookies);
    tcase_add_loop_test(tcase, arguments_are_found_and_decoded, 0, ARRAY_LEN(args));
    tcase_add_test(tcase, a_nul_ends_no_argument);
    tcase_add_test(tcase, a_plain_argument_is_not_copied);
    tcase_add_test(tcase, a_thousand_arguments_are_looked_through);
    tcase_add_test(tcase, an_argument_too_long_to_be_decoded_fails_the_run);
    tcase_add_test(tcase, any_value_comes_back);
    tcase_add_test(tcase, every_line_of_a_field_is_listed);
    tcase_add_test(tcase, every_cookie_of_a_name_is_listed);
    tcase_add_test(tcase, every_argument_of_a_name_is_listed);
    tcase_add_test(tcase, values_too_many_for_a_list_fail_the_run);
    tcase_add_test(tcase, var_is_what_was_set_last_of_that_name);
    tcase_add_test(tcase, nothing_is_read_beyond_the_message);
    tcase_add_test(tcase, a_name_that_can_not_be_is_refused);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
