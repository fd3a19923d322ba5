/*
 * test_rules.h: what the tests of the room rules share.
 */
#ifndef NOXY_TEST_RULES_H
#define NOXY_TEST_RULES_H

#include <check.h>

#include "rules_sample.h"

TCase *rules_print_tests(void);
TCase *rules_error_tests(void);
TCase *rules_evaluate_tests(void);
TCase *rules_regex_tests(void);
TCase *rules_run_tests(void);

/* "TYPE VALUE" of the expression in the present run, "failed: REASON", or "error: ..." when it is wrong. */
const char *test_value(struct bench *b, const char *expression);
/* The same with what a trace sees before it: "PART=VALUE; ". */
const char *test_told(struct bench *b, const char *expression);
/* The same numbers in each run. */
unsigned test_random(unsigned below);

#endif
