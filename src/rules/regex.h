/*
 * regex.h: regular expressions (the only user of PCRE2), and the plain ones
 * among them, which need none: '^/api/' is a comparison of five bytes.
 *
 * Bytes, not UTF-8. A match has limits, so that no expression can hold a
 * worker; one that reaches them makes the run fail.
 */
#ifndef NOXY_RULES_REGEX_H
#define NOXY_RULES_REGEX_H

#include "rules/find.h"
#include "rules/rules.h"

struct regex {
    struct slice start; /* each match is at the subject's start, and begins so; empty: not known */
};

/* Lives as long as the arena. NULL with `err` and the byte of the pattern that is wrong. */
const struct regex *regex_new(struct arena *a, struct slice pattern, size_t *at, struct error *err);

/*
 * The first match in `subject` from the byte `from` on. `captures` (RULES_CAPTURES of them, or NULL: not
 * wanted) are set when there is one: slices of the subject, empty where a group took no part. False: none, or
 * the run has failed.
 */
bool regex_find(const struct regex *r, struct rules_run *run, struct slice subject, size_t from,
                struct slice *captures);

/* Tells of most subjects without a match that there is none. */
static inline bool regex_may_match(const struct regex *r, struct slice subject)
{
    return subject.len >= r->start.len && bytes_equal(subject.ptr, r->start.ptr, r->start.len);
}

/* ---- within regex.c and regex_plain.c ---- */

enum regex_kind { REGEX_ANY, REGEX_EQUAL, REGEX_PREFIX, REGEX_SUFFIX, REGEX_CONTAINS };

/* What a pattern's text tells of it without PCRE2. */
struct regex_plain {
    enum regex_kind kind; /* ANY: a real regular expression */
    bool anchored;        /* begins with ^ */
    bool no_case;         /* begins with (?i) */
    struct slice text;    /* kind not ANY: what is looked for; ANY: what each match begins with */
    struct wanted wanted; /* the same */
};

void regex_plain_read(struct arena *a, struct slice pattern, struct regex_plain *out);
/* Of a kind that isn't ANY: finds `*start` and `*len` of the first match. */
bool regex_plain_find(const struct regex_plain *p, struct slice subject, size_t from, size_t *start);

#endif
