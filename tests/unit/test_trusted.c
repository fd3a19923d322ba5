/*
 * test_trusted.c: whom trusted proxies name, and Forwarded (RFC 7239).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "http/forwarded.h"
#include "http/trusted.h"

static struct network networks[3];
static struct trusted trusted = {networks, ARRAY_LEN(networks), false};
static struct message m;

static void setup(void)
{
    static const char *const texts[] = {"10.0.0.0/8", "::1", "fd00::/8"};
    struct error err;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        ck_assert_int_eq(network_parse(&networks[i], slice_of(texts[i]), &err), 0);
}

/* The request's fields: "Name: value" lines, each ended by \n. */
static void request(const char *lines)
{
    message_init(&m);
    while (*lines) {
        size_t name_len = strcspn(lines, ":"), len = strcspn(lines, "\n");
        struct slice value = slice_trim((struct slice){lines + name_len + 1, len - name_len - 1});
        enum field_id id = field_lookup((struct slice){lines, name_len});
        ck_assert(message_add_raw(&m, id, lines, name_len, value.len));
        m.fields[m.count - 1].value = value.ptr;
        lines += len + 1;
    }
}

static struct trusted_word read_as(enum trusted_field which, const char *lines)
{
    struct trusted_word w;
    struct ip peer;
    ck_assert(ip_parse(SLICE("10.0.0.1"), &peer));
    request(lines);
    trusted_read(&trusted, which, &m, peer, &w);
    return w;
}

static const char *text_of(struct ip ip)
{
    static char text[ADDRESS_TEXT_MAX];
    text[ip_print(ip, text)] = '\0';
    return text;
}

static void check_word(const char *lines, struct trusted_word w, const char *client)
{
    if (strcmp(text_of(w.client), client) != 0)
        ck_abort_msg("of:\n%s\nthe client is %s, not %s", lines, text_of(w.client), client);
}

