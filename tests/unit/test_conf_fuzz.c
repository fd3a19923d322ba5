/*
 * Files that were broken by chance, always the same ones: whatever they are,
 * loading ends, and what it reports has a place inside of the file. The
 * sanitizers watch the rest.
 */
#include "test_conf.h"

#include <string.h>

enum { ROUNDS = 4000, LEN_MAX = 4096 };

static const char *const seeds[] = {
    sample_first,
    "global: { maxconn: 10, log: file, buffer: 1.5k }\n"
    "defaults: &d\n  mode: tcp\n  health_check: { rise: 1, fall: 2 }\n"
    "frontend:\n  - { name: a, bind: [':1', { addr_port: ':2', ssl: { cert: x } }] }\n"
    "backend:\n  - name: b\n    servers: &s\n      - addr_port: \"a\\u00e4\"\n        weight: 5\n"
    "  - name: c\n    servers: *s\n    health_check: no\n",
    "frontend:\n- name: |\n    text\n  bind: >-\n    folded\n  ? mode\n  : 'single ''quoted'''\n...\n",
};

static const char *const tokens[] = {"\n", "\n  ", "\n- ", ": ", "- ", "&a ",      "*a",  "*s", "[",   "]",
                                     "{",  "}",    "\"",   "'",  "#",  "!!x ",     "|\n", "%",  "---", "\t",
                                     "~",  "\xc3", "\xff", "<<", "? ", "\xc2\x85", "name"};

static uint64_t state;

/* A number below `bound`, the same in each run. */
static size_t pick(size_t bound)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(state >> 33) % bound;
}

/* Replaces `cut` bytes at `at` with `len` bytes of `from`, as far as there is room. */
static size_t splice_bytes(char *bytes, size_t size, size_t at, size_t cut, const char *from, size_t len)
{
    cut = MIN(cut, size - at);
    if (size - cut + len > LEN_MAX)
        return size;
    memmove(bytes + at + len, bytes + at + cut, size - at - cut);
    memcpy(bytes + at, from, len);
    return size - cut + len;
}

static size_t mutate(char *bytes, size_t size)
{
    char piece[64];
    size_t at = pick(size + 1), len;
    switch (pick(5)) {
    case 0:
        return splice_bytes(bytes, size, at, pick(8), "", 0);
    case 1:
        piece[0] = (char)pick(256);
        return splice_bytes(bytes, size, at, 1, piece, 1);
    case 2:
        len = MIN(pick(sizeof piece), size - at);
        memcpy(piece, bytes + at, len);
        return splice_bytes(bytes, size, pick(size + 1), 0, piece, len);
    default:
        len = pick(ARRAY_LEN(tokens));
        return splice_bytes(bytes, size, at, pick(3), tokens[len], strlen(tokens[len]));
    }
}

static void load(const char *bytes, size_t size)
{
    struct conf_load l;
    struct text out = {0};
    int rc = conf_load_bytes(&l, "fuzz.yaml", bytes, size, sample_sections);
    ck_assert_int_eq(rc, l.report.errors ? -1 : 0);
    for (uint32_t i = 0; i < l.report.count; i++) {
        const struct conf_place *at = &l.report.messages[i].place;
        ck_assert_ptr_nonnull(at->file);
        ck_assert_uint_ge(at->line, 1);
        ck_assert_uint_le(at->line, size + 1);
        ck_assert_uint_ge(at->column, 1);
        ck_assert_uint_le(at->column, size + 1);
        ck_assert_uint_ge(at->width, 1);
    }
    for (enum conf_severity s = CONF_ERROR; s <= CONF_NOTICE; s++)
        conf_report_print(&l.report, s, &out);
    ck_assert_ptr_null(strpbrk(text_str(&out), "\t\r\x1b"));
    text_free(&out);
    conf_load_free(&l);
}

START_TEST(broken_files_are_reported)
{
    static char bytes[LEN_MAX];
    state = 2026;
    for (int round = 0; round < ROUNDS; round++) {
        const char *seed = seeds[pick(ARRAY_LEN(seeds))];
        size_t size = strlen(seed);
        memcpy(bytes, seed, size);
        for (size_t n = pick(12); n; n--)
            size = mutate(bytes, size);
        load(bytes, size);
    }
}
END_TEST

START_TEST(files_that_end_early_are_reported)
{
    for (size_t i = 0; i < ARRAY_LEN(seeds); i++)
        for (size_t size = 0; size <= strlen(seeds[i]); size++)
            load(seeds[i], size);
}
END_TEST

TCase *conf_fuzz_tests(void)
{
    TCase *tests = tcase_create("fuzz");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, broken_files_are_reported);
    tcase_add_test(tests, files_that_end_early_are_reported);
    return tests;
}
