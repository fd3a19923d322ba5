/*
 * functions_string.c: functions of strings. Strings are bytes: letters are
 * those of ASCII, and lengths and places count bytes.
 */
#include "rules/functions.h"
#include "rules/rules.h"

/* memmem() for slices; NULL: none. An empty part is found at the start. */
static const char *find(struct slice s, struct slice part)
{
    if (!part.len)
        return s.ptr ? s.ptr : "";
    return s.len < part.len ? NULL : memmem(s.ptr, s.len, part.ptr, part.len);
}

static struct slice slice_from(struct slice s, size_t from)
{
    return from < s.len ? (struct slice){s.ptr + from, s.len - from} : SLICE("");
}

static char *put(char *at, struct slice s)
{
    return s.len ? mempcpy(at, s.ptr, s.len) : at;
}

/* ---- sprintf ---- */

/* A format, taken apart when compiled: text, then the next argument, and so on. */
struct format {
    unsigned count; /* of arguments; there is one text more */
    struct slice texts[RULES_ARGUMENTS_MAX];
};

/*
 * Takes the text before the next conversion, and that, off `*rest`, with each "%%" made one. `*conversion`
 * is its letter, '\0' at the end, '%' for a lone one there.
 */
static struct slice next_text(struct arena *a, struct slice *rest, char *conversion)
{
    char *text = arena_alloc(a, rest->len + 1);
    size_t len = 0;
    *conversion = '\0';
    while (rest->len && !*conversion) {
        char c = rest->ptr[0];
        *rest = slice_from(*rest, 1);
        char next = !rest->len ? '\0' : rest->ptr[0];
        if (c != '%')
            text[len++] = c;
        else if (!rest->len)
            *conversion = '%';
        else if (next == '%')
            text[len++] = '%';
        else
            *conversion = next;
        if (c == '%')
            *rest = slice_from(*rest, 1);
    }
    return (struct slice){text, len};
}

/* Does the conversion suit the argument at `at`? -1 with `err`. */
static int check_conversion(const struct rules_preparing *p, char conversion, int *at, struct error *err)
{
    if (conversion != 's' && conversion != 'd') {
        *at = 0;
        return error_set(err, "sprintf() knows %%s, %%d and %%%%, not %%%c",
                         conversion > ' ' && conversion < 0x7f ? conversion : '?');
    }
    if ((unsigned)*at >= p->count) {
        *at = 0;
        return error_set(err, "the format wants more arguments than the %u that follow", p->count - 1);
    }
    if (conversion == 'd' && p->types[*at] != RULES_INT)
        return error_set(err, "%%d wants an int, and this is a %s: write %%s",
                         rules_type_name(p->types[*at]));
    return 0;
}

static const void *prepare_sprintf(struct rules_preparing *p, int *at, struct error *err)
{
    struct format *f = ARENA_NEW(p->arena, struct format);
    struct slice rest = p->constants[0]->string;
    for (;;) {
        char conversion;
        f->texts[f->count] = next_text(p->arena, &rest, &conversion);
        if (!conversion)
            break;
        *at = (int)f->count + 1;
        if (check_conversion(p, conversion, at, err) < 0)
            return NULL;
        f->count++;
    }
    if (f->count + 1 == p->count)
        return f;
    *at = (int)f->count + 1;
    error_set(err, "the format has no %%s or %%d for this argument");
    return NULL;
}

static void call_sprintf(const struct rules_call *call, struct rules_value *out)
{
    const struct format *f = call->data;
    struct slice values[RULES_ARGUMENTS_MAX];
    size_t len = f->texts[f->count].len;
    out->string = SLICE("");
    for (unsigned i = 0; i < f->count; i++) {
        values[i] = call->types[i + 1] == RULES_STRING
                        ? call->args[i + 1].string
                        : rules_print_value(call->run, call->types[i + 1], &call->args[i + 1]);
        len += f->texts[i].len + values[i].len;
    }
    char *text = rules_alloc(call->run, len);
    if (!text)
        return;
    char *at = text;
    for (unsigned i = 0; i < f->count; i++)
        at = put(put(at, f->texts[i]), values[i]);
    put(at, f->texts[f->count]);
    out->string = (struct slice){text, len};
}

/* ---- letters ---- */

/* With the 26 letters from `first` on made the others of their pairs; a text that has none is not copied. */
static struct slice change_case(struct rules_run *run, struct slice s, char first)
{
    size_t i = 0;
    while (i < s.len && (unsigned char)(s.ptr[i] - first) >= 26)
        i++;
    if (i == s.len)
        return s;
    char *text = rules_alloc(run, s.len);
    if (!text)
        return SLICE("");
    memcpy(text, s.ptr, i);
    for (; i < s.len; i++)
        text[i] = (char)((unsigned char)(s.ptr[i] - first) < 26 ? s.ptr[i] ^ 0x20 : s.ptr[i]);
    return (struct slice){text, s.len};
}

