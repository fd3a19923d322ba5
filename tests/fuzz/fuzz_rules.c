/*
 * libFuzzer's target for expressions of conditions: what compiles prints to a
 * form that compiles to the same, and decides the same with and without a
 * trace. contrib/fuzz searches; the seed files are run once with `make check`
 * (seeds.c).
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "rules_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void ignore(struct rules_trace *t, const char *what, enum rules_type type, const struct rules_value *v)
{
    (void)t, (void)what, (void)type, (void)v;
}

static const struct rules_expression *compile(struct bench *b, const char *text)
{
    const struct conf_node node = {.kind = CONF_SCALAR, .text = text};
    const struct rules_expression *e = rules_compile(b->scope, &b->load, &node, RULES_TYPE_COUNT);
    if (!e != (b->load.report.errors != 0))
        __builtin_trap();
    return e;
}

/* The bool that it gives, or 2 where it fails. */
static int run(struct bench *b, const struct rules_expression *e, struct rules_trace *trace)
{
    struct rules_value v;
    b->sample.ticks = 0;
    rules_begin(&b->run, b->scope, &b->sample, trace);
    rules_value(e, &b->run, &v);
    if (rules_failed(&b->run))
        return 2;
    rules_print_value(&b->run, rules_type_of(e), &v);
    return rules_type_of(e) == RULES_BOOL && v.boolean;
}

static void print_again(struct bench *b, const struct rules_expression *e)
{
    struct text first = {0}, second = {0};
    rules_print(e, &first);
    /* A text that became too long, or has a NUL in it, can't stand in a file. */
    if (first.len <= 16384 && !memchr(first.data, '\0', first.len)) {
        const struct rules_expression *again = compile(b, text_str(&first));
        if (!again || rules_type_of(again) != rules_type_of(e))
            __builtin_trap();
        rules_print(again, &second);
        if (strcmp(text_str(&first), text_str(&second)) != 0 || run(b, e, NULL) != run(b, again, NULL))
            __builtin_trap();
    }
    text_free(&first);
    text_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct bench *b = bench_new(RULES_AT_RESPONSE);
    struct rules_trace trace = {ignore};
    char *text = memory_zalloc(len + 1);
    if (len)
        memcpy(text, bytes, len);
    const struct rules_expression *e = compile(b, text);
    if (e) {
        if (run(b, e, NULL) != run(b, e, &trace))
            __builtin_trap();
        print_again(b, e);
    }
    free(text);
    bench_free(b);
    return 0;
}
