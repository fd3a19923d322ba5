#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functions_fixture.h"

static const struct rules_check good[] = {
    /* sprintf */
    {"sprintf('')", "", 0},
    {"sprintf('100%%')", "100%", 0},
    {"sprintf('%s', text)", "Hello, World", 0},
    {"sprintf('<%s|%d|%s|%s>%%', none, n, peer, true)", "<|7|192.0.2.7|true>%", 0},
    {"sprintf('%d%d', -1, low)", "-1-9223372036854775808", 0},
    {"sprintf('%s', nul)", "a\0b", 3},
    {"sprintf('%%s')", "%s", 0},
    {"sprintf('%%%d', n)", "%7", 0},
    {"length(sprintf('%s%s', long, 'y'))", "20001", 0},

    /* letters */
    {"lower('ABC[@Zz09\xc3\x84')", "abc[@zz09\xc3\x84", 0},
    {"lower(text)", "hello, world", 0},
    {"upper('abc{`Zz09\xc3\xa4')", "ABC{`ZZ09\xc3\xa4", 0},
    {"lower(none)", "", 0},
    {"lower('a\\x00B')", "a\0b", 3},
    {"upper(long) == long", "false", 0},
    {"lower(long) == long", "true", 0},

    /* parts */
    {"trim(' \t a b\t ')", "a b", 0},
    {"trim('  ')", "", 0},
    {"trim(none)", "", 0},
    {"length(text)", "12", 0},
    {"length(none)", "0", 0},
    {"length(nul)", "3", 0},
    {"length(('a', 'b'))", "2", 0},
    {"starts_with(text, 'Hello')", "true", 0},
    {"starts_with(text, 'hello')", "false", 0},
    {"starts_with(text, 'Hello, World')", "true", 0},
    {"starts_with(text, 'Hello, World!')", "false", 0},
    {"starts_with(none, none)", "true", 0},
    {"starts_with(none, 'a')", "false", 0},
    {"starts_with(nul, 'a\\x00')", "true", 0},
    {"ends_with(text, 'World')", "true", 0},
    {"ends_with(text, 'worl')", "false", 0},
    {"ends_with(text, '')", "true", 0},
    {"ends_with(none, '')", "true", 0},
    {"ends_with('b', 'ab')", "false", 0},
    {"contains(text, 'lo, W')", "true", 0},
    {"contains(text, 'x')", "false", 0},
    {"contains(none, '')", "true", 0},
    {"contains(none, 'a')", "false", 0},
    {"contains(nul, 'b')", "true", 0},

    /* substr */
    {"substr('abcdef', 0)", "abcdef", 0},
    {"substr('abcdef', 2)", "cdef", 0},
    {"substr('abcdef', 2, 3)", "cde", 0},
    {"substr('abcdef', 2, 0)", "", 0},
    {"substr('abcdef', 4, 10)", "ef", 0},
    {"substr('abcdef', 6)", "", 0},
    {"substr('abcdef', 7, 1)", "", 0},
    {"substr('abcdef', -2)", "ef", 0},
    {"substr('abcdef', -10, 2)", "ab", 0},
    {"substr('abcdef', 1, -1)", "bcde", 0},
    {"substr('abcdef', 1, -9)", "", 0},
    {"substr('abcdef', low)", "abcdef", 0},
    {"substr('abcdef', 9223372036854775807)", "", 0},
    {"substr('abcdef', 1, 9223372036854775807)", "bcdef", 0},
    {"substr('abcdef', 1, low)", "", 0},
    {"substr(none, -1, 1)", "", 0},

    /* replace */
    {"replace('a_b_c', '_', '-')", "a-b-c", 0},
    {"replace('aaaa', 'aa', 'b')", "bb", 0},
    {"replace('aaa', 'aa', 'b')", "ba", 0},
    {"replace('abc', 'x', 'y')", "abc", 0},
    {"replace('abc', '', 'y')", "abc", 0},
    {"replace('abc', 'abc', '')", "", 0},
    {"replace('abab', 'b', 'bb')", "abbabb", 0},
    {"replace(none, 'a', 'b')", "", 0},
    {"replace(nul, 'b', none)", "a\0", 2},
    {"length(replace(long, 'xx', 'y'))", "10000", 0},

    /* field */
    {"field('a.b.c', '.', 1)", "a", 0},
    {"field('a.b.c', '.', 3)", "c", 0},
    {"field('a.b.c', '.', 4)", "", 0},
    {"field('a.b.c', '.', 0)", "", 0},
    {"field('a.b.c', '.', -1)", "c", 0},
    {"field('a.b.c', '.', -3)", "a", 0},
    {"field('a.b.c', '.', -4)", "", 0},
    {"field('a.b.c', '.', low)", "", 0},
    {"field('/v1/', '/', 1)", "", 0},
    {"field('/v1/', '/', 3)", "", 0},
    {"field('/v1/', '/', -2)", "v1", 0},
    {"field('a::b', '::', 2)", "b", 0},
    {"field('abc', '', 1)", "abc", 0},
    {"field('abc', '', -1)", "abc", 0},
    {"field('abc', '', 2)", "", 0},
    {"field(none, ',', 1)", "", 0},
    {"field(none, ',', -1)", "", 0},
    {"field(nul, '\\x00', 2)", "b", 0},

    /* coalesce, int, string */
    {"coalesce(none, text)", "Hello, World", 0},
    {"coalesce('a', 'b')", "a", 0},
    {"coalesce('', none, '')", "", 0},
    {"coalesce(none, '', 'z', 'y')", "z", 0},
    {"int('42')", "42", 0},
    {"int('-42')", "-42", 0},
    {"int('+7')", "7", 0},
    {"int('007')", "7", 0},
    {"int('9223372036854775807')", "9223372036854775807", 0},
    {"int('-9223372036854775808') == low", "true", 0},
    {"int('9223372036854775808', 5)", "5", 0},
    {"int('-9223372036854775809', 5)", "5", 0},
    {"int('99999999999999999999999999', 5)", "5", 0},
    {"int('', 5)", "5", 0},
    {"int(none)", "0", 0},
    {"int('-', 5)", "5", 0},
    {"int('12a', 5)", "5", 0},
    {"int(' 12', 5)", "5", 0},
    {"int('1\\x00', 5)", "5", 0},
    {"string(n)", "7", 0},
    {"string(low)", "-9223372036854775808", 0},
    {"string(true)", "true", 0},
    {"string(peer6)", "2001:db8::7", 0},
    {"string(nobody)", "", 0},
    {"string(text)", "Hello, World", 0},

    /* regular expressions */
    {"extract('user=42;', 'user=([0-9]+)', 1)", "42", 0},
    {"extract('user=42;', 'user=([0-9]+)', 0)", "user=42", 0},
    {"extract('user=42;', 'user=([0-9]+)', 2)", "", 0},
    {"extract('user=x', 'user=([0-9]+)', 1)", "", 0},
    {"extract(none, '^(.*)$', 1)", "", 0},
    {"extract('abc', 'b', 0)", "b", 0},
    {"regsub('a1b22', '[0-9]+', '#')", "a#b22", 0},
    {"regsub('a1b22', 'z', '#')", "a1b22", 0},
    {"regsub('john smith', '(\\w+) (\\w+)', '\\2, \\1')", "smith, john", 0},
    {"regsub('abc', 'b', '[\\0]')", "a[b]c", 0},
    {"regsub('abc', 'b', '\\\\\\\\x')", "a\\xc", 0},
    {"regsub('abc', 'b', '')", "ac", 0},
    {"regsub('abc', 'b', '\\9')", "ac", 0},
    {"regsub(none, '^', 'x')", "x", 0},
    {"regsub(none, 'a', 'x')", "", 0},
    {"regsub_all('a1b22', '[0-9]+', '#')", "a#b#", 0},
    {"regsub_all('abc', '', '-')", "-a-b-c-", 0},
    {"regsub_all('abc', 'x*', '-')", "-a-b-c-", 0},
    {"regsub_all('aaa', '^a', 'b')", "baa", 0},
    {"regsub_all('//a///b', '/+', '/')", "/a/b", 0},
    {"regsub_all(nul, '\\x00', '0')", "a0b", 0},

    /* addresses */
    {"in_net(peer, '192.0.2.0/24')", "true", 0},
    {"in_net(peer, '10.0.0.0/8', '192.0.2.7')", "true", 0},
    {"in_net(peer, '10.0.0.0/8', '2001:db8::/32')", "false", 0},
    {"in_net(peer6, '10.0.0.0/8', '2001:db8::/32')", "true", 0},
    {"in_net(nobody, '::/0', '0.0.0.0/0')", "false", 0},
    {"in_net('10.1.2.3', '10.0.0.0/8')", "true", 0},
    {"ip('10.0.0.1')", "10.0.0.1", 0},
    {"ip('::ffff:10.0.0.1')", "10.0.0.1", 0},
    {"ip('10.0.0.01', '1.1.1.1')", "1.1.1.1", 0},
    {"ip(none, '1.1.1.1')", "1.1.1.1", 0},
    {"ip('nonsense')", "", 0},
    {"is_ip('10.0.0.1')", "true", 0},
    {"is_ip('10.0.0.1:80')", "false", 0},
    {"is_ip(none)", "false", 0},
    {"is_ipv4(peer)", "true", 0},
    {"is_ipv4(peer6)", "false", 0},
    {"is_ipv4(nobody)", "false", 0},
    {"is_ipv6(peer)", "false", 0},
    {"is_ipv6(peer6)", "true", 0},
    {"is_ipv6(nobody)", "false", 0},
    {"mask(peer, 24, 48)", "192.0.2.0", 0},
    {"mask(peer, 0, 48)", "0.0.0.0", 0},
    {"mask(peer, 32, 48)", "192.0.2.7", 0},
    {"mask(peer6, 24, 32)", "2001:db8::", 0},
    {"mask(peer6, 24, 128)", "2001:db8::7", 0},
    {"mask(peer, n - 8, 48)", "0.0.0.0", 0},
    {"mask(peer, n * 100, 48)", "192.0.2.7", 0},
    {"mask(nobody, 24, 48)", "", 0},

    /* codings */
    {"base64_encode('')", "", 0},
    {"base64_encode('f')", "Zg==", 0},
    {"base64_encode('fo')", "Zm8=", 0},
    {"base64_encode('foo')", "Zm9v", 0},
    {"base64_encode('foob')", "Zm9vYg==", 0},
    {"base64_encode('\\xfb\\xff\\xfe')", "+//+", 0},
    {"base64url_encode('\\xfb\\xff\\xfe')", "-__-", 0},
    {"base64url_encode('f')", "Zg", 0},
    {"base64_decode('Zm9vYg==')", "foob", 0},
    {"base64_decode('Zm9vYg')", "foob", 0},
    {"base64_decode('+//+')", "\xfb\xff\xfe", 0},
    {"base64_decode('AA==')", "\0", 1},
    {"base64_decode('')", "", 0},
    {"base64_decode(none)", "", 0},
    {"base64_decode('Zm9vYg=')", "", 0},
    {"base64_decode('Zm9v=')", "", 0},
    {"base64_decode('Zm9v====')", "", 0},
    {"base64_decode('Z')", "", 0},
    {"base64_decode('Zh==')", "", 0},
    {"base64_decode('Zm9v Zm9v')", "", 0},
    {"base64_decode('-__-')", "", 0},
    {"base64_decode('=')", "", 0},
    {"base64_decode('==')", "", 0},
    {"base64_decode('Zg==Zg==')", "", 0},
    {"base64url_decode('-__-')", "\xfb\xff\xfe", 0},
    {"base64url_decode('+//+')", "", 0},
    {"base64url_decode('Zg==')", "f", 0},
    {"base64_decode(base64_encode(nul)) == nul", "true", 0},
    {"hex_encode('\\x00\\xffaZ')", "00ff615a", 0},
    {"hex_encode(none)", "", 0},
    {"hex_decode('00Ff615a')",
     "\0\xff"
     "aZ",
     4},
    {"hex_decode('0')", "", 0},
    {"hex_decode('0g')", "", 0},
    {"hex_decode('x0')", "", 0},
    {"hex_decode(none)", "", 0},
    {"url_encode('a b/c?\\xe4~-._9')", "a%20b%2Fc%3F%E4~-._9", 0},
    {"url_encode(nul)", "a%00b", 0},
    {"url_encode(none)", "", 0},
    {"url_decode('a%20b%2fc+d')", "a b/c+d", 0},
    {"url_decode('%00')", "\0", 1},
    {"url_decode('%25%32%30')", "%20", 0},
    {"url_decode('plain')", "plain", 0},
    {"url_decode('100%')", "100%", 0},
    {"url_decode('%4')", "%4", 0},
    {"url_decode('%zz')", "%zz", 0},
    {"url_decode('a%-1b')", "a%-1b", 0},
    {"url_decode('/%61dmin/%')", "/admin/%", 0},
    {"url_decode('%%41%4%42')", "%A%4B", 0},
    {"url_decode(none)", "", 0},
    {"is_url_encoded('a%20b%fF') && is_url_encoded('plain') && is_url_encoded('')", "true", 0},
    {"is_url_encoded(none)", "true", 0},
    {"is_url_encoded('%')", "false", 0},
    {"is_url_encoded('%41%4')", "false", 0},
    {"is_url_encoded('%%41')", "false", 0},
    {"is_url_encoded('%zz')", "false", 0},
    {"is_url_encoded('%4z%41')", "false", 0},
    {"html_escape('<a href=\"x\">&\\'')", "&lt;a href=&quot;x&quot;&gt;&amp;&#39;", 0},
    {"html_escape(none)", "", 0},
    {"json_escape('\"\\\\/\\n\\r\\t\\x01\\x7f\xc3\xa4')", "\\\"\\\\/\\n\\r\\t\\u0001\\u007f\xc3\xa4", 0},
    {"json_escape(nul)", "a\\u0000b", 0},

    /* paths */
    {"normalize_path('/')", "/", 0},
    {"normalize_path('')", "", 0},
    {"normalize_path(none)", "", 0},
    {"normalize_path('*')", "*", 0},
    {"normalize_path('a/../b')", "a/../b", 0},
    {"normalize_path('/a/b/c')", "/a/b/c", 0},
    {"normalize_path('/a/./b')", "/a/b", 0},
    {"normalize_path('/a/../b')", "/b", 0},
    {"normalize_path('/a/b/..')", "/a/", 0},
    {"normalize_path('/a/b/.')", "/a/b/", 0},
    {"normalize_path('/a/b/../')", "/a/", 0},
    {"normalize_path('/..')", "/", 0},
    {"normalize_path('/../../a')", "/a", 0},
    {"normalize_path('/a/b/c/./../../g')", "/a/g", 0},
    {"normalize_path('//a///b//')", "/a/b/", 0},
    {"normalize_path('/a//../b')", "/b", 0},
    {"normalize_path('/.a/..b/...')", "/.a/..b/...", 0},
    {"normalize_path('/%61dmin')", "/admin", 0},
    {"normalize_path('/%2e%2E/x')", "/x", 0},
    {"normalize_path('/a/.%2e/x')", "/x", 0},
    {"normalize_path('/a%2fb%3a')", "/a/b%3A", 0},
    {"normalize_path('/x/..%2Fadmin')", "/admin", 0},
    {"normalize_path('/x%2f%2e%2e%2fadmin')", "/admin", 0},
    {"normalize_path('/x\\\\..\\\\admin')", "/admin", 0},
    {"normalize_path('/x/..%5cadmin%5C')", "/admin/", 0},
    {"normalize_path('/\\\\admin')", "/admin", 0},
    {"normalize_path('/%2Fadmin')", "/admin", 0},
    {"normalize_path('/admin;a=b')", "/admin", 0},
    {"normalize_path('/admin;a=b;c/d;')", "/admin/d", 0},
    {"normalize_path('/x/..;/admin')", "/admin", 0},
    {"normalize_path('/x/.;y/.%2e;z')", "/", 0},
    {"normalize_path('/;/admin')", "/admin", 0},
    {"normalize_path('/;')", "/", 0},
    {"normalize_path('/x;a%2f..%5cadmin')", "/admin", 0},
    {"normalize_path('/a%3Bb')", "/a%3Bb", 0},
    {"normalize_path('\\\\a')", "\\a", 0},
    {"normalize_path('/%2561')", "/%2561", 0},
    {"normalize_path('/%zz/%4/%')", "/%zz/%4/%", 0},
    {"normalize_path('/a%00b')", "/a%00b", 0},
    {"normalize_path('/%7Euser')", "/~user", 0},

    /* hashes */
    {"hash('a') == hash('a') && hash('a') != hash('b')", "true", 0},
    {"hash(peer) == hash(ip('192.0.2.7')) && hash(peer) != hash(peer6)", "true", 0},
    {"hash(none) == hash('')", "true", 0},
    {"hash(text) >= 0 && hash(nul) >= 0 && hash('a') >= 0 && hash('b') >= 0 && hash('c') >= 0", "true", 0},
    {"crc32('')", "0", 0},
    {"crc32('123456789')", "3421780262", 0},
    {"crc32(nul)", "367556721", 0},
    {"random(1)", "0", 0},
    {"random(n - 7)", "0", 0},
    {"random(low)", "0", 0},
    {"random(10) in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)", "true", 0},
};

