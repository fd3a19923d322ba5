#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "functions_fixture.h"
#include "rules/file.h"

static const struct rules_check in_files[] = {
    {"in_file('www.example.org', 'list')", "true", 0},
    {"in_file('WWW.example.org', 'list')", "false", 0},
    {"in_file('Mozilla/5.0 (evil bot)', 'list')", "true", 0},
    {"in_file('Mozilla/5.0', 'list')", "false", 0},
    {"in_file('a#b', 'list')", "true", 0},
    {"in_file('behind', 'list')", "true", 0},
    {"in_file('a comment', 'list')", "false", 0},
    {"in_file('# a comment', 'list')", "false", 0},
    {"in_file('crlf', 'list')", "true", 0},
    {"in_file('last', 'list')", "true", 0},
    {"in_file('', 'list')", "false", 0},
    {"in_file(none, 'list')", "false", 0},
    {"in_file(long, 'list')", "false", 0},
    {"in_file(nul, 'list')", "false", 0},
    {"in_file('first', 'mark')", "true", 0},
    {"in_file('x', 'empty') || in_file('', 'empty') || in_file(peer, 'empty') || in_domains('x', 'empty')",
     "false", 0},

    {"in_file(peer, 'nets')", "true", 0},
    {"in_file(ip('198.51.100.1'), 'nets')", "true", 0},
    {"in_file(ip('198.51.100.2'), 'nets')", "false", 0},
    {"in_file(peer6, 'nets')", "true", 0},
    {"in_file(nobody, 'nets')", "false", 0},

    {"in_domains('www.example.org', 'domains')", "true", 0},
    {"in_domains('example.org', 'domains')", "false", 0},
    {"in_domains('a.www.example.org', 'domains')", "false", 0},
    {"in_domains('both.example', 'domains')", "true", 0},
    {"in_domains('A.b.Both.Example', 'domains')", "true", 0},
    {"in_domains('notboth.example', 'domains')", "false", 0},
    {"in_domains('below.example', 'domains')", "false", 0},
    {"in_domains('x.below.example', 'domains')", "true", 0},
    {"in_domains('.below.example', 'domains')", "true", 0},
    {"in_domains('capital.example', 'domains')", "true", 0},
    {"in_domains('', 'domains') || in_domains('.', 'domains') || in_domains(long, 'domains')", "false", 0},

    {"in_paths('/api', 'paths')", "true", 0},
    {"in_paths('/api/', 'paths')", "true", 0},
    {"in_paths('/api/v1/x', 'paths')", "true", 0},
    {"in_paths('/apis', 'paths')", "false", 0},
    {"in_paths('/ap', 'paths')", "false", 0},
    {"in_paths('/below/', 'paths')", "true", 0},
    {"in_paths('/below/x', 'paths')", "true", 0},
    {"in_paths('/below', 'paths')", "false", 0},
    {"in_paths('/', 'paths') || in_paths('', 'paths') || in_paths('api', 'paths') || in_paths(long, 'paths')",
     "false", 0},
    {"in_paths('/api/' + long, 'paths')", "true", 0},

    {"map('a', 'map', 'x')", "1", 0},
    {"map('b', 'map', 'x')", "two words", 0},
    {"map('c', 'map', 'x')", "https://c/#d", 0},
    {"map('d', 'map', 'x')", "x", 0},
    {"map('d', 'map', text)", "Hello, World", 0},
    {"map('d', 'map')", "", 0},
    {"map('two', 'map', 'x')", "x", 0},
    {"map(none, 'map', 'x')", "x", 0},
    {"map(peer, 'net.map', 'x')", "small", 0},
    {"map(ip('192.0.3.1'), 'net.map', 'x')", "large", 0},
    {"map(ip('10.0.0.1'), 'net.map', 'x')", "x", 0},
    {"map(nobody, 'net.map', 'x')", "x", 0},
    {"map_int('gold', 'int.map', 1)", "50", 0},
    {"map_int('low', 'int.map', 1) == low", "true", 0},
    {"map_int('tin', 'int.map', 1)", "1", 0},
    {"map_int('tin', 'int.map', n)", "7", 0},
    {"map_int('tin', 'int.map')", "0", 0},
    {"map_domain('example.org', 'domain.map', 'x')", "exact", 0},
    {"map_domain('a.example.org', 'domain.map', 'x')", "all", 0},
    {"map_domain('b.a.b.example.org', 'domain.map', 'x')", "b", 0},
    {"map_domain('b.example.org', 'domain.map', 'x')", "b", 0},
    {"map_domain('org', 'domain.map', 'x')", "x", 0},
    {"map_path('/api/v1/users', 'path.map', 'x')", "v1", 0},
    {"map_path('/api/v2', 'path.map', 'x')", "api", 0},
    {"map_path('/', 'path.map', 'x')", "all", 0},
    {"map_path('/other/x', 'path.map', 'x')", "all", 0},
    {"map_path('other', 'path.map', 'x')", "x", 0},
};

