/*
 * The grammar, and the canonical form: what is printed parses to the same
 * tree.
 */
#include <stdio.h>

#include "rules/parser.h"
#include "test_rules.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena);
}

static void teardown(void)
{
    arena_free(&arena);
}

static const char *printed(const char *source)
{
    struct fault fault;
    struct text out = {0};
    const struct node *n = tree_parse(&arena, slice_of(source), &fault);
    if (!n)
        return fault.error.text[0] ? arena_strdup(&arena, fault.error.text) : "no reason";
    tree_print(n, &out);
    const char *copy = arena_strdup(&arena, text_str(&out));
    text_free(&out);
    return copy;
}

START_TEST(operators_bind_as_the_grammar_says)
{
    static const struct {
        const char *source, *canonical;
    } cases[] = {
        {"a==b or c=='d' and not e", "a == b || c == 'd' && !e"},
        {"(a || b) && c", "(a || b) && c"},
        {"a && (b && (c && d))", "a && b && c && d"},
        {"a || (b || c) || d", "a || b || c || d"},
        {"not a == b", "!(a == b)"},
        {"(not a) == b", "(!a) == b"},
        {"!!a", "!!a"},
        {"a + b - c + (d + e)", "a + b - c + (d + e)"},
        {"(a + b) + c", "a + b + c"},
        {"a - (b - c)", "a - (b - c)"},
        {"a - b - c", "a - b - c"},
        {"a * (b + c) % -d", "a * (b + c) % -d"},
        {"a * (b * c)", "a * (b * c)"},
        {"- - 5", "--5"},
        {"-(a + b)", "-(a + b)"},
        {"a ? b : c ? d : e", "a ? b : c ? d : e"},
        {"(a ? b : c) ? d : e", "(a ? b : c) ? d : e"},
        {"a ? (b ? c : d) : e", "a ? b ? c : d : e"},
        {"a in ('x','y')", "a in ('x', 'y')"},
        {"a in ('x')", "a in ('x')"},
        {"a not  in b", "a not in b"},
        {"(a in b) == true", "(a in b) == true"},
        {"f()", "f()"},
        {"f( a , g(b),(1,2) )", "f(a, g(b), (1, 2))"},
        {"a\n  =~ '^x'", "a =~ '^x'"},
        {"$0 != $9", "$0 != $9"},
        {"((((a))))", "a"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        ck_assert_str_eq(printed(cases[i].source), cases[i].canonical);
}
END_TEST

START_TEST(strings_keep_backslashes_that_escape_nothing)
{
    static const struct {
        const char *source, *canonical;
    } cases[] = {
        {"'\\.\\d+\\/'", "'\\.\\d+\\/'"}, {"'it\\'s'", "'it\\'s'"},
        {"'a\\\\'", "'a\\\\'"},           {"'\\\\d'", "'\\d'"},
        {"'\\\\n'", "'\\\\n'"},           {"'\\x41\\x0a\\x7f'", "'A\\n\\x7f'"},
        {"'\\xg'", "'\\\\xg'"},           {"'\t'", "'\\t'"},
        {"'\xc3\xa9'", "'\xc3\xa9'"},     {"'\\\\\\x01'", "'\\\\\\x01'"},
        {"'\\\\\\\\'", "'\\\\\\\\'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        ck_assert_str_eq(printed(cases[i].source), cases[i].canonical);
}
END_TEST

static bool is_same(const struct node *a, const struct node *b)
{
    if (a->kind != b->kind || a->count != b->count || a->number != b->number ||
        !slice_equal(a->text, b->text))
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!is_same(a->children[i], b->children[i]))
            return false;
    return true;
}

static struct node *random_tree(unsigned depth);

static void random_children(struct node *n, unsigned count, unsigned depth)
{
    n->children = ARENA_ARRAY(&arena, struct node *, count);
    n->count = count;
    for (unsigned i = 0; i < count; i++) {
        /* Chains stand in no chain of their own kind: they would be one. */
        do
            n->children[i] = random_tree(depth);
        while (n->children[i]->kind == n->kind &&
               (n->kind == NODE_AND || n->kind == NODE_OR || (n->kind == NODE_ADD && i == 0)));
    }
}

static void random_leaf(struct node *n)
{
    static const char bytes[] = "ab'\\\\nrtx0\n\r\t\x01\x7f\xe9 ,";
    static const char *const names[] = {"a", "host", "x_1", "inner", "nothing"};
    static const enum node_kind kinds[] = {NODE_STRING, NODE_INT, NODE_BOOL, NODE_CAPTURE, NODE_VARIABLE};
    n->kind = kinds[test_random(ARRAY_LEN(kinds))];
    if (n->kind == NODE_STRING) {
        n->text = (struct slice){arena_alloc(&arena, 16), test_random(12)};
        for (size_t i = 0; i < n->text.len; i++)
            ((char *)n->text.ptr)[i] = bytes[test_random(sizeof bytes)];
    } else if (n->kind == NODE_INT) {
        n->number = test_random(3) ? test_random(1000) : INT64_MAX;
    } else if (n->kind == NODE_VARIABLE) {
        n->text = slice_of(names[test_random(ARRAY_LEN(names))]);
    } else {
        n->number = test_random(n->kind == NODE_BOOL ? 2 : 10);
    }
}

static struct node *random_tree(unsigned depth)
{
    struct node *n = ARENA_NEW(&arena, struct node);
    if (!depth || test_random(4) == 0) {
        random_leaf(n);
        return n;
    }
    do
        n->kind = NODE_LIST + test_random(NODE_NEGATE - NODE_LIST + 1);
    while (n->kind == NODE_CAPTURE || n->kind == NODE_VARIABLE);
    unsigned count = 2;
    if (n->kind == NODE_CALL) {
        count = test_random(4);
        n->text = SLICE("f");
    } else if (n->kind == NODE_CHOICE) {
        count = 3;
    } else if (n->kind == NODE_NOT || n->kind == NODE_NEGATE) {
        count = 1;
    } else if (n->kind == NODE_LIST || n->kind == NODE_AND || n->kind == NODE_OR || n->kind == NODE_ADD) {
        count = 2 + test_random(3);
    }
    random_children(n, count, depth - 1);
    return n;
}

START_TEST(what_is_printed_parses_to_the_same_tree)
{
    for (unsigned i = 0; i < 20000; i++) {
        struct fault fault;
        struct text first = {0}, second = {0};
        const struct node *tree = random_tree(1 + i % 6);
        tree_print(tree, &first);
        const struct node *again = tree_parse(&arena, (struct slice){first.data, first.len}, &fault);
        ck_assert_msg(again != NULL, "%s: %s", text_str(&first), fault.error.text);
        ck_assert_msg(is_same(tree, again), "%s", text_str(&first));
        tree_print(again, &second);
        ck_assert_str_eq(text_str(&first), text_str(&second));
        text_free(&first);
        text_free(&second);
        arena_free(&arena);
    }
}
END_TEST

START_TEST(a_long_chain_is_no_deep_tree)
{
    struct text source = {0};
    text_puts(&source, "a == 'x'");
    for (unsigned i = 0; i < 1000; i++)
        text_puts(&source, " || a == 'x'");
    struct fault fault;
    const struct node *n = tree_parse(&arena, slice_of(text_str(&source)), &fault);
    ck_assert_ptr_nonnull(n);
    ck_assert_uint_eq(n->count, 1001);
    ck_assert_uint_eq(n->depth, 3);
    text_free(&source);
}
END_TEST

TCase *rules_print_tests(void)
{
    TCase *t = tcase_create("print");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, operators_bind_as_the_grammar_says);
    tcase_add_test(t, strings_keep_backslashes_that_escape_nothing);
    tcase_add_test(t, what_is_printed_parses_to_the_same_tree);
    tcase_add_test(t, a_long_chain_is_no_deep_tree);
    return t;
}
