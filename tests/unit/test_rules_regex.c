/*
 * Regular expressions: what is done without PCRE2 is what PCRE2 would do.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rules/regex.h"

#include <pcre2.h>

#include "test_rules.h"

static struct bench *b;

static void setup(void)
{
    b = bench_new(RULES_AT_RESPONSE);
}

static void teardown(void)
{
    bench_free(b);
}

/* PCRE2 itself: 1 with its captures, 0, or -1 when it gave up. */
static int ask(pcre2_code *code, struct slice subject, size_t from, struct slice *captures)
{
    pcre2_match_data *data = pcre2_match_data_create(RULES_CAPTURES, NULL);
    int rc = pcre2_match(code, (PCRE2_SPTR)subject.ptr, subject.len, from, 0, data, NULL);
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(data);
    for (unsigned i = 0; i < RULES_CAPTURES; i++) {
        bool set = rc >= 0 && (rc == 0 || (int)i < rc) && ends[2 * i] != PCRE2_UNSET;
        captures[i] = set ? (struct slice){subject.ptr + ends[2 * i], ends[2 * i + 1] - ends[2 * i]}
                          : (struct slice){"", 0};
    }
    pcre2_match_data_free(data);
    return rc == PCRE2_ERROR_NOMATCH ? 0 : rc < 0 ? -1 : 1;
}

static pcre2_code *compile(struct slice pattern)
{
    int error;
    PCRE2_SIZE at;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len,
                                     PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY, &error, &at, context);
    pcre2_compile_context_free(context);
    return code;
}

static void compare(struct slice pattern, struct slice subject, size_t from)
{
    struct arena a;
    struct error err;
    struct slice got[RULES_CAPTURES], wanted[RULES_CAPTURES];
    size_t at;
    arena_init(&a);
    pcre2_code *code = compile(pattern);
    const struct regex *r = regex_new(&a, pattern, &at, &err);
    ck_assert_msg(!r == !code, "%.*s", SLICE_ARG(pattern));
    if (code) {
        int rc = ask(code, subject, from, wanted);
        bool found = regex_may_match(r, subject) && regex_find(r, &b->run, subject, from, got);
        ck_assert_msg(found == rc, "%.*s on \"%.*s\" from %zu: %d, PCRE2 %d", SLICE_ARG(pattern),
                      SLICE_ARG(subject), from, found, rc);
        ck_assert_int_eq(regex_find(r, &b->run, subject, from, NULL), rc);
        for (unsigned i = 0; found && i < RULES_CAPTURES; i++) {
            ck_assert_msg(slice_equal(got[i], wanted[i]), "%.*s on \"%.*s\": $%u", SLICE_ARG(pattern),
                          SLICE_ARG(subject), i);
            ck_assert(!got[i].len || got[i].ptr == wanted[i].ptr);
        }
        pcre2_code_free(code);
    }
    arena_free(&a);
}

