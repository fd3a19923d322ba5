/* Why a request goes where it goes: the engine of both commands, over configurations and the state of
 * servers. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "explain/parts.h"
#include "http/http.h"
#include "http/rule_compile.h"
#include "relay/relay.h"

static struct conf_load load;
static struct frontend *frontends[8];
static struct backend *backends[8];
static struct explain_host host;
static json_t *told;
static struct error err;

/* ---- a configuration ---- */

static void compile(struct conf_load *l)
{
    struct rule_compiler *c = rule_compiler_new(l);
    http_rules_compile(l, c);
    relay_rules_compile(l, c);
}

static const struct conf_table *const frontend_tables[] = {&frontend_conf_table, &http_conf_table,
                                                           &relay_conf_table, NULL};
static const struct conf_table *const backend_tables[] = {&backend_conf_table, &http_backend_conf_table,
                                                          NULL};
static const struct conf_section frontend_section = {
    .name = "frontend", .list = true, .doc = "-", .tables = frontend_tables};
static const struct conf_section backend_section = {
    .name = "backend", .list = true, .doc = "-", .tables = backend_tables, .finish = compile};
static const struct conf_section *const sections[] = {&frontend_section, &backend_section, NULL};

static void use(const char *text)
{
    struct text report = {0};
    uint32_t count;
    int read = conf_load_bytes(&load, "t.yaml", text, strlen(text), sections);
    conf_report_print(&load.report, CONF_ERROR, &report);
    ck_assert_msg(read == 0, "%s", text_str(&report));
    ck_assert_int_eq(state_open(&err), 0);
    const struct conf_object *objects = conf_load_objects(&load, "frontend", &count);
    host = (struct explain_host){.frontends = frontends, .frontend_count = count, .generation = 7};
    for (uint32_t i = 0; i < count; i++) {
        frontends[i] = objects[i].structure;
        ck_assert_int_eq(frontend_bind_state(frontends[i], &err), 0);
    }
    objects = conf_load_objects(&load, "backend", &count);
    for (uint32_t i = 0; i < count; i++) {
        backends[i] = objects[i].structure;
        ck_assert_int_eq(backend_bind_state(backends[i], &err), 0);
    }
}

static void teardown(void)
{
    json_decref(told);
    told = NULL;
    if (load.state)
        conf_load_free(&load);
    state_close();
}

/* Explains a command line, whose words stand between single spaces ('_' for a space in one). NULL: refused.
 */
static json_t *ask(const char *line)
{
    static char copy[1024];
    char *words[32], *rest = copy;
    unsigned count = 0;
    struct explain_request r;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word; (word = strsep(&rest, " "));) {
        for (char *p = word; (p = strchr(p, '_'));)
            *p = ' ';
        words[count++] = word;
    }
    json_decref(told);
    told = NULL;
    err.text[0] = '\0';
    if (explain_read_words(&r, words, count, false, &err) == 0)
        told = explain(&host, &r, &err);
    ck_assert_int_eq(told == NULL, err.text[0] != '\0');
    return told;
}

/* A string of the explanation, by the names on the way to it. */
static const char *at(const char *section, const char *name)
{
    const json_t *o = *section ? json_object_get(told, section) : told;
    const char *s = json_string_value(json_object_get(o, name));
    return s ? s : "null";
}

static json_t *server(unsigned i)
{
    return json_array_get(json_object_get(json_object_get(told, "backend"), "servers"), i);
}

static const char site[] =
    "frontend:\n"
    "- name: f\n"
    "  bind: ['127.0.0.1:80', '[::1]:80', '*:81', 'unix:/tmp/s']\n"
    "  use_backend: b\n"
    "- { name: g, bind: '10.0.0.1:80', use_backend: b }\n"
    "- { name: t, mode: tcp, bind: '10.0.0.1:443', use_backend: b }\n"
    "backend:\n"
    "- { name: b, servers: [ { addr_port: '127.0.0.1:1', name: s1 },\n"
    "  { addr_port: '127.0.0.1:2', name: s2 }, { addr_port: '127.0.0.1:3', name: s3 } ] }\n";

