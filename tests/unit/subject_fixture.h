/*
 * subject_fixture.h: a request, a response and a run, and short ways to ask
 * variables and functions of them. What the message points to is memory of
 * exactly its size, so that the sanitizer sees who reads beyond it.
 */
#ifndef NOXY_TESTS_SUBJECT_FIXTURE_H
#define NOXY_TESTS_SUBJECT_FIXTURE_H

#include "http/subject.h"
#include "rules/rules.h"

extern struct http_subject subject;
extern struct rules_run run;
extern struct message request, response;

/* For each test: GET / HTTP/1.1 without fields, an empty response 200. */
void subject_setup(void);
void subject_teardown(void);

/* Memory of its own, until teardown. */
char *exact_space(size_t len);
struct slice exact_bytes(const char *bytes, size_t len);
struct slice exact(const char *text);
/* Adds "Name: value". */
void add_field(struct message *m, const char *line);
/* Marks all of that name as dropped, as actions do. */
void drop_field(struct message *m, const char *name);

/* NULL: there is no such row. */
const struct rules_variable *find_variable(const char *name);
const struct rules_function *find_function(const char *name);

struct slice string_of(const char *variable);
int64_t number_of(const char *variable);
struct ip ip_of(const char *variable);

struct slice string_call(const char *function, const char *name);
int64_t number_call(const char *function, const char *name);
bool bool_call(const char *function, const char *name);
/* Of strings. */
const struct rules_list *list_call(const char *function, const char *name);
/* The error of prepare(), "" if it takes the name. */
const char *refusal(const char *function, const char *name);

/* A string, and where it lies: in `whole`? */
#define ck_slice_eq(got, text) ck_assert(slice_equal_or_tell((got), (text), sizeof(text) - 1))
#define ck_slice_of(got, whole)                                                                              \
    ck_assert((got).ptr >= (whole).ptr && (got).ptr + (got).len <= (whole).ptr + (whole).len)
bool slice_equal_or_tell(struct slice got, const char *want, size_t len);

#endif
