#include "test_conf.h"

#include <string.h>

START_TEST(the_first_configuration_loads)
{
    struct conf_load l;
    test_load_valid(&l, sample_first);
    const struct sample_global *g = test_object(&l, "global", 0);
    ck_assert_uint_eq(g->maxconn, 10);
    ck_assert_uint_eq(g->threads, 1);
    ck_assert_uint_eq(g->buffer, 16384);
    ck_assert_uint_eq(g->drain_timeout, 30000000);
    const struct sample_frontend *f = test_object(&l, "frontend", 0);
    const struct sample_backend *b = test_object(&l, "backend", 0);
    ck_assert_str_eq(f->name, "http_front");
    ck_assert_int_eq(f->mode, SAMPLE_HTTP); /* its own, not that of defaults */
    ck_assert_uint_eq(f->maxconn, 1);
    ck_assert_uint_eq(f->timeout_client, 30000000);
    ck_assert_uint_eq(f->binds.count, 1);
    ck_assert_str_eq(((struct sample_bind *)f->binds.items[0])->addr_port, "127.0.0.1:3030");
    ck_assert_ptr_eq(f->use_backend, b);
    ck_assert_int_eq(b->mode, SAMPLE_TCP);
    ck_assert_int_eq(b->balance, 1);
    ck_assert_uint_eq(b->timeout_connect, 10000000);
    ck_assert_uint_eq(b->timeout_server, 30000000);
    ck_assert_uint_eq(b->servers.count, 2);
    const struct sample_server *s = b->servers.items[1];
    ck_assert_str_eq(s->addr_port, "127.0.0.1:8001");
    ck_assert_str_eq(s->name, s->addr_port); /* by the table's check() */
    ck_assert_uint_eq(s->weight, 100);
    uint32_t count;
    ck_assert_str_eq(conf_load_objects(&l, "backend", &count)->name, "http_backend");
    ck_assert_uint_eq(count, 1);
    conf_load_objects(&l, "defaults", &count);
    ck_assert_uint_eq(count, 0);
    conf_load_free(&l);
}
END_TEST

START_TEST(parts_have_structures_of_their_own)
{
    struct conf_load l;
    test_load_valid(&l, "defaults: { access_log: yes }\n"
                        "frontend:\n"
                        "  - { name: a, bind: ':1' }\n"
                        "  - { name: b, bind: ':2', access_log: off, timeout_http_request: 3s }\n");
    const struct sample_frontend *a = test_object(&l, "frontend", 0), *b = test_object(&l, "frontend", 1);
    ck_assert_ptr_nonnull(a->http);
    ck_assert_ptr_ne(a->http, b->http);
    ck_assert(a->http->access_log);
    ck_assert(!b->http->access_log);
    ck_assert_uint_eq(a->http->timeout_http_request, 10000000);
    ck_assert_uint_eq(b->http->timeout_http_request, 3000000);
    ck_assert_uint_eq(a->checked, 1);
    ck_assert_uint_eq(a->http->checked, 1);
    conf_load_free(&l);
}
END_TEST

