/* What the commands answer, as text and as JSON. */
#include "admin_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/format.h"
#include "admin/words.h"

Suite *admin_commands_suite(void);

static void assert_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) == NULL, "\"%s\" in:\n%s", part, text);
}

/* The words of the line that begins with `start`, with single spaces. */
static const char *line_of(const char *text, const char *start, char *out, size_t size)
{
    size_t n = 0;
    const char *p = text;
    while (p && strncmp(p, start, strlen(start)) != 0) {
        p = strchr(p, '\n');
        p = p ? p + 1 : NULL;
    }
    ck_assert_msg(p != NULL, "no line \"%s\" in:\n%s", start, text);
    for (; *p && *p != '\n' && n + 1 < size; p++)
        if (*p != ' ' || (n && out[n - 1] != ' '))
            out[n++] = *p;
    out[n] = '\0';
    return out;
}

static json_int_t number_at(json_t *o, const char *first, const char *second)
{
    json_t *at = json_object_get(o, first);
    if (second)
        at = json_object_get(at, second);
    ck_assert_msg(json_is_integer(at), "%s.%s is no integer", first, second ? second : "");
    return json_integer_value(at);
}

static const char *string_at(json_t *o, const char *key)
{
    json_t *at = json_object_get(o, key);
    ck_assert_msg(json_is_string(at), "%s is no string", key);
    return json_string_value(at);
}

static json_t *item(json_t *o, const char *list, size_t i)
{
    return json_array_get(json_object_get(o, list), i);
}

/* A little traffic: 1500 requests of `web` to server a, whose brother b is down. */
static void make_traffic(void)
{
    struct lane_block *web = state_block(fx.web.slot), *site = state_block(fx.site.slot);
    struct lane_block *a = state_block(fx.a.slot), *b = state_block(fx.b.slot);
    state_count(web, COUNTER_SESSIONS, 12345);
    state_count(web, COUNTER_REQUESTS, 1500);
    state_count(web, COUNTER_BYTES_IN, 2048);
    state_count(web, COUNTER_BYTES_OUT, 5 << 20);
    state_count(web, COUNTER_RESPONSES_2XX, 1490);
    state_count(web, COUNTER_RESPONSES_3XX, 1);
    state_count(web, COUNTER_RESPONSES_4XX, 2);
    state_count(web, COUNTER_RESPONSES_5XX, 7);
    state_count(web, COUNTER_REASON + REASON_NONE, 1490);
    state_count(web, COUNTER_REASON + REASON_RESPONDED, 3);
    state_count(web, COUNTER_REASON + REASON_CLIENT_CLOSED, 4);
    state_count(site, COUNTER_RETRIES, 9);
    state_count(site, COUNTER_REDISPATCHES, 8);
    state_count(b, COUNTER_REASON + REASON_SERVER_REFUSED, 17);
    state_count(b, COUNTER_CHECKS_FAILED, 3);
    state_count(a, COUNTER_CHECKS_PASSED, 42);
    for (int i = 0; i < 100; i++) {
        histogram_record(&a->latency[LATENCY_CONNECT], 100);
        histogram_record(&a->latency[LATENCY_TOTAL], i < 90 ? 1000 : 2000000);
    }
    for (int i = 0; i < 3; i++)
        state_gauge_add(fx.web.slot, GAUGE_SESSIONS);
    state_gauge_add(fx.host.process, GAUGE_SESSIONS);
    state_gauge_add(fx.api.slot, GAUGE_SESSIONS); /* its maxconn */
    state_gauge_add(fx.a.slot, GAUGE_REQUESTS);
    state_gauge_add(fx.site.slot, GAUGE_REQUESTS);
    state_set_health(fx.a.slot, HEALTH_UP, "");
    state_set_health(fx.b.slot, HEALTH_DOWN, "connect refused, 3 of 3 checks");
    atomic_fetch_sub(&fx.a.slot->health_since_ms, 192000);
    atomic_fetch_sub(&fx.b.slot->health_since_ms, 12000);
}

