#include "test_conf.h"

#include <string.h>

#include "conf/parse.h"
#include "conf/source.h"

/* A file that is parsed by itself, without tables. */
static struct arena arena;
static struct conf_report report;

static const struct conf_node *parse_bytes(const char *bytes, size_t len)
{
    arena_init(&arena);
    report = (struct conf_report){.arena = &arena};
    const struct conf_file *f = conf_source_copy(&report, "t.yaml", bytes, len);
    return f ? conf_parse(&report, f) : NULL;
}

static const struct conf_node *parse(const char *yaml)
{
    return parse_bytes(yaml, strlen(yaml));
}

/* All messages, one a line; then frees what the parse made. */
static void expect(const char *lines)
{
    struct text out = {0};
    for (uint32_t i = 0; i < report.count; i++) {
        conf_message_print_line(&report.messages[i], &out);
        text_puts(&out, "\n");
    }
    ck_assert_str_eq(text_str(&out), lines);
    text_free(&out);
    arena_free(&arena);
}

static void expect_place(const struct conf_node *n, uint32_t line, uint32_t column, uint32_t width)
{
    ck_assert_ptr_nonnull(n);
    ck_assert_uint_eq(n->place.line, line);
    ck_assert_uint_eq(n->place.column, column);
    ck_assert_uint_eq(n->place.width, width);
}

START_TEST(nodes_know_their_places)
{
    const struct conf_node *root = parse("# comment\n"
                                         "\xc3\xa4: one\n"
                                         "list:\n"
                                         "  - a\n"
                                         "  - name: \"b c\"\n"
                                         "    empty:\n"
                                         "  -\n"
                                         "flow: { x: [1, 2] }\n");
    expect_place(root, 2, 1, 1);
    ck_assert_uint_eq(root->count, 3);
    const struct conf_node *umlaut = conf_node_get(root, "\xc3\xa4");
    expect_place(umlaut, 2, 4, 3);
    expect_place(umlaut->key, 2, 1, 1);
    const struct conf_node *list = conf_node_get(root, "list");
    ck_assert_int_eq(list->kind, CONF_LIST);
    ck_assert_uint_eq(list->count, 3);
    expect_place(list->first, 4, 5, 1);
    const struct conf_node *map = list->first->next;
    expect_place(map, 5, 5, 4); /* its first key */
    expect_place(conf_node_get(map, "name"), 5, 11, 5);
    ck_assert_str_eq(conf_node_get(map, "name")->text, "b c");
    ck_assert(conf_node_get(map, "name")->quoted);
    expect_place(conf_node_get(map, "empty"), 6, 5, 5); /* its key: there is nothing else to show */
    ck_assert(conf_node_is_null(conf_node_get(map, "empty")));
    expect_place(map->next, 7, 3, 1); /* the dash */
    const struct conf_node *flow = conf_node_get(root, "flow");
    expect_place(flow, 8, 7, 1);
    expect_place(conf_node_get(flow, "x")->first->next, 8, 16, 1);
    ck_assert_ptr_null(conf_node_get(root, "nothing"));
    ck_assert_ptr_null(conf_node_get(NULL, "nothing"));
    expect("");
}
END_TEST

START_TEST(null_is_unquoted_and_empty)
{
    const struct conf_node *root = parse("a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: nil\n");
    static const bool is_null[] = {true, true, true, false, false, false};
    unsigned i = 0;
    CONF_NODE_FOREACH (child, root)
        ck_assert(conf_node_is_null(child) == is_null[i++]);
    ck_assert_uint_eq(i, 6);
    expect("");
}
END_TEST

START_TEST(lines_end_as_yaml_ends_them)
{
    const struct conf_node *root = parse("\xef\xbb\xbf"
                                         "a: 1\r\nb: 2\rc: 3\nd: x\xe2\x80\xa8"
                                         "e: 5\n");
    expect_place(conf_node_get(root, "a"), 1, 4, 1);
    expect_place(conf_node_get(root, "c"), 3, 4, 1);
    const struct conf_node *last = conf_node_get(root, "e");
    expect_place(last, 5, 4, 1);
    struct slice line = conf_source_line(last->place.file, 5);
    ck_assert(slice_equal(line, SLICE("e: 5")));
    ck_assert(slice_equal(conf_source_line(last->place.file, 1), SLICE("a: 1")));
    ck_assert_ptr_nonnull(conf_source_line(last->place.file, 6).ptr);
    ck_assert_ptr_null(conf_source_line(last->place.file, 7).ptr);
    expect("");
}
END_TEST

START_TEST(duplicate_keys_name_the_first)
{
    const struct conf_node *root = parse("a: 1\nb: 2\na: 3\nm: { a: 1, b: 2, b: 3 }\n");
    ck_assert_ptr_nonnull(root);
    ck_assert_str_eq(conf_node_get(root, "a")->text, "1");
    ck_assert_uint_eq(root->count, 3);
    expect("t.yaml:3:1: the key \"a\" is written twice (the first is at line 1)\n"
           "t.yaml:4:18: the key \"b\" is written twice (the first is at line 4)\n");
}
END_TEST