/* ---- where it arrives ---- */

START_TEST(the_bind_is_that_of_the_address_and_the_port)
{
    static const struct {
        const char *line, *frontend, *bind;
        size_t others;
    } rows[] = {
        {"GET http://127.0.0.1/", "f", "127.0.0.1:80", 0},
        {"GET http://[::1]/", "f", "[::1]:80", 0},
        {"GET http://10.0.0.1:80/", "g", "10.0.0.1:80", 0},
        {"GET http://10.0.0.9/", "f", "127.0.0.1:80", 2},
        {"GET http://name/", "f", "127.0.0.1:80", 2},
        {"GET http://name:81/", "f", "*:81", 0},
        {"GET http://[::2]:81/", "f", "*:81", 0},
        {"GET http://name/ --frontend g", "g", "10.0.0.1:80", 0},
        {"GET http://name:81/ --frontend f", "f", "*:81", 0},
        {"GET http://a:9/ --frontend f", "f", "127.0.0.1:80", 0},
        {"GET https://name/", "t", "10.0.0.1:443", 0},
        {"tcp 10.0.0.1:443", "t", "10.0.0.1:443", 0},
        {"tcp name:443", "t", "10.0.0.1:443", 0},
        {"tcp name:1 --frontend t", "t", "10.0.0.1:443", 0},
    };
    use(site);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ck_assert_msg(ask(rows[i].line), "%s: %s", rows[i].line, err.text);
        ck_assert_msg(strcmp(at("", "frontend"), rows[i].frontend) == 0, "%s", rows[i].line);
        ck_assert_msg(strcmp(at("", "bind"), rows[i].bind) == 0, "%s", rows[i].line);
        ck_assert_uint_eq(json_array_size(json_object_get(told, "other_binds")), rows[i].others);
    }
    ck_assert_ptr_null(ask("GET http://name:82/"));
    ck_assert_ptr_nonnull(
        strstr(err.text, "no frontend takes http on port 82; there are: f 127.0.0.1:80 (http)"));
    ck_assert_ptr_null(ask("tcp name:80"));
    ck_assert_ptr_null(ask("GET https://name/ --frontend g"));
    ck_assert_ptr_null(ask("tcp name:443 --frontend g"));
}
END_TEST

START_TEST(the_head_is_what_a_client_sends)
{
    struct arena a;
    struct target t;
    struct message m;
    struct explain_request r = {
        .method = "POST", .url = "HTTP://Name:80?q=1", .has_body = true, .body_length = 5};
    use(site);
    arena_init(&a);
    ck_assert_int_eq(target_read(&t, &r, &a, &err), 0);
    ck_assert_uint_eq(target_make_message(&t, &r, frontends[0]->http, &a, &m), 0);
    ck_assert(slice_equal(m.path, SLICE("/?q=1")));
    ck_assert(slice_equal(m.host, SLICE("Name"))); /* the scheme's own port is left out */
    ck_assert_uint_eq(m.body_length, 5);
    r.url = "http://[::1]:81/";
    r.headers[r.header_count++] = "Host: other";
    ck_assert_int_eq(target_read(&t, &r, &a, &err), 0);
    ck_assert(slice_equal(t.authority, SLICE("[::1]:81")));
    ck_assert_uint_eq(target_make_message(&t, &r, frontends[0]->http, &a, &m), 0);
    ck_assert(slice_equal(m.host, SLICE("other")));
    r.headers[r.header_count++] = "Transfer-Encoding: chunked";
    ck_assert_uint_eq(target_make_message(&t, &r, frontends[0]->http, &a, &m), 0);
    ck_assert_int_eq(m.body, BODY_STREAM);
    arena_free(&a);
}
END_TEST

