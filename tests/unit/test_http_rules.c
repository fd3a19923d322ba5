/* Lists of rules over messages, without a socket or an exchange: what `explain` relies on. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "frontend/frontend.h"
#include "http/action_respond.h"
#include "http/http.h"
#include "http/rule_compile.h"

static struct conf_load load;
static struct message request, response;
static struct http_subject subject;
static struct rule_outcome out;
static struct text told, logged;
static struct arena memory;

/* ---- a configuration ---- */

static void compile(struct conf_load *l)
{
    http_rules_compile(l, rule_compiler_new(l));
}

static const struct conf_table *const frontend_tables[] = {&frontend_conf_table, &http_conf_table, NULL};
static const struct conf_table *const backend_tables[] = {&backend_conf_table, &http_backend_conf_table,
                                                          NULL};
static const struct conf_section frontends = {
    .name = "frontend", .list = true, .doc = "-", .tables = frontend_tables};
static const struct conf_section backends = {
    .name = "backend", .list = true, .doc = "-", .tables = backend_tables, .finish = compile};
static const struct conf_section *const sections[] = {&frontends, &backends, NULL};

static void read_file(struct text *file)
{
    int read = conf_load_bytes(&load, "t.yaml", text_str(file), file->len, sections);
    text_free(file);
    struct text report = {0};
    conf_report_print(&load.report, CONF_ERROR, &report);
    ck_assert_msg(read == 0, "%s", text_str(&report));
}

/* The frontend's list of that key. */
static const struct rule_list *rules(const char *key, const char *list)
{
    struct text file = {0};
    uint32_t count;
    text_printf(&file,
                "backend: [{ name: b, servers: ['127.0.0.1:2'] }, { name: c, servers: ['127.0.0.1:3'] }]\n"
                "frontend:\n- name: f\n  bind: '127.0.0.1:1'\n  use_backend: b\n  %s:\n%s",
                key, list);
    read_file(&file);
    const struct frontend *f = conf_load_objects(&load, "frontend", &count)->structure;
    return strcmp(key, "http_response") == 0 ? &f->http->responses : &f->http->requests;
}

/* The http_condition of a backend. */
static const struct rule_list *backend_rules(const char *list)
{
    struct text file = {0};
    uint32_t count;
    text_printf(&file,
                "frontend: [{ name: f, bind: '127.0.0.1:1', use_backend: b }]\n"
                "backend:\n- name: b\n  servers: ['127.0.0.1:2']\n  http_condition:\n%s",
                list);
    read_file(&file);
    const struct backend *b = conf_load_objects(&load, "backend", &count)->structure;
    return &b->http->requests;
}

/* ---- the world ---- */

static char *alloc(void *context, size_t len)
{
    (void)context;
    return arena_alloc(&memory, len);
}

static void say(void *context, const struct rule *r, struct slice text)
{
    (void)context;
    text_printf(&logged, "%s: %.*s\n", r->label, SLICE_ARG(text));
}

static void tried(struct rule_observer *o, const struct rule *r, bool held)
{
    (void)o;
    text_printf(&told, "%s %s; ", r->label, held ? "holds" : "no");
}

static void acted(struct rule_observer *o, const struct rule *r, const char *action, struct slice what)
{
    (void)o, (void)r;
    text_printf(&told, "%s(%.*s); ", action, SLICE_ARG(what));
}

static struct rule_observer observer = {.tried = tried, .acted = acted};
static const struct rule_world world = {.alloc = alloc, .log = say};

static void decide(const struct rule_list *list)
{
    rules_decide(list, &subject, &world, &observer, &out);
}

static const struct field *find(const struct message *m, const char *name)
{
    const struct field *found = NULL;
    for (unsigned i = 0; i < m->count; i++)
        if (!m->fields[i].dropped &&
            slice_equal_nocase((struct slice){m->fields[i].name, m->fields[i].name_len}, slice_of(name))) {
            ck_assert_ptr_null(found);
            found = &m->fields[i];
        }
    return found;
}

static void add(struct message *m, const char *line)
{
    size_t name_len = strcspn(line, ":");
    enum field_id id = field_lookup((struct slice){line, name_len});
    ck_assert(message_add_raw(m, id, line, name_len, strlen(line) - name_len - 4));
}

