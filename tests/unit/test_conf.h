/*
 * test_conf.h: what the tests of conf/ share.
 */
#ifndef NOXY_TESTS_TEST_CONF_H
#define NOXY_TESTS_TEST_CONF_H

#include <check.h>

#include "conf_sample.h"

TCase *conf_fuzz_tests(void);
TCase *conf_include_tests(void);
TCase *conf_load_tests(void);
TCase *conf_names_tests(void);
TCase *conf_parse_tests(void);
TCase *conf_place_tests(void);
TCase *conf_reference_tests(void);
TCase *conf_report_tests(void);
TCase *conf_table_tests(void);
TCase *conf_units_tests(void);

/* Loads `yaml` as the file t.yaml of the sample language; the caller frees it. */
int test_load(struct conf_load *l, const char *yaml);
/* Loads it and expects it to be valid. */
void test_load_valid(struct conf_load *l, const char *yaml);
/* Loads it and expects exactly these messages of a severity, one a line as in the log; "" for none. */
void test_expect(const char *yaml, enum conf_severity severity, const char *lines);
/* The same with a `frontend` behind the text that makes it complete. */
void test_expect_errors(const char *yaml, const char *lines);

/* The one object of a section, or that at an index. */
const void *test_object(const struct conf_load *l, const char *section, uint32_t index);

#endif