START_TEST(nested_maps_may_be_short_or_absent)
{
    static const struct {
        const char *yaml;
        bool made, enabled;
        uint64_t interval;
    } cases[] = {
        {"", false, false, 0},
        {"health_check: 7s", true, true, 7000000},
        {"health_check: false", true, false, 5000000},
        {"health_check: on", true, true, 5000000},
        {"health_check: { interval: 200, fall: 5 }", true, true, 200000},
        {"health_check:", true, true, 5000000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conf_load l;
        struct text yaml = {0};
        text_printf(&yaml,
                    "frontend: { name: f, bind: ':1' }\n"
                    "backend:\n  name: b\n  servers: 10.0.0.1:80\n  %s\n",
                    cases[i].yaml);
        test_load_valid(&l, text_str(&yaml));
        const struct sample_backend *b = test_object(&l, "backend", 0);
        ck_assert(!!b->health == cases[i].made);
        if (b->health) {
            ck_assert(b->health->enabled == cases[i].enabled);
            ck_assert_uint_eq(b->health->interval, cases[i].interval);
            ck_assert_uint_eq(b->health->rise, 2);
        }
        /* A preset of "" makes the structure with its own presets. */
        const struct sample_global *g = test_object(&l, "global", 0);
        ck_assert_ptr_nonnull(g->log);
        ck_assert_int_eq(g->log->target, 0);
        conf_load_free(&l);
        text_free(&yaml);
    }
}
END_TEST

START_TEST(an_own_map_replaces_the_inherited_one_whole)
{
    struct conf_load l;
    test_load_valid(&l, "defaults:\n  health_check: { interval: 9s, fall: 9 }\n"
                        "frontend: { name: f, bind: ':1' }\n"
                        "backend:\n"
                        "  - { name: a, servers: ':1' }\n"
                        "  - { name: b, servers: ':1', health_check: { fall: 4 } }\n");
    const struct sample_backend *a = test_object(&l, "backend", 0), *b = test_object(&l, "backend", 1);
    ck_assert_uint_eq(a->health->interval, 9000000);
    ck_assert_uint_eq(a->health->fall, 9);
    ck_assert_uint_eq(b->health->interval, 5000000);
    ck_assert_uint_eq(b->health->fall, 4);
    conf_load_free(&l);
}
END_TEST

START_TEST(lists_take_one_item_without_a_list)
{
    struct conf_load l;
    test_load_valid(&l, "frontend:\n"
                        "  - { name: a, bind: { addr_port: ':1' } }\n"
                        "  - { name: b, bind: [':2', { addr_port: ':3', ssl: { cert: site.pem } }] }\n");
    const struct sample_frontend *a = test_object(&l, "frontend", 0), *b = test_object(&l, "frontend", 1);
    ck_assert_uint_eq(a->binds.count, 1);
    ck_assert_uint_eq(b->binds.count, 2);
    ck_assert_str_eq(((struct sample_bind *)b->binds.items[0])->addr_port, ":2");
    const struct sample_bind *tls = b->binds.items[1];
    ck_assert_str_eq(tls->tls->cert, "./site.pem");
    conf_load_free(&l);
}
END_TEST

START_TEST(values_of_the_wrong_kind_are_refused)
{
    test_expect_errors("global:\n"
                       "  maxconn: ten\n"
                       "  threads: [1]\n"
                       "  buffer: 2m\n"
                       "  drain_timeout: { a: 1 }\n"
                       "  pid_file: ''\n"
                       "  log: [stdout]\n",
                       "t.yaml:2:12: \"maxconn\": \"ten\" is not a whole number (write digits only)\n"
                       "t.yaml:3:12: \"threads\" must be whole number, not a list\n"
                       "t.yaml:4:11: \"buffer\" must be between 1k and 1m, not 2m\n"
                       "t.yaml:5:18: \"drain_timeout\" must be time, not a map\n"
                       "t.yaml:6:13: \"pid_file\" can't be empty\n"
                       "t.yaml:7:8: \"target\" must be one of its choices, not a list\n");
    test_expect_errors(
        "global:\n"
        "  maxconn: 5000000000\n"
        "  threads: \"2\"\n"
        "  buffer:\n"
        "  drain_timeout: 0\n"
        "  pid_file: ~\n",
        "t.yaml:2:12: \"maxconn\" must be between 1 and 1000000, not 5000000000\n"
        "t.yaml:3:12: \"threads\" must be a number, and \"2\" in quotes is text (remove the quotes)\n"
        "t.yaml:4:3: \"buffer\" has no value (for example: buffer: 16k)\n"
        "t.yaml:5:18: \"drain_timeout\" must be between 1ms and 1d, not 0\n"
        "t.yaml:6:13: \"pid_file\" has no value (for example: pid_file: /run/noxy.pid)\n");
}
END_TEST

START_TEST(bounds_without_an_end)
{
    test_expect("frontend: { name: f, bind: ':1' }\n"
                "backend:\n"
                "  name: b\n"
                "  servers: [{ addr_port: a, weight: 257 }, { addr_port: b, weight: -1 }]\n"
                "  health_check: { interval: 1ms, rise: 0, fall: 4294967296 }\n",
                CONF_ERROR,
                "t.yaml:4:37: \"weight\" must be between 0 and 256, not 257\n"
                "t.yaml:4:68: \"weight\": \"-1\" is negative (write 0 or more)\n"
                "t.yaml:5:29: \"interval\" must be at least 10ms, not 1ms\n"
                "t.yaml:5:40: \"rise\" must be between 1 and 4294967295, not 0\n"
                "t.yaml:5:49: \"fall\" must be between 1 and 4294967295, not 4294967296\n");
}
END_TEST

START_TEST(quotes_make_text_but_units_stay_units)
{
    struct conf_load l;
    test_load_valid(&l, "global: { drain_timeout: \"10s\", buffer: '4k', pid_file: 5, log: 'stdout' }\n"
                        "frontend: { name: true, bind: ':1' }\n");
    const struct sample_global *g = test_object(&l, "global", 0);
    ck_assert_uint_eq(g->drain_timeout, 10000000);
    ck_assert_uint_eq(g->buffer, 4096);
    ck_assert_str_eq(g->pid_file, "5");
    ck_assert_str_eq(((const struct sample_frontend *)test_object(&l, "frontend", 0))->name, "true");
    conf_load_free(&l);
    test_expect("frontend: { name: a, bind: ':1', access_log: 'yes' }\n", CONF_ERROR,
                "t.yaml:1:46: \"access_log\" must be true or false, and \"yes\" in quotes is text "
                "(remove the quotes)\n");
}
END_TEST

START_TEST(unknown_keys_get_a_hint)
{
    test_expect_errors(
        "global:\n  maxcon: 5\n  bind: 1\n  interval: 1\n  mode: tcp\n  zzzzz: 1\n  worker: 4\n",
        "t.yaml:2:3: unknown key \"maxcon\" in global (did you mean \"maxconn\"?)\n"
        "t.yaml:3:3: unknown key \"bind\" in global (\"bind\" is a key of frontend)\n"
        "t.yaml:4:3: unknown key \"interval\" in global "
        "(\"interval\" is a key of \"health_check\" of backend)\n"
        "t.yaml:5:3: unknown key \"mode\" in global (\"mode\" is a key of frontend, backend)\n"
        "t.yaml:6:3: unknown key \"zzzzz\" in global\n"
        "t.yaml:7:3: unknown key \"worker\" in global (did you mean \"workers\"?)\n");
    test_expect(
        "frontend:\n"
        "  - name: web\n"
        "    use_backnd: api\n"
        "    bind:\n"
        "      - { addr_prt: x }\n",
        CONF_ERROR,
        "t.yaml:3:5: unknown key \"use_backnd\" in frontend \"web\" (did you mean \"use_backend\"?)\n"
        "t.yaml:5:9: \"bind\" of frontend \"web\" needs \"addr_port\" (for example: addr_port: 0.0.0.0:80)\n"
        "t.yaml:5:11: unknown key \"addr_prt\" in \"bind\" of frontend \"web\" (did you mean "
        "\"addr_port\"?)\n");
}
END_TEST

START_TEST(unknown_sections_get_a_hint)
{
    test_expect_errors("globl: {}\nmaxconn: 5\nlisten: []\n",
                       "t.yaml:1:1: unknown section \"globl\" (did you mean \"global\"?)\n"
                       "t.yaml:2:1: unknown section \"maxconn\" (\"maxconn\" is a key of global, frontend)\n"
                       "t.yaml:3:1: unknown section \"listen\"\n");
}
END_TEST

START_TEST(defaults_are_checked_whoever_inherits)
{
    /* Two frontends and a backend inherit, one frontend has its own: each error is told once. */
    test_expect("defaults:\n"
                "  mode: htpp\n"
                "  maxconn: x\n"
                "  bind: ':1'\n"
                "  timeout_conect: 5\n"
                "  health_check: { rise: 9, intervall: 3 }\n"
                "frontend:\n"
                "  - { name: a, bind: ':1', maxconn: 5, mode: tcp }\n"
                "  - { name: b, bind: ':1' }\n"
                "  - { name: c, bind: ':1' }\n"
                "backend: [{ name: d, servers: a, health_check: 1s }, { name: e, servers: a }]\n",
                CONF_ERROR,
                "t.yaml:2:9: \"mode\" can't be \"htpp\" (did you mean \"http\"?)\n"
                "t.yaml:3:12: \"maxconn\": \"x\" is not a whole number (write digits only)\n"
                "t.yaml:4:3: unknown key \"bind\" in defaults (\"bind\" is a key of frontend)\n"
                "t.yaml:5:3: unknown key \"timeout_conect\" in defaults (did you mean \"timeout_connect\"?)\n"
                "t.yaml:6:28: unknown key \"intervall\" in \"health_check\" of defaults (did you mean "
                "\"interval\"?)\n");
    /* What may not be inherited is neither taken from there nor suggested. */
    test_expect(
        "defaults: { bind: ':1', bnd: ':1' }\nfrontend: { name: a }\n", CONF_ERROR,
        "t.yaml:1:13: unknown key \"bind\" in defaults (\"bind\" is a key of frontend)\n"
        "t.yaml:1:25: unknown key \"bnd\" in defaults\n"
        "t.yaml:2:11: frontend \"a\" needs \"bind\" (for example: bind: [{ addr_port: 0.0.0.0:80 }])\n");
    /* Even where all have their own. */
    test_expect("defaults: { maxconn: 0 }\nfrontend: { name: a, bind: ':1', maxconn: 5 }\n", CONF_ERROR,
                "t.yaml:1:22: \"maxconn\" must be between 1 and 1000000, not 0\n");
    test_expect("defaults: [a]\nfrontend: { name: a, bind: ':1' }\n", CONF_ERROR,
                "t.yaml:1:11: defaults must be a map of keys\n");
}
END_TEST

START_TEST(two_names_of_one_key_are_one)
{
    struct conf_load l;
    test_load_valid(&l, "global: { workers: 7 }\nfrontend: { name: f, bind: ':1' }\n");
    ck_assert_uint_eq(((const struct sample_global *)test_object(&l, "global", 0))->threads, 7);
    conf_load_free(&l);
    test_expect_errors(
        "global:\n  workers: 7\n  threads: 8\n",
        "t.yaml:3:3: \"threads\" is set twice (\"workers\" at line 2 is the same key: keep one of them)\n");
}
END_TEST

START_TEST(names_are_checked_and_unique)
{
    test_expect(
        "frontend:\n"
        "  - { name: a, bind: ':1' }\n"
        "  - { name: a, bind: ':2' }\n"
        "  - { name: 'b c', bind: ':3' }\n"
        "  - { name: [x], bind: ':4' }\n"
        "  - { name: 12345678901234567890123456789012345678901234567890123456789012345, bind: ':4' }\n"
        "  - { bind: ':4' }\n"
        "  - { name: 1234567890123456789012345678901234567890123456789012345678901234, bind: ':4' }\n"
        "backend:\n"
        "  - { name: a, servers: [{ addr_port: x, name: s }, { addr_port: y, name: s }] }\n",
        CONF_ERROR,
        "t.yaml:3:13: two in \"frontend\" have the name \"a\" (the first is at line 2)\n"
        "t.yaml:4:13: \"b c\" can't be a name (it is 1 to 64 letters, digits and _ . : - /)\n"
        "t.yaml:5:13: \"name\" must be text, not a list\n"
        "t.yaml:6:13: \"123456789012345678901234567890123456789012345678901234567890...\" can't be a name "
        "(it is 1 to 64 letters, digits and _ . : - /)\n"
        "t.yaml:7:5: frontend needs \"name\" (for example: name: web)\n");
    test_expect("frontend: { name: f, bind: ':1', pages: [{ name: a }, { name: b }, { name: a }, {}] }\n",
                CONF_ERROR,
                "t.yaml:1:76: two in \"pages\" have the name \"a\" (the first is at line 1)\n"
                "t.yaml:1:81: \"pages\" of frontend \"f\" needs \"name\" (for example: name: ...)\n");
}
END_TEST

START_TEST(references_are_resolved_at_the_end)
{
    test_expect("frontend:\n"
                "  - { name: a, bind: ':1', use_backend: api_backnd }\n"
                "  - { name: b, bind: ':1', use_backend: zzz }\n"
                "  - { name: c, bind: ':1', use_backend: [web] }\n"
                "  - { name: d, bind: ':1', use_backend: api_backend }\n"
                "backend:\n"
                "  - { name: api_backend, servers: a }\n"
                "  - { name: web, servers: a }\n",
                CONF_ERROR,
                "t.yaml:2:41: there is no backend \"api_backnd\" (did you mean \"api_backend\"?)\n"
                "t.yaml:3:41: there is no backend \"zzz\" (there is api_backend, web)\n"
                "t.yaml:4:41: \"use_backend\" must be a name, not a list\n");
    test_expect("frontend: { name: a, bind: ':1', use_backend: x }\n", CONF_ERROR,
                "t.yaml:1:47: there is no backend \"x\"\n");
}
END_TEST

START_TEST(a_room_checks_what_was_read_without_an_error)
{
    test_expect_errors("global: { log: file }\n",
                       "t.yaml:1:16: a log file needs its \"path\" (add path: /var/log/noxy.log)\n");
    /* Not where a key was wrong: it would only repeat that. */
    test_expect_errors("global: { log: { target: file, pth: /x } }\n",
                       "t.yaml:1:32: unknown key \"pth\" in \"log\" of global (did you mean \"path\"?)\n");
    test_expect("frontend: { name: a, bind: ':1', maxconn: 666 }\n", CONF_WARNING,
                "t.yaml:1:43: an odd number of connections\n");
    struct conf_load l;
    ck_assert_int_eq(
        test_load(&l, "frontend: [{ name: a, bind: ':1', maxconn: 0 }, { name: b, bind: ':1' }]\n"), -1);
    ck_assert_uint_eq(((const struct sample_frontend *)test_object(&l, "frontend", 0))->checked, 0);
    ck_assert_uint_eq(((const struct sample_frontend *)test_object(&l, "frontend", 1))->checked, 1);
    conf_load_free(&l);
    /* A wrong value of defaults keeps the objects that inherit it from their checks too. */
    ck_assert_int_eq(test_load(&l, "defaults: { maxconn: 0 }\nfrontend: [{ name: a, bind: ':1' }]\n"), -1);
    ck_assert_uint_eq(((const struct sample_frontend *)test_object(&l, "frontend", 0))->checked, 0);
    ck_assert_uint_eq(l.report.errors, 1);
    conf_load_free(&l);
}
END_TEST

TCase *conf_table_tests(void)
{
    TCase *tests = tcase_create("table");
    tcase_add_test(tests, the_first_configuration_loads);
    tcase_add_test(tests, parts_have_structures_of_their_own);
    tcase_add_test(tests, nested_maps_may_be_short_or_absent);
    tcase_add_test(tests, an_own_map_replaces_the_inherited_one_whole);
    tcase_add_test(tests, lists_take_one_item_without_a_list);
    tcase_add_test(tests, values_of_the_wrong_kind_are_refused);
    tcase_add_test(tests, bounds_without_an_end);
    tcase_add_test(tests, quotes_make_text_but_units_stay_units);
    tcase_add_test(tests, unknown_keys_get_a_hint);
    tcase_add_test(tests, unknown_sections_get_a_hint);
    tcase_add_test(tests, defaults_are_checked_whoever_inherits);
    tcase_add_test(tests, two_names_of_one_key_are_one);
    tcase_add_test(tests, names_are_checked_and_unique);
    tcase_add_test(tests, references_are_resolved_at_the_end);
    tcase_add_test(tests, a_room_checks_what_was_read_without_an_error);
    return tests;
}
