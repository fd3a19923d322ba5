/*
 * functions_regex.c: functions of regular expressions. Pattern and
 * replacement are literals, taken apart when the expression is compiled.
 */
#include "rules/functions.h"
#include "rules/regex.h"

enum { MATCHES_MAX = 1000 }; /* of one regsub_all(), each of which may cost up to a match's limit */

/* A text and the group that follows it. */
struct piece {
    struct slice text;
    int group; /* -1: none */
};

struct substitution {
    const struct regex *regex;
    bool all;
    size_t count;
    struct piece *pieces;
};

static const struct regex *prepare_pattern(struct rules_preparing *p, int *at, struct error *err)
{
    size_t offset = 0;
    *at = 1;
    return regex_new(p->arena, p->constants[1]->string, &offset, err);
}

/* ---- extract ---- */

struct extraction {
    const struct regex *regex;
    unsigned group;
};

static const void *prepare_extract(struct rules_preparing *p, int *at, struct error *err)
{
    struct extraction *e = ARENA_NEW(p->arena, struct extraction);
    e->regex = prepare_pattern(p, at, err);
    if (!e->regex)
        return NULL;
    *at = 2;
    int64_t group = p->constants[2]->number;
    e->group = (unsigned)(group & 0xf);
    if (group >= 0 && group < RULES_CAPTURES)
        return e;
    error_set(err, "a group is 0 (the whole match) to %d", RULES_CAPTURES - 1);
    return NULL;
}

static void call_extract(const struct rules_call *call, struct rules_value *out)
{
    const struct extraction *e = call->data;
    struct slice captures[RULES_CAPTURES];
    bool found = regex_find(e->regex, call->run, call->args[0].string, 0, captures);
    out->string = found ? captures[e->group] : SLICE("");
}

/* ---- regsub ---- */

/* "\1" is a group, "\\" a backslash; -1 with `err` for another character behind one. */
static int read_replacement(struct arena *a, struct slice text, struct substitution *s, struct error *err)
{
    s->pieces = ARENA_ARRAY(a, struct piece, text.len + 1);
    struct piece *now = &s->pieces[0];
    *now = (struct piece){{text.ptr, 0}, -1};
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\\') {
            now->text.len++;
            continue;
        }
        char c = i + 1 < text.len ? text.ptr[++i] : '\0';
        if (c != '\\' && (c < '0' || c > '9'))
            return error_set(err,
                             "behind a backslash of a replacement stands a group's digit, as in \\1, or a "
                             "second backslash");
        now->group = c == '\\' ? -1 : c - '0';
        /* A backslash is the first byte of the next text. */
        *++now = (struct piece){{text.ptr + i + (c != '\\'), c == '\\'}, -1};
    }
    s->count = (size_t)(now - s->pieces) + 1;
    return 0;
}

static const void *prepare(struct rules_preparing *p, bool all, int *at, struct error *err)
{
    struct substitution *s = ARENA_NEW(p->arena, struct substitution);
    s->all = all;
    s->regex = prepare_pattern(p, at, err);
    if (!s->regex)
        return NULL;
    *at = 2;
    return read_replacement(p->arena, p->constants[2]->string, s, err) < 0 ? NULL : s;
}

static const void *prepare_regsub(struct rules_preparing *p, int *at, struct error *err)
{
    return prepare(p, false, at, err);
}

static const void *prepare_regsub_all(struct rules_preparing *p, int *at, struct error *err)
{
    return prepare(p, true, at, err);
}

/* The result as it grows; without memory it is only measured. */
struct output {
    char *text;
    size_t len;
};

static void put(struct output *out, struct slice s)
{
    if (out->text && s.len)
        memcpy(out->text + out->len, s.ptr, s.len);
    out->len += s.len;
}

static void put_replacement(struct output *out, const struct substitution *s, const struct slice *captures)
{
    for (const struct piece *p = s->pieces; p < s->pieces + s->count; p++) {
        put(out, p->text);
        if (p->group >= 0)
            put(out, captures[p->group]);
    }
}

/* Does the match lie in what isn't done yet? With \K inside of a lookaround, old PCRE2s tell otherwise. */
static bool is_ahead(struct slice match, struct slice text, size_t done)
{
    uintptr_t start = (uintptr_t)match.ptr, from = (uintptr_t)text.ptr;
    return start >= from + done && start + match.len <= from + text.len;
}

/* Writes or measures the result; returns how many matches were replaced. */
static unsigned substitute(const struct substitution *s, struct rules_run *run, struct slice text,
                           struct output *out)
{
    struct slice captures[RULES_CAPTURES];
    size_t done = 0, from = 0; /* `done`: bytes of the text that the result has */
    unsigned count = 0;
    while (from <= text.len && (s->all || count == 0) && regex_find(s->regex, run, text, from, captures)) {
        if (!is_ahead(captures[0], text, done))
            break;
        size_t start = (size_t)(captures[0].ptr - text.ptr), end = start + captures[0].len;
        if (++count > MATCHES_MAX) {
            rules_fail(run, "regsub_all() found more than %d matches in one text", MATCHES_MAX);
            return 0;
        }
        put(out, (struct slice){text.ptr + done, start - done});
        put_replacement(out, s, captures);
        done = end;
        from = end > start ? end : end + 1; /* an empty match is not found again at its place */
    }
    put(out, (struct slice){text.ptr + done, text.len - done});
    return count;
}

static void call_regsub(const struct rules_call *call, struct rules_value *out)
{
    const struct substitution *s = call->data;
    struct slice text = call->args[0].string;
    struct output measured = {NULL, 0}, written = {NULL, 0};
    if (!text.ptr)
        text = SLICE("");
    out->string = text;
    if (substitute(s, call->run, text, &measured) == 0 || rules_failed(call->run))
        return;
    written.text = rules_alloc(call->run, measured.len);
    out->string = SLICE("");
    if (!written.text)
        return;
    substitute(s, call->run, text, &written);
    out->string = (struct slice){written.text, written.len};
}

const struct rules_function rules_regex_functions[] = {
    {"extract",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0},
      {"pattern", RULES_STRING, RULES_CONSTANT},
      {"group", RULES_INT, RULES_CONSTANT}},
     prepare_extract,
     call_extract,
     .doc = "What the group of a regular expression's first match holds, 0: the whole match; empty where "
            "nothing "
            "matches.",
     .example = "extract('/users/42/edit', '^/users/([0-9]+)', 1) == '42'",
     .source = "PCRE2"},
    {"regsub",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0},
      {"pattern", RULES_STRING, RULES_CONSTANT},
      {"replacement", RULES_STRING, RULES_CONSTANT}},
     prepare_regsub,
     call_regsub,
     .doc = "The text with the first match of the regular expression replaced; in the replacement `\\1` to "
            "`\\9` are "
            "groups, `\\0` the whole match, and a backslash is written `\\\\\\\\`.",
     .example = "regsub('/old/page', '^/old/(.*)$', '/new/\\1') == '/new/page'",
     .source = "PCRE2"},
    {"regsub_all",
     RULES_STRING,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0},
      {"pattern", RULES_STRING, RULES_CONSTANT},
      {"replacement", RULES_STRING, RULES_CONSTANT}},
     prepare_regsub_all,
     call_regsub,
     .doc = "As `regsub`, with every match replaced; a text with more than 1000 matches makes the expression "
            "fail.",
     .example = "regsub_all('a1b22', '[0-9]+', '#') == 'a#b#'",
     .source = "PCRE2"},
    {0},
};