START_TEST(stats_as_text)
{
    char line[512];
    make_traffic();
    char *text = ask("stats");
    line_of(text, "frontend web ", line, sizeof line);
    ck_assert_str_eq(line, "frontend web open 3 12.3k 0 0 1500 0 2.00K 5.00M 1490 1 2 7 0 - -");
    line_of(text, "frontend api ", line, sizeof line);
    ck_assert_str_eq(line, "frontend api full 1 0 0 0 0 0 0 0 0 0 0 0 0 - -");
    line_of(text, "backend site ", line, sizeof line);
    ck_assert_str_eq(line, "backend site 1 of 3 up 0 0 0 1 0 0 0 0 0 0 0 0 9 - -");
    assert_has(line_of(text, "  a ", line, sizeof line), "a up 3m12s 0 0 0 1 ");
    assert_has(line_of(text, "  b ", line, sizeof line), "b down 12s 0 0 0 0 ");
    assert_has(line_of(text, "  c ", line, sizeof line), "c out 0 ");
    assert_has(text, "\n \nOut of service\n");
    assert_has(text, "frontend api   full: maxconn 1 is reached\n");
    assert_has(text, "server site:b  down 12s: connect refused, 3 of 3 checks\n");
    assert_has(text, "server site:c  out: ");
    assert_has(text, "backend web    down: it has no servers\n");
    assert_has(text, "\n \nErrors\n");
    assert_has(text, "frontend web   client_closed 4\n");
    assert_has(text, "backend site   retries 9, redispatches 8\n");
    assert_has(text, "server site:b  server_refused 17\n");
    assert_has(text, "\n \nLatency\n");
    line_of(text, "server site:a ", line, sizeof line);
    ck_assert_msg(strncmp(line, "server site:a 1", 15) == 0, "%s", line);
    assert_has(line, "us - - - ");   /* no first byte */
    assert_has_not(text, " queue "); /* nothing queued */
    free(text);
}
END_TEST

START_TEST(a_backend_is_down_since_its_last_server_is)
{
    state_set_health(fx.a.slot, HEALTH_DOWN, "x");
    state_set_health(fx.b.slot, HEALTH_DOWN, "y");
    atomic_fetch_sub(&fx.a.slot->health_since_ms, 12000);
    atomic_fetch_sub(&fx.b.slot->health_since_ms, 3600000);
    char *text = ask("stats site");
    assert_has(text, "backend site   down 12s: 2 of 3 servers down, 1 out\n");
    free(text);
}
END_TEST

START_TEST(stats_of_a_new_noxy_has_no_empty_blocks)
{
    fx.c.weight = 1;
    fx.host.backend_count = 1;
    char *text = ask("stats");
    assert_has_not(text, "Out of service");
    assert_has_not(text, "Errors");
    assert_has_not(text, "Latency");
    assert_has(text, "  a           unchecked");
    free(text);
}
END_TEST

