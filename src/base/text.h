/*
 * text.h: a string that grows, for the control plane (answers of the admin
 * socket, error reports, the manual). The data path does not use it.
 */
#ifndef NOXY_BASE_TEXT_H
#define NOXY_BASE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

#include "base/macros.h"

struct text {
    char *data; /* always ended by a NUL once anything was added; NULL before */
    size_t len, size;
};

void text_add(struct text *t, const char *bytes, size_t len);
void text_puts(struct text *t, const char *string);
void text_printf(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_vprintf(struct text *t, const char *fmt, va_list ap);
/* Frees the bytes; the text is empty and usable again. */
void text_free(struct text *t);

/* The string, "" when nothing was added. */
static inline const char *text_str(const struct text *t)
{
    return t->data ? t->data : "";
}

#endif