/* The peer is 10.0.0.1, and it is the client where nothing else is believed. */
static const struct {
    const char *lines, *client;
} walks[] = {
    {"", "10.0.0.1"},
    {"X-Forwarded-For: 192.0.2.1\n", "192.0.2.1"},
    {"X-Forwarded-For: 198.51.100.9, 192.0.2.1\n", "192.0.2.1"}, /* the left one is the client's own word */
    {"X-Forwarded-For: 192.0.2.1, 10.9.9.9\n", "192.0.2.1"},
    {"X-Forwarded-For: 192.0.2.1,10.9.9.9,fd00::5, ::1\n", "192.0.2.1"},
    {"X-Forwarded-For: 10.1.1.1, 10.9.9.9\n", "10.1.1.1"}, /* all trusted: the leftmost */
    {"X-Forwarded-For: 198.51.100.9\nX-Forwarded-For: 192.0.2.1\n", "192.0.2.1"},
    {"X-Forwarded-For: 192.0.2.1\nX-Other: 1\nX-Forwarded-For: 10.2.2.2\n", "192.0.2.1"},
    {"X-Forwarded-For: 2001:db8::7\n", "2001:db8::7"},
    {"X-Forwarded-For: [2001:db8::7]\n", "2001:db8::7"},
    {"X-Forwarded-For: [2001:db8::7]:4711\n", "2001:db8::7"},
    {"X-Forwarded-For: 192.0.2.1:4711\n", "192.0.2.1"},
    {"X-Forwarded-For: ::ffff:192.0.2.1\n", "192.0.2.1"},
    {"X-Forwarded-For: 192.0.2.1, ::ffff:10.0.0.7\n", "192.0.2.1"},
    {"X-Forwarded-For: , 192.0.2.1, ,\n", "192.0.2.1"},
    /* what can't be read ends the walk, and what stands left of it is not believed */
    {"X-Forwarded-For: 192.0.2.1, unknown\n", "10.0.0.1"},
    {"X-Forwarded-For: 192.0.2.1, unknown, 10.3.3.3\n", "10.3.3.3"},
    {"X-Forwarded-For: 192.0.2.1, _hidden\n", "10.0.0.1"},
    {"X-Forwarded-For: 192.0.2.1, 192.0.2.300\n", "10.0.0.1"},
    {"X-Forwarded-For: 192.0.2.1, 192.0.2.01\n", "10.0.0.1"},
    {"X-Forwarded-For: 192.0.2.1 192.0.2.2\n", "10.0.0.1"},
    {"X-Forwarded-For: 192.0.2.1:0\n", "10.0.0.1"},
    {"X-Forwarded-For: 192.0.2.1:70000\n", "10.0.0.1"},
    {"X-Forwarded-For: 192.0.2.1:\n", "10.0.0.1"},
    {"X-Forwarded-For: [192.0.2.1]\n", "10.0.0.1"},
    {"X-Forwarded-For: [2001:db8::7\n", "10.0.0.1"},
    {"X-Forwarded-For: [2001:db8::7]x\n", "10.0.0.1"},
    {"X-Forwarded-For: fe80::1%eth0\n", "10.0.0.1"},
    {"X-Forwarded-For: ::\n", "10.0.0.1"},
    {"X-Forwarded-For: 0x7f.1\n", "10.0.0.1"},
    {"X-Forwarded-For: example.org\n", "10.0.0.1"},
    {"X-Forwarded-For: \"192.0.2.1\"\n", "10.0.0.1"},
    {"X-Forwarded-For: \", 192.0.2.1\n", "192.0.2.1"},
    /* Forwarded */
    {"Forwarded: for=192.0.2.1\n", "192.0.2.1"},
    {"Forwarded: FOR=192.0.2.1; Proto=https;by=_x\n", "192.0.2.1"},
    {"Forwarded: for=\"192.0.2.1:4711\"\n", "192.0.2.1"},
    {"Forwarded: for=\"192.0.2.1:_port\"\n", "192.0.2.1"},
    {"Forwarded: for=\"[2001:db8::7]:4711\"\n", "2001:db8::7"},
    {"Forwarded: for=\"[2001:db8::7]\"\n", "2001:db8::7"},
    {"Forwarded: for=198.51.100.9, for=192.0.2.1;host=\"a,b\", for=10.2.2.2\n", "192.0.2.1"},
    {"Forwarded: for=198.51.100.9\nForwarded: for=192.0.2.1\nForwarded: for=10.2.2.2\n", "192.0.2.1"},
    {"Forwarded: secret=\"a\\\"b, for=6.6.6.6\";for=192.0.2.1\n", "192.0.2.1"},
    {"Forwarded: secret=\"a, b\\\"c\";for=192.0.2.1\n", "192.0.2.1"},
    {"Forwarded: for=\", for=192.0.2.1\n", "192.0.2.1"}, /* a quote left open by the client hides nobody */
    {"Forwarded: for=\"6.6.6.6, for=10.2.2.2;host=\"a\"\n", "10.2.2.2"},
    {"Forwarded: for=192.0.2.1, for=unknown\n", "10.0.0.1"},
    {"Forwarded: for=192.0.2.1, for=_gazonk, for=10.2.2.2\n", "10.2.2.2"},
    {"Forwarded: for=192.0.2.1, for=\"unknown:80\"\n", "10.0.0.1"},
    {"Forwarded: for=192.0.2.1, proto=http\n", "10.0.0.1"},
    {"Forwarded: for=2001:db8::7\n", "10.0.0.1"},
    {"Forwarded: for=\"2001:db8::7\"\n", "10.0.0.1"},
    {"Forwarded: for=192.0.2.1;for=192.0.2.2\n", "10.0.0.1"},
    {"Forwarded: for=192.0.2.1 proto=http\n", "10.0.0.1"},
    {"Forwarded: for = 192.0.2.1\n", "10.0.0.1"},
    {"Forwarded: for=\n", "10.0.0.1"},
    {"Forwarded: for=\"\"\n", "10.0.0.1"},
    {"Forwarded: for=\"192.0.2.1\\\"\n", "10.0.0.1"},
    {"Forwarded: for=\"192.0.2.\\1\"\n", "10.0.0.1"},
    {"Forwarded: 192.0.2.1\n", "10.0.0.1"},
    {"Forwarded: ;;for=192.0.2.1;\n", "192.0.2.1"},
    /* X-Real-IP */
    {"X-Real-IP: 192.0.2.1\n", "192.0.2.1"},
    {"X-Real-IP: 10.7.7.7\n", "10.7.7.7"},
    {"X-Real-IP: 192.0.2.1\nX-Real-IP: 192.0.2.2\n", "10.0.0.1"},
    {"X-Real-IP: 192.0.2.1, 192.0.2.2\n", "10.0.0.1"},
    /* the first of them that says something */
    {"X-Real-IP: 6.6.6.6\nForwarded: for=6.6.6.7\nX-Forwarded-For: 192.0.2.1\n", "192.0.2.1"},
    {"X-Real-IP: 6.6.6.6\nForwarded: for=192.0.2.1\n", "192.0.2.1"},
    {"X-Real-IP: 6.6.6.6\nX-Forwarded-For: nonsense\n", "10.0.0.1"},
    {"X-Real-IP: 192.0.2.1\nX-Forwarded-For:\n", "192.0.2.1"},
};

