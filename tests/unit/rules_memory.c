/*
 * rules_memory.c: the memory of runs, without the evaluator.
 */
#include <stdarg.h>
#include <stdio.h>

#include "rules/rules.h"

char *rules_alloc(struct rules_run *run, size_t len)
{
    if (len > (size_t)(run->memory + RULES_MEMORY - run->next)) {
        rules_fail(run, "the texts of one run are too long");
        return NULL;
    }
    char *piece = run->next;
    run->next += len;
    return piece;
}

void rules_fail(struct rules_run *run, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(run->failure, sizeof run->failure, fmt, ap);
    va_end(ap);
}
