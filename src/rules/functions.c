#include "rules/functions.h"

const struct rules_function *const rules_functions[] = {
    rules_string_functions, rules_regex_functions, rules_address_functions, rules_coding_functions,
    rules_path_functions,   rules_hash_functions,  rules_file_functions,    NULL,
};

const char rules_prepared[] = "prepared";

bool rules_read_int(struct slice text, int64_t *out)
{
    bool minus = text.len && text.ptr[0] == '-';
    size_t i = minus || (text.len && text.ptr[0] == '+');
    int64_t n = 0;
    if (i == text.len)
        return false;
    /* Downwards, since the smallest number has no counterpart above zero. */
    for (; i < text.len; i++) {
        unsigned digit = (unsigned)(text.ptr[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, (int64_t)digit, &n))
            return false;
    }
    return minus ? (*out = n, true) : !__builtin_sub_overflow((int64_t)0, n, out);
}

bool rules_is_unreserved(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

/* 0 to 15; -1: no hexadecimal digit. */
static int hex_value(char c)
{
    int small = c | 0x20;
    return c >= '0' && c <= '9' ? c - '0' : small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

int rules_hex_byte(const char *at)
{
    int high = hex_value(at[0]), low = hex_value(at[1]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}