static void write_good_files(void)
{
    RULES_WRITE("list", "# a comment\n\n  www.example.org\nMozilla/5.0 (evil bot)\t\na#b\n\t# another\n"
                        "behind   # a comment\ncrlf\r\n\r\nlast");
    RULES_WRITE("mark", "\xef\xbb\xbf"
                        "first\n");
    RULES_WRITE("empty", "");
    RULES_WRITE("nets", "192.0.2.0/24 # office\n198.51.100.1\n2001:db8::/32\r\n");
    RULES_WRITE("domains", "www.example.org\n.both.example\n*.below.example\nCAPITAL.Example\n");
    RULES_WRITE("paths", "/api\n/below/\n");
    RULES_WRITE("map", "a 1\nb\t \ttwo words  \nc https://c/#d # e\n");
    RULES_WRITE("net.map", "192.0.0.0/16 large\n192.0.2.0/24 small\n");
    RULES_WRITE("int.map", "gold 50\nlow -9223372036854775808\n");
    RULES_WRITE("domain.map", "example.org exact\n.example.org all\n.b.example.org b\n");
    RULES_WRITE("path.map", "/ all\n/api api\n/api/v1 v1\n");
}

START_TEST(files_are_looked_up)
{
    write_good_files();
    rules_expect(in_files[_i]);
}
END_TEST

/* A file, the expression that reads it, and the lines that are reported first. */
static const struct {
    const char *bytes, *expression, *says;
} bad_files[] = {
    {"10.0.0.0/8\n  10.1/16\n", "in_file(peer, 'f')",
     "f:2:3: \"10.1/16\" is no IP address or network such as 10.0.0.0/8 or 2001:db8::/32"},
    {"10.0.0.0/8 office\n", "in_file(peer, 'f')",
     "f:1:12: this stands behind the entry (a list has one entry a line; comments begin with #)"},
    {"a 1\nb\n", "map('a', 'f')",
     "f:2:1: the key has no value (a map has a key, white space and a value in each line)"},
    {"a 1\nb # none\n", "map('a', 'f')", "f:2:1: the key has no value"},
    {"a x\n", "map_int('a', 'f')", "f:1:3: the value is no whole number of 64 bits"},
    {"a 9223372036854775808\n", "map_int('a', 'f')", "f:1:3: the value is no whole number of 64 bits"},
    {"\xc3\xa4 1\n\xc3\xa4 2\n", "map('a', 'f')",
     "f:2:1: the key stands here a second time, with another value (the first is at line 1)"},
    {"10.0.0.0/8 a\n\n::ffff:10.0.0.0/104 b\n", "map(peer, 'f')",
     "f:3:1: the key stands here a second time, with another value (the first is at line 1)"},
    {"a 1\na 2\n", "map_int('a', 'f')", "f:2:1: the key stands here a second time"},
    {"a.b\nhttp://a.b/\n", "in_domains('a', 'f')", "f:2:1: this is no domain"},
    {"a..b\n", "in_domains('a', 'f')", "f:1:1: this is no domain"},
    {"a.\n", "in_domains('a', 'f')", "f:1:1: this is no domain"},
    {".\n", "in_domains('a', 'f')", "f:1:1: this is no domain"},
    {"*\n", "in_domains('a', 'f')", "f:1:1: this is no domain"},
    {"a.*.b\n", "in_domains('a', 'f')", "f:1:1: this is no domain"},
    {"m\xc3\xbcnchen.example\n", "in_domains('a', 'f')", "f:1:1: this is no domain"},
    {"*.a.b x\n.a.b y\n", "map_domain('a', 'f')",
     "f:2:1: the key stands here a second time, with another value"},
    {"A.b x\na.B y\n", "map_domain('a', 'f')",
     "f:2:1: the key stands here a second time, with another value"},
    {"api\n", "in_paths('a', 'f')", "f:1:1: a path begins with /"},
    {"ok\nx\xc3\xa4\x01\n", "in_file('a', 'f')",
     "f:2:3: the control character 0x01 is not text (is this a file of text?)"},
    {"a\rb\n", "in_file('a', 'f')", "f:1:2: the control character 0x0d is not text"},
};

