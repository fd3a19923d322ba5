#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/hashmap.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/text.h"

START_TEST(an_arena_gives_zeroed_aligned_memory_of_any_size)
{
    struct arena a;
    arena_init(&a);
    for (size_t size = 1; size < 40000; size = size * 3 + 1) {
        unsigned char *p = arena_alloc(&a, size);
        ck_assert_uint_eq((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            ck_assert_uint_eq(p[i], 0);
        memset(p, 0xff, size);
    }
    ck_assert_str_eq(arena_printf(&a, "%s-%d", "a", 7), "a-7");
    ck_assert_str_eq(arena_copy(&a, "hello", 3), "hel");
    arena_free(&a);
    ck_assert_ptr_null(a.blocks);
}
END_TEST

START_TEST(a_pool_gives_the_latest_back_first_and_trims)
{
    static struct pool p = {.size = 100};
    void *one = pool_get(&p), *two = pool_get(&p);
    ck_assert_uint_eq(p.live_count, 2);
    pool_put(&p, one);
    pool_put(&p, two);
    ck_assert_ptr_eq(pool_get(&p), two);
    pool_put(&p, two);
    pool_trim(&p, 1);
    ck_assert_uint_eq(p.free_count, 1);
    pool_trim(&p, 0);
    ck_assert_uint_eq(p.free_count, 0);
    ck_assert_uint_eq(p.live_count, 0);
}
END_TEST

START_TEST(all_pools_are_trimmed)
{
    static struct pool a = {.size = 20000}, b = {.size = 50};
    void *objects[200], *used = pool_get(&a), *small = pool_get(&b);
    for (int i = 0; i < 200; i++)
        objects[i] = pool_get(&a);
    for (int i = 0; i < 200; i++)
        pool_put(&a, objects[i]);
    pool_put(&b, small);
    pool_trim_all(3);
    ck_assert_uint_eq(a.free_count, 3);
    ck_assert_uint_eq(a.live_count, 1);
    ck_assert_uint_eq(b.free_count, 1);
    pool_put(&a, used);
    pool_trim_all(0);
    ck_assert_uint_eq(a.free_count + b.free_count, 0);
}
END_TEST

START_TEST(buffers_are_empty_when_they_are_got)
{
    size_t before = buffer_live();
    struct buffer *b = buffer_get();
    ck_assert_uint_eq(buffer_len(b), 0);
    ck_assert_uint_eq(buffer_room(b), BUFFER_SIZE);
    b->end = 10;
    b->start = 4;
    ck_assert_uint_eq(buffer_len(b), 6);
    ck_assert_uint_eq(buffer_live(), before + 1);
    buffer_put(b);
    b = buffer_get();
    ck_assert_uint_eq(buffer_len(b), 0);
    buffer_put(b);
    ck_assert_uint_eq(buffer_live(), before);
    pool_trim_all(0);
}
END_TEST

START_TEST(a_hashmap_keeps_the_first_of_a_name)
{
    struct hashmap m = {0};
    static int values[3000];
    char key[16];
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        ck_assert_ptr_null(hashmap_add(&m, slice_of(key), &values[i]));
    }
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        ck_assert_ptr_eq(hashmap_find(&m, slice_of(key)), &values[i]);
        ck_assert_ptr_eq(hashmap_add(&m, slice_of(key), &values[0]), &values[i]);
    }
    ck_assert_ptr_null(hashmap_find(&m, SLICE("key-3000")));
    ck_assert_ptr_null(hashmap_find(&m, SLICE("")));
    hashmap_free(&m);
}
END_TEST

START_TEST(a_list_is_cut_at_commas_and_trimmed)
{
    struct slice rest = SLICE(" a , b,,c \t"), item;
    static const char *const want[] = {"a", "b", "", "c"};
    for (size_t i = 0; i < 4; i++) {
        ck_assert(slice_next_item(&rest, &item));
        ck_assert(slice_equal(item, slice_of(want[i])));
    }
    ck_assert(!slice_next_item(&rest, &item));
    ck_assert(slice_equal_nocase(SLICE("Keep-Alive"), SLICE("keep-alive")));
    ck_assert(!slice_equal_nocase(SLICE("Keep-Alive"), SLICE("keep-alivE ")));
}
END_TEST

START_TEST(text_grows)
{
    struct text t = {0};
    ck_assert_str_eq(text_str(&t), "");
    for (int i = 0; i < 1000; i++)
        text_printf(&t, "%d,", i);
    ck_assert_uint_eq(t.len, 10 * 2 + 90 * 3 + 900 * 4);
    ck_assert_uint_eq(strlen(t.data), t.len);
    text_free(&t);
    text_puts(&t, "again");
    ck_assert_str_eq(text_str(&t), "again");
    text_free(&t);
}
END_TEST

START_TEST(a_long_error_is_cut_not_lost)
{
    struct error err;
    char long_text[2000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    ck_assert_int_eq(error_set(&err, "%s", long_text), -1);
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
    ck_assert_int_eq(error_set(NULL, "nobody listens"), -1);
}
END_TEST

START_TEST(random_numbers_stay_below_their_bound)
{
    unsigned seen[10] = {0};
    random_seed();
    for (int i = 0; i < 10000; i++) {
        uint32_t n = random_below(10);
        ck_assert_uint_lt(n, 10);
        seen[n]++;
    }
    for (int i = 0; i < 10; i++)
        ck_assert_uint_gt(seen[i], 700);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *tcase = tcase_create("base");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, an_arena_gives_zeroed_aligned_memory_of_any_size);
    tcase_add_test(tcase, a_pool_gives_the_latest_back_first_and_trims);
    tcase_add_test(tcase, all_pools_are_trimmed);
    tcase_add_test(tcase, buffers_are_empty_when_they_are_got);
    tcase_add_test(tcase, a_hashmap_keeps_the_first_of_a_name);
    tcase_add_test(tcase, a_list_is_cut_at_commas_and_trimmed);
    tcase_add_test(tcase, text_grows);
    tcase_add_test(tcase, a_long_error_is_cut_not_lost);
    tcase_add_test(tcase, random_numbers_stay_below_their_bound);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
