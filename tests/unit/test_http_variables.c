#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "subject_fixture.h"

static void ask(const char *target)
{
    request.path = request.target = exact(target);
}

/* ---- the request ---- */

START_TEST(method_and_scheme_are_as_they_came)
{
    request.method = exact("PURGE");
    ck_slice_eq(string_of("method"), "PURGE");
    ck_slice_eq(string_of("scheme"), "http");
    subject.scheme = "https";
    ck_slice_eq(string_of("scheme"), "https");
    subject.scheme = "http";
    request.scheme = exact("https"); /* of an absolute target: anybody can write that */
    ck_slice_eq(string_of("scheme"), "http");
}
END_TEST

static const struct {
    const char *authority, *host;
    int port;
} hosts[] = {
    {"", "", 80},
    {"example.org", "example.org", 80},
    {"Example.ORG", "example.org", 80},
    {"example.org:8080", "example.org", 8080},
    {"example.org:", "example.org", 80},
    {"example.org.", "example.org", 80},
    {"EXAMPLE.org.:81", "example.org", 81},
    {".", ".", 80},
    {"[::1]", "[::1]", 80},
    {"[2001:DB8::1]:8443", "[2001:db8::1]", 8443},
    {"[::1", "[::1", 80},
    {"10.0.0.1:1", "10.0.0.1", 1},
    {"a:65535", "a", 65535},
    {"a:65536", "a", 80},
    {"a:99999999999999999999", "a", 80},
    {"a:8x", "a", 80},
    {"a:0", "a", 80},
    {":81", "", 81},
    {"@[`{Z", "@[`{z", 80},
};