START_TEST(functions_give_their_values)
{
    rules_expect(good[_i]);
}
END_TEST

static const struct rules_check bad[] = {
    {"sprintf(text)", "", 0},
    {"sprintf('%s')", "the format wants more arguments than the 0 that follow", 0},
    {"sprintf('%s %s', n)", "the format wants more arguments than the 1 that follow", 0},
    {"sprintf('%s', n, n)", "the format has no %s or %d for this argument", 0},
    {"sprintf('%d', text)", "%d wants an int, and this is a string: write %s", 0},
    {"sprintf('%x', n)", "sprintf() knows %s, %d and %%, not %x", 0},
    {"sprintf('%\\x01', n)", "sprintf() knows %s, %d and %%, not %?", 0},
    {"sprintf('100%')", "sprintf() knows %s, %d and %%, not %%", 0},
    {"length(n)", "length() takes a string or a list, not a int", 0},
    {"lower(n)", "", 0},
    {"substr(text)", "", 0},
    {"coalesce('a')", "", 0},
    {"extract(text, '(', 1)", "missing closing parenthesis", 0},
    {"extract(text, 'a', 10)", "a group is 0 (the whole match) to 9", 0},
    {"extract(text, 'a', -1)", "a group is 0 (the whole match) to 9", 0},
    {"extract(text, text, 1)", "", 0},
    {"regsub(text, '[', 'x')", "missing terminating ]", 0},
    {"regsub(text, 'a', '\\q')", "behind a backslash of a replacement", 0},
    {"regsub(text, 'a', 'b\\\\')", "behind a backslash of a replacement", 0},
    {"in_net(peer)", "", 0},
    {"in_net(peer, '10.1/16')", "\"10.1/16\" is no IP address or network", 0},
    {"in_net(peer, '10.0.0.0/8', '10.1.2.3/8')", "the network is 10.0.0.0/8, the address 10.1.2.3", 0},
    {"in_net(peer, text)", "", 0},
    {"mask(peer, 33, 48)", "an IPv4 network has 0 to 32 bits", 0},
    {"mask(peer, 24, 129)", "an IPv6 network has 0 to 128 bits", 0},
    {"mask(peer, -1, 48)", "an IPv4 network has 0 to 32 bits", 0},
    {"hash(n)", "hash() takes a string or an ip, not a int", 0},
    {"random(0)", "random() needs a number above 0", 0},
    {"random(-5)", "random() needs a number above 0", 0},
    {"in_file(n, 'x')", "a string or an ip can be looked up, not a int", 0},
    {"in_file(text, text)", "", 0},
};

