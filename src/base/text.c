#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void reserve(struct text *t, size_t more)
{
    if (t->size - t->len > more)
        return;
    size_t size = MAX(t->size * 2, t->len + more + 64);
    t->data = memory_realloc(t->data, size);
    t->size = size;
}

void text_add(struct text *t, const char *bytes, size_t len)
{
    reserve(t, len + 1);
    if (len)
        memcpy(t->data + t->len, bytes, len);
    t->len += len;
    t->data[t->len] = '\0';
}

void text_puts(struct text *t, const char *string)
{
    text_add(t, string, strlen(string));
}

void text_vprintf(struct text *t, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    if (len > 0) {
        reserve(t, (size_t)len + 1);
        vsnprintf(t->data + t->len, (size_t)len + 1, fmt, again);
        t->len += (size_t)len;
    }
    va_end(again);
}

void text_printf(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    text_vprintf(t, fmt, ap);
    va_end(ap);
}

void text_free(struct text *t)
{
    free(t->data);
    *t = (struct text){0};
}
