/*
 * functions_fixture.h: expressions compiled and evaluated for the tests of
 * functions, in a directory of files of their own.
 */
#ifndef NOXY_TESTS_FUNCTIONS_FIXTURE_H
#define NOXY_TESTS_FUNCTIONS_FIXTURE_H

#include <check.h>
#include <stdint.h>

#include "rules/functions.h"
#include "rules/rules.h"

/* Fixtures of a test: an empty directory, where relative names of files start. */
void rules_make_directory(void);
void rules_remove_directory(void);
const char *rules_directory(void);
void rules_write_file(const char *name, const char *bytes, size_t len);
/* A file of `len` NUL bytes that takes no room. */
void rules_write_hole(const char *name, long len);
#define RULES_WRITE(name, literal) rules_write_file((name), (literal), sizeof(literal) - 1)

struct rules_check {
    const char *expression;
    const char
        *value; /* as sprintf('%s') prints it; of an expression that is wrong: part of what is reported */
    size_t len; /* of a value with NUL bytes; 0: that of the string */
};

/*
 * Evaluates it twice: with what is constant worked out when it is compiled, and with nothing so. Both must
 * give the value. The test language has the variables text ("Hello, World"), nul ("a\0b"), none (a string
 * without bytes), long (20000 x), n (7), low (the smallest int), peer (192.0.2.7), peer6 (2001:db8::7) and
 * nobody (no address).
 */
void rules_expect(struct rules_check want);
/* Its compilation must fail, with what is reported holding `want.value`. */
void rules_expect_error(struct rules_check want);
/* Its evaluation must fail for that reason (or a longer one that it is part of). */
void rules_expect_failure(struct rules_check want);

/* The int of an expression at run time. */
int64_t rules_number(const char *expression);

/* All messages of a severity when the expression is compiled, one a line; the caller frees them. */
char *rules_messages(const char *expression, enum conf_severity severity);

/* test_rules_files.c */
TCase *rules_files_tests(void);

#endif
