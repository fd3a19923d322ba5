#include "test_conf.h"

#include <stdio.h>
#include <string.h>

/* A report about a file made of `bytes`. */
static struct arena arena;
static struct conf_report report;
static struct conf_file file;

static void start(const char *bytes)
{
    arena_init(&arena);
    report = (struct conf_report){.arena = &arena};
    file = (struct conf_file){.path = "conf.yaml", .bytes = bytes, .len = strlen(bytes)};
}

static void add(uint32_t line, uint32_t column, uint32_t width, const char *hint, const char *text)
{
    struct conf_place at = {&file, line, column, width};
    conf_report_add(&report, CONF_ERROR, &at, hint, "%s", text);
}

static void expect(const char *printed)
{
    struct text out = {0};
    conf_report_print(&report, CONF_ERROR, &out);
    ck_assert_str_eq(text_str(&out), printed);
    text_free(&out);
    arena_free(&arena);
}

START_TEST(an_error_shows_its_line_a_caret_and_the_way_out)
{
    struct text yaml = {0};
    for (int i = 0; i < 13; i++)
        text_puts(&yaml, "#\n");
    text_puts(&yaml, "    use_backnd: api\n");
    start(text_str(&yaml));
    add(14, 5, 10, "did you mean \"use_backend\"?", "unknown key \"use_backnd\" in frontend \"web\"");
    expect("conf.yaml:14:5: unknown key \"use_backnd\" in frontend \"web\"\n"
           "   14 |     use_backnd: api\n"
           "      |     ^~~~~~~~~~\n"
           "      = did you mean \"use_backend\"?\n");
    text_free(&yaml);
}
END_TEST

START_TEST(errors_are_printed_in_the_order_of_their_places)
{
    start("aa\nbb\n");
    add(2, 1, 1, NULL, "third");
    add(1, 2, 1, NULL, "second");
    add(1, 1, 1, NULL, "first");
    add(2, 1, 1, NULL, "fourth");
    expect("conf.yaml:1:1: first\n    1 | aa\n      | ^\n"
           "conf.yaml:1:2: second\n    1 | aa\n      |  ^\n"
           "conf.yaml:2:1: third\n    2 | bb\n      | ^\n"
           "conf.yaml:2:1: fourth\n    2 | bb\n      | ^\n");
}
END_TEST

START_TEST(tabs_and_utf8_take_one_column_each)
{
    start("\t\xc3\xa4\xe2\x82\xac x: y");
    add(1, 5, 1, NULL, "here");
    expect("conf.yaml:1:5: here\n    1 |  \xc3\xa4\xe2\x82\xac x: y\n      |     ^\n");
}
END_TEST

START_TEST(control_characters_never_reach_the_terminal)
{
    start("a\x1b[31m\xc2\x9b\xff");
    add(1, 1, 1, "b\x1b\n", "a\x1b[31m\xff\n");
    expect("conf.yaml:1:1: a\\x1b[31m?\\n\n    1 | a?[31m??\n      | ^\n      = b\\x1b\\n\n");
}
END_TEST

START_TEST(an_underline_ends_with_its_line)
{
    start("key: |\n  text\n");
    add(1, 6, UINT32_MAX, NULL, "text");
    add(3, 1, 5, NULL, "the end");
    expect("conf.yaml:1:6: text\n    1 | key: |\n      |      ^\n"
           "conf.yaml:3:1: the end\n    3 | \n      | ^\n");
}
END_TEST

START_TEST(long_lines_are_cut_around_the_place)
{
    char line[5000], shown[101];
    memset(line, 'a', sizeof line - 1);
    memset(shown, 'a', sizeof shown - 1);
    line[sizeof line - 1] = shown[100] = '\0';
    line[2000] = 'X';
    line[2001] = 'Y';
    shown[60] = 'X';
    shown[61] = 'Y';
    start(line);
    add(1, 2001, 2, NULL, "middle");
    char want[600];
    snprintf(want, sizeof want, "conf.yaml:1:2001: middle\n    1 | ...%s...\n      | %63s^~\n", shown, "");
    expect(want);
    memset(shown, 'a', 100);
    start(line);
    add(1, 4998, 9, NULL, "end");
    snprintf(want, sizeof want, "conf.yaml:1:4998: end\n    1 | ...%s\n      | %101s^~\n", shown, "");
    expect(want);
}
END_TEST