START_TEST(what_conditions_look_at_is_there)
{
    use("frontend:\n- name: f\n  bind: '*:80'\n  use_backend: b\n  http_condition:\n"
        "  - { when: \"dst == '10.0.0.5' && dst_port == 80 && src == '10.0.0.9' && peer == src\", deny: 401 "
        "}\n"
        "  - { when: \"frontend == 'f' && now > 1700000000 && generation == 7 && src == '127.0.0.1'\", deny: "
        "402 }\n"
        "backend: [ { name: b, servers: ['127.0.0.1:1'] } ]\n");
    ck_assert_ptr_nonnull(ask("GET http://10.0.0.5/ --src 10.0.0.9"));
    ck_assert_str_eq(at("result", "rule"), "t.yaml:6");
    ck_assert_ptr_nonnull(ask("GET http://name/"));
    ck_assert_str_eq(at("result", "rule"), "t.yaml:7");
}
END_TEST

/* ---- the servers ---- */

START_TEST(the_rotation_is_looked_at_and_stays)
{
    use(site);
    struct slot *slot = backends[0]->slot;
    static const char *const names[] = {"s1", "s2", "s3"};
    for (unsigned i = 0; i < 3; i++) {
        atomic_store(&slot->rotation, i);
        ask("GET http://name/");
        ck_assert_str_eq(at("result", "server"), names[i]);
        ask("GET http://name/");
        ck_assert_str_eq(at("result", "server"), names[i]);
        ck_assert_uint_eq(atomic_load(&slot->rotation), i);
    }
}
END_TEST

START_TEST(servers_that_get_none_are_passed_over)
{
    use(site);
    struct server **s = backends[0]->servers;
    state_set_health(s[0]->slot, HEALTH_DOWN, "connect refused, 3 of 3 checks");
    s[1]->maxconn = 1;
    state_gauge_add(s[1]->slot, GAUGE_REQUESTS);
    ck_assert_ptr_nonnull(ask("GET http://name/"));
    ck_assert_str_eq(json_string_value(json_object_get(server(0), "why_not")),
                     "it is down: connect refused, 3 of 3 checks");
    ck_assert_str_eq(json_string_value(json_object_get(server(1), "why_not")),
                     "it is full: 1 of 1 requests (maxconn)");
    ck_assert(json_is_null(json_object_get(server(2), "why_not")));
    ck_assert(json_is_true(json_object_get(server(2), "next")));
    ck_assert_str_eq(at("result", "server"), "s3");
    state_set_health(s[2]->slot, HEALTH_DOWN, "");
    ask("GET http://name/");
    ck_assert_str_eq(json_string_value(json_object_get(server(2), "why_not")), "it is down");
    ck_assert_str_eq(at("result", "verdict"), "waits");
    ck_assert_str_eq(at("result", "reason"), "maxconn");
    state_set_health(s[1]->slot, HEALTH_DOWN, "");
    ask("GET http://name/");
    ck_assert_str_eq(at("result", "verdict"), "no_server");
    ck_assert_str_eq(at("result", "words"), "answered 503 Service Unavailable: no server is eligible");
    ask("tcp name:443");
    ck_assert_str_eq(at("result", "words"), "the connection is closed: no server is eligible");
    ck_assert_uint_eq(state_gauge(s[1]->slot, GAUGE_REQUESTS), 1);
    state_gauge_sub(s[1]->slot, GAUGE_REQUESTS);
}
END_TEST

