/*
 * strings.c: JSON of what requests and configurations hold.
 */
#include <stdarg.h>

#include "explain/parts.h"

json_t *part_string(struct slice s)
{
    json_t *string = json_stringn(s.len ? s.ptr : "", s.len);
    if (string)
        return string;
    struct text ascii = {0};
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x80)
            text_add(&ascii, &s.ptr[i], 1);
        else
            text_printf(&ascii, "\\x%02x", (unsigned char)s.ptr[i]);
    string = json_stringn(text_str(&ascii), ascii.len);
    text_free(&ascii);
    return string;
}

json_t *part_text(const char *s)
{
    return s ? part_string(slice_of(s)) : json_null();
}

json_t *part_printf(const char *fmt, ...)
{
    struct text t = {0};
    va_list ap;
    va_start(ap, fmt);
    text_vprintf(&t, fmt, ap);
    va_end(ap);
    json_t *string = part_text(text_str(&t));
    text_free(&t);
    return string;
}

json_t *part_ip(struct ip ip)
{
    char text[ADDRESS_TEXT_MAX];
    return ip_print(ip, text) ? json_string(text) : json_null();
}

void part_set(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value);
}