START_TEST(bad_arguments_are_errors_when_compiled)
{
    rules_expect_error(bad[_i]);
}
END_TEST

static const struct rules_check failing[] = {
    {"url_encode(replace(long, 'x', '/'))", "", 0},
    {"replace(long, 'x', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy')", "", 0},
    {"sprintf('%s%s', long, long)", "", 0},
    {"lower(upper(long + 'a'))", "", 0},
    {"regsub_all(long, 'x', 'y')", "more than 1000 matches", 0},
};

START_TEST(a_result_too_long_makes_the_run_fail)
{
    rules_expect_failure(failing[_i]);
}
END_TEST

START_TEST(chance_reaches_every_number_and_no_other)
{
    unsigned counts[3] = {0};
    for (unsigned i = 0; i < 600; i++) {
        int64_t n = rules_number("random(3)");
        ck_assert(n >= 0 && n < 3);
        counts[n]++;
    }
    ck_assert(counts[0] > 100 && counts[1] > 100 && counts[2] > 100);
    ck_assert(rules_number("random(9223372036854775807)") >= 0);
}
END_TEST

/* ---- rows ---- */

START_TEST(every_row_is_documented_and_its_example_compiles)
{
    RULES_WRITE("hosts.lst", "");
    RULES_WRITE("domains.lst", "");
    RULES_WRITE("paths.lst", "");
    RULES_WRITE("backends.map", "www.example.org web\n");
    RULES_WRITE("shares.map", "gold 50\n");
    RULES_WRITE("domains.map", ".example.org api\n");
    RULES_WRITE("paths.map", "/api api\n");
    unsigned count = 0;
    for (unsigned i = 0; rules_functions[i]; i++) {
        for (const struct rules_function *f = rules_functions[i]; f->name; f++, count++) {
            char call[64];
            ck_assert_msg(f->doc && f->example && f->source, "%s", f->name);
            ck_assert_msg(f->doc[0] && strchr(".?", f->doc[strlen(f->doc) - 1]), "%s: %s", f->name, f->doc);
            snprintf(call, sizeof call, "%s(", f->name);
            ck_assert_msg(strstr(f->example, call) != NULL, "the example of %s is %s", f->name, f->example);
            bool in_empty_file = strncmp(f->name, "in_", 3) == 0 && strstr(f->example, ".lst");
            rules_expect((struct rules_check){f->example, in_empty_file ? "false" : "true", 0});
            for (unsigned j = 0; rules_functions[j]; j++)
                for (const struct rules_function *other = rules_functions[j]; other->name; other++)
                    ck_assert_msg(other == f || strcmp(other->name, f->name) != 0, "two rows of %s", f->name);
        }
    }
    ck_assert_uint_gt(count, 40);
}
END_TEST

#define LOOP(tcase, test, rows) tcase_add_loop_test(tcase, test, 0, (int)(sizeof rows / sizeof rows[0]))

int main(void)
{
    Suite *suite = suite_create("rules functions");
    TCase *functions = tcase_create("functions");
    tcase_add_checked_fixture(functions, rules_make_directory, rules_remove_directory);
    LOOP(functions, functions_give_their_values, good);
    LOOP(functions, bad_arguments_are_errors_when_compiled, bad);
    LOOP(functions, a_result_too_long_makes_the_run_fail, failing);
    tcase_add_test(functions, chance_reaches_every_number_and_no_other);
    tcase_add_test(functions, every_row_is_documented_and_its_example_compiles);
    suite_add_tcase(suite, functions);

    suite_add_tcase(suite, rules_files_tests());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