START_TEST(stats_as_json_has_all_that_the_table_shows)
{
    make_traffic();
    json_t *o = ask_json("stats"), *web = item(o, "frontends", 0), *site = item(o, "backends", 0);
    json_t *a = item(site, "servers", 0), *b = item(site, "servers", 1);
    ck_assert_str_eq(string_at(web, "name"), "web");
    ck_assert_str_eq(string_at(web, "state"), "open");
    ck_assert_int_eq(number_at(web, "sessions_current", NULL), 3);
    ck_assert_int_eq(number_at(web, "counters", "sessions"), 12345);
    ck_assert_int_eq(number_at(web, "counters", "requests"), 1500);
    ck_assert_int_eq(number_at(web, "counters", "bytes_out"), 5 << 20);
    ck_assert_int_eq(number_at(web, "counters", "responses_5xx"), 7);
    ck_assert_int_eq(number_at(web, "reasons", "client_closed"), 4);
    ck_assert_int_eq(number_at(web, "reasons", "responded"), 3);
    ck_assert_ptr_null(json_object_get(web, "latency_us"));
    ck_assert_uint_eq(json_object_size(json_object_get(web, "counters")), COUNTER_NAMED_COUNT);
    ck_assert_uint_eq(json_object_size(json_object_get(web, "reasons")), REASON_COUNT);
    ck_assert_int_eq(number_at(site, "servers_serving", NULL), 1);
    ck_assert_int_eq(number_at(site, "servers_total", NULL), 3);
    ck_assert_int_eq(number_at(site, "counters", "retries"), 9);
    json_t *total = json_object_get(json_object_get(a, "latency_us"), "total");
    ck_assert_int_eq(number_at(total, "count", NULL), 100);
    ck_assert_int_ge(number_at(total, "p50", NULL), 1000);
    ck_assert_int_lt(number_at(total, "p90", NULL), 2000);
    ck_assert_int_ge(number_at(total, "p99", NULL), 2000000);
    ck_assert_str_eq(string_at(b, "state"), "down");
    ck_assert_str_eq(string_at(b, "reason"), "connect refused, 3 of 3 checks");
    ck_assert_int_ge(number_at(b, "age_ms", NULL), 12000);
    ck_assert(json_is_false(json_object_get(b, "serving")));
    json_decref(o);
}
END_TEST

START_TEST(stats_of_one_name)
{
    json_t *o = ask_json("stats site");
    ck_assert_uint_eq(json_array_size(json_object_get(o, "frontends")), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(o, "backends")), 1);
    json_decref(o);
    o = ask_json("stats \"web\""); /* a frontend and a backend */
    ck_assert_uint_eq(json_array_size(json_object_get(o, "frontends")), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(o, "backends")), 1);
    json_decref(o);
    char *text = ask("stats api");
    assert_has(text, "frontend api");
    assert_has_not(text, "site");
    free(text);
    text = ask_refused("stats nobody");
    ck_assert_str_eq(text, "no frontend and no backend is named \"nobody\"");
    free(text);
}
END_TEST

START_TEST(rates_are_those_of_the_last_second)
{
    run_for(1100); /* from one sample ... */
    state_count(state_block(fx.web.slot), COUNTER_REQUESTS, 500);
    run_for(1000); /* ... to the next */
    json_t *o = ask_json("stats web"), *web = item(o, "frontends", 0);
    double rate = json_real_value(json_object_get(web, "requests_per_second"));
    ck_assert_msg(rate > 300 && rate < 510, "%f", rate);
    ck_assert_double_eq(json_real_value(json_object_get(web, "sessions_per_second")), 0);
    ck_assert_int_ge(number_at(o, "rates_over_ms", NULL), 900);
    json_decref(o);
    run_for(1100);
    o = ask_json("stats web");
    ck_assert_double_eq(json_real_value(json_object_get(item(o, "frontends", 0), "requests_per_second")), 0);
    json_decref(o);
}
END_TEST

static void assert_width(const char *text, size_t width)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        ck_assert_msg(len <= width, "%zu columns: %.*s", len, (int)len, text);
        text += len + 1;
    }
}

START_TEST(stats_keep_to_the_terminal)
{
    char first[512], second[512];
    make_traffic();
    state_count(state_block(fx.web.slot), COUNTER_RESPONSES_2XX, 500000000);
    char *text = ask("stats --columns=120");
    assert_width(text, 120);
    assert_has(line_of(text, "frontend web ", first, sizeof first), " 500M ");
    free(text);
    text = ask("stats --columns=80");
    assert_width(text, 80);
    const char *again = strstr(strstr(text, "frontend web ") + 1, "frontend web "); /* the rest, below */
    ck_assert_ptr_nonnull(again);
    assert_has(line_of(again, "frontend web ", second, sizeof second), "frontend web 500M 1 2 7 0 - -");
    free(text);
}
END_TEST

