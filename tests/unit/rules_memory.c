/*
 * rules_memory.c: the memory of runs, without the evaluator. Each piece has
 * exactly its size, so that the sanitizer sees who writes beyond it; run.next
 * tells how much was asked for.
 */
#include <stdarg.h>
#include <stdio.h>

#include "subject_fixture.h"

char *rules_alloc(struct rules_run *r, size_t len)
{
    if (len > (size_t)(r->memory + RULES_MEMORY - r->next)) {
        rules_fail(r, "the texts of one run are too long");
        return NULL;
    }
    r->next += len;
    return exact_space(len);
}

void rules_fail(struct rules_run *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->failure, sizeof r->failure, fmt, ap);
    va_end(ap);
}