static void setup(void)
{
    arena_init(&memory);
    message_init(&request);
    message_init(&response);
    request.method = SLICE("GET");
    request.target = request.path = SLICE("/a?q=1");
    request.raw_line = SLICE("GET /a?q=1 HTTP/1.1\r\n");
    request.version = response.version = HTTP_1_1;
    request.host = SLICE("h.example");
    add(&request, "Host: h.example\r\n");
    response.status = 200;
    subject = (struct http_subject){.request = &request, .scheme = "http", .frontend = "f"};
}

static void teardown(void)
{
    text_free(&told);
    text_free(&logged);
    arena_free(&memory);
    conf_load_free(&load);
}

/* ---- tests ---- */

START_TEST(each_step_is_told)
{
    decide(rules("http_condition",
                 "  - { name: r1, when: \"path == '/b'\", deny: 403 }\n"
                 "  - { name: r2, when: \"path == '/a'\", set_header: { X-A: path, X-B: \"'b'\" } }\n"
                 "  - { log: \"'seen'\" }\n"
                 "  - { name: r4, use_backend: \"'c'\" }\n"
                 "  - { name: r5, deny: 404 }\n"));
    ck_assert_str_eq(text_str(&told), "r1 no; r2 holds; set_header(X-A: /a); set_header(X-B: b); "
                                      "t.yaml:9 holds; log(seen); r4 holds; use_backend(c); ");
    ck_assert_str_eq(text_str(&logged), "t.yaml:9: seen\n");
    ck_assert_int_eq(out.verdict, VERDICT_BACKEND);
    ck_assert_str_eq(out.backend->name, "c");
    ck_assert_str_eq(out.rule->label, "r4");
}
END_TEST

START_TEST(a_list_that_comes_to_its_end_decides_nothing)
{
    decide(
        rules("http_condition", "  - { set_var: { n: 1 } }\n  - { when: \"var('n') == 2\", deny: 403 }\n"));
    ck_assert_int_eq(out.verdict, VERDICT_NONE);
    ck_assert_ptr_null(out.rule);
    ck_assert_ptr_nonnull(subject.vars);
    ck_assert_int_eq(subject.vars->value.number, 1);
}
END_TEST

START_TEST(texts_of_variables_outlive_what_they_were_made_of)
{
    char path[] = "/first";
    request.path = slice_of(path);
    decide(rules("http_condition", "  - { set_var: { was: path } }\n"));
    memset(path, 'x', sizeof path - 1);
    ck_assert(slice_equal(subject.vars->value.string, SLICE("/first")));
}
END_TEST

START_TEST(a_field_is_replaced_in_its_place)
{
    add(&request, "X-A: 1\r\n");
    add(&request, "X-B: 2\r\n");
    add(&request, "x-a: 3\r\n");
    decide(rules("http_condition", "  - { set_header: { X-A: \"'new'\" } }\n"));
    const struct field *f = find(&request, "X-A");
    ck_assert_ptr_eq(f, &request.fields[1]);
    ck_assert(slice_equal((struct slice){f->name, 10}, SLICE("X-A: new\r\n")));
    ck_assert_uint_eq(request.count, 4);
}
END_TEST

START_TEST(a_changed_line_is_not_passed_on_as_it_came)
{
    decide(rules("http_condition", "  - { set_path: \"'/new'\", set_method: \"'PUT'\" }\n"));
    ck_assert_uint_eq(request.raw_line.len, 0);
    ck_assert(slice_equal(request.path, SLICE("/new?q=1")));
    ck_assert(slice_equal(request.method, SLICE("PUT")));
    ck_assert(slice_equal(request.target, SLICE("/a?q=1")));
}
END_TEST

START_TEST(a_redirect_s_line_stands_ready)
{
    decide(rules("http_condition", "  - { redirect: \"'https://' + host + uri\", code: 308 }\n"));
    ck_assert_int_eq(out.verdict, VERDICT_REDIRECT);
    ck_assert_uint_eq(out.status, 308);
    ck_assert_uint_eq(out.field_count, 1);
    static const char line[] = "Location: https://h.example/a?q=1\r\n";
    ck_assert(slice_equal((struct slice){out.fields[0].name, sizeof line - 1}, slice_of(line)));
}
END_TEST