START_TEST(the_client_is_the_first_from_the_right_that_is_not_trusted)
{
    check_word(walks[_i].lines, read_as(TRUSTED_ANY, walks[_i].lines), walks[_i].client);
}
END_TEST

START_TEST(only_the_field_that_is_chosen_is_believed)
{
    static const char lines[] =
        "X-Forwarded-For: 192.0.2.1\nForwarded: for=192.0.2.2\nX-Real-IP: 192.0.2.3\n";
    check_word(lines, read_as(TRUSTED_X_FORWARDED_FOR, lines), "192.0.2.1");
    check_word(lines, read_as(TRUSTED_FORWARDED, lines), "192.0.2.2");
    check_word(lines, read_as(TRUSTED_X_REAL_IP, lines), "192.0.2.3");
    check_word("", read_as(TRUSTED_FORWARDED, "X-Forwarded-For: 192.0.2.1\n"), "10.0.0.1");
}
END_TEST

static const struct {
    enum trusted_field which;
    const char *lines, *scheme, *host, *bad;
} words[] = {
    {TRUSTED_ANY, "", "", "", ""},
    {TRUSTED_ANY, "X-Forwarded-Proto: https\nX-Forwarded-Host: a.example:8443\n", "https", "a.example:8443",
     ""},
    {TRUSTED_ANY, "X-Forwarded-Proto: HTTP\n", "http", "", ""},
    {TRUSTED_ANY, "X-Forwarded-Proto: https,http\n", "", "", "https,http"},
    {TRUSTED_ANY, "X-Forwarded-Proto: https\nX-Forwarded-Proto: http\n", "", "", ""},
    {TRUSTED_ANY, "X-Forwarded-Proto: javascript\n", "", "", "javascript"},
    {TRUSTED_ANY, "X-Forwarded-Host: a.example, b.example\n", "", "", "a.example, b.example"},
    {TRUSTED_ANY, "X-Forwarded-Host: a.example/x\n", "", "", "a.example/x"},
    {TRUSTED_ANY, "X-Forwarded-Host: user@a.example\n", "", "", "user@a.example"},
    {TRUSTED_ANY, "X-Forwarded-Host: [2001:db8::7]:8443\n", "", "[2001:db8::7]:8443", ""},
    {TRUSTED_ANY, "Forwarded: for=192.0.2.1;proto=https;host=\"a.example:81\"\n", "https", "a.example:81",
     ""},
    {TRUSTED_ANY, "Forwarded: for=6.6.6.6;proto=http, for=192.0.2.1;proto=https\n", "https", "", ""},
    {TRUSTED_ANY, "Forwarded: for=192.0.2.1;proto=https, for=10.2.2.2;proto=http\n", "https", "", ""},
    {TRUSTED_ANY, "Forwarded: proto=https;for=unknown\n", "https", "", ""},
    {TRUSTED_ANY, "Forwarded: for=192.0.2.1;proto=gopher\n", "", "", "gopher"},
    {TRUSTED_ANY, "Forwarded: for=192.0.2.1;proto=http\nX-Forwarded-Proto: https\n", "https", "", ""},
    {TRUSTED_FORWARDED, "Forwarded: for=192.0.2.1;proto=http\nX-Forwarded-Proto: https\n", "http", "", ""},
    {TRUSTED_X_FORWARDED_FOR, "Forwarded: for=192.0.2.1;proto=https;host=b\nX-Forwarded-Host: a\n", "", "a",
     ""},
    {TRUSTED_ANY, "X-Forwarded-For: 192.0.2.1, junk\n", "", "", "junk"},
    {TRUSTED_ANY, "X-Forwarded-For: junk, 192.0.2.1\n", "", "", ""},
};

START_TEST(scheme_and_host_are_what_trusted_proxies_say)
{
    struct trusted_word w = read_as(words[_i].which, words[_i].lines);
    ck_assert_msg(slice_equal(w.scheme, slice_of(words[_i].scheme)), "scheme of %s", words[_i].lines);
    ck_assert_msg(slice_equal(w.host, slice_of(words[_i].host)), "host of %s", words[_i].lines);
    ck_assert_msg(slice_equal(w.bad, slice_of(words[_i].bad)), "bad of %s: %.*s", words[_i].lines,
                  SLICE_ARG(w.bad));
}
END_TEST

