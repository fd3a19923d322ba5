/*
 * Places inside of scalars: whatever the style, a character of the text is
 * found again where it is written.
 */
#include "test_conf.h"

#include <string.h>

#include "conf/parse.h"
#include "conf/source.h"

enum { ROUNDS = 20000 };

static struct arena arena;
static struct conf_report report;

/* The value of the map's last key. */
static const struct conf_node *parse(const char *yaml)
{
    arena_init(&arena);
    report = (struct conf_report){.arena = &arena};
    const struct conf_file *f = conf_source_copy(&report, "t.yaml", yaml, strlen(yaml));
    const struct conf_node *root = f ? conf_parse(&report, f) : NULL;
    if (!root || report.errors || root->kind != CONF_MAP)
        return NULL;
    const struct conf_node *last = root->first;
    while (last->next)
        last = last->next;
    return last;
}

/* What the file has at a place, to the end of its line. */
static struct slice written_at(struct conf_place at)
{
    struct slice line = conf_source_line(at.file, at.line);
    ck_assert_ptr_nonnull(line.ptr);
    for (uint32_t column = 1; column < at.column; column++) {
        uint32_t code;
        unsigned len = conf_utf8_char(line, &code);
        ck_assert_uint_ge(len, 1);
        line.ptr += len;
        line.len -= len;
    }
    return line;
}

static const struct {
    const char *yaml, *text;
    const char *part; /* of the text */
    const char *place;
} cases[] = {
    {"a: abc def\n", "abc def", "def", "1:8:3"},
    {"a: abc def\n", "abc def", "abc def", "1:4:7"},
    {"\xc3\xa4: \xc3\xb6\xc3\xb6 x\n", "\xc3\xb6\xc3\xb6 x", "x", "1:7:1"},
    {"\xc3\xa4: 1\nb: \xc3\xb6\xc3\xb6 x\n", "\xc3\xb6\xc3\xb6 x", "\xc3\xb6 x", "2:5:3"},
    {"a: abc\n  def\n\n\n  ghi\n", "abc def\n\nghi", "def", "2:3:3"},
    {"a: abc\n  def\n\n\n  ghi\n", "abc def\n\nghi", "ghi", "5:3:3"},
    {"a: abc  \n  def\n", "abc def", " def", "1:7:2"},
    {"a: abc\n  def\n", "abc def", "c d", "1:6:1"},
    {"a: abc\r\n  def\r\n", "abc def", "def", "2:3:3"},
    {"a: abc # def\n", "abc", "c", "1:6:1"},
    {"a:\n  abc\n", "abc", "c", "2:5:1"},
    {"a: [x, yz w]\nb: { c: 1 }\nd: z\n", "z", "z", "3:4:1"},
    {"a: 'it''s x'\n", "it's x", "x", "1:11:1"},
    {"a: 'it''s x'\n", "it's x", "'s", "1:7:3"},
    {"a: 'b\n\n  c''d'\n", "b\nc'd", "d", "3:6:1"},
    {"a: '  b'\n", "  b", "b", "1:7:1"},
    {"a: \"x\\ty\"\n", "x\ty", "\t", "1:6:2"},
    {"a: \"x\\ty\"\n", "x\ty", "y", "1:8:1"},
    {"a: \"\\x41\\u00e4\\U0001F600z\"\n", "A\xc3\xa4\xf0\x9f\x98\x80z", "A", "1:5:4"},
    {"a: \"\\x41\\u00e4\\U0001F600z\"\n", "A\xc3\xa4\xf0\x9f\x98\x80z", "\xc3\xa4", "1:9:6"},
    {"a: \"\\x41\\u00e4\\U0001F600z\"\n", "A\xc3\xa4\xf0\x9f\x98\x80z", "\xf0\x9f\x98\x80", "1:15:10"},
    {"a: \"\\x41\\u00e4\\U0001F600z\"\n", "A\xc3\xa4\xf0\x9f\x98\x80z", "z", "1:25:1"},
    {"a: \"\\N\\_\\L\\Pz\"\n", "\xc2\x85\xc2\xa0\xe2\x80\xa8\xe2\x80\xa9z", "z", "1:13:1"},
    {"a: \"b \\\n    c \\\n\n   d\"\n", "b c \nd", "c", "2:5:1"},
    {"a: \"b \\\n    c \\\n\n   d\"\n", "b c \nd", "d", "4:4:1"},
    {"a: \"b\n    c\\\"d\"\n", "b c\"d", "d", "2:8:1"},
    {"a: |\n  b\n  c d\n", "b\nc d\n", "d", "3:5:1"},
    {"a: |\n  b\n  c d\n", "b\nc d\n", "b\nc", "2:3:1"},
    {"a: |\n\n   b\n    c\n", "\nb\n c\n", "c", "4:5:1"},
    {"a: |1\n   b\n c\n", "  b\nc\n", "c", "3:2:1"},
    {"a: |1\n   b\n c\n", "  b\nc\n", "  b", "2:2:3"},
    {"a:\n  - b: |2-  # how\n         x\n       y\n", NULL, NULL, NULL},
    {"a: |+\n  b\n\n\n", "b\n\n\n", "b", "2:3:1"},
    {"a: >\n  b\n  c\n\n  d\n    e\n  f\n", "b c\n\nd\n  e\nf\n", NULL, NULL},
    {"a: >\n  b\n  c\n\n  d\n", "b c\nd\n", "c", "3:3:1"},
    {"a: >\n  b\n  c\n\n  d\n", "b c\nd\n", "d", "5:3:1"},
    {"a: >\n  b\n    c\n  d\n  e\n", "b\n  c\nd e\n", "e", "5:3:1"},
    {"a: >2-\n    b\n  c\n  d", "  b\nc d", "d", "4:3:1"},
    {"a: >\r\n  b\r\n  c\r\n", "b c\n", "c", "3:3:1"},
    {"a: |\n  b\xe2\x80\xa8  c\n",
     "b\xe2\x80\xa8"
     "c\n",
     "c", "3:3:1"},
    {"a: &x \"b\\tc\"\nb: *x\n", "b\tc", "c", "1:11:1"},
    {"a: &x # z\n  'b c'\n", "b c", "c", "2:6:1"},
    {"a: &x >-\n  b\n  c\nb: *x\n", "b c", "c", "3:3:1"},
    {"a: \n", "", "", "1:1:1"},
};

