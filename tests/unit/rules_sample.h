/*
 * rules_sample.h: a small language for the tests of the room rules, with a
 * message of a few texts, and ways to compile and run its expressions.
 */
#ifndef NOXY_TEST_RULES_SAMPLE_H
#define NOXY_TEST_RULES_SAMPLE_H

#include "rules/rules.h"

/* What its variables look at. */
struct sample {
    const char *host, *path, *agent;
    int64_t status;
    const char *src;
    bool secure;
    const struct rules_list *tags;
    int64_t ticks;                  /* of the volatile variable "tick" */
    unsigned asked_host, asked_len; /* how often variable and function worked */
};

extern unsigned sample_prepared; /* how often mask() was prepared */
extern const struct rules_language sample_language;

/* A scope with its load. */
struct bench {
    struct conf_load load;
    struct rules_scope *scope;
    struct rules_run run;
    struct rules_trace trace;
    struct sample sample;
};

struct bench *bench_new(enum rules_stage stage);
void bench_free(struct bench *b);
/* NULL: wrong; the message is then bench_error(). */
const struct rules_expression *bench_compile(struct bench *b, const char *expression, enum rules_type want);
/* "COLUMN+WIDTH: text (hint)" of the one error; "" for none. It is forgotten. */
const char *bench_error(struct bench *b);
/* Begins a run. */
void bench_begin(struct bench *b);

#endif