/* Whatever stands left of what a trusted proxy added: it changes nothing. */
START_TEST(nothing_that_a_client_sends_moves_what_a_proxy_added)
{
    static const char *const pieces[] = {"for=", "6.6.6.6", "\"",       "\"", "\\", ",",
                                         ", ",   ";",       "10.0.0.9", "=",  "x",  "["};
    unsigned seed = 1;
    for (int round = 0; round < 60000; round++) {
        char line[256] = "";
        for (int i = rand_r(&seed) % 12; i > 0; i--)
            strcat(line, pieces[(size_t)rand_r(&seed) % ARRAY_LEN(pieces)]);
        char *text;
        bool rfc = round % 2;
        int len =
            asprintf(&text, "%s: %s, %s192.0.2.1%s", rfc ? "Forwarded" : "X-Forwarded-For", line,
                     rfc ? "for=" : "", round % 4 == 1 ? ";proto=https, for=10.2.2.2;host=\"a,b\"" : "");
        ck_assert_int_gt(len, 0);
        size_t name_len = strcspn(text, ":");
        char *value = malloc((size_t)len - name_len - 2); /* just as long, so that a look beyond it is seen */
        ck_assert_ptr_nonnull(value);
        memcpy(value, text + name_len + 2, (size_t)len - name_len - 2);
        message_init(&m);
        message_add_raw(&m, rfc ? FIELD_FORWARDED : FIELD_X_FORWARDED_FOR, text, name_len,
                        (size_t)len - name_len - 2);
        m.fields[0].value = value;
        struct trusted_word w;
        trusted_read(&trusted, TRUSTED_ANY, &m, (struct ip){{0}}, &w);
        check_word(text, w, "192.0.2.1");
        free(value);
        free(text);
    }
}
END_TEST

START_TEST(no_address_is_trusted_with_unix_only)
{
    static const struct ip none;
    struct trusted local = {networks, ARRAY_LEN(networks), true};
    ck_assert(!trusted_has(&trusted, none));
    ck_assert(trusted_has(&local, none));
}
END_TEST

/* An element as it is written for an address, host and scheme. */
static const struct {
    const char *ip, *host, *proto, *element;
} elements[] = {
    {"192.0.2.1", "", "", "for=192.0.2.1"},
    {"192.0.2.1", "example.org", "https", "for=192.0.2.1;host=example.org;proto=https"},
    {"192.0.2.1", "example.org:80", "", "for=192.0.2.1;host=\"example.org:80\""},
    {"192.0.2.1", "[::1]", "", "for=192.0.2.1;host=\"[::1]\""},
    {"2001:db8::7", "", "http", "for=\"[2001:db8::7]\";proto=http"},
    {"::ffff:192.0.2.1", "", "", "for=192.0.2.1"},
    {"", "a", "", "for=unknown;host=a"},
    {"", "a\"b\\c", "", "for=unknown;host=\"a\\\"b\\\\c\""},
};

START_TEST(an_element_is_quoted_where_it_must_be)
{
    char text[256];
    struct ip ip = {{0}};
    struct pen measure = {NULL, 0}, pen = {text, 0};
    ck_assert(!*elements[_i].ip || ip_parse(slice_of(elements[_i].ip), &ip));
    forwarded_put(&measure, ip, slice_of(elements[_i].host), slice_of(elements[_i].proto));
    forwarded_put(&pen, ip, slice_of(elements[_i].host), slice_of(elements[_i].proto));
    text[pen.len] = '\0';
    ck_assert_uint_eq(measure.len, pen.len);
    ck_assert_str_eq(text, elements[_i].element);
    struct forwarded f;
    bool readable = !strchr(elements[_i].host, '\\');
    ck_assert(forwarded_parse((struct slice){text, pen.len}, &f) == readable);
    ck_assert(!readable || slice_equal(f.host, slice_of(elements[_i].host)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trusted");
    TCase *tcase = tcase_create("trusted");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_loop_test(tcase, the_client_is_the_first_from_the_right_that_is_not_trusted, 0,
                        ARRAY_LEN(walks));
    tcase_add_test(tcase, only_the_field_that_is_chosen_is_believed);
    tcase_add_loop_test(tcase, scheme_and_host_are_what_trusted_proxies_say, 0, ARRAY_LEN(words));
    tcase_add_test(tcase, nothing_that_a_client_sends_moves_what_a_proxy_added);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, no_address_is_trusted_with_unix_only);
    tcase_add_loop_test(tcase, an_element_is_quoted_where_it_must_be, 0, ARRAY_LEN(elements));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
