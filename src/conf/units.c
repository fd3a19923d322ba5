#include "conf/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "conf/table.h"

enum { FRACTION_DIGITS_MAX = 6 };

#define MILLISECOND UINT64_C(1000)
#define SECOND      UINT64_C(1000000)

const struct conf_measure conf_measure_time = {
    .noun = "time",
    .units_help = "a time is in milliseconds, or has a unit: 500ms, 10s, 5m, 1h, 1d",
    .below = "us",
    .bare = MILLISECOND,
    .units = (const struct conf_unit[]){{"ms", MILLISECOND},
                                        {"s", SECOND},
                                        {"m", 60 * SECOND},
                                        {"h", 3600 * SECOND},
                                        {"d", 86400 * SECOND},
                                        {NULL, 0}},
};

const struct conf_measure conf_measure_size = {
    .noun = "size",
    .units_help = "a size is in bytes, or has a unit: 16k, 4m, 1g (1k is 1024 bytes)",
    .below = "",
    .bare = 1,
    .units = (const struct conf_unit[]){{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {NULL, 0}},
};

const struct conf_measure conf_measure_number = {
    .noun = "whole number",
    .units_help = "write digits only",
    .below = "",
    .bare = 1,
    .units = (const struct conf_unit[]){{NULL, 0}},
};

const char *conf_measure_print(const struct conf_measure *m, uint64_t value,
                               char out[static CONF_MEASURE_TEXT])
{
    const struct conf_unit *best = NULL;
    for (const struct conf_unit *u = m->units; u->suffix; u++)
        if (value && value % u->factor == 0)
            best = u;
    if (best)
        snprintf(out, CONF_MEASURE_TEXT, "%" PRIu64 "%s", value / best->factor, best->suffix);
    else
        snprintf(out, CONF_MEASURE_TEXT, "%" PRIu64 "%s", value, value ? m->below : "");
    return out;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The factor of a suffix; 0: there is no such unit. */
static uint64_t find_factor(const struct conf_measure *m, const char *suffix, bool any_case)
{
    if (!*suffix)
        return m->bare;
    for (const struct conf_unit *u = m->units; u->suffix; u++)
        if (any_case ? strcasecmp(u->suffix, suffix) == 0 : strcmp(u->suffix, suffix) == 0)
            return u->factor;
    return 0;
}

/* Digits up to the first other character, to which `text` is moved. False: too large. */
static bool read_digits(const char **text, uint64_t *value)
{
    *value = 0;
    for (; is_digit(**text); ++*text) {
        uint64_t digit = (uint64_t)(**text - '0');
        if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, digit, value))
            return false;
    }
    return true;
}

/* The whole number that a fraction is in a smaller unit: "1.5s" is 1500ms. False: there is none. */
static bool read_fraction(const struct conf_measure *m, uint64_t whole, const char *rest, uint64_t *value)
{
    uint64_t numerator = 0, denominator = 1;
    const char *p = rest + 1;
    for (; is_digit(*p) && p - rest <= FRACTION_DIGITS_MAX; p++) {
        numerator = numerator * 10 + (uint64_t)(*p - '0');
        denominator *= 10;
    }
    uint64_t factor = find_factor(m, p, false), part;
    if (p == rest + 1 || !factor || m == &conf_measure_number ||
        __builtin_mul_overflow(numerator, factor, &part) || part % denominator ||
        __builtin_mul_overflow(whole, factor, value))
        return false;
    return !__builtin_add_overflow(*value, part / denominator, value) && *value % m->bare == 0;
}

