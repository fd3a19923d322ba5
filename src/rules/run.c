/*
 * run.c: runs, and what the functions of a run use.
 */
#include <stdarg.h>
#include <stdio.h>

#include "rules/scope.h"

static size_t aligned(size_t len)
{
    return (len + _Alignof(struct rules_value) - 1) & ~(_Alignof(struct rules_value) - 1);
}

/* The bytes of memory up to the end of what the captures are part of. */
static size_t captured(const struct rules_run *run)
{
    uintptr_t start = (uintptr_t)run->memory;
    size_t len = 0;
    for (unsigned i = 0; run->captured && i < RULES_CAPTURES; i++) {
        size_t at = (uintptr_t)run->captures[i].ptr - start; /* of one elsewhere: beyond the memory */
        if (at < sizeof run->memory)
            len = MAX(len, at + run->captures[i].len);
    }
    return len;
}

void rules_forget(struct rules_run *run)
{
    memset(run->known, 0, sizeof run->known);
    run->sifted = false;
    if (run->next != run->memory)
        run->next = run->memory + aligned(captured(run));
}

void rules_forget_captures(struct rules_run *run)
{
    for (unsigned i = 0; i < RULES_CAPTURES; i++)
        run->captures[i] = (struct slice){"", 0};
}

void rules_begin(struct rules_run *run, const struct rules_scope *scope, void *subject,
                 struct rules_trace *trace)
{
    run->subject = subject;
    run->trace = trace;
    run->failure[0] = '\0';
    run->next = run->memory;
    run->captured = scope->captures;
    if (run->captured)
        rules_forget_captures(run);
    rules_forget(run);
}

char *rules_alloc(struct rules_run *run, size_t len)
{
    size_t left = (size_t)(run->memory + sizeof run->memory - run->next);
    size_t need = aligned(len);
    if (len > left || need > left) {
        rules_fail(run, "the texts of one rule are longer than %d KiB", RULES_MEMORY / 1024);
        return NULL;
    }
    char *p = run->next;
    run->next += need;
    return p;
}

void rules_fail(struct rules_run *run, const char *fmt, ...)
{
    va_list ap;
    if (rules_failed(run))
        return;
    va_start(ap, fmt);
    vsnprintf(run->failure, sizeof run->failure, fmt, ap);
    va_end(ap);
}
