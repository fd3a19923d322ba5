#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "log/access_line.h"
#include "log/target.h"

static char line[LINE_MAX_BYTES + 1];

static const struct access_entry whole = {
    .time_ms = 1795255200123,
    .client = SLICE("192.0.2.7:51234"),
    .frontend = SLICE("web"),
    .backend = SLICE("api"),
    .server = SLICE("a1"),
    .method = SLICE("GET"),
    .target = SLICE("/x?y"),
    .version = SLICE("HTTP/1.1"),
    .host = SLICE("example.org"),
    .rule = SLICE("to-api"),
    .tls_version = SLICE("TLSv1.3"),
    .tls_cipher = SLICE("TLS_AES_128_GCM_SHA256"),
    .reason = "ok",
    .ended_by = "none",
    .head_us = 104,
    .queue_us = 0,
    .connect_us = 1000,
    .first_byte_us = 1234567,
    .total_us = 99999,
    .bytes_in = 123,
    .bytes_out = 9223372036854775807,
    .status = 200,
    .retries = 1,
    .generation = 3,
};

static const struct access_entry bare = {
    .client = SLICE("none"),
    .frontend = SLICE("raw"),
    .reason = "no_server",
    .ended_by = "noxy",
    .head_us = ACCESS_ABSENT,
    .queue_us = ACCESS_ABSENT,
    .connect_us = ACCESS_ABSENT,
    .first_byte_us = ACCESS_ABSENT,
    .total_us = 7,
};

static const char *text_of(const struct access_entry *e)
{
    line[access_line_text(line, e)] = '\0';
    return line;
}

static json_t *json_of(const struct access_entry *e)
{
    json_error_t why;
    size_t len = access_line_json(line, e);
    ck_assert_uint_le(len, LINE_MAX_BYTES);
    ck_assert_int_eq(line[len - 1], '\n');
    ck_assert_ptr_eq(memchr(line, '\n', len), line + len - 1);
    json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    ck_assert_msg(o != NULL, "%.*s: %s", (int)len, line, why.text);
    return o;
}

START_TEST(a_text_line_tells_all)
{
    ck_assert_str_eq(text_of(&whole),
                     "2026-11-21T10:00:00.123Z 192.0.2.7:51234 web api:a1 200 in=123 "
                     "out=9223372036854775807 head=0.104 queue=0.000 connect=1.000 first=1234.567 "
                     "total=99.999 retries=1 gen=3 end=ok/none rule=to-api "
                     "tls=TLSv1.3/TLS_AES_128_GCM_SHA256 \"GET /x?y HTTP/1.1\" host=\"example.org\"\n");
    ck_assert_str_eq(text_of(&bare),
                     "1970-01-01T00:00:00.000Z none raw - - in=0 out=0 head=- queue=- connect=- first=- "
                     "total=0.007 retries=0 gen=0 end=no_server/noxy rule=- tls=- \"-\" host=\"-\"\n");
}
END_TEST

START_TEST(a_backend_without_a_server_is_told)
{
    struct access_entry e = whole;
    e.server = SLICE("");
    ck_assert_ptr_nonnull(strstr(text_of(&e), " web api:- 200 "));
}
END_TEST

START_TEST(what_is_no_request_line_is_told_as_it_came)
{
    struct access_entry e = whole;
    e.malformed = SLICE("GET  /a b\" \x01");
    ck_assert_ptr_nonnull(strstr(text_of(&e), " \"GET /x?y HTTP/1.1\" host="));
    e.method = SLICE("");
    ck_assert_ptr_nonnull(strstr(text_of(&e), " \"GET  /a b\\x22 \\x01\" host="));
    json_t *o = json_of(&e);
    ck_assert_str_eq(json_string_value(json_object_get(o, "malformed")), "GET  /a b\" \x01");
    ck_assert(json_is_null(json_object_get(o, "target")) && json_is_null(json_object_get(o, "version")));
    json_decref(o);
}
END_TEST

static void check_text(json_t *o, const char *key, const char *value)
{
    const char *is = json_string_value(json_object_get(o, key));
    ck_assert_msg(is && strcmp(is, value) == 0, "%s is %s, not %s", key, is ? is : "no text", value);
}