START_TEST(bad_lines_are_errors_with_their_place)
{
    rules_write_file("f", bad_files[_i].bytes, strlen(bad_files[_i].bytes));
    char *errors = rules_messages(bad_files[_i].expression, CONF_ERROR);
    ck_assert_msg(strstr(errors, bad_files[_i].says) != NULL, "%s", errors);
    ck_assert_msg(strstr(errors, "the file f can't be used: 1 of its lines is wrong") != NULL, "%s", errors);
    free(errors);
}
END_TEST

START_TEST(a_nul_byte_is_an_error)
{
    RULES_WRITE("f", "a\0b\n");
    rules_expect_error(
        (struct rules_check){"in_file('a', 'f')", "f:1:2: the control character 0x00 is not text", 0});
}
END_TEST

START_TEST(what_cannot_be_read_is_an_error)
{
    rules_expect_error((struct rules_check){"in_file('a', 'none')",
                                            "the file none can't be used: it cannot be opened: "
                                            "No such file or directory",
                                            0});
    rules_expect_error((struct rules_check){"in_file('a', '.')", "it is not a regular file", 0});
    rules_expect_error((struct rules_check){"in_file('a', '/dev/null')",
                                            "the file /dev/null can't be used: it is not "
                                            "a regular file",
                                            0});
    rules_expect_error((struct rules_check){"in_file('a', '')", "this is no file's name", 0});
    rules_expect_error((struct rules_check){"in_file('a', 'x\\x00y')", "this is no file's name", 0});
}
END_TEST

START_TEST(a_file_has_bounds)
{
    char *newlines = malloc(RULES_FILE_LINES);
    ck_assert_ptr_nonnull(newlines);
    memset(newlines, '\n', RULES_FILE_LINES);
    rules_write_file("f", newlines, RULES_FILE_LINES - 1);
    rules_expect((struct rules_check){"in_file('a', 'f')", "false", 0});
    rules_write_file("f", newlines, RULES_FILE_LINES);
    rules_expect_error((struct rules_check){"in_file('a', 'f')", "it has more than 4194304 lines", 0});
    free(newlines);
    rules_write_hole("f", RULES_FILE_MAX + 1L);
    rules_expect_error((struct rules_check){"in_file('a', 'f')", "it is larger than 64 MiB", 0});
}
END_TEST

START_TEST(long_domains_and_paths_are_refused)
{
    char line[RULES_FILE_PATH_MAX + 1];
    memset(line, 'a', sizeof line);
    rules_write_file("f", line, RULES_DOMAIN_MAX);
    rules_expect((struct rules_check){"in_domains('a', 'f')", "false", 0});
    rules_write_file("f", line, RULES_DOMAIN_MAX + 1);
    rules_expect_error((struct rules_check){"in_domains('a', 'f')", "f:1:1: this is no domain", 0});
    line[0] = '/';
    rules_write_file("f", line, RULES_FILE_PATH_MAX);
    rules_expect((struct rules_check){"in_paths('/a', 'f')", "false", 0});
    rules_write_file("f", line, sizeof line);
    rules_expect_error(
        (struct rules_check){"in_paths('/a', 'f')", "f:1:1: the path is longer than 1024 bytes", 0});
}
END_TEST