START_TEST(backends_in_one_line_each)
{
    char line[512];
    make_traffic();
    char *text = ask("backends");
    line_of(text, "site ", line, sizeof line);
    ck_assert_str_eq(line, "site 1 of 3 servers up roundrobin 1 1 of 3 servers down, 1 out");
    line_of(text, "web ", line, sizeof line);
    ck_assert_str_eq(line, "web down leastconn 0 it has no servers");
    free(text);
    json_t *o = ask_json("backends"), *site = item(o, "backends", 0);
    ck_assert_str_eq(string_at(site, "balance"), "roundrobin");
    ck_assert_int_eq(number_at(site, "requests_current", NULL), 1);
    json_decref(o);
}
END_TEST

START_TEST(servers_in_one_line_each)
{
    char line[512];
    make_traffic();
    char *text = ask("servers");
    line_of(text, "site     a ", line, sizeof line);
    ck_assert_str_eq(line, "site a 10.0.0.1:80 100 up 3m12s 1 42 0 0");
    line_of(text, "site     b ", line, sizeof line);
    assert_has(line, "site b not resolved 1 down 12s 0 0 3 ");
    assert_has(line, " connect refused, 3 of 3 checks");
    assert_has(line_of(text, "site     c ", line, sizeof line), "site c [2001:db8::1]:8080 0 out 0 0 0 0 ");
    free(text);
    json_t *o = ask_json("servers site"), *b = item(o, "servers", 1);
    ck_assert_uint_eq(json_array_size(json_object_get(o, "servers")), 3);
    ck_assert_str_eq(string_at(item(o, "servers", 0), "address"), "10.0.0.1:80");
    ck_assert(json_is_null(json_object_get(b, "address")));
    ck_assert_int_eq(number_at(b, "checks_failed", NULL), 3);
    ck_assert_str_eq(string_at(b, "backend"), "site");
    json_decref(o);
    text = ask_refused("servers api");
    ck_assert_str_eq(text, "no backend is named \"api\"");
    free(text);
}
END_TEST

START_TEST(info_tells_what_runs)
{
    char line[256];
    make_traffic();
    state_count(state_block(fx.host.process), COUNTER_LOG_DROPPED, 5);
    char *text = ask("info");
    assert_has(line_of(text, "process id", line, sizeof line), "process id 4711 (manager ");
    ck_assert_str_eq(line_of(text, "uptime", line, sizeof line), "uptime 1h02m");
    ck_assert_str_eq(line_of(text, "generation", line, sizeof line), "generation 3, since 12s");
    ck_assert_str_eq(line_of(text, "configuration", line, sizeof line), "configuration /etc/noxy/noxy.yaml");
    ck_assert_str_eq(line_of(text, "connections", line, sizeof line), "connections 1 of 20000");
    ck_assert_str_eq(line_of(text, "slots", line, sizeof line), "slots 8 of 4096");
    ck_assert_str_eq(line_of(text, "log lines lost", line, sizeof line), "log lines lost 5");
    free(text);
    json_t *o = ask_json("info");
    ck_assert_int_eq(number_at(o, "master_pid", NULL), 4711);
    ck_assert_int_eq(number_at(o, "manager_pid", NULL), getpid());
    ck_assert_int_eq(number_at(o, "generation", NULL), 3);
    ck_assert_int_ge(number_at(o, "uptime_ms", NULL), 3723000);
    ck_assert_int_ge(number_at(o, "generation_age_ms", NULL), 12000);
    ck_assert_int_eq(number_at(o, "workers", NULL), 2);
    ck_assert_int_eq(number_at(o, "connections", NULL), 1);
    ck_assert_int_eq(number_at(o, "maxconn", NULL), 20000);
    ck_assert_int_eq(number_at(o, "servers", NULL), 3);
    ck_assert_int_eq(number_at(o, "log_dropped", NULL), 5);
    ck_assert_str_eq(string_at(o, "config_path"), "/etc/noxy/noxy.yaml");
    json_decref(o);
}
END_TEST