static void expect_place(struct conf_place at, const char *place)
{
    struct text is = {0};
    text_printf(&is, "%u:%u:%u", (unsigned)at.line, (unsigned)at.column, (unsigned)at.width);
    ck_assert_str_eq(text_str(&is), place);
    text_free(&is);
}

START_TEST(a_part_of_a_text_is_found)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct conf_node *n = parse(cases[i].yaml);
        ck_assert_msg(n != NULL, "%s", cases[i].yaml);
        if (cases[i].part) {
            ck_assert_str_eq(n->text, cases[i].text);
            const char *part = strstr(n->text, cases[i].part);
            ck_assert_ptr_nonnull(part);
            expect_place(conf_node_place(n, (size_t)(part - n->text), strlen(cases[i].part)), cases[i].place);
        }
        arena_free(&arena);
    }
}
END_TEST

START_TEST(the_end_of_a_text_is_behind_its_last_character)
{
    static const struct {
        const char *yaml, *place;
    } ends[] = {
        {"a: abc\n", "1:7:1"},        {"a: 'abc'\n", "1:8:1"},          {"a: ''\n", "1:5:1"},
        {"a: \"ab\\n\"\n", "1:9:1"},  {"a: |\n  ab\n\n", "2:5:1"},      {"a: |+\n  ab\n\n", "2:5:1"},
        {"a: >\n  ab\n  c", "3:4:1"}, {"a: ab\n  cd   # e\n", "2:5:1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        const struct conf_node *n = parse(ends[i].yaml);
        ck_assert_ptr_nonnull(n);
        expect_place(conf_node_place(n, strlen(n->text), 1), ends[i].place);
        expect_place(conf_node_place(n, strlen(n->text) + 5, 7), ends[i].place);
        arena_free(&arena);
    }
}
END_TEST

START_TEST(what_is_no_text_of_a_file_has_its_own_place)
{
    const struct conf_node *n = parse("a: [b]\n");
    expect_place(conf_node_place(n, 5, 5), "1:4:1");
    struct conf_node made = {.place = n->place, .text = "a preset"};
    expect_place(conf_node_place(&made, 2, 6), "1:4:1");
    arena_free(&arena);
}
END_TEST

/* ---- every character of every style ---- */

static bool is_before(struct conf_place a, struct conf_place b)
{
    return a.line < b.line || (a.line == b.line && a.column < b.column);
}

/* Each character of the text is where its place says, or what stands there means it, and they come in order.
 */
static void check_characters(const struct conf_node *n, const char *yaml)
{
    struct conf_place last = {.line = 0};
    struct slice rest = slice_of(n->text);
    for (unsigned len; rest.len; rest.ptr += len, rest.len -= len) {
        uint32_t code;
        len = conf_utf8_char(rest, &code);
        struct conf_place at = conf_node_place(n, (size_t)(rest.ptr - n->text), len);
        struct slice there = written_at(at);
        ck_assert_msg(is_before(last, at), "%s\nat %u", yaml, (unsigned)(rest.ptr - n->text));
        last = at;
        bool is_same = there.len >= len && memcmp(there.ptr, rest.ptr, len) == 0;
        bool is_escape = n->origin.style == CONF_DOUBLE_QUOTED && there.len && *there.ptr == '\\';
        bool is_fold =
            (code == ' ' || code == '\n' || code == 0x2028) && strspn(there.ptr, " \t") >= there.len;
        ck_assert_msg(is_same || is_escape || is_fold, "%s\nat %u, found at %u:%u", yaml,
                      (unsigned)(rest.ptr - n->text), (unsigned)at.line, (unsigned)at.column);
        ck_assert(is_escape || is_fold || *there.ptr == '\'' || at.width == 1);
    }
}

START_TEST(every_character_is_found)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct conf_node *n = parse(cases[i].yaml);
        if (n->kind == CONF_SCALAR)
            check_characters(n, cases[i].yaml);
        arena_free(&arena);
    }
}
END_TEST