START_TEST(the_same_entry_twice_is_a_warning)
{
    static const char *const texts[][2] = {
        {"a\nb\na\n", "in_file('b', 'f')"},
        {"a 1\nb 2\na 1\n", "map('b', 'f') == '2'"},
        {"a 1\nb 2\na +1\n", "map_int('b', 'f') == 2"},
    };
    for (unsigned i = 0; i < 3; i++) {
        rules_write_file("f", texts[i][0], strlen(texts[i][0]));
        char *warnings = rules_messages(texts[i][1], CONF_WARNING);
        ck_assert_msg(
            strstr(warnings, "f:3:1: the entry stands here a second time (the first is at line 1)") != NULL,
            "%s", warnings);
        free(warnings);
        rules_expect((struct rules_check){texts[i][1], "true", 0});
    }
}
END_TEST

START_TEST(a_file_of_mistakes_is_reported_in_part)
{
    char text[4000];
    memset(text, 'a', sizeof text);
    for (size_t i = 1; i < sizeof text; i += 2)
        text[i] = '\n';
    rules_write_file("f", text, sizeof text);
    char *errors = rules_messages("map('a', 'f') == '' || map('b', 'f') == ''", CONF_ERROR);
    unsigned count = 0;
    for (const char *p = errors; (p = strstr(p, "the key has no value")); p++)
        count++;
    ck_assert_uint_eq(count, RULES_FILE_MISTAKES);
    ck_assert_msg(strstr(errors, "2000 of its lines are wrong") != NULL, "%s", errors);
    free(errors);
    char *warnings = rules_messages("in_file('a', 'f')", CONF_WARNING);
    count = 0;
    for (const char *p = warnings; (p = strstr(p, "a second time")); p++)
        count++;
    ck_assert_uint_eq(count, RULES_FILE_MISTAKES);
    free(warnings);
}
END_TEST

START_TEST(a_hundred_thousand_hosts_are_found)
{
    struct text text = {0};
    for (unsigned i = 0; i < 100000; i++)
        text_printf(&text, "host%u.example.org backend%u\n", i * 7919u, i % 10);
    rules_write_file("f", text.data, text.len);
    text_free(&text);
    rules_expect((struct rules_check){
        "map('host0.example.org', 'f', 'x') + map('host791892081.example.org', 'f', 'x') + "
        "map('host1.example.org', 'f', 'x')",
        "backend0backend9x", 0});
}
END_TEST

START_TEST(a_file_is_read_once_a_load)
{
    struct arena a;
    arena_init(&a);
    RULES_WRITE("f", "a\n");
    struct conf_load l = {.directory = rules_directory(), .arena = a, .report = {.arena = &l.arena}};
    struct error err = {""};
    const struct rules_file *first = rules_file_load(&l, SLICE("f"), RULES_TEXTS, RULES_NO_VALUES, &err);
    ck_assert_ptr_nonnull(first);
    RULES_WRITE("f", "b\n");
    ck_assert_ptr_eq(rules_file_load(&l, SLICE("f"), RULES_TEXTS, RULES_NO_VALUES, &err), first);
    const struct rules_file *domains = rules_file_load(&l, SLICE("f"), RULES_DOMAINS, RULES_NO_VALUES, &err);
    ck_assert_ptr_ne(domains, first);
    ck_assert_ptr_nonnull(rules_file_find(first, SLICE("a")));
    ck_assert_ptr_nonnull(rules_file_find(domains, SLICE("b")));
    arena_free(&l.arena);
}
END_TEST

#define LOOP(tcase, test, rows) tcase_add_loop_test(tcase, test, 0, (int)(sizeof rows / sizeof rows[0]))

TCase *rules_files_tests(void)
{
    TCase *files = tcase_create("files");
    tcase_set_timeout(files, 60);
    tcase_add_checked_fixture(files, rules_make_directory, rules_remove_directory);
    LOOP(files, files_are_looked_up, in_files);
    LOOP(files, bad_lines_are_errors_with_their_place, bad_files);
    tcase_add_test(files, a_nul_byte_is_an_error);
    tcase_add_test(files, what_cannot_be_read_is_an_error);
    tcase_add_test(files, a_file_has_bounds);
    tcase_add_test(files, long_domains_and_paths_are_refused);
    tcase_add_test(files, the_same_entry_twice_is_a_warning);
    tcase_add_test(files, a_file_of_mistakes_is_reported_in_part);
    tcase_add_test(files, a_hundred_thousand_hosts_are_found);
    tcase_add_test(files, a_file_is_read_once_a_load);
    return files;
}