START_TEST(ping_and_help)
{
    char *text = ask("ping");
    ck_assert_str_eq(text, "pong\n");
    free(text);
    json_t *o = ask_json("ping");
    ck_assert_str_eq(string_at(o, "ping"), "pong");
    json_decref(o);
    text = ask("help");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        assert_has(text, command_table[i].summary);
    free(text);
    text = ask("help reload");
    assert_has(text, "reload: load the configuration file anew\n \n");
    free(text);
    o = ask_json("help");
    ck_assert_uint_eq(json_array_size(json_object_get(o, "commands")), COMMAND_COUNT);
    ck_assert_str_eq(string_at(item(o, "commands", COMMAND_stats), "arguments"), "[NAME]");
    json_decref(o);
}
END_TEST

static void assert_refused(const char *line, const char *why)
{
    char *reason = ask_refused(line);
    ck_assert_str_eq(reason, why);
    free(reason);
}

START_TEST(wrong_lines_are_refused_with_a_reason)
{
    assert_refused("stat", "unknown command \"stat\", did you mean \"stats\"?; \"help\" lists the commands");
    assert_refused("ping me", "too many arguments: \"ping\" is all it takes");
    assert_refused("stats a b", "too many arguments: \"stats [NAME]\" is all it takes");
    assert_refused("stats --xml", "unknown option \"--xml\"");
    assert_refused("stats --columns=many", "--columns wants a number");
    assert_refused("stats \"a", "a quoted word has no end");
    assert_refused("stats \"a\"b", "a quoted word is followed by something else than a space");
    assert_refused("help sing", "there is no command \"sing\"");
    assert_refused("--json", "no command");
    assert_refused("stats \"--json\"", "no frontend and no backend is named \"--json\"");
    char many[2 * COMMAND_WORDS_MAX + 3] = "";
    for (unsigned i = 0; i <= COMMAND_WORDS_MAX; i++)
        strcat(many, "a ");
    assert_refused(many, "more than 64 words");
}
END_TEST

START_TEST(odd_names_cannot_break_an_answer)
{
    fx.web.name = "we\n\nb\x1b[2J \xc3\xa9 \xff";
    char *text = ask("stats");
    assert_has(text, "frontend we\\x0a\\x0ab\\x1b[2J \xc3\xa9 ");
    free(text);
    json_t *o = ask_json("stats"); /* no UTF-8: escaped, and still a document */
    assert_has(string_at(item(o, "frontends", 0), "name"), "\\xff");
    json_decref(o);
}
END_TEST

START_TEST(words_are_cut_and_unquoted)
{
    struct words w;
    struct error err;
    char line[] = " stats\t\"a \\\"b\\\\\"  --json --columns=10 c ";
    ck_assert_int_eq(words_split(&w, line, &err), 0);
    ck_assert_uint_eq(w.count, 3);
    ck_assert_str_eq(w.word[0], "stats");
    ck_assert_str_eq(w.word[1], "a \"b\\");
    ck_assert_str_eq(w.word[2], "c");
    ck_assert(w.json);
    ck_assert_uint_eq(w.columns, 40); /* the least */
}
END_TEST

START_TEST(options_of_a_command_s_own_are_words)
{
    struct words w;
    struct error err;
    char line[] = "explain GET --src 10.0.0.1 --json \"--json\" -H \"A: b\" --columns=80 --columnar";
    ck_assert_int_eq(words_split(&w, line, &err), 0);
    ck_assert_uint_eq(w.count, 8);
    ck_assert_str_eq(w.word[2], "--src");
    ck_assert_str_eq(w.word[4], "--json");
    ck_assert_str_eq(w.word[6], "A: b");
    ck_assert_str_eq(w.word[7], "--columnar");
    ck_assert(w.json);
    ck_assert_uint_eq(w.columns, 80);
    char before[] = "--src explain";
    ck_assert_int_eq(words_split(&w, before, &err), -1);
}
END_TEST

START_TEST(an_explanation_is_refused_with_a_reason)
{
    assert_refused("explain", "explain wants METHOD URL, or tcp ADDRESS:PORT");
    assert_refused("explain GET http://a/ --sauce x", "unknown option \"--sauce\"");
    assert_refused("explain GET http://a/ --data /etc/passwd",
                   "--data names a file, which is not read here: give its size as --length");
    assert_refused("explain GET a", "the URL must begin with http:// or https://");
}
END_TEST