START_TEST(what_can_t_be_used_fails_in_words)
{
    request.path = SLICE("/a?%0d");
    decide(rules("http_condition",
                 "  - { name: bad, set_header: { X-A: url_decode(query) } }\n  - { deny: 403 }\n"));
    ck_assert_int_eq(out.verdict, VERDICT_FAILED);
    ck_assert_str_eq(out.rule->label, "bad");
    ck_assert_str_eq(out.failure, "X-A would hold the control character 0x0d");
    ck_assert_ptr_null(find(&request, "X-A"));
}
END_TEST

START_TEST(an_action_s_own_match_is_not_seen_by_the_others)
{
    decide(rules("http_condition",
                 "  - when: path =~ '^/(a)'\n"
                 "    set_var: { x: \"query =~ '(1)' ? $1 : 'no'\" }\n"
                 "    set_header: { X-A: \"host =~ '(h)' ? $1 : 'no'\", X-B: $1 }\n"
                 "  - { set_header: { X-C: \"host =~ '(h)' ? $1 : 'no'\", X-D: \"$1 + '.'\" } }\n"
                 "  - { log: \"$1 + '.'\" }\n"));
    ck_assert(slice_equal(subject.vars->value.string, SLICE("1")));
    ck_assert(slice_equal(field_value(find(&request, "X-A")), SLICE("h")));
    ck_assert(slice_equal(field_value(find(&request, "X-B")), SLICE("a")));
    ck_assert(slice_equal(field_value(find(&request, "X-C")), SLICE("h")));
    ck_assert(slice_equal(field_value(find(&request, "X-D")), SLICE(".")));
    ck_assert_str_eq(text_str(&logged), "t.yaml:11: .\n");
}
END_TEST

START_TEST(there_is_room_left_for_noxy_s_own_fields)
{
    static const char line[] = "X-A: 1\r\n";
    while (request.count < MESSAGE_FIELDS_MAX + MESSAGE_FIELDS_OF_RULES)
        add(&request, line);
    decide(rules("http_condition", "  - { add_header: { X-B: \"'1'\" } }\n"));
    ck_assert_int_eq(out.verdict, VERDICT_FAILED);
    ck_assert(message_add_raw(&request, FIELD_X_FORWARDED_FOR, line, 3, 1));
}
END_TEST

START_TEST(rules_of_responses_change_responses)
{
    subject.response = &response;
    response.raw_line = SLICE("HTTP/1.1 200 Fine\r\n");
    add(&response, "Server: x\r\n");
    decide(rules("http_response",
                 "  - { del_header: SERVER, set_status: 404 + 6, add_header: { X-Was: status } }\n"));
    ck_assert_int_eq(out.verdict, VERDICT_NONE);
    ck_assert_uint_eq(response.status, 410);
    ck_assert(slice_equal(response.reason, SLICE("Gone")));
    ck_assert_uint_eq(response.raw_line.len, 0);
    ck_assert_ptr_null(find(&response, "Server"));
    ck_assert(slice_equal(field_value(find(&response, "X-Was")), SLICE("410")));
    ck_assert_ptr_null(find(&request, "X-Was"));
}
END_TEST

START_TEST(a_switch_of_protocols_stays_one)
{
    subject.response = &response;
    response.status = 101;
    decide(rules("http_response", "  - { name: s, set_status: status + 99 }\n"));
    ck_assert_int_eq(out.verdict, VERDICT_FAILED);
    ck_assert_str_eq(out.failure, "set_status can't make 200 of 101: the protocol is switched");
    ck_assert_uint_eq(response.status, 101);
}
END_TEST

START_TEST(prefixes_spare_what_frames_a_message)
{
    add(&request, "Content-Length: 0\r\n");
    add(&request, "Content-Type: a/b\r\n");
    add(&request, "Host-Name: x\r\n");
    decide(rules("http_condition", "  - { del_header: [ Content-*, Host* ] }\n"));
    ck_assert_ptr_nonnull(find(&request, "Content-Length"));
    ck_assert_ptr_nonnull(find(&request, "Host"));
    ck_assert_ptr_null(find(&request, "Content-Type"));
    ck_assert_ptr_null(find(&request, "Host-Name"));
}
END_TEST

