/*
 * pen.h: text that is written twice by the same function: once to learn how
 * long it gets, and then into memory of just that length.
 */
#ifndef NOXY_HTTP_PEN_H
#define NOXY_HTTP_PEN_H

#include "base/slice.h"

struct pen {
    char *to; /* NULL: only measured */
    size_t len;
};

static inline void pen_put(struct pen *p, struct slice s)
{
    if (p->to && s.len)
        memcpy(p->to + p->len, s.ptr, s.len);
    p->len += s.len;
}

#endif