static uint64_t state = 4;

static size_t pick(size_t bound)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(state >> 33) % bound;
}

/* A body of letters that are told apart, and pieces of the style. */
static void add_body(struct text *yaml, const char *const *pieces, size_t count)
{
    char letter[2] = "a";
    for (size_t n = 1 + pick(20); n; n--) {
        size_t which = pick(count + 4);
        if (which < count) {
            text_puts(yaml, pieces[which]);
            continue;
        }
        text_puts(yaml, letter);
        letter[0] = letter[0] == 'z' ? 'a' : (char)(letter[0] + 1);
    }
}

START_TEST(random_texts_are_found)
{
    static const char *const flow[] = {
        "\n ",   "\n\n  ",  " ",     "  ",   " \t\n  ", "\r\n ", "\xc3\xa4", "\xe2\x80\xa8 ",   "''", "\\n",
        "\\x4a", "\\u20ac", "\\\n ", "\\\\", "\\\"",    "\\N",   "\r ",      "\xf0\x9f\x98\x80"};
    static const char *const block[] = {"\n  ", "\n\n  ", "\n   ",    "\n  \n  ",       " ", "  ",
                                        "\t",   "\r\n  ", "\xc3\xa4", "\xe2\x80\xa8  ", "#", "'",
                                        "\"",   "\\n",    ": ",       "\n    \n  "};
    static const char *const heads[] = {"",       "'",        "\"",           "|\n  ",
                                        ">\n  ",  "|2\n  ",   ">2\n  ",       "|-\n  ",
                                        ">+\n  ", ">2-\n   ", "|+2\n  \n   ", "> # a\n\n  "};
    unsigned read = 0, multi = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct text yaml = {0};
        size_t style = pick(ARRAY_LEN(heads));
        text_printf(&yaml, "%s%s", pick(2) ? "\xc3\xbc: [\xc3\xa4, 'x\n  y']\r\na: " : "a: ", heads[style]);
        add_body(&yaml, style < 3 ? flow : block, style < 3 ? ARRAY_LEN(flow) : ARRAY_LEN(block));
        text_printf(&yaml, "%s%s", style == 1 ? "'" : style == 2 ? "\"" : "", pick(4) ? "\n" : "");
        const struct conf_node *n = parse(text_str(&yaml));
        if (n && n->kind == CONF_SCALAR && *n->text) {
            check_characters(n, text_str(&yaml));
            read++;
            multi += conf_node_place(n, strlen(n->text) - 1, 1).line > n->origin.line;
        }
        arena_free(&arena);
        text_free(&yaml);
    }
    ck_assert_uint_gt(read, ROUNDS / 2);
    ck_assert_uint_gt(multi, ROUNDS / 4);
}
END_TEST

START_TEST(messages_stand_at_a_part)
{
    struct conf_load l;
    struct text out = {0};
    test_load_valid(&l, "frontend: { name: a, bind: ':1' }\n");
    uint32_t count;
    const struct conf_node *node = conf_node_get(conf_load_objects(&l, "frontend", &count)->node, "bind");
    conf_warning_at(&l, conf_node_place(node, 1, 1), "a hint", "warned of %d", 1);
    conf_notice_at(&l, conf_node_place(node, 0, 2), NULL, "noticed");
    conf_error_at(&l, conf_node_place(node, 1, 1), NULL, "wrong");
    conf_report_print(&l.report, CONF_WARNING, &out);
    conf_report_print(&l.report, CONF_NOTICE, &out);
    conf_report_print(&l.report, CONF_ERROR, &out);
    ck_assert_str_eq(text_str(&out), "t.yaml:1:30: warned of 1\n    1 | frontend: { name: a, bind: ':1' }\n"
                                     "      |                              ^\n      = a hint\n"
                                     "t.yaml:1:29: noticed\n    1 | frontend: { name: a, bind: ':1' }\n"
                                     "      |                             ^~\n"
                                     "t.yaml:1:30: wrong\n    1 | frontend: { name: a, bind: ':1' }\n"
                                     "      |                              ^\n");
    text_free(&out);
    conf_load_free(&l);
}
END_TEST

TCase *conf_place_tests(void)
{
    TCase *tests = tcase_create("place");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_part_of_a_text_is_found);
    tcase_add_test(tests, the_end_of_a_text_is_behind_its_last_character);
    tcase_add_test(tests, what_is_no_text_of_a_file_has_its_own_place);
    tcase_add_test(tests, every_character_is_found);
    tcase_add_test(tests, random_texts_are_found);
    tcase_add_test(tests, messages_stand_at_a_part);
    return tests;
}