START_TEST(captures_end_with_their_rule_even_if_it_did_not_hold)
{
    decide(rules("http_condition", "  - { when: \"path =~ '^/(a)' && host == 'no'\", deny: 403 }\n"
                                   "  - { log: \"'<' + $1 + '>'\" }\n"));
    ck_assert_str_eq(text_str(&logged), "t.yaml:8: <>\n");
}
END_TEST

START_TEST(a_condition_sees_what_a_header_was_set_to_after_it_was_looked_at)
{
    add(&request, "X-Tier: silver\r\n");
    decide(rules("http_condition", "  - { when: \"header('x-tier') == 'gold'\", deny: 403 }\n"
                                   "  - { set_header: { X-Tier: \"'gold'\" } }\n"
                                   "  - { name: seen, when: \"header('x-tier') == 'gold'\", deny: 404 }\n"));
    ck_assert_int_eq(out.verdict, VERDICT_DENY);
    ck_assert_str_eq(out.rule->label, "seen");
}
END_TEST

START_TEST(one_field_sees_what_the_one_before_it_was_set_to)
{
    add(&request, "X-A: old\r\n");
    decide(rules("http_condition",
                 "  - { log: \"header('x-a')\", set_header: { X-A: \"'new'\", X-B: \"header('x-a')\" },\n"
                 "      add_header: { X-C: \"header('x-b')\", X-D: \"header('x-c')\" } }\n"));
    ck_assert(slice_equal(field_value(find(&request, "X-B")), SLICE("new")));
    ck_assert(slice_equal(field_value(find(&request, "X-D")), SLICE("new")));
}
END_TEST

/* A URL of 3.5 KB, of which each rule makes a text. */
static void ask_long(void)
{
    static char path[3585];
    memset(path, 'x', sizeof path - 1);
    memcpy(path, "/A", 2);
    request.target = request.path = slice_of(path);
}

START_TEST(a_list_may_make_more_text_than_one_rule_can)
{
    struct text list = {0};
    for (unsigned i = 0; i < 12; i++)
        text_printf(
            &list,
            "  - { when: \"starts_with(sprintf('%%s %%d', lower(path), %u), '/ax')\", log: \"'%u ' + path + "
            "'%u'\" }\n",
            i, i, i);
    text_printf(&list, "  - { set_header: {");
    for (unsigned i = 0; i < 12; i++)
        text_printf(&list, " X-%u: \"sprintf('%%s%%s', host, uri)\",", i);
    text_printf(&list, " } }\n  - { deny: 404 }\n");
    ask_long();
    const struct rule_list *r = rules("http_condition", text_str(&list));
    text_free(&list);
    decide(r);
    ck_assert_str_eq(out.failure, "");
    ck_assert_int_eq(out.verdict, VERDICT_DENY);
    ck_assert_uint_gt(logged.len, 12 * 3584);
    ck_assert_ptr_nonnull(strstr(text_str(&logged), "x11\n"));
    ck_assert_uint_eq(find(&request, "X-11")->value_len, 9 + 3584);
}
END_TEST

START_TEST(a_server_s_name_outlives_the_texts_of_later_rules)
{
    ask_long();
    decide(backend_rules(
        "  - { use_server: \"'s' + method\" }\n"
        "  - { log: \"uri + '1'\" }\n  - { log: \"uri + '2'\" }\n  - { log: \"uri + '3'\" }\n"
        "  - { log: \"uri + '4'\" }\n  - { log: \"uri + '5'\" }\n  - { log: \"uri + '6'\" }\n"));
    ck_assert_int_eq(out.verdict, VERDICT_NONE);
    ck_assert(slice_equal(out.server, SLICE("sGET")));
}
END_TEST

START_TEST(captures_live_as_long_as_their_rule)
{
    ask_long();
    decide(rules("http_condition", "  - when: lower(path) =~ '^/(axx)x*$'\n"
                                   "    set_header: { X-1: \"uri =~ 'x' ? uri + '1' : ''\", X-2: \"uri + "
                                   "'2'\", X-3: \"uri + '3'\", X-4: \"uri + '4'\",\n"
                                   "      X-5: \"uri + '5'\", X-6: \"$1 + '6'\" }\n"));
    ck_assert(slice_equal(field_value(find(&request, "X-6")), SLICE("axx6")));
}
END_TEST

/* ---- the index ---- */

static unsigned chance(unsigned below)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % below;
}

