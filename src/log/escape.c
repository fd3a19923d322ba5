#include "log/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "log/log.h"

static const char hex[] = "0123456789abcdef";

/* Of the well-formed, printable UTF-8 character that `bytes` (len > 0) begins with; 0: none. ASCII is 1. */
static size_t utf8_len(const char *bytes, size_t len)
{
    const unsigned char *p = (const unsigned char *)bytes;
    size_t need = p[0] < 0x80                   ? 1
                  : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                  : (p[0] & 0xf0) == 0xe0       ? 3
                  : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                                : 0;
    if (need == 0 || need > len)
        return 0;
    for (size_t i = 1; i < need; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong forms, surrogates, beyond U+10FFFF, and the C1 control characters (RFC 3629). */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f) || (p[0] == 0xc2 && p[1] < 0xa0))
        return 0;
    return need;
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Adds a piece that stands for the first `taken` bytes of `in`, if there is room. */
static bool put(char *out, size_t size, size_t *used, const char *piece, size_t len, struct slice *in,
                size_t taken)
{
    if (len > size - *used)
        return false;
    memcpy(out + *used, piece, len);
    *used += len;
    in->ptr += taken;
    in->len -= taken;
    return true;
}

size_t escape_text(char *out, size_t size, struct slice *in, const char *also)
{
    size_t used = 0;
    bool fits = true;
    while (in->len > 0 && fits) {
        size_t whole = utf8_len(in->ptr, in->len);
        unsigned char c = (unsigned char)in->ptr[0];
        const char escape[] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
        if (whole == 0 || (whole == 1 && (is_control(in->ptr[0]) || strchr(also, c))))
            fits = put(out, size, &used, escape, sizeof escape, in, 1);
        else
            fits = put(out, size, &used, in->ptr, whole, in, whole);
    }
    return used;
}

size_t log_escape(char *out, size_t size, const char *bytes, size_t len)
{
    struct slice in = {bytes, len};
    return escape_text(out, size, &in, "\"\\");
}

/* What JSON has a short escape for (RFC 8259, 7). */
static char short_escape(char c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *at = c ? strchr(from, c) : NULL;
    return at ? to[at - from] : '\0';
}

size_t escape_json(char *out, size_t size, struct slice *in)
{
    size_t used = 0;
    bool fits = true;
    while (in->len > 0 && fits) {
        size_t whole = utf8_len(in->ptr, in->len);
        unsigned char c = (unsigned char)in->ptr[0];
        const char brief[] = {'\\', short_escape(in->ptr[0])};
        const char code[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        if (whole == 0)
            fits = put(out, size, &used, "\\ufffd", 6, in, 1);
        else if (brief[1])
            fits = put(out, size, &used, brief, sizeof brief, in, 1);
        else if (is_control(in->ptr[0]))
            fits = put(out, size, &used, code, sizeof code, in, 1);
        else
            fits = put(out, size, &used, in->ptr, whole, in, whole);
    }
    return used;
}