/* Says why `text`, a number with something behind it that is no unit, is none. */
static int refuse_suffix(const struct conf_measure *m, const char *text, const char *rest, uint64_t whole,
                         struct error *err, struct error *hint)
{
    char shown[CONF_EXCERPT_SIZE], value_text[CONF_MEASURE_TEXT];
    uint64_t value;
    int digits = (int)(rest - text);
    error_set(hint, "%s", m->units_help);
    if (*rest == '.' && is_digit(rest[1])) {
        if (read_fraction(m, whole, rest, &value))
            error_set(hint, "write %s", conf_measure_print(m, value, value_text));
        return error_set(err, "\"%s\" is a fraction, not a whole number", conf_excerpt(text, shown));
    }
    const char *suffix = rest + strspn(rest, " \t");
    if (*suffix && find_factor(m, suffix, true) && digits < 20) {
        char lower[4] = "";
        for (unsigned i = 0; suffix[i] && i < sizeof lower - 1; i++)
            lower[i] = (char)(suffix[i] | 0x20);
        error_set(hint, "write %.*s%s", digits, text, lower);
    }
    return error_set(err, "\"%s\" is not a %s", conf_excerpt(text, shown), m->noun);
}

int conf_measure_read(const struct conf_measure *m, const char *text, uint64_t *value, struct error *err,
                      struct error *hint)
{
    char shown[CONF_EXCERPT_SIZE];
    const char *rest = text;
    uint64_t number, factor;
    if (hint)
        hint->text[0] = '\0';
    if (*text == '-' && is_digit(text[1])) {
        error_set(hint, "write 0 or more");
        return error_set(err, "\"%s\" is negative", conf_excerpt(text, shown));
    }
    if (!is_digit(*text)) {
        error_set(hint, "%s", m->units_help);
        return error_set(err, "\"%s\" is not a %s", conf_excerpt(text, shown), m->noun);
    }
    if (!read_digits(&rest, &number))
        return error_set(err, "\"%s\" is too large", conf_excerpt(text, shown));
    /* YAML 1.1 reads 010 as eight, people as ten. */
    if (*text == '0' && is_digit(text[1])) {
        error_set(hint, "write it without the zero");
        return error_set(err, "\"%s\" begins with a zero", conf_excerpt(text, shown));
    }
    factor = find_factor(m, rest, false);
    if (!factor)
        return refuse_suffix(m, text, rest, number, err, hint);
    if (__builtin_mul_overflow(number, factor, value))
        return error_set(err, "\"%s\" is too large", conf_excerpt(text, shown));
    return 0;
}

int conf_bool_read(const char *text, bool *value, struct error *err, struct error *hint)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"true", true}, {"false", false}, {"yes", true},
                 {"no", false},  {"on", true},     {"off", false}};
    char shown[CONF_EXCERPT_SIZE];
    error_set(hint, "write true or false");
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(text, words[i].text) == 0) {
            *value = words[i].value;
            return 0;
        }
        if (strcasecmp(text, words[i].text) == 0)
            error_set(hint, "write it in small letters: %s", words[i].text);
    }
    return error_set(err, "\"%s\" is neither true nor false", conf_excerpt(text, shown));
}

/* One sentence of the two. */
static int join(struct error *err, const struct error *what, const struct error *hint)
{
    return hint->text[0] ? error_set(err, "%.250s: %.250s", what->text, hint->text)
                         : error_set(err, "%s", what->text);
}

static int read_measure(const struct conf_measure *m, const char *text, uint64_t *value, struct error *err)
{
    struct error what, hint;
    return conf_measure_read(m, text, value, &what, &hint) < 0 ? join(err, &what, &hint) : 0;
}

int conf_read_time(const char *text, uint64_t *us, struct error *err)
{
    return read_measure(&conf_measure_time, text, us, err);
}

int conf_read_size(const char *text, uint64_t *bytes, struct error *err)
{
    return read_measure(&conf_measure_size, text, bytes, err);
}

int conf_read_number(const char *text, uint64_t *value, struct error *err)
{
    return read_measure(&conf_measure_number, text, value, err);
}

int conf_read_bool(const char *text, bool *value, struct error *err)
{
    struct error what, hint;
    return conf_bool_read(text, value, &what, &hint) < 0 ? join(err, &what, &hint) : 0;
}
