/*
 * chars.h: the classes of bytes that HTTP's grammar knows (RFC 9110, 5.6.2
 * and 5.5; RFC 3986).
 */
#ifndef NOXY_HTTP_CHARS_H
#define NOXY_HTTP_CHARS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum char_class {
    CHAR_TOKEN = 1,  /* names, methods */
    CHAR_VALUE = 2,  /* field values: visible, space, tab, obs-text */
    CHAR_TARGET = 4, /* a request's target: visible ASCII but "#" */
    CHAR_HOST = 8,   /* a host: letters, digits, "-._~%!$&'()*+,;=", and "[]:" which are checked apart */
};

extern const uint8_t char_classes[256];

static inline bool chars_all(struct slice s, enum char_class class)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(char_classes[(unsigned char)s.ptr[i]] & class))
            return false;
    return true;
}

#endif