START_TEST(host_is_the_name_alone_and_port_what_follows)
{
    request.host = exact(hosts[_i].authority);
    struct slice host = string_of("host"), authority = string_of("authority");
    ck_assert(slice_equal_or_tell(host, hosts[_i].host, strlen(hosts[_i].host)));
    ck_assert(slice_equal_or_tell(authority, hosts[_i].authority, strlen(hosts[_i].authority)));
    ck_assert_int_eq(number_of("port"), hosts[_i].port);
    /* Copied only where a capital stands in it. */
    if (strcspn(hosts[_i].authority, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(hosts[_i].authority))
        ck_assert_ptr_eq(run.next, run.memory);
}
END_TEST

START_TEST(the_port_of_https_is_443)
{
    request.host = exact("example.org");
    subject.scheme = "https";
    ck_assert_int_eq(number_of("port"), 443);
    request.host = exact("example.org:80");
    ck_assert_int_eq(number_of("port"), 80);
    subject.scheme = NULL;
    request.host = exact("");
    ck_assert_int_eq(number_of("port"), 80);
    ck_slice_eq(string_of("scheme"), "");
}
END_TEST

static const struct {
    const char *target, *uri, *path, *query;
} targets[] = {
    {"/", "/", "/", ""},
    {"/a/b?c=d", "/a/b?c=d", "/a/b", "c=d"},
    {"/a?", "/a?", "/a", ""},
    {"/a?b?c", "/a?b?c", "/a", "b?c"},
    {"/%61?%62", "/%61?%62", "/%61", "%62"},
    {"*", "*", "*", ""},
    {"", "/", "/", ""}, /* http://host */
    {"?a=b", "/?a=b", "/", "a=b"},
};

START_TEST(the_target_is_taken_apart)
{
    ask(targets[_i].target);
    ck_assert(slice_equal_or_tell(string_of("uri"), targets[_i].uri, strlen(targets[_i].uri)));
    ck_assert(slice_equal_or_tell(string_of("path"), targets[_i].path, strlen(targets[_i].path)));
    ck_assert(slice_equal_or_tell(string_of("query"), targets[_i].query, strlen(targets[_i].query)));
}
END_TEST

START_TEST(the_target_is_not_copied)
{
    ask("/a/b?c=d");
    ck_slice_of(string_of("uri"), request.path);
    ck_slice_of(string_of("path"), request.path);
    ck_slice_of(string_of("query"), request.path);
    ck_assert_ptr_eq(run.next, run.memory);
}
END_TEST

START_TEST(versions_have_their_number)
{
    ck_slice_eq(string_of("version"), "1.1");
    request.version = HTTP_1_0;
    ck_slice_eq(string_of("version"), "1.0");
}
END_TEST

START_TEST(lengths_are_known_or_minus_one)
{
    static const struct {
        enum body_kind kind;
        uint64_t length;
        int64_t want;
    } bodies[] = {{BODY_NONE, 0, 0},
                  {BODY_LENGTH, 5, 5},
                  {BODY_LENGTH, INT64_MAX, INT64_MAX},
                  {BODY_LENGTH, UINT64_MAX, INT64_MAX},
                  {BODY_STREAM, 0, -1},
                  {BODY_CLOSE, 0, -1},
                  {BODY_TUNNEL, 0, -1}};
    for (unsigned i = 0; i < ARRAY_LEN(bodies); i++) {
        request.body = response.body = bodies[i].kind;
        request.body_length = response.body_length = bodies[i].length;
        ck_assert_int_eq(number_of("content_length"), bodies[i].want);
        ck_assert_int_eq(number_of("response_content_length"), bodies[i].want);
    }
}
END_TEST

START_TEST(a_unique_id_is_made_once_a_request)
{
    char first[33] = "";
    struct slice id = string_of("unique_id");
    ck_assert_uint_eq(id.len, 32);
    memcpy(first, id.ptr, 32);
    ck_assert_uint_eq(strspn(first, "0123456789abcdef"), 32);
    ck_assert(slice_equal(string_of("unique_id"), slice_of(first)));
    subject.unique_id[0] = subject.unique_id[1] = 0;
    ck_assert(!slice_equal(string_of("unique_id"), slice_of(first)));
    subject.unique_id[0] = 0x0123456789abcdef;
    subject.unique_id[1] = 0xfedcba9876543210;
    ck_slice_eq(string_of("unique_id"), "0123456789abcdeffedcba9876543210");
}
END_TEST

/* ---- the response, and where the request went ---- */

START_TEST(the_response_and_where_it_came_from)
{
    response.status = 503;
    response.body = BODY_LENGTH;
    response.body_length = 7;
    ck_assert_int_eq(number_of("status"), 503);
    ck_assert_int_eq(number_of("response_content_length"), 7);
    ck_assert_int_eq(number_of("content_length"), 0);
    ck_slice_eq(string_of("frontend"), "");
    ck_slice_eq(string_of("backend"), "");
    ck_slice_eq(string_of("server"), "");
    subject.frontend = "f", subject.backend = "b", subject.server = "s";
    ck_slice_eq(string_of("frontend"), "f");
    ck_slice_eq(string_of("backend"), "b");
    ck_slice_eq(string_of("server"), "s");
}
END_TEST

/* ---- without a message ---- */

START_TEST(addresses_and_ports_are_each_their_own)
{
    subject.src.bytes[15] = 1, subject.dst.bytes[15] = 2, subject.peer.bytes[15] = 3;
    subject.src_port = 65535, subject.dst_port = 80;
    ck_assert_int_eq(ip_of("src").bytes[15], 1);
    ck_assert_int_eq(ip_of("dst").bytes[15], 2);
    ck_assert_int_eq(ip_of("peer").bytes[15], 3);
    ck_assert_int_eq(number_of("src_port"), 65535);
    ck_assert_int_eq(number_of("dst_port"), 80);
}
END_TEST

static void at(uint64_t seconds)
{
    subject.now_us = seconds * 1000000 + 999999;
}

static void zone(const char *tz)
{
    setenv("TZ", tz, 1);
    tzset();
}

START_TEST(the_time_is_local)
{
    zone("CET-1CEST,M3.5.0,M10.5.0/3");
    at(1795302577); /* 2026-11-21 23:09:37 UTC, a Saturday */
    ck_assert_int_eq(number_of("now"), 1795302577);
    ck_assert_int_eq(number_of("now_ms"), 1795302577999);
    ck_assert_int_eq(number_of("hour"), 0);
    ck_assert_int_eq(number_of("minute"), 9);
    ck_assert_int_eq(number_of("weekday"), 7); /* a Sunday there */
    ck_slice_eq(string_of("date"), "2026-11-22");
    at(1795302577 - 3600);
    ck_assert_int_eq(number_of("weekday"), 6);
    ck_slice_eq(string_of("date"), "2026-11-21");
    at(1795302577 + 86400);
    ck_assert_int_eq(number_of("weekday"), 1);
}
END_TEST

START_TEST(the_time_changes_with_the_minute)
{
    zone("UTC0");
    at(1795302599); /* 23:09:59 */
    ck_assert_int_eq(number_of("minute"), 9);
    at(1795302600);
    ck_assert_int_eq(number_of("minute"), 10);
    at(1795302599);
    ck_assert_int_eq(number_of("minute"), 9);
}
END_TEST

START_TEST(summer_begins_and_ends_in_the_minute)
{
    zone("CET-1CEST,M3.5.0,M10.5.0/3");
    at(1774745999); /* 2026-03-29 00:59:59 UTC */
    ck_assert_int_eq(number_of("hour"), 1);
    at(1774746000);
    ck_assert_int_eq(number_of("hour"), 3);
    at(1792889999); /* 2026-10-25 00:59:59 UTC */
    ck_assert_int_eq(number_of("hour"), 2);
    ck_assert_int_eq(number_of("minute"), 59);
    at(1792890000);
    ck_assert_int_eq(number_of("hour"), 2);
    ck_assert_int_eq(number_of("minute"), 0);
}
END_TEST

START_TEST(no_clock_is_too_wrong)
{
    zone("UTC0");
    subject.now_us = 0;
    ck_slice_eq(string_of("date"), "1970-01-01");
    ck_assert_int_eq(number_of("weekday"), 4);
    subject.now_us = UINT64_MAX;
    ck_assert_uint_eq(string_of("date").len, 10);
    ck_assert_int_eq(number_of("weekday"), 1);
    ck_assert_int_eq(number_of("now"), UINT64_MAX / 1000000);
}
END_TEST

START_TEST(a_date_lasts_beyond_the_next)
{
    zone("UTC0");
    at(0);
    struct slice date = string_of("date");
    at(86400);
    ck_slice_eq(string_of("date"), "1970-01-02");
    ck_slice_eq(date, "1970-01-01");
}
END_TEST

START_TEST(noxy_knows_itself)
{
    char name[256] = "";
    subject.generation = UINT32_MAX;
    ck_assert_int_eq(number_of("generation"), UINT32_MAX);
    ck_assert_int_eq(gethostname(name, sizeof name - 1), 0);
    ck_assert(slice_equal(string_of("hostname"), slice_of(name)));
    ck_assert_uint_gt(string_of("noxy_version").len, 0);
}
END_TEST

START_TEST(what_needs_no_message_looks_at_none)
{
    subject.request = subject.response = NULL;
    const struct rules_variable *tables[] = {http_connection_variables, http_tls_variables};
    for (unsigned i = 0; i < ARRAY_LEN(tables); i++)
        for (const struct rules_variable *v = tables[i]; v->name; v++) {
            struct rules_value out;
            ck_assert_uint_eq(v->stages, RULES_ANYWHERE);
            v->get(&run, &out);
        }
}
END_TEST

/* ---- memory, rows ---- */

START_TEST(without_memory_the_run_fails_and_the_text_is_empty)
{
    static const char *const names[] = {"host", "uri", "unique_id", "date"};
    request.host = exact("A");
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        ask(strcmp(names[i], "uri") == 0 ? "" : "/%41");
        run.failure[0] = '\0';
        run.next = run.memory + RULES_MEMORY;
        ck_assert_uint_eq(string_of(names[i]).len, 0);
        ck_assert(rules_failed(&run));
    }
}
END_TEST

