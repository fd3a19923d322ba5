/*
 * head_check.h: what holds of every head that was taken, for the fuzz targets
 * of heads. A violation stops the target.
 */
#ifndef NOXY_FUZZ_HEAD_CHECK_H
#define NOXY_FUZZ_HEAD_CHECK_H

#include <stdlib.h>

#include "base/text.h"
#include "http/chars.h"
#include "http1/head.h"

#define REQUIRE(condition)                                                                                   \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            __builtin_trap();                                                                                \
    } while (0)

/* The search for a head's end finds the same whether it sees the bytes at once or one after the other. */
static inline int check_scan(const char *bytes, size_t len, struct head_scan *scan)
{
    struct head_scan slow = {0};
    int found = HEAD_MORE, at_once;
    *scan = (struct head_scan){0};
    at_once = head_scan(scan, bytes, len);
    for (size_t n = 1; n <= len && found == HEAD_MORE; n++)
        found = head_scan(&slow, bytes, n);
    REQUIRE(found == at_once);
    REQUIRE(found <= 0 || (slow.skipped == scan->skipped && slow.start_line == scan->start_line));
    return at_once;
}

static inline void check_within(struct slice s, const char *bytes, size_t len)
{
    REQUIRE(s.len == 0 || (s.ptr >= bytes && s.ptr + s.len <= bytes + len));
}

/* Each field is a token and a value without controls or spaces around, and what stands as one line is one. */
static inline void check_fields(const struct message *m, const char *bytes, size_t len)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct field *f = &m->fields[i];
        struct slice name = {f->name, f->name_len}, value = field_value(f);
        check_within(name, bytes, len);
        check_within(value, bytes, len);
        REQUIRE(name.len > 0 && chars_all(name, CHAR_TOKEN) && chars_all(value, CHAR_VALUE));
        REQUIRE(slice_trim(value).len == value.len && f->id == field_lookup(name));
        if (!f->raw)
            continue;
        struct slice line = {f->name, (size_t)(f->value + f->value_len - f->name)};
        REQUIRE(line.ptr[line.len] == '\r' && line.ptr[line.len + 1] == '\n');
        REQUIRE(!memchr(line.ptr, '\r', line.len) && line.ptr[name.len] == ':');
    }
}

static inline void put(struct text *t, struct slice s)
{
    text_add(t, s.ptr, s.len);
}

/* The fields as they are passed on, dropped ones too where `all`, and the empty line. */
static inline void put_fields(struct text *t, const struct message *m, bool all)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct field *f = &m->fields[i];
        if (f->dropped && !all)
            continue;
        if (f->raw) {
            put(t, (struct slice){f->name, (size_t)(f->value + f->value_len + 2 - f->name)});
            continue;
        }
        put(t, (struct slice){f->name, f->name_len});
        put(t, SLICE(": "));
        put(t, field_value(f));
        put(t, SLICE("\r\n"));
    }
    put(t, SLICE("\r\n"));
}

#endif
