/*
 * messages.c: what checks and setters report.
 */
#include <stdarg.h>
#include <stdio.h>

#include "conf/table.h"

enum { MESSAGE_MAX = 1024 };

static void report(struct conf_load *l, enum conf_severity severity, const struct conf_place *at,
                   const char *hint, const char *fmt, va_list ap)
{
    char text[MESSAGE_MAX];
    vsnprintf(text, sizeof text, fmt, ap);
    conf_report_add(&l->report, severity, at, hint, "%s", text);
}

void conf_error(struct conf_load *l, const struct conf_node *at, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(l, CONF_ERROR, at ? &at->place : NULL, hint, fmt, ap);
    va_end(ap);
}

void conf_warning(struct conf_load *l, const struct conf_node *at, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(l, CONF_WARNING, at ? &at->place : NULL, hint, fmt, ap);
    va_end(ap);
}

void conf_notice(struct conf_load *l, const struct conf_node *at, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(l, CONF_NOTICE, at ? &at->place : NULL, hint, fmt, ap);
    va_end(ap);
}

void conf_error_at(struct conf_load *l, struct conf_place at, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(l, CONF_ERROR, &at, hint, fmt, ap);
    va_end(ap);
}

void conf_warning_at(struct conf_load *l, struct conf_place at, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(l, CONF_WARNING, &at, hint, fmt, ap);
    va_end(ap);
}

void conf_notice_at(struct conf_load *l, struct conf_place at, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(l, CONF_NOTICE, &at, hint, fmt, ap);
    va_end(ap);
}
