/*
 * slice.h: a run of bytes that somebody else owns, not ended by a NUL.
 */
#ifndef NOXY_BASE_SLICE_H
#define NOXY_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct slice {
    const char *ptr;
    size_t len;
};

/* For a string literal only: its length is known when compiled. */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})

/* For printf: "%.*s", SLICE_ARG(s). */
#define SLICE_ARG(s) (int)(s).len, (s).ptr

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ASCII letters compare without case: HTTP's field names, tokens and schemes. */
static inline bool slice_equal_nocase(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_begins_nocase(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && strncasecmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

/* Without the spaces and tabs at both ends (OWS, RFC 9110, 5.6.3). */
static inline struct slice slice_trim(struct slice s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s.ptr++, s.len--;
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* Takes the next element of a comma-separated list off `*rest`, trimmed (it may be empty); false at the end.
 */
static inline bool slice_next_item(struct slice *rest, struct slice *item)
{
    if (!rest->ptr)
        return false;
    const char *comma = rest->len ? memchr(rest->ptr, ',', rest->len) : NULL;
    size_t len = comma ? (size_t)(comma - rest->ptr) : rest->len;
    *item = slice_trim((struct slice){rest->ptr, len});
    *rest = comma ? (struct slice){comma + 1, rest->len - len - 1} : (struct slice){NULL, 0};
    return true;
}

#endif
