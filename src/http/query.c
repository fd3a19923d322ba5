#include "http/query.h"

/* -1: no hexadecimal digit. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes one byte off `*s`, which isn't empty: an escape counts as what it stands for. */
static char take_byte(struct slice *s)
{
    char c = *s->ptr == '+' ? ' ' : *s->ptr;
    size_t used = 1;
    if (c == '%' && s->len >= 3) {
        int high = hex_value(s->ptr[1]), low = hex_value(s->ptr[2]);
        if (high >= 0 && low >= 0) {
            c = (char)(high << 4 | low);
            used = 3;
        }
    }
    *s = (struct slice){s->ptr + used, s->len - used};
    return c;
}

bool query_is_plain(struct slice encoded)
{
    return encoded.len == 0 ||
           (!memchr(encoded.ptr, '%', encoded.len) && !memchr(encoded.ptr, '+', encoded.len));
}

size_t query_decode(struct slice encoded, char *out)
{
    size_t len = 0;
    while (encoded.len > 0)
        out[len++] = take_byte(&encoded);
    return len;
}

static bool is_name(struct slice encoded, struct slice name)
{
    while (encoded.len > 0 && name.len > 0) {
        if (take_byte(&encoded) != *name.ptr)
            return false;
        name.ptr++, name.len--;
    }
    return encoded.len == 0 && name.len == 0;
}

bool query_next(struct slice *rest, struct slice name, struct slice *value)
{
    while (rest->len > 0) {
        const char *end = memchr(rest->ptr, '&', rest->len);
        struct slice pair = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
        size_t used = pair.len + (end != NULL);
        *rest = (struct slice){rest->ptr + used, rest->len - used};
        const char *equal = pair.len ? memchr(pair.ptr, '=', pair.len) : NULL;
        size_t name_len = equal ? (size_t)(equal - pair.ptr) : pair.len;
        if (!is_name((struct slice){pair.ptr, name_len}, name))
            continue;
        *value = equal ? (struct slice){equal + 1, pair.len - name_len - 1} : SLICE("");
        return true;
    }
    return false;
}
