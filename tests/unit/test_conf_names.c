/*
 * References by name, and the warning about what nothing refers to.
 */
#include "test_conf.h"

#include <string.h>

#define FRONTEND(key) "frontend: { name: f, bind: ':1'" key " }\n"
#define BACKENDS                                                                                             \
    "backend:\n- { name: a, servers: ':1' }\n- { name: b, servers: ':1' }\n- { name: c, servers: ':1' }\n"

/* The sample's sections, whose backends want to be used. */
static struct conf_section backends;
static const struct conf_section *sections[] = {NULL, NULL, NULL, NULL, NULL};

static struct conf_load l;

static void load(const char *yaml)
{
    for (size_t i = 0; i < 3; i++)
        sections[i] = sample_sections[i];
    backends = *sample_sections[3];
    backends.unused = "use it";
    sections[3] = &backends;
    ck_assert_int_eq(conf_load_bytes(&l, "t.yaml", yaml, strlen(yaml), sections), 0);
}

/* Ends the load with these messages. */
static void expect(const char *lines)
{
    struct text out = {0};
    for (uint32_t i = 0; i < l.report.count; i++) {
        conf_message_print_line(&l.report.messages[i], &out);
        text_puts(&out, "\n");
    }
    ck_assert_str_eq(text_str(&out), lines);
    text_free(&out);
    conf_load_free(&l);
}

START_TEST(what_nothing_uses_is_warned_of)
{
    load(FRONTEND(", use_backend: b") BACKENDS);
    conf_warn_unused(&l);
    ck_assert_uint_eq(l.report.messages[0].severity, CONF_WARNING);
    expect("t.yaml:3:3: nothing uses backend \"a\" (use it)\n"
           "t.yaml:5:3: nothing uses backend \"c\" (use it)\n");
}
END_TEST

START_TEST(a_section_without_the_hint_is_not)
{
    test_load_valid(&l, FRONTEND("") BACKENDS);
    conf_warn_unused(&l);
    expect("");
}
END_TEST

START_TEST(others_tell_what_they_use)
{
    load(FRONTEND("") BACKENDS);
    conf_object_used(&l, "backend", "a");
    conf_object_used(&l, "backend", "c");
    conf_object_used(&l, "backend", "unknown");
    conf_object_used(&l, "nowhere", "a");
    conf_warn_unused(&l);
    expect("t.yaml:4:3: nothing uses backend \"b\" (use it)\n");
}
END_TEST

START_TEST(a_name_known_at_run_time_only_may_be_any)
{
    load(FRONTEND("") BACKENDS);
    conf_object_used(&l, "backend", NULL);
    conf_warn_unused(&l);
    expect("");
}
END_TEST

START_TEST(an_object_is_found_by_its_name)
{
    load(FRONTEND("") BACKENDS);
    ck_assert_str_eq(conf_object_find(&l, "backend", "b")->name, "b");
    ck_assert_ptr_eq(conf_object_find(&l, "backend", "b")->structure, test_object(&l, "backend", 1));
    ck_assert_ptr_null(conf_object_find(&l, "backend", "d"));
    ck_assert_ptr_null(conf_object_find(&l, "nowhere", "b"));
    ck_assert_ptr_null(conf_object_find(&l, "defaults", "b"));
    expect("");
}
END_TEST

/* ---- references from inside of a text, as an expression has them ---- */

static struct sample_backend *found;

/* A name behind a '+'. */
static int set_text(struct conf_load *load, const struct conf_key *key, const struct conf_node *node,
                    void *field, struct error *err)
{
    (void)key, (void)field, (void)err;
    conf_refer(load, "backend", node->text + 1, conf_node_place(node, 1, strlen(node->text) - 1),
               (void **)&found);
    conf_refer(load, "backend", node->text + 1, conf_node_place(node, 1, strlen(node->text) - 1), NULL);
    return 0;
}

static void load_text(const char *yaml)
{
    static const struct conf_type type = {.name = "reference", .set = set_text};
    static const struct conf_key keys[] = {{.name = "text", .type = &type, .doc = "A reference."}, {0}};
    static const struct conf_table table = {.doc = "Texts.", .keys = keys, .size = 8};
    static const struct conf_table *const tables[] = {&table, NULL};
    static const struct conf_section texts = {.name = "texts", .doc = "Texts.", .tables = tables};
    sections[0] = &texts;
    sections[1] = sample_sections[1];
    sections[2] = sample_sections[2];
    backends = *sample_sections[3];
    backends.unused = "use it";
    sections[3] = &backends;
    conf_load_bytes(&l, "t.yaml", yaml, strlen(yaml), sections);
}

START_TEST(a_name_in_a_text_is_a_reference)
{
    load_text("texts: { text: '+c' }\n" FRONTEND(", use_backend: a") BACKENDS);
    ck_assert_ptr_eq(found, test_object(&l, "backend", 2));
    conf_warn_unused(&l);
    expect("t.yaml:5:3: nothing uses backend \"b\" (use it)\n");
}
END_TEST

START_TEST(one_that_leads_nowhere_is_reported_there)
{
    load_text("texts: { text: '+bcd' }\n" FRONTEND("") BACKENDS);
    struct text out = {0};
    conf_report_print(&l.report, CONF_ERROR, &out);
    ck_assert_str_eq(text_str(&out), "t.yaml:1:18: there is no backend \"bcd\"\n"
                                     "    1 | texts: { text: '+bcd' }\n      |                  ^~~\n"
                                     "      = there is a, b, c\n");
    text_free(&out);
    conf_load_free(&l);
}
END_TEST

TCase *conf_names_tests(void)
{
    TCase *tests = tcase_create("names");
    tcase_add_test(tests, what_nothing_uses_is_warned_of);
    tcase_add_test(tests, a_section_without_the_hint_is_not);
    tcase_add_test(tests, others_tell_what_they_use);
    tcase_add_test(tests, a_name_known_at_run_time_only_may_be_any);
    tcase_add_test(tests, an_object_is_found_by_its_name);
    tcase_add_test(tests, a_name_in_a_text_is_a_reference);
    tcase_add_test(tests, one_that_leads_nowhere_is_reported_there);
    return tests;
}
