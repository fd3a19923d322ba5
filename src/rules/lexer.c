#include "rules/lexer.h"

#include <stdint.h>

static const struct word {
    const char *text;
    enum token_kind kind;
} words[] = {
    {"and", TOKEN_AND}, {"or", TOKEN_OR},     {"not", TOKEN_NOT},
    {"in", TOKEN_IN},   {"true", TOKEN_TRUE}, {"false", TOKEN_FALSE},
};

/* Of two that begin alike, the longer one first. */
static const struct word signs[] = {
    {"||", TOKEN_OR},         {"&&", TOKEN_AND},           {"==", TOKEN_EQUAL},   {"!=", TOKEN_UNEQUAL},
    {"<=", TOKEN_LESS_EQUAL}, {">=", TOKEN_GREATER_EQUAL}, {"=~", TOKEN_MATCH},   {"!~", TOKEN_NO_MATCH},
    {"<", TOKEN_LESS},        {">", TOKEN_GREATER},        {"!", TOKEN_NOT},      {"(", TOKEN_OPEN},
    {")", TOKEN_CLOSE},       {",", TOKEN_COMMA},          {"?", TOKEN_QUESTION}, {":", TOKEN_COLON},
    {"+", TOKEN_PLUS},        {"-", TOKEN_MINUS},          {"*", TOKEN_STAR},     {"/", TOKEN_SLASH},
    {"%", TOKEN_PERCENT},
};

/* What people write from other languages. */
static const struct {
    char sign;
    const char *hint;
} foreign[] = {
    {'=', "equality is written =="},
    {'&', "and is written &&"},
    {'|', "or is written ||"},
    {'"', "a string stands in single quotes"},
    {'[', "a list stands in parentheses: ('a', 'b')"},
    {'~', "a regular expression is compared with =~"},
    {'$', "what a regular expression caught is $0 to $9"},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool fail(struct fault *f, uint32_t at, uint32_t len, const char *hint, const char *text)
{
    f->at = at;
    f->len = len;
    f->hint = hint;
    error_set(&f->error, "%s", text);
    return false;
}

/* The character that stands at `p` inside of quotes, and how many bytes it is written with. */
static uint32_t read_char(const char *p, const char *end, char *c)
{
    *c = *p;
    if (*p != '\\' || end - p < 2)
        return 1;
    switch (p[1]) {
    case '\'':
    case '\\':
        *c = p[1];
        return 2;
    case 'n':
        *c = '\n';
        return 2;
    case 'r':
        *c = '\r';
        return 2;
    case 't':
        *c = '\t';
        return 2;
    case 'x':
        if (end - p < 4 || hex_digit(p[2]) < 0 || hex_digit(p[3]) < 0)
            return 1;
        *c = (char)(hex_digit(p[2]) << 4 | hex_digit(p[3]));
        return 4;
    default:
        return 1;
    }
}

static bool read_string(struct lexer *l, struct token *t, struct fault *fault)
{
    const char *start = l->source.ptr + l->at, *end = l->source.ptr + l->source.len, *p = start + 1;
    char *out = arena_alloc(l->arena, (size_t)(end - start));
    size_t len = 0;
    while (p < end && *p != '\'')
        p += read_char(p, end, &out[len++]);
    if (p == end)
        return fail(fault, l->at, (uint32_t)(end - start), "a ' in a string is written \\'",
                    "this string has no closing quote");
    t->kind = TOKEN_STRING;
    t->text = (struct slice){out, len};
    t->len = (uint32_t)(p + 1 - start);
    return true;
}

uint32_t lexer_string_place(struct slice source, uint32_t at, uint32_t offset)
{
    const char *p = source.ptr + at + 1, *end = source.ptr + source.len;
    char c;
    while (offset-- && p < end && *p != '\'')
        p += read_char(p, end, &c);
    return (uint32_t)(p - source.ptr);
}

static bool read_int(struct lexer *l, struct token *t, struct fault *fault)
{
    const char *start = l->source.ptr + l->at, *end = l->source.ptr + l->source.len, *p = start;
    bool fits = true;
    for (; p < end && is_digit(*p); p++)
        fits = fits && !__builtin_mul_overflow(t->number, 10, &t->number) &&
               !__builtin_add_overflow(t->number, *p - '0', &t->number);
    t->kind = TOKEN_INT;
    t->len = (uint32_t)(p - start);
    if (p < end && is_word(*p))
        return fail(fault, l->at, t->len + 1, "an address or a text stands in single quotes",
                    "a number has digits only");
    if (!fits)
        return fail(fault, l->at, t->len, "the largest is 9223372036854775807", "this number is too large");
    return true;
}

static bool read_word(struct lexer *l, struct token *t)
{
    const char *start = l->source.ptr + l->at;
    size_t left = l->source.len - l->at, len = 0;
    while (len < left && is_word(start[len]))
        len++;
    t->kind = TOKEN_NAME;
    t->len = (uint32_t)len;
    t->text = (struct slice){arena_copy(l->arena, start, len), len};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (slice_equal(t->text, slice_of(words[i].text)))
            t->kind = words[i].kind;
    return true;
}

static bool read_sign(struct lexer *l, struct token *t, struct fault *fault)
{
    const char *start = l->source.ptr + l->at;
    size_t left = l->source.len - l->at;
    if (*start == '$' && left > 1 && is_digit(start[1]) && (left == 2 || !is_word(start[2]))) {
        t->kind = TOKEN_CAPTURE;
        t->number = start[1] - '0';
        t->len = 2;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        struct slice sign = slice_of(signs[i].text);
        if (sign.len > left || memcmp(start, sign.ptr, sign.len) != 0)
            continue;
        t->kind = signs[i].kind;
        t->len = (uint32_t)sign.len;
        return true;
    }
    const char *hint = NULL;
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
        if (foreign[i].sign == *start)
            hint = foreign[i].hint;
    return fail(fault, l->at, 1, hint, "this character can't stand here");
}

bool lexer_next(struct lexer *l, struct token *t, struct fault *fault)
{
    while (l->at < l->source.len && is_space(l->source.ptr[l->at]))
        l->at++;
    *t = (struct token){.kind = TOKEN_END, .at = l->at};
    if (l->at == l->source.len)
        return true;
    char c = l->source.ptr[l->at];
    bool good = c == '\''     ? read_string(l, t, fault)
                : is_digit(c) ? read_int(l, t, fault)
                : is_word(c)  ? read_word(l, t)
                              : read_sign(l, t, fault);
    l->at += t->len;
    return good;
}
