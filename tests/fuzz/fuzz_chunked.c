/*
 * libFuzzer's target for chunked bodies and trailer sections. contrib/fuzz
 * builds and runs it; once over its corpus with `make check` (seeds.c).
 *
 * A plain reader of complete bodies stands beside the one that takes bytes as
 * they come: both must take the same bodies, with the same data and the same
 * end, however the bytes are split.
 */
#include <stddef.h>
#include <stdint.h>

#include "head_check.h"
#include "http1/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* ---- the plain reader ---- */

/* The value of one hexadecimal digit, or -1. */
static int digit_value(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = c ? strchr(digits, c) : NULL;
    return found ? (int)((found - digits) % 16) : -1;
}

/* The length of the line at `at`, without its CRLF; -1: none there. */
static int line_length(struct slice s, size_t at)
{
    for (size_t i = at; i + 1 < s.len; i++)
        if (s.ptr[i] == '\r' || s.ptr[i] == '\n')
            return s.ptr[i] == '\r' && s.ptr[i + 1] == '\n' ? (int)(i - at) : -1;
    return -1;
}

/* A chunk's size line: false where it isn't one. */
static bool read_size(struct slice line, uint64_t *size, size_t *extensions)
{
    size_t n = 0, at;
    int value;
    for (*size = 0; n < line.len && (value = digit_value(line.ptr[n])) >= 0; n++) {
        if (n == CHUNK_DIGITS_MAX || *size > INT64_MAX / 16)
            return false;
        *size = *size * 16 + (unsigned)value;
    }
    for (at = n; at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t');)
        at++;
    *extensions += line.len - n;
    return n > 0 && *extensions <= CHUNK_EXTENSIONS_MAX &&
           (n == line.len || (at < line.len && line.ptr[at] == ';')) && chars_all(line, CHAR_VALUE);
}

/* The body's length with its framing, 0 where it isn't whole and sound. */
static size_t read_plainly(struct slice s, struct text *data)
{
    size_t at = 0, extensions = 0;
    uint64_t size;
    do {
        int len = line_length(s, at);
        if (len < 0 || !read_size((struct slice){s.ptr + at, (size_t)len}, &size, &extensions))
            return 0;
        at += (size_t)len + 2;
        if (size > 0) {
            if (size + 2 > s.len - at || memcmp(s.ptr + at + size, "\r\n", 2) != 0)
                return 0;
            put(data, (struct slice){s.ptr + at, size});
            at += size + 2;
        }
    } while (size > 0);
    for (size_t begin = at;;) {
        int len = line_length(s, at);
        if (len < 0 || at + (size_t)len + 2 - begin > TRAILERS_MAX)
            return 0;
        at += (size_t)len + 2;
        if (len == 0)
            return at;
    }
}

/* ---- the one under test ---- */

/* Reads pieces of `step` bytes: the length where it ended, or 0. */
static size_t read_in_steps(struct slice s, size_t step, struct text *data, struct body *b)
{
    struct slice piece;
    uint32_t at = 0;
    body_begin(b, BODY_STREAM, 0);
    for (size_t end = MIN(step, s.len);; end = MIN(end + step, s.len)) {
        enum body_event event;
        while ((event = body_next(b, s.ptr, &at, (uint32_t)end, &piece)) == BODY_DATA) {
            check_within(piece, s.ptr, s.len);
            put(data, piece);
        }
        if (event == BODY_ENDED)
            return at;
        if (event == BODY_BAD || end == s.len)
            return 0;
    }
}

static void check_trailers(const struct body *b)
{
    static struct message m;
    struct slice raw = body_trailers(b);
    REQUIRE(raw.len >= 2 && raw.len <= TRAILERS_MAX);
    if (!head_parse_trailers(&m, raw.ptr, raw.len))
        return;
    check_fields(&m, raw.ptr, raw.len);
    for (unsigned i = 0; i < m.count; i++)
        REQUIRE(m.fields[i].dropped || !(field_flags(m.fields[i].id) & FIELD_NO_TRAILER));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct text wanted = {0};
    char *exact = malloc(len + !len);
    REQUIRE(exact && len < UINT32_MAX);
    memcpy(exact, input, len);
    struct slice s = {exact, len};
    size_t end = read_plainly(s, &wanted);
    const size_t steps[] = {1, 2, 3, 7, len / 2 + 1, len + 1};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct text got = {0};
        struct body b;
        REQUIRE(read_in_steps(s, steps[i], &got, &b) == end);
        if (end > 0) {
            REQUIRE(slice_equal((struct slice){got.data, got.len}, (struct slice){wanted.data, wanted.len}));
            check_trailers(&b);
        }
        text_free(&got);
        body_free(&b);
    }
    text_free(&wanted);
    free(exact);
    return 0;
}