START_TEST(each_algorithm_chooses_as_it_does)
{
    use(site);
    struct backend *b = backends[0];
    for (unsigned n = 0; balance_algorithms[n]; n++) {
        b->algorithm = balance_algorithms[n];
        backend_start(b, NULL);
        for (unsigned i = 0; i < 9; i++) {
            char line[64];
            struct address client;
            struct ip ip;
            snprintf(line, sizeof line, "GET http://name/ --src 10.0.0.%u", i);
            ck_assert(ip_parse(slice_of(line + 23), &ip));
            ip_to_address(ip, 0, &client);
            struct balance_key key = {address_hash_ip(&client)};
            ck_assert_ptr_nonnull(ask(line));
            int chosen = b->algorithm->pick(&b->balancer, &key, (struct balance_tried){0});
            ck_assert_str_eq(at("result", "server"), b->servers[chosen]->name);
            state_gauge_add(b->servers[chosen]->slot, GAUGE_REQUESTS);
        }
        for (unsigned i = 0; i < b->server_count; i++)
            while (state_gauge(b->servers[i]->slot, GAUGE_REQUESTS))
                state_gauge_sub(b->servers[i]->slot, GAUGE_REQUESTS);
        b->balancer.ops->free(&b->balancer);
        free(b->eligible);
        free(b->passed);
        b->started = false;
    }
}
END_TEST

/* ---- the rules ---- */

START_TEST(variables_are_of_one_explanation)
{
    use("frontend:\n- name: f\n  bind: '*:80'\n  use_backend: b\n  http_condition:\n"
        "  - { when: \"var('a') == '1'\", deny: 403 }\n"
        "  - { set_var: { a: \"'1'\" } }\n"
        "backend: [ { name: b, servers: ['127.0.0.1:1'] } ]\n");
    for (unsigned i = 0; i < 3; i++) {
        ask("GET http://name/");
        ck_assert_str_eq(at("result", "verdict"), "server");
    }
}
END_TEST

START_TEST(long_values_are_cut)
{
    struct text url = {0};
    use("frontend:\n- name: f\n  bind: '*:80'\n  use_backend: b\n  http_condition:\n"
        "  - { when: \"path == '/'\", deny: 403 }\n"
        "backend: [ { name: b, servers: ['127.0.0.1:1'] } ]\n");
    text_puts(&url, "http://name/");
    for (unsigned i = 0; i < 8000; i++)
        text_puts(&url, "a");
    const struct explain_request r = {.method = "GET", .url = text_str(&url)};
    told = explain(&host, &r, &err);
    ck_assert_ptr_nonnull(told);
    const json_t *rule =
        json_array_get(json_object_get(json_array_get(json_object_get(told, "lists"), 0), "rules"), 0);
    ck_assert_uint_eq(
        json_string_length(json_object_get(json_array_get(json_object_get(rule, "values"), 0), "value")),
        512);
    text_free(&url);
}
END_TEST

START_TEST(the_text_obeys_nobody)
{
    struct text out = {0};
    use("frontend:\n- name: f\n  bind: '*:80'\n  use_backend: b\n  http_condition:\n"
        "  - { when: \"header('a') + '\\\\x1b\\\\x00' == '/'\", deny: 403 }\n"
        "backend: [ { name: b, servers: ['127.0.0.1:1'] } ]\n");
    ck_assert_ptr_nonnull(ask("GET http://name/ -H A:\xc2\x9b"));
    explain_print(told, &out);
    for (size_t i = 0; i < out.len; i++)
        ck_assert(out.data[i] == '\n' || (unsigned char)out.data[i] >= ' ');
    ck_assert_ptr_null(strstr(out.data, "\xc2\x9b"));
    ck_assert_ptr_nonnull(strstr(out.data, "\\xc2\\x9b"));
    text_free(&out);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("explain");
    TCase *t = tcase_create("explain");
    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_test(t, the_bind_is_that_of_the_address_and_the_port);
    tcase_add_test(t, the_head_is_what_a_client_sends);
    tcase_add_test(t, what_conditions_look_at_is_there);
    tcase_add_test(t, the_rotation_is_looked_at_and_stays);
    tcase_add_test(t, servers_that_get_none_are_passed_over);
    tcase_add_test(t, each_algorithm_chooses_as_it_does);
    tcase_add_test(t, variables_are_of_one_explanation);
    tcase_add_test(t, long_values_are_cut);
    tcase_add_test(t, the_text_obeys_nobody);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