START_TEST(only_a_hundred_are_kept_but_all_are_counted)
{
    start("");
    for (uint32_t i = 0; i < 250; i++)
        add(1000 + i, 1, 1, NULL, "wrong");
    ck_assert_uint_eq(report.errors, 250);
    ck_assert_uint_eq(report.count, 100);
    struct conf_place at = {&file, 1, 1, 1};
    conf_report_add(&report, CONF_NOTICE, &at, NULL, "still kept");
    ck_assert_uint_eq(report.count, 101);
    ck_assert_str_eq(report.messages[0].text, "still kept");
    struct text out = {0};
    conf_report_print(&report, CONF_ERROR, &out);
    ck_assert_ptr_nonnull(strstr(text_str(&out), "\nand 150 more errors\n"));
    text_free(&out);
    arena_free(&arena);
}
END_TEST

START_TEST(what_repeats_a_message_is_left_out)
{
    start("a\n");
    add(1, 1, 1, NULL, "same");
    add(1, 1, 1, NULL, "same");
    ck_assert_uint_eq(report.errors, 1);
    ck_assert_uint_eq(report.raised, 2);
    add(1, 1, 1, NULL, "other");
    ck_assert_uint_eq(report.errors, 2);
    expect("conf.yaml:1:1: same\n    1 | a\n      | ^\nconf.yaml:1:1: other\n    1 | a\n      | ^\n");
}
END_TEST

START_TEST(severities_are_printed_apart)
{
    start("a\n");
    struct conf_place at = {&file, 1, 1, 1};
    conf_report_add(&report, CONF_WARNING, &at, NULL, "a warning");
    add(1, 1, 1, NULL, "an error");
    ck_assert_uint_eq(report.errors, 1);
    struct text out = {0};
    conf_report_print(&report, CONF_WARNING, &out);
    ck_assert_str_eq(text_str(&out), "conf.yaml:1:1: a warning\n    1 | a\n      | ^\n");
    text_free(&out);
    arena_free(&arena);
}
END_TEST

START_TEST(places_may_be_a_file_or_nothing)
{
    start("a\n");
    struct conf_place whole = {.file = &file};
    conf_report_add(&report, CONF_ERROR, &whole, NULL, "is a directory");
    conf_report_add(&report, CONF_ERROR, NULL, "so what", "no place");
    struct text line = {0};
    conf_message_print_line(&report.messages[0], &line);
    ck_assert_str_eq(text_str(&line), "no place (so what)");
    text_free(&line);
    expect("no place\n      = so what\nconf.yaml: is a directory\n");
}
END_TEST

START_TEST(excerpts_are_short_and_whole)
{
    char out[CONF_EXCERPT_SIZE], text[400] = "";
    ck_assert_str_eq(conf_excerpt("short", out), "short");
    for (int i = 0; i < 60; i++)
        strcat(text, "\xf0\x9f\x98\x80");
    ck_assert_str_eq(conf_excerpt(text, out), text);
    strcat(text, "x");
    ck_assert_uint_eq(strlen(conf_excerpt(text, out)), 243);
    ck_assert_str_eq(out + 240, "...");
}
END_TEST

TCase *conf_report_tests(void)
{
    TCase *tests = tcase_create("report");
    tcase_add_test(tests, an_error_shows_its_line_a_caret_and_the_way_out);
    tcase_add_test(tests, errors_are_printed_in_the_order_of_their_places);
    tcase_add_test(tests, tabs_and_utf8_take_one_column_each);
    tcase_add_test(tests, control_characters_never_reach_the_terminal);
    tcase_add_test(tests, an_underline_ends_with_its_line);
    tcase_add_test(tests, long_lines_are_cut_around_the_place);
    tcase_add_test(tests, only_a_hundred_are_kept_but_all_are_counted);
    tcase_add_test(tests, what_repeats_a_message_is_left_out);
    tcase_add_test(tests, severities_are_printed_apart);
    tcase_add_test(tests, places_may_be_a_file_or_nothing);
    tcase_add_test(tests, excerpts_are_short_and_whole);
    return tests;
}