static void call_lower(const struct rules_call *call, struct rules_value *out)
{
    out->string = change_case(call->run, call->args[0].string, 'A');
}

static void call_upper(const struct rules_call *call, struct rules_value *out)
{
    out->string = change_case(call->run, call->args[0].string, 'a');
}

/* ---- parts ---- */

static void call_trim(const struct rules_call *call, struct rules_value *out)
{
    out->string = slice_trim(call->args[0].string);
}

static const void *prepare_length(struct rules_preparing *p, int *at, struct error *err)
{
    if (p->types[0] == RULES_STRING || p->types[0] == RULES_LIST)
        return rules_prepared;
    *at = 0;
    error_set(err, "length() takes a string or a list, not a %s", rules_type_name(p->types[0]));
    return NULL;
}

static void call_length(const struct rules_call *call, struct rules_value *out)
{
    bool list = call->types[0] == RULES_LIST;
    out->number = list ? call->args[0].list->count : (int64_t)call->args[0].string.len;
}

static void call_starts_with(const struct rules_call *call, struct rules_value *out)
{
    struct slice s = call->args[0].string, part = call->args[1].string;
    out->boolean = s.len >= part.len && slice_equal((struct slice){s.ptr, part.len}, part);
}

static void call_ends_with(const struct rules_call *call, struct rules_value *out)
{
    struct slice s = call->args[0].string, part = call->args[1].string;
    out->boolean = s.len >= part.len && slice_equal(slice_from(s, s.len - part.len), part);
}

static void call_contains(const struct rules_call *call, struct rules_value *out)
{
    out->boolean = find(call->args[0].string, call->args[1].string) != NULL;
}

/* A place in a text: from the end when below zero; what lies outside is moved to the nearer end. */
static size_t place_in(struct slice s, int64_t n)
{
    int64_t len = (int64_t)s.len;
    return (size_t)(n >= 0 ? MIN(n, len) : n < -len ? 0 : len + n);
}

static void call_substr(const struct rules_call *call, struct rules_value *out)
{
    struct slice s = call->args[0].string;
    struct slice rest = slice_from(s, place_in(s, call->args[1].number));
    size_t len = call->count > 2 ? place_in(rest, call->args[2].number) : rest.len;
    out->string = (struct slice){rest.ptr, len};
}

static void call_replace(const struct rules_call *call, struct rules_value *out)
{
    struct slice s = call->args[0].string, from = call->args[1].string, to = call->args[2].string;
    out->string = s;
    if (!from.len)
        return;
    size_t count = 0;
    const char *found;
    for (struct slice rest = s; (found = find(rest, from)); count++)
        rest = slice_from(rest, (size_t)(found - rest.ptr) + from.len);
    if (!count)
        return;
    out->string = SLICE("");
    size_t len = s.len - count * from.len + count * to.len;
    char *text = rules_alloc(call->run, len), *at = text;
    if (!text)
        return;
    for (; (found = find(s, from)); s = slice_from(s, (size_t)(found - s.ptr) + from.len))
        at = put(put(at, (struct slice){s.ptr, (size_t)(found - s.ptr)}), to);
    put(at, s);
    out->string = (struct slice){text, len};
}

/* Takes the part before the next separator off `*s`; at the last one ptr is NULL then. */
static struct slice next_field(struct slice *s, struct slice separator)
{
    const char *end = separator.len ? find(*s, separator) : NULL;
    struct slice part = {s->ptr, end ? (size_t)(end - s->ptr) : s->len};
    *s = end ? (struct slice){end + separator.len, s->len - part.len - separator.len}
             : (struct slice){NULL, 0};
    return part;
}

static void call_field(const struct rules_call *call, struct rules_value *out)
{
    struct slice s = call->args[0].string, separator = call->args[1].string;
    int64_t n = call->args[2].number;
    if (!s.ptr)
        s = SLICE("");
    if (n < 0) {
        n++;
        for (struct slice rest = s; rest.ptr; n++)
            next_field(&rest, separator);
    }
    struct slice part = SLICE("");
    for (; n > 0 && s.ptr; n--)
        part = next_field(&s, separator);
    out->string = n == 0 ? part : SLICE("");
}

static void call_coalesce(const struct rules_call *call, struct rules_value *out)
{
    unsigned i = 0;
    while (i + 1 < call->count && !call->args[i].string.len)
        i++;
    out->string = call->args[i].string;
}