START_TEST(a_json_line_tells_all)
{
    struct access_entry e = whole;
    e.bytes_out = 456;
    json_t *o = json_of(&e);
    ck_assert_uint_eq(json_object_size(o), 25);
    check_text(o, "time", "2026-11-21T10:00:00.123Z");
    check_text(o, "client", "192.0.2.7:51234");
    check_text(o, "frontend", "web");
    check_text(o, "backend", "api");
    check_text(o, "server", "a1");
    check_text(o, "reason", "ok");
    check_text(o, "ended_by", "none");
    check_text(o, "rule", "to-api");
    check_text(o, "tls_version", "TLSv1.3");
    check_text(o, "tls_cipher", "TLS_AES_128_GCM_SHA256");
    check_text(o, "method", "GET");
    check_text(o, "target", "/x?y");
    check_text(o, "version", "HTTP/1.1");
    check_text(o, "host", "example.org");
    ck_assert(json_is_null(json_object_get(o, "malformed")));
    ck_assert_int_eq(json_integer_value(json_object_get(o, "status")), 200);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "bytes_in")), 123);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "bytes_out")), 456);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "retries")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "generation")), 3);
    ck_assert_double_eq_tol(json_real_value(json_object_get(o, "head_ms")), 0.104, 1e-9);
    ck_assert_double_eq_tol(json_real_value(json_object_get(o, "queue_ms")), 0, 1e-9);
    ck_assert_double_eq_tol(json_real_value(json_object_get(o, "connect_ms")), 1, 1e-9);
    ck_assert_double_eq_tol(json_real_value(json_object_get(o, "first_byte_ms")), 1234.567, 1e-9);
    ck_assert_double_eq_tol(json_real_value(json_object_get(o, "total_ms")), 99.999, 1e-9);
    json_decref(o);
}
END_TEST

START_TEST(a_json_line_has_the_same_keys_whatever_is_known)
{
    json_t *full = json_of(&whole), *empty = json_of(&bare), *value;
    const char *key;
    unsigned nulls = 0;
    ck_assert_uint_eq(json_object_size(full), json_object_size(empty));
    json_object_foreach(full, key, value)
    {
        json_t *other = json_object_get(empty, key);
        ck_assert_msg(other != NULL, "%s", key);
        nulls += json_is_null(other);
    }
    ck_assert_uint_eq(nulls, 15); /* backend, server, status, four times, method ... malformed */
    json_decref(full);
    json_decref(empty);
}
END_TEST

/* An entry whose texts from outside are all `s`. */
static struct access_entry hostile(struct slice s)
{
    struct access_entry e = whole;
    e.client = e.server = e.method = e.target = e.version = e.host = s;
    return e;
}

START_TEST(no_byte_breaks_or_forges_a_text_line)
{
    for (int i = 0; i < 256; i++) {
        char byte[3] = {'a', (char)i, 'b'}, told[8];
        struct access_entry e = hostile((struct slice){byte, sizeof byte});
        size_t len = access_line_text(line, &e), spaces = 0, quotes = 0;
        if (i > 0x20 && i < 0x7f && i != '"' && i != '\\')
            snprintf(told, sizeof told, "a%cb", i);
        else
            snprintf(told, sizeof told, "a\\x%02xb", i);
        for (size_t at = 0; at < len; at++) {
            ck_assert(at + 1 == len ? line[at] == '\n' : line[at] >= 0x20 && line[at] < 0x7f);
            spaces += line[at] == ' ';
            quotes += line[at] == '"';
        }
        ck_assert_uint_eq(spaces, 20);
        ck_assert_uint_eq(quotes, 4);
        line[len] = '\0';
        char request[64], name[64];
        snprintf(request, sizeof request, " \"%s %s %s\" host=\"%s\"\n", told, told, told, told);
        snprintf(name, sizeof name, " %s web api:%s ", told, told);
        ck_assert_msg(strstr(line, request) && strstr(line, name), "%d: %s", i, line);
    }
}
END_TEST

