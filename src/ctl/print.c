#include "ctl/print.h"

#include <stdbool.h>
#include <string.h>

/* Bytes of the printable character at `s`; 0: it is a control character or no UTF-8 (RFC 3629, 4). */
static size_t printable(const unsigned char *s)
{
    static const struct {
        unsigned char low, high, second_low, second_high;
        size_t len;
    } forms[] = {
        {0xc2, 0xc2, 0xa0, 0xbf, 2}, /* C2 80 to C2 9F are the control characters C1 */
        {0xc3, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    if (s[0] < 0x80)
        return (s[0] >= ' ' && s[0] != 0x7f) || s[0] == '\t';
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (s[0] < forms[i].low || s[0] > forms[i].high)
            continue;
        if (s[1] < forms[i].second_low || s[1] > forms[i].second_high)
            return 0;
        for (size_t k = 2; k < forms[i].len; k++)
            if ((s[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].len;
    }
    return 0;
}

void print_lines(FILE *to, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    bool at_start = true;
    while (*s) {
        size_t len = printable(s);
        if (at_start && s[0] == ' ' && s[1] == '\n')
            len = 1;
        else if (*s == '\n')
            putc('\n', to), len = 1;
        else if (len)
            fwrite(s, 1, len, to);
        else
            fprintf(to, "\\x%02x", *s), len = 1;
        at_start = *s == '\n';
        s += len;
    }
}