static void check_row(const char *name, unsigned stages, const char *doc, const char *example,
                      const char *source)
{
    ck_assert_msg(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name), "%s", name);
    ck_assert_msg(stages && !(stages & ~(unsigned)RULES_ANYWHERE), "%s", name);
    ck_assert_msg(doc && strlen(doc) > 10 && doc[strlen(doc) - 1] == '.', "%s: doc", name);
    ck_assert_msg(example && strstr(example, name), "%s: example", name);
    ck_assert_msg(source, "%s: source", name);
}

START_TEST(every_row_is_documented)
{
    const struct rules_variable *tables[] = {http_variables, http_connection_variables, http_tls_variables};
    for (unsigned i = 0; i < ARRAY_LEN(tables); i++)
        for (const struct rules_variable *v = tables[i]; v->name; v++) {
            check_row(v->name, v->stages, v->doc, v->example, v->source);
            ck_assert_msg(v->get && v->type < RULES_TYPE_COUNT && !v->volatile_, "%s", v->name);
            ck_assert_msg(find_variable(v->name) == v && !find_function(v->name), "%s twice", v->name);
        }
    for (const struct rules_function *f = http_functions; f->name; f++) {
        check_row(f->name, f->stages, f->doc, f->example, f->source);
        ck_assert_msg(f->call && f->prepare && f->parameters[0].name && !f->volatile_, "%s", f->name);
        ck_assert_msg(find_function(f->name) == f, "%s twice", f->name);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http variables");
    TCase *tcase = tcase_create("variables");
    tcase_add_checked_fixture(tcase, subject_setup, subject_teardown);
    tcase_add_test(tcase, method_and_scheme_are_as_they_came);
    tcase_add_loop_test(tcase, host_is_the_name_alone_and_port_what_follows, 0, ARRAY_LEN(hosts));
    tcase_add_test(tcase, the_port_of_https_is_443);
    tcase_add_loop_test(tcase, the_target_is_taken_apart, 0, ARRAY_LEN(targets));
    tcase_add_test(tcase, the_target_is_not_copied);
    tcase_add_test(tcase, versions_have_their_number);
    tcase_add_test(tcase, lengths_are_known_or_minus_one);
    tcase_add_test(tcase, a_unique_id_is_made_once_a_request);
    tcase_add_test(tcase, the_response_and_where_it_came_from);
    tcase_add_test(tcase, addresses_and_ports_are_each_their_own);
    tcase_add_test(tcase, the_time_is_local);
    tcase_add_test(tcase, the_time_changes_with_the_minute);
    tcase_add_test(tcase, summer_begins_and_ends_in_the_minute);
    tcase_add_test(tcase, no_clock_is_too_wrong);
    tcase_add_test(tcase, a_date_lasts_beyond_the_next);
    tcase_add_test(tcase, noxy_knows_itself);
    tcase_add_test(tcase, what_needs_no_message_looks_at_none);
    tcase_add_test(tcase, without_memory_the_run_fails_and_the_text_is_empty);
    tcase_add_test(tcase, every_row_is_documented);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