static struct slice random_text(const char *const *pieces, unsigned count, unsigned most, char *out)
{
    size_t len = 0;
    for (unsigned n = test_random(most + 1); n; n--) {
        const char *piece = pieces[test_random(count)];
        memcpy(out + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return (struct slice){out, len};
}

START_TEST(it_matches_what_pcre2_matches)
{
    static const char *const starts[] = {"", "", "^", "(?i)", "(?i)^", "^^", "(?m)^", "(?x)", "(?i)(?-i)"};
    static const char *const pieces[] = {
        "a",    "b",    "ab",        "A",      "/",           "\\.", "\\n", "\n",  "#",   " ",   ".",
        "^",    "$",    "|",         "(",      ")",           "(?:", "*",   "+",   "?",   "{2}", "{",
        "}",    "[ab]", "[^|a]",     "[]|]",   "]",           "[",   "\\|", "\\(", "\\b", "\\K", "\\Q",
        "\\E",  "\\1",  "\\d",       "(?i)",   "(?=a)",       "(?|", "-",   "\\-", "b$",  "(a",  "b)",
        "\\\\", "\\",   "(*ACCEPT)", "(?<=a)", "[[:alpha:]]", "\\A", "\\z",
    };
    static const char *const letters[] = {"a", "b", "A", "B", "/", ".", "\n", "#", " ", "|", "(", "ab", "-"};
    b->run.failure[0] = '\0';
    for (unsigned i = 0; i < 60000; i++) {
        char pattern[128], subject[128];
        const char *start = starts[test_random(ARRAY_LEN(starts))];
        strcpy(pattern, start);
        struct slice p = random_text(pieces, i % 3 ? ARRAY_LEN(pieces) : 13, 5, pattern + strlen(start));
        p = (struct slice){pattern, p.len + strlen(start)};
        for (unsigned n = 0; n < 4; n++) {
            struct slice s = random_text(letters, ARRAY_LEN(letters), n == 3 ? 60 : 5, subject);
            compare(p, s, test_random(4) ? 0 : test_random((unsigned)s.len + 1));
        }
    }
}
END_TEST

START_TEST(plain_text_needs_no_pcre2)
{
    static const struct {
        const char *pattern, *subject;
        bool found;
    } cases[] = {
        {"^/api/", "/api/x", true},
        {"^/api/", "/API/x", false},
        {"(?i)^/api/", "/API/x", true},
        {"\\.php$", "/a.php", true},
        {"\\.php$", "/a.php\n", false},
        {"\\.php$", "/a.php\n\n", false},
        {"\\.php$", "/axphp", false},
        {"^a$", "a", true},
        {"^a$", "a\n", false},
        {"^a.b$", "a\nb", true},
        {"^a.*b$", "a\n\nb", true},
        {"^[a-z]+$", "a\n", false},
        {"^a(?!.*secret)", "a\nsecret", false},
        {"^a$", "ab", false},
        {"bot", "a robot!", true},
        {"(?i)BOT", "a robot!", true},
        {"bot", "a robo", false},
        {"", "", true},
        {"^$", "", true},
        {"^$", "\n", false},
        {"^$", "a", false},
        {"$", "a", true},
        {"(?i)k", "\xe2\x84\xaa", false}, /* the Kelvin sign is no k: bytes, not characters */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t at;
        struct error err;
        const struct regex *r = regex_new(&b->load.arena, slice_of(cases[i].pattern), &at, &err);
        ck_assert_msg(regex_find(r, &b->run, slice_of(cases[i].subject), 0, NULL) == cases[i].found,
                      "%s on %s", cases[i].pattern, cases[i].subject);
    }
    const struct regex *r = regex_new(&b->load.arena, SLICE("^$"), &(size_t){0}, NULL);
    ck_assert(regex_find(r, &b->run, (struct slice){NULL, 0}, 0, NULL));
}
END_TEST

static char *many(size_t count, char c)
{
    char *text = arena_alloc(&b->load.arena, count + 2);
    memset(text, c, count);
    return text;
}

START_TEST(no_expression_holds_a_worker)
{
    char *path = many(4000, 'a');
    path[4000] = '!';
    b->sample.path = path;
    bench_begin(b);
    ck_assert_str_eq(test_value(b, "path =~ '^(a+)+$'"),
                     "failed: a regular expression was given up: it needs too many steps for this text");
    /* It never decides anything, not even turned. */
    const struct rules_expression *e = bench_compile(b, "path !~ '^(a+)+$'", RULES_BOOL);
    bench_begin(b);
    ck_assert(!rules_true(e, &b->run));
    ck_assert(rules_failed(&b->run));
    bench_begin(b);
    ck_assert_str_eq(test_value(b, "path =~ '(*NO_JIT)^(a+)+$'"),
                     "failed: a regular expression was given up: it needs too many steps for this text");
    /* A million steps are too many, ten thousand are not. */
    b->sample.path = "aaaaaaaaaaaaaaaaaaaa!";
    bench_begin(b);
    ck_assert_str_eq(test_value(b, "path =~ '^(a+)+$'"),
                     "failed: a regular expression was given up: it needs too many steps for this text");
    b->sample.path = "aaaaaaaaaaaa!";
    bench_begin(b);
    ck_assert_str_eq(test_value(b, "path =~ '^(a+)+$'"), "bool false");
    b->sample.path = many(200000, '(');
    bench_begin(b);
    ck_assert_str_eq(test_value(b, "path =~ '^([(](?1)?[)]?)$'"),
                     "failed: a regular expression was given up: it needs too much memory for this text");
}
END_TEST

START_TEST(captures_are_of_the_last_match)
{
    const struct rules_expression *value =
        bench_compile(b, "$0 + '|' + $1 + '|' + $2 + '|' + $9", RULES_STRING);
    static const char *const cases[][2] = {
        {"path =~ '^/api/v([0-9])/(.*)$'", "/api/v1/users|1|users|"},
        {"path =~ 'v(x)?([0-9])'", "v1||1|"},
        {"path =~ '/api'", "/api|||"},
        {"path =~ '(?i)USERS$'", "users|||"},
        {"path =~ '^/(api)' && path =~ 'no(thing)'", "/api|api||"},
        {"path !~ '^/(api)'", "|||"},
        {"path =~ '(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)'", "/api/v1/use|/|a|u"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rules_value v;
        const struct rules_expression *e = bench_compile(b, cases[i][0], RULES_BOOL);
        ck_assert_ptr_nonnull(e);
        bench_begin(b);
        rules_true(e, &b->run);
        rules_value(value, &b->run, &v);
        const char *got = arena_copy(&b->load.arena, v.string.ptr, v.string.len);
        ck_assert_msg(strcmp(got, cases[i][1]) == 0, "%s: %s", cases[i][0], got);
        rules_forget_captures(&b->run);
        rules_value(value, &b->run, &v);
        ck_assert_uint_eq(v.string.len, 3);
    }
}
END_TEST

START_TEST(a_scope_without_captures_sets_none)
{
    const struct rules_expression *e = bench_compile(b, "path =~ '^/(api)'", RULES_BOOL);
    bench_begin(b);
    ck_assert(rules_true(e, &b->run));
    ck_assert_uint_eq(b->run.captures[1].len, 0);
    /* An expression that comes later wants them of this one, too. */
    ck_assert_ptr_nonnull(bench_compile(b, "$1", RULES_STRING));
    bench_begin(b);
    ck_assert(rules_true(e, &b->run));
    ck_assert(slice_equal(b->run.captures[1], SLICE("api")));
}
END_TEST

TCase *rules_regex_tests(void)
{
    TCase *t = tcase_create("regex");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, it_matches_what_pcre2_matches);
    tcase_add_test(t, plain_text_needs_no_pcre2);
    tcase_add_test(t, no_expression_holds_a_worker);
    tcase_add_test(t, captures_are_of_the_last_match);
    tcase_add_test(t, a_scope_without_captures_sets_none);
    return t;
}