/* One of many conditions, of which some can be looked up, and what tells that it held. */
static void write_rule(struct text *list)
{
    static const char *const whens[] = {
        "host == 'h%u.example'",
        "'h%u.example' == host && path != '/p%u/x'",
        "starts_with(path, '/p%u/')",
        "starts_with(path, '/p%u') && ends_with(host, '%u.example')",
        "ends_with(host, '%u.example')",
        "in_net(src, '10.%u.0.0/16', '10.0.%u.0/24')",
        "host == 'h%u.example' || path == '/p%u/x'",
        "host != 'h%u.example' && path == '/p%u/x'",
        "!starts_with(path, '/p%u/')",
        "host == 'h%u.example' ? path == '/p%u/x' : src == '10.0.0.1'",
        "host in ('h%u.example', 'h%u.example')",
        "true",
    };
    text_puts(list, "  - { when: \"");
    text_printf(list, whens[chance(ARRAY_LEN(whens))], chance(15), chance(15));
    if (chance(20) == 0)
        text_printf(list, "\", set_path: \"'/p%u/x'", chance(15));
    text_puts(list, "\", log: path }\n");
}

static void ask(unsigned host, unsigned path, unsigned net)
{
    static char name[32], target[32], address[32];
    snprintf(name, sizeof name, "h%u.example", host);
    snprintf(target, sizeof target, path % 4 ? "/p%u/x" : "/p%u", path);
    snprintf(address, sizeof address, "10.%u.%u.1", net, net % 3);
    request.host = slice_of(name);
    request.path = slice_of(target);
    ck_assert(ip_parse(slice_of(address), &subject.src));
}

/* Who observes is told each condition, so that none is passed over. */
static void expect_the_same_without_an_index(const struct rule_list *list, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        unsigned host = chance(20), path = chance(20), net = chance(20);
        ask(host, path, net);
        rules_decide(list, &subject, &world, &observer, &out);
        struct text all = logged;
        logged = (struct text){0};
        ask(host, path, net);
        rules_decide(list, &subject, &world, NULL, &out);
        ck_assert_str_eq(text_str(&logged), text_str(&all));
        text_free(&all);
        text_free(&logged);
        text_free(&told);
    }
}

START_TEST(an_index_changes_nothing)
{
    static const unsigned sizes[] = {5, 64, 65, 200, RULES_INDEXED_MAX + 100};
    struct text list = {0};
    for (unsigned i = 0; i < sizes[_i]; i++)
        write_rule(&list);
    const struct rule_list *rules_list = rules("http_condition", text_str(&list));
    text_free(&list);
    ck_assert(sizes[_i] < 64 || rules_list->index);
    expect_the_same_without_an_index(rules_list, sizes[_i] > 1000 ? 5 : 300);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http rules");
    TCase *c = tcase_create("lists");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, each_step_is_told);
    tcase_add_test(c, a_list_that_comes_to_its_end_decides_nothing);
    tcase_add_test(c, texts_of_variables_outlive_what_they_were_made_of);
    tcase_add_test(c, a_field_is_replaced_in_its_place);
    tcase_add_test(c, a_changed_line_is_not_passed_on_as_it_came);
    tcase_add_test(c, a_redirect_s_line_stands_ready);
    tcase_add_test(c, what_can_t_be_used_fails_in_words);
    tcase_add_test(c, an_action_s_own_match_is_not_seen_by_the_others);
    tcase_add_test(c, there_is_room_left_for_noxy_s_own_fields);
    tcase_add_test(c, rules_of_responses_change_responses);
    tcase_add_test(c, a_switch_of_protocols_stays_one);
    tcase_add_test(c, prefixes_spare_what_frames_a_message);
    tcase_add_test(c, a_condition_sees_what_a_header_was_set_to_after_it_was_looked_at);
    tcase_add_test(c, one_field_sees_what_the_one_before_it_was_set_to);
    tcase_add_test(c, a_list_may_make_more_text_than_one_rule_can);
    tcase_add_test(c, a_server_s_name_outlives_the_texts_of_later_rules);
    tcase_add_test(c, captures_live_as_long_as_their_rule);
    tcase_add_test(c, captures_end_with_their_rule_even_if_it_did_not_hold);
    tcase_add_loop_test(c, an_index_changes_nothing, 0, 5);
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
