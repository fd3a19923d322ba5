/*
 * regex_plain.c: patterns that are plain text with perhaps (?i) and ^ before
 * and $ behind, and the plain text that others begin with.
 *
 * Whatever is not certainly text ends the plain part: what is claimed here
 * must be what PCRE2 would do.
 */
#include "rules/regex.h"

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Without a meaning of its own, unless a quantifier follows. */
static bool is_plain(char c)
{
    return is_alnum(c) || (c && strchr("/_- ,:;=<>@%&!~'\"#`\n\r\t", c));
}

/* The plain character at `p`, and the bytes it is written with; 0: none. */
static size_t read_plain(const char *p, const char *end, char *c)
{
    *c = *p;
    if (is_plain(*p))
        return 1;
    if (*p != '\\' || end - p < 2)
        return 0;
    *c = p[1];
    return p[1] > ' ' && p[1] < 0x7f && !is_alnum(p[1]) ? 2 : 0;
}

/* May what stands here say how often the character before it comes? PCRE2 passes over comments and \E. */
static bool is_quantifier(const char *p, const char *end)
{
    if (p == end)
        return false;
    if (end - p > 1 && *p == '\\')
        return p[1] == 'E' || p[1] == 'Q';
    if (end - p > 1 && *p == '(')
        return p[1] == '*' || (p[1] == '?' && (end - p == 2 || p[2] != ':'));
    return *p == '*' || *p == '?' || *p == '+' || *p == '{';
}

/* Takes the plain text that stands at `p`; returns what is behind it. */
static const char *read_text(struct arena *a, const char *p, const char *end, struct slice *text)
{
    char *out = arena_alloc(a, (size_t)(end - p) + 1), c;
    size_t len = 0, taken;
    while (p < end && (taken = read_plain(p, end, &c)) && !is_quantifier(p + taken, end)) {
        out[len++] = c;
        p += taken;
    }
    *text = (struct slice){out, len};
    return p;
}

static enum regex_kind kind_of(bool anchored, bool to_end)
{
    if (anchored)
        return to_end ? REGEX_EQUAL : REGEX_PREFIX;
    return to_end ? REGEX_SUFFIX : REGEX_CONTAINS;
}

/* What is behind the class of characters that begins at `p`; NULL: that isn't clear. */
static const char *skip_class(const char *p, const char *end)
{
    p++;
    p += p < end && *p == '^';
    p += p < end && *p == ']';
    for (; p < end && *p != ']'; p++) {
        if (*p == '[')
            return NULL;
        p += *p == '\\';
    }
    return p < end ? p + 1 : NULL;
}

/* Is there, or may there be, another alternative than the one that the pattern begins with? */
static bool has_alternative(const char *p, const char *end)
{
    unsigned depth = 0;
    while (p && p < end) {
        size_t left = (size_t)(end - p);
        if (*p == '[') {
            p = skip_class(p, end);
            continue;
        }
        if (*p == '|' && !depth)
            return true;
        /* "(?:" alone of its kind opens nothing but a group, and \Q is the one escape of more than itself. */
        if (*p == '(' && left > 1 && (p[1] == '*' || (p[1] == '?' && (left == 2 || p[2] != ':'))))
            return true;
        if (*p == '\\' && (left == 1 || p[1] == 'Q'))
            return true;
        depth += *p == '(';
        depth -= *p == ')' && depth;
        p += *p == '\\' ? 2 : 1;
    }
    return !p;
}

void regex_plain_read(struct arena *a, struct slice pattern, struct regex_plain *out)
{
    const char *p = pattern.ptr, *end = p + pattern.len;
    *out = (struct regex_plain){.kind = REGEX_ANY};
    if (pattern.len >= 4 && memcmp(p, "(?i)", 4) == 0) {
        out->no_case = true;
        p += 4;
    }
    if (p < end && *p == '^' && !is_quantifier(p + 1, end)) {
        out->anchored = true;
        p++;
    }
    p = read_text(a, p, end, &out->text);
    bool to_end = end - p == 1 && *p == '$';
    if (p == end || to_end) {
        out->kind = kind_of(out->anchored, to_end);
    } else if (has_alternative(p, end)) {
        /* Another alternative needs not begin so. */
        out->anchored = false;
        out->text.len = 0;
    }
    wanted_set(&out->wanted, out->text, out->no_case);
}

static bool is_same(const struct regex_plain *p, const char *at)
{
    if (!p->text.len)
        return true;
    return p->no_case ? strncasecmp(at, p->text.ptr, p->text.len) == 0
                      : memcmp(at, p->text.ptr, p->text.len) == 0;
}

static bool find_inside(const struct regex_plain *p, struct slice subject, size_t from, size_t *start)
{
    const char *found = wanted_find(&p->wanted, (struct slice){subject.ptr + from, subject.len - from});
    *start = found ? (size_t)(found - subject.ptr) : 0;
    return found;
}

/* Does the text stand at the end of the subject, behind `from`? */
static bool ends_with(const struct regex_plain *p, struct slice subject, size_t from, size_t *start)
{
    if (subject.len < from + p->text.len || (p->kind == REGEX_EQUAL && subject.len != p->text.len))
        return false;
    *start = subject.len - p->text.len;
    return is_same(p, subject.ptr + *start);
}

bool regex_plain_find(const struct regex_plain *p, struct slice subject, size_t from, size_t *start)
{
    if (from > subject.len || (from && p->anchored))
        return false;
    switch (p->kind) {
    case REGEX_PREFIX:
        *start = 0;
        return subject.len >= p->text.len && is_same(p, subject.ptr);
    case REGEX_CONTAINS:
        return find_inside(p, subject, from, start);
    default:
        return ends_with(p, subject, from, start);
    }
}