START_TEST(any_bytes_make_valid_json)
{
    char bytes[512];
    for (int i = 0; i < 256; i++) {
        bytes[2 * i] = (char)i;
        bytes[2 * i + 1] = (char)(255 - i);
    }
    for (size_t begin = 0; begin < sizeof bytes; begin++)
        for (size_t len = 1; len <= 3 && begin + len <= sizeof bytes; len++) {
            struct slice s = {bytes + begin, len};
            struct access_entry e = hostile(s);
            json_decref(json_of(&e));
            e.malformed = s;
            e.method = SLICE("");
            json_decref(json_of(&e));
        }
    struct access_entry ascii = hostile(SLICE("\"\\/\b\f\n\r\t\x01 \x7f"));
    json_t *o = json_of(&ascii);
    check_text(o, "target", "\"\\/\b\f\n\r\t\x01 \x7f");
    json_decref(o);
}
END_TEST

START_TEST(utf8_stays_readable)
{
    struct access_entry e = whole;
    e.target = SLICE("/caf\xc3\xa9\xff");
    ck_assert_ptr_nonnull(strstr(text_of(&e), " /caf\xc3\xa9\\xff HTTP"));
    json_t *o = json_of(&e);
    check_text(o, "target", "/caf\xc3\xa9\xef\xbf\xbd");
    json_decref(o);
}
END_TEST

START_TEST(a_line_of_overlong_values_is_cut_and_keeps_its_form)
{
    static char bytes[20000];
    static const char *const fill[] = {"x", "\"", "\n", "\xff", "\x01", "\xc3\xa9", "a\xf0\x9f\x98\x80"};
    for (unsigned i = 0; i < ARRAY_LEN(fill); i++) {
        for (size_t at = 0, n = strlen(fill[i]); at + n <= sizeof bytes; at += n)
            memcpy(bytes + at, fill[i], n);
        struct access_entry e = hostile((struct slice){bytes, sizeof bytes - 10});
        e.frontend = e.backend = e.target;
        e.reason = "server_connect_timeout";
        e.head_us = e.queue_us = e.connect_us = e.first_byte_us = e.total_us = ACCESS_ABSENT - 1;
        e.bytes_in = INT64_MAX;
        e.retries = e.generation = UINT32_MAX;
        e.tls_version = SLICE("TLSv1.3");
        e.tls_cipher = SLICE("ECDHE-ECDSA-CHACHA20-POLY1305");
        size_t len = access_line_text(line, &e);
        ck_assert_uint_le(len, LINE_MAX_BYTES);
        ck_assert_uint_gt(len, 2500);
        line[len] = '\0';
        ck_assert_ptr_nonnull(strstr(line, "...\" host=\""));
        ck_assert_str_eq(line + len - 5, "...\"\n");
        json_t *o = json_of(&e);
        const char *target = json_string_value(json_object_get(o, "target"));
        ck_assert_str_eq(target + strlen(target) - 3, "...");
        json_decref(o);
    }
}
END_TEST

START_TEST(what_just_fits_is_not_cut)
{
    static char bytes[4000];
    struct access_entry e = whole;
    memset(bytes, 'x', sizeof bytes);
    e.target = (struct slice){bytes, 1890};
    ck_assert_ptr_null(strstr(text_of(&e), "..."));
    e.target.len = 1901;
    ck_assert_ptr_nonnull(strstr(text_of(&e), "xxx... HTTP/1.1\""));
}
END_TEST

static void add_lines(Suite *suite)
{
    TCase *lines = tcase_create("lines");
    tcase_add_test(lines, a_text_line_tells_all);
    tcase_add_test(lines, a_backend_without_a_server_is_told);
    tcase_add_test(lines, what_is_no_request_line_is_told_as_it_came);
    tcase_add_test(lines, a_json_line_tells_all);
    tcase_add_test(lines, a_json_line_has_the_same_keys_whatever_is_known);
    tcase_add_test(lines, no_byte_breaks_or_forges_a_text_line);
    tcase_add_test(lines, any_bytes_make_valid_json);
    tcase_add_test(lines, utf8_stays_readable);
    tcase_add_test(lines, a_line_of_overlong_values_is_cut_and_keeps_its_form);
    tcase_add_test(lines, what_just_fits_is_not_cut);
    tcase_set_timeout(lines, 60);
    suite_add_tcase(suite, lines);
}

int main(void)
{
    Suite *suite = suite_create("access");
    add_lines(suite);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