START_TEST(tags_and_odd_keys_are_refused_and_reading_goes_on)
{
    const struct conf_node *root =
        parse("a: !!str 1\nb: !own { c: 1 }\n[x]: 1\n~: 2\n<<: { d: 1 }\n\"<<\": 1\nlast: 1\n");
    ck_assert_ptr_nonnull(root);
    ck_assert_ptr_nonnull(conf_node_get(root, "last"));
    expect("t.yaml:1:4: a tag can't be used here: \"!!str\" (remove it)\n"
           "t.yaml:2:4: a tag can't be used here: \"!own\" (remove it)\n"
           "t.yaml:3:1: this can't be a key (write KEY: VALUE)\n"
           "t.yaml:4:1: this can't be a key (write KEY: VALUE)\n"
           "t.yaml:5:1: maps can't be merged with \"<<\" (what several share can stand in \"defaults\")\n");
}
END_TEST

START_TEST(a_file_is_one_document)
{
    ck_assert_ptr_nonnull(parse("---\na: 1\n...\n"));
    expect("");
    parse("a: 1\n---\nb: 2\n");
    expect("t.yaml:2:1: a second YAML document starts here (put all of it into one)\n");
    ck_assert_ptr_null(parse(""));
    expect("t.yaml:1:1: the file is empty: there is no configuration in it\n");
    ck_assert_ptr_null(parse("# nothing\n"));
    expect("t.yaml:1:1: the file is empty: there is no configuration in it\n");
}
END_TEST

START_TEST(aliases_are_copies_with_a_place_of_their_own)
{
    const struct conf_node *root = parse("a: &x { k: v, l: [1] }\nb: *x\nc: &y text\nd: [*y, *y]\n");
    ck_assert_ptr_nonnull(root);
    const struct conf_node *b = conf_node_get(root, "b");
    expect_place(b, 2, 4, 2);
    ck_assert_str_eq(b->key->text, "b");
    ck_assert_str_eq(conf_node_get(b, "k")->text, "v");
    expect_place(conf_node_get(b, "k"), 1, 12, 1); /* where it was written */
    ck_assert_ptr_ne(b->first, conf_node_get(root, "a")->first);
    const struct conf_node *d = conf_node_get(root, "d");
    ck_assert_uint_eq(d->count, 2);
    ck_assert_str_eq(d->first->next->text, "text");
    ck_assert_ptr_null(d->first->next->next);
    expect("");
}
END_TEST

START_TEST(aliases_that_lead_nowhere_are_refused)
{
    ck_assert_ptr_null(parse("a: *x\nb: 1\nc: *y\n"));
    expect("t.yaml:1:4: there is no anchor \"x\" (an anchor stands before its aliases)\n"
           "t.yaml:3:4: there is no anchor \"y\" (an anchor stands before its aliases)\n");
    ck_assert_ptr_null(parse("a: &x { b: [*x] }\n"));
    expect("t.yaml:1:13: the alias \"x\" stands inside of what it stands for\n");
    parse("a: &x 1\nb: &x 2\n");
    expect("t.yaml:2:4: the anchor \"x\" is set twice (the first is at line 1)\n");
}
END_TEST

START_TEST(aliases_of_aliases_are_bounded)
{
    struct text yaml = {0};
    text_puts(&yaml, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 30; i++)
        text_printf(&yaml, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1,
                    i - 1, i - 1, i - 1);
    ck_assert_ptr_null(parse(text_str(&yaml)));
    ck_assert_uint_eq(report.errors, 1);
    ck_assert_str_eq(report.messages[0].text, "the aliases of the file stand for more than 100000 values");
    arena_free(&arena);
    text_free(&yaml);
}
END_TEST

/* `depth` lists in each other below a key. */
static const struct conf_node *parse_depth(int depth)
{
    struct text yaml = {0};
    text_puts(&yaml, "a: ");
    for (int i = 0; i < depth; i++)
        text_puts(&yaml, "[");
    for (int i = 0; i < depth; i++)
        text_puts(&yaml, "]");
    const struct conf_node *root = parse(text_str(&yaml));
    text_free(&yaml);
    return root;
}

START_TEST(depth_is_bounded)
{
    ck_assert_ptr_nonnull(parse_depth(63));
    expect("");
    ck_assert_ptr_null(parse_depth(64));
    expect("t.yaml:1:67: more than 64 maps and lists stand in each other here\n");
    ck_assert_ptr_null(parse_depth(100000));
    ck_assert_uint_eq(report.errors, 1);
    arena_free(&arena);
    /* An alias can't go deeper either. */
    ck_assert_ptr_null(
        parse("a: &a [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"
              "b: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"));
    ck_assert_uint_eq(report.errors, 1);
    arena_free(&arena);
}
END_TEST

