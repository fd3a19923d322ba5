#include "test_conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int test_load(struct conf_load *l, const char *yaml)
{
    return conf_load_bytes(l, "t.yaml", yaml, strlen(yaml), sample_sections);
}

void test_load_valid(struct conf_load *l, const char *yaml)
{
    struct text out = {0};
    int rc = test_load(l, yaml);
    conf_report_print(&l->report, CONF_ERROR, &out);
    ck_assert_str_eq(text_str(&out), "");
    ck_assert_int_eq(rc, 0);
    text_free(&out);
}

void test_expect(const char *yaml, enum conf_severity severity, const char *lines)
{
    struct conf_load l;
    struct text out = {0};
    int rc = test_load(&l, yaml);
    for (uint32_t i = 0; i < l.report.count; i++) {
        if (l.report.messages[i].severity != severity)
            continue;
        conf_message_print_line(&l.report.messages[i], &out);
        text_puts(&out, "\n");
    }
    ck_assert_str_eq(text_str(&out), lines);
    ck_assert_int_eq(rc, l.report.errors ? -1 : 0);
    text_free(&out);
    conf_load_free(&l);
}

void test_expect_errors(const char *yaml, const char *lines)
{
    struct text whole = {0};
    text_puts(&whole, yaml);
    text_puts(&whole, "frontend: { name: rest, bind: \":1\" }\n");
    test_expect(text_str(&whole), CONF_ERROR, lines);
    text_free(&whole);
}

const void *test_object(const struct conf_load *l, const char *section, uint32_t index)
{
    uint32_t count;
    const struct conf_object *objects = conf_load_objects(l, section, &count);
    ck_assert_uint_lt(index, count);
    return objects[index].structure;
}

int main(void)
{
    Suite *suite = suite_create("conf");
    suite_add_tcase(suite, conf_units_tests());
    suite_add_tcase(suite, conf_report_tests());
    suite_add_tcase(suite, conf_parse_tests());
    suite_add_tcase(suite, conf_place_tests());
    suite_add_tcase(suite, conf_table_tests());
    suite_add_tcase(suite, conf_load_tests());
    suite_add_tcase(suite, conf_include_tests());
    suite_add_tcase(suite, conf_names_tests());
    suite_add_tcase(suite, conf_reference_tests());
    suite_add_tcase(suite, conf_fuzz_tests());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