START_TEST(numbers_are_short)
{
    char out[FORMAT_MAX];
    ck_assert_str_eq(format_count(9999, out), "9999");
    ck_assert_str_eq(format_count(10000, out), "10.0k");
    ck_assert_str_eq(format_count(999999, out), "1.00M");
    ck_assert_str_eq(format_count(UINT64_MAX, out), "18447P");
    ck_assert_str_eq(format_bytes(999, out), "999");
    ck_assert_str_eq(format_bytes(1536, out), "1.50K");
    ck_assert_str_eq(format_bytes(1000 << 20, out), "0.98G");
    ck_assert_str_eq(format_rate(0, out), "0");
    ck_assert_str_eq(format_rate(0.5, out), "0.5");
    ck_assert_str_eq(format_rate(12345.6, out), "12.3k");
    ck_assert_str_eq(format_latency(999, out), "999us");
    ck_assert_str_eq(format_latency(1234, out), "1.23ms");
    ck_assert_str_eq(format_latency(3600000000, out), "3600s");
    ck_assert_str_eq(format_age(59999, out), "59s");
    ck_assert_str_eq(format_age(192000, out), "3m12s");
    ck_assert_str_eq(format_age(4 * 3600000 + 180000, out), "4h03m");
    ck_assert_str_eq(format_age((uint64_t)52 * 3600000, out), "2d04h");
}
END_TEST

START_TEST(every_command_is_documented)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const struct command *c = &command_table[i];
        ck_assert_ptr_eq(command_find(c->name), c);
        ck_assert_uint_gt(strlen(c->summary), 10);
        ck_assert_uint_le(strlen(c->summary), 60);
        ck_assert_uint_gt(strlen(c->help), 30);
        ck_assert_int_eq(c->help[strlen(c->help) - 1], '\n');
        ck_assert_uint_eq(c->arguments_max > 0, *c->arguments != '\0');
        ck_assert_uint_ge(c->patience_s, 10);
        assert_width(c->help, 100);
    }
    ck_assert_str_eq(command_nearest("relaod"), "reload");
    ck_assert_str_eq(command_nearest("sever"), "servers");
    ck_assert_str_eq(command_nearest("backend"), "backends");
    ck_assert_ptr_null(command_nearest("frobnicate"));
    ck_assert_ptr_null(command_nearest("x"));
}
END_TEST

Suite *admin_commands_suite(void)
{
    Suite *suite = suite_create("admin: commands");
    TCase *t = tcase_create("commands");
    tcase_add_checked_fixture(t, fixture_setup, fixture_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, stats_as_text);
    tcase_add_test(t, a_backend_is_down_since_its_last_server_is);
    tcase_add_test(t, stats_of_a_new_noxy_has_no_empty_blocks);
    tcase_add_test(t, stats_as_json_has_all_that_the_table_shows);
    tcase_add_test(t, stats_of_one_name);
    tcase_add_test(t, rates_are_those_of_the_last_second);
    tcase_add_test(t, stats_keep_to_the_terminal);
    tcase_add_test(t, backends_in_one_line_each);
    tcase_add_test(t, servers_in_one_line_each);
    tcase_add_test(t, info_tells_what_runs);
    tcase_add_test(t, ping_and_help);
    tcase_add_test(t, wrong_lines_are_refused_with_a_reason);
    tcase_add_test(t, an_explanation_is_refused_with_a_reason);
    tcase_add_test(t, odd_names_cannot_break_an_answer);
    suite_add_tcase(suite, t);
    TCase *parts = tcase_create("parts");
    tcase_add_test(parts, words_are_cut_and_unquoted);
    tcase_add_test(parts, options_of_a_command_s_own_are_words);
    tcase_add_test(parts, numbers_are_short);
    tcase_add_test(parts, every_command_is_documented);
    suite_add_tcase(suite, parts);
    return suite;
}