START_TEST(the_number_of_values_is_bounded)
{
    struct text yaml = {0};
    for (int i = 0; i < CONF_NODES_MAX; i++)
        text_puts(&yaml, "-\n");
    ck_assert_ptr_null(parse(text_str(&yaml)));
    ck_assert_str_eq(report.messages[0].text, "the file has more than a million values");
    arena_free(&arena);
    text_free(&yaml);
}
END_TEST

START_TEST(bytes_that_are_no_text_are_refused)
{
    ck_assert_ptr_null(parse_bytes("a: 1\nb: x\0y\n", 12));
    expect("t.yaml:2:5: a NUL byte is not text (is this a configuration file?)\n");
    parse("a: \xc3\xa4\xff\n");
    expect("t.yaml:1:5: the byte 0xff is not UTF-8 text (save the file as UTF-8)\n");
    parse("a: \xc0\xaf\n"); /* overlong */
    expect("t.yaml:1:4: the byte 0xc0 is not UTF-8 text (save the file as UTF-8)\n");
    parse("a: \xed\xa0\x80\n"); /* a surrogate */
    expect("t.yaml:1:4: the byte 0xed is not UTF-8 text (save the file as UTF-8)\n");
    parse("a: \xe2\x82");
    expect("t.yaml:1:4: the byte 0xe2 is not UTF-8 text (save the file as UTF-8)\n");
    parse("\xff\xfe"
          "a");
    expect("t.yaml:1:1: the byte 0xff is not UTF-8 text (save the file as UTF-8)\n");
    parse("a: \x07\n");
    expect("t.yaml:1:4: the control character 0x07 is not text "
           "(remove it; in double quotes it may be written as \\xNN)\n");
    ck_assert_ptr_null(parse("a: \"x\\0y\"\n"));
    expect("t.yaml:1:4: a value can't contain a NUL\n");
}
END_TEST

START_TEST(syntax_errors_say_what_was_probably_meant)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"a:\n  b: 1\n   c: 2\n",
         "t.yaml:3:5: a ':' can't stand here (is the line indented too far? a value with \": \" "
         "in it needs quotes)\n"},
        {"a: b: c\n",
         "t.yaml:1:5: a ':' can't stand here (is the line indented too far? a value with \": \" in it "
         "needs quotes)\n"},
        {"a:\n    b: 1\n  c: 2\n",
         "t.yaml:3:3: a key of the map is expected here (the keys of a map stand below each "
         "other, in the same column; it belongs to what starts at line 1)\n"},
        {"a:\n  - 1\n  b: 2\n",
         "t.yaml:3:3: an item of the list is expected here (the items of a list start with "
         "\"- \", in the same column; it belongs to what starts at line 2)\n"},
        {"a: 1\nbbb\nc: 1\n", "t.yaml:2:1: a ':' is missing behind this key (write KEY: VALUE)\n"},
        {"a:\n\tb: 1\n", "t.yaml:2:1: a tab can't indent (indent with spaces)\n"},
        {"a: @x\n", "t.yaml:1:4: a value can't start with this character (put it in quotes)\n"},
        {"a: 'x\nb: 1\n", "t.yaml:1:4: this quote is never closed (add the closing quote)\n"},
        {"a: \"\\d\"\n",
         "t.yaml:1:5: this is no escape sequence (in double quotes a backslash starts an escape: write "
         "\\\\, or use single quotes)\n"},
        {"a: - b\n",
         "t.yaml:1:4: a list can't start here (put the first \"- \" on a line of its own, below the "
         "key)\n"},
        {"a: [1, 2\nb: 1\n",
         "t.yaml:2:2: a list in [ ] needs ',' or ']' here (it belongs to what starts at line 1)\n"},
        {"a: { x: 1\nb: 1\n",
         "t.yaml:2:2: a map in { } needs ',' or '}' here (it belongs to what starts at line 1)\n"},
        {"a: ]\n", "t.yaml:1:4: a value is expected here\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ck_assert_ptr_null(parse(cases[i].yaml));
        expect(cases[i].message);
    }
}
END_TEST

TCase *conf_parse_tests(void)
{
    TCase *tests = tcase_create("parse");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, nodes_know_their_places);
    tcase_add_test(tests, null_is_unquoted_and_empty);
    tcase_add_test(tests, lines_end_as_yaml_ends_them);
    tcase_add_test(tests, duplicate_keys_name_the_first);
    tcase_add_test(tests, tags_and_odd_keys_are_refused_and_reading_goes_on);
    tcase_add_test(tests, a_file_is_one_document);
    tcase_add_test(tests, aliases_are_copies_with_a_place_of_their_own);
    tcase_add_test(tests, aliases_that_lead_nowhere_are_refused);
    tcase_add_test(tests, aliases_of_aliases_are_bounded);
    tcase_add_test(tests, depth_is_bounded);
    tcase_add_test(tests, the_number_of_values_is_bounded);
    tcase_add_test(tests, bytes_that_are_no_text_are_refused);
    tcase_add_test(tests, syntax_errors_say_what_was_probably_meant);
    return tests;
}
