#include <stdint.h>
#include <string.h>

#include "log/escape.h"
#include "log/log.h"

size_t escape_utf8_len(const char *bytes, size_t len)
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

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != 0x7f && c != '\\' && c != '"';
}

size_t log_escape(char *out, size_t size, const char *bytes, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;
    while (len > 0) {
        size_t whole = escape_utf8_len(bytes, len);
        if (whole == 0 || (whole == 1 && !is_plain((unsigned char)*bytes))) {
            if (used + 4 > size)
                break;
            unsigned char c = (unsigned char)*bytes;
            memcpy(out + used, (char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, 4);
            used += 4;
            whole = 1;
        } else {
            if (used + whole > size)
                break;
            memcpy(out + used, bytes, whole);
            used += whole;
        }
        bytes += whole;
        len -= whole;
    }
    return used;
}

/* What JSON has a short escape for (RFC 8259, 7). */
static char short_escape(char c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *at = c ? strchr(from, c) : NULL;
    return at ? to[at - from] : '\0';
}

size_t escape_json(char *out, size_t size, const char *bytes, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;
    while (len > 0) {
        size_t whole = escape_utf8_len(bytes, len), room = size - used;
        char piece[8];
        size_t piece_len = whole;
        unsigned char c = (unsigned char)*bytes;
        if (whole == 0) {
            memcpy(piece, "\\ufffd", piece_len = 6);
            whole = 1;
        } else if (whole == 1 && short_escape(*bytes)) {
            piece[0] = '\\';
            piece[1] = short_escape(*bytes);
            piece_len = 2;
        } else if (whole == 1 && (c < 0x20 || c == 0x7f)) {
            memcpy(piece, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, piece_len = 6);
        } else {
            memcpy(piece, bytes, whole);
        }
        if (piece_len > room)
            break;
        memcpy(out + used, piece, piece_len);
        used += piece_len;
        bytes += whole;
        len -= whole;
    }
    return used;
}