/* ---- other types ---- */

static void call_int(const struct rules_call *call, struct rules_value *out)
{
    if (!rules_read_int(call->args[0].string, &out->number))
        out->number = call->count > 1 ? call->args[1].number : 0;
}

static void call_string(const struct rules_call *call, struct rules_value *out)
{
    out->string = call->types[0] == RULES_STRING
                      ? call->args[0].string
                      : rules_print_value(call->run, call->types[0], &call->args[0]);
}

const struct rules_function rules_string_functions[] = {
    {"sprintf",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"format", RULES_STRING, RULES_CONSTANT},
      {"value", RULES_STRING, RULES_OPTIONAL | RULES_REPEATED | RULES_ANY_TYPE}},
     prepare_sprintf,
     call_sprintf,
     .doc =
         "The format with each `%s` (a value of any type) and `%d` (an int) replaced by the next argument; "
         "`%%` is a percent sign.",
     .example = "sprintf('%s-%d', 'web', 7) == 'web-7'",
     .source = ""},
    {"lower",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_lower,
     .doc = "The text in small letters (those of ASCII).",
     .example = "lower('WWW.Example.ORG') == 'www.example.org'",
     .source = ""},
    {"upper",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_upper,
     .doc = "The text in capital letters (those of ASCII).",
     .example = "upper('get') == 'GET'",
     .source = ""},
    {"trim",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_trim,
     .doc = "The text without the spaces and tabs at both ends.",
     .example = "trim('  a b ') == 'a b'",
     .source = "RFC 9110, 5.6.3"},
    {"length",
     RULES_INT,
     RULES_ANYWHERE,
     {{"value", RULES_STRING, RULES_ANY_TYPE}},
     prepare_length,
     call_length,
     .doc = "The bytes of a string, or the values of a list.",
     .example = "length('abc') == 3",
     .source = ""},
    {"starts_with",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}, {"start", RULES_STRING, 0}},
     NULL,
     call_starts_with,
     .comparison = RULES_STARTS_WITH,
     .doc = "Does the text begin so? Capital and small letters differ: see `lower`.",
     .example = "starts_with('/static/a.css', '/static/')",
     .source = ""},
    {"ends_with",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}, {"end", RULES_STRING, 0}},
     NULL,
     call_ends_with,
     .comparison = RULES_ENDS_WITH,
     .doc = "Does the text end so?",
     .example = "ends_with('/static/a.css', '.css')",
     .source = ""},
    {"contains",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}, {"part", RULES_STRING, 0}},
     NULL,
     call_contains,
     .doc = "Does the part stand anywhere in the text?",
     .example = "contains('Mozilla/5.0', 'zilla')",
     .source = ""},
    {"substr",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}, {"from", RULES_INT, 0}, {"length", RULES_INT, RULES_OPTIONAL}},
     NULL,
     call_substr,
     .doc = "`length` bytes of the text from the place `from` on, counted from 0; without a length all to "
            "the end. "
            "A `from` below 0 counts from the end, a length below 0 leaves out so many bytes there.",
     .example = "substr('abcdef', 1, 3) == 'bcd'",
     .source = ""},
    {"replace",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}, {"from", RULES_STRING, 0}, {"to", RULES_STRING, 0}},
     NULL,
     call_replace,
     .doc = "The text with every `from` replaced by `to`.",
     .example = "replace('a_b_c', '_', '-') == 'a-b-c'",
     .source = ""},
    {"field",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}, {"separator", RULES_STRING, 0}, {"n", RULES_INT, 0}},
     NULL,
     call_field,
     .doc = "The part with the number `n` of a text that separators divide: 1 is the first, -1 the last; "
            "empty where "
            "there is none.",
     .example = "field('/v1/users/7', '/', 3) == 'users'",
     .source = ""},
    {"coalesce",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}, {"other", RULES_STRING, RULES_REPEATED}},
     NULL,
     call_coalesce,
     .doc = "The first of the texts that isn't empty, else the last.",
     .example = "coalesce('', 'b', 'c') == 'b'",
     .source = ""},
    {"int",
     RULES_INT,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}, {"otherwise", RULES_INT, RULES_OPTIONAL}},
     NULL,
     call_int,
     .doc =
         "The text as a decimal number; `otherwise` (or 0) for a text that is none or doesn't fit 64 bits.",
     .example = "int('42') + 1 == 43",
     .source = ""},
    {"string",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"value", RULES_STRING, RULES_ANY_TYPE}},
     NULL,
     call_string,
     .doc = "Any value as a string.",
     .example = "string(42) == '42'",
     .source = ""},
    {0},
};
