#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, const char *fmt, ...)
{
    if (!err)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return -1;
}

int error_set_errno(struct error *err, const char *fmt, ...)
{
    const char *why = strerrordesc_np(errno);
    if (!err)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    if (len >= 0 && (size_t)len < sizeof err->text)
        snprintf(err->text + len, sizeof err->text - (size_t)len, ": %s", why ? why : "unknown error");
    return -1;
}
