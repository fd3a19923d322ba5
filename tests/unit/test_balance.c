#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "balance/balance.h"
#include "balance/schedule.h"

enum { SERVERS_MAX = 300, PROCESSES_MAX = 8 };

/* A pool of servers, seen by several "processes" that share a rotation and loads, as workers do. */
struct world {
    struct balance_server servers[SERVERS_MAX];
    char names[SERVERS_MAX][32];
    uint32_t load[SERVERS_MAX];
    uint64_t rotation;
    uint32_t count, processes;
    struct balance_view view;
    struct balancer balancer[PROCESSES_MAX];
};

static struct world *world;

static uint64_t rotate(void *context)
{
    return ((struct world *)context)->rotation++;
}

static uint32_t load_of(void *context, uint32_t i)
{
    return ((struct world *)context)->load[i];
}

static void start(const char *algorithm, uint32_t processes, uint32_t count, const uint32_t *weights)
{
    world = calloc(1, sizeof *world);
    world->count = count;
    world->processes = processes;
    world->view = (struct balance_view){.context = world, .rotate = rotate, .load = load_of};
    for (uint32_t i = 0; i < count; i++) {
        snprintf(world->names[i], sizeof world->names[i], "10.0.0.%u:80", i);
        world->servers[i] = (struct balance_server){world->names[i], weights ? weights[i] : 100, true};
    }
    ck_assert_ptr_nonnull(balance_find(algorithm));
    for (uint32_t p = 0; p < processes; p++)
        balancer_init(&world->balancer[p], balance_find(algorithm), &world->view, world->servers, count);
}

static void stop(void)
{
    for (uint32_t p = 0; p < world->processes; p++)
        world->balancer[p].ops->free(&world->balancer[p]);
    free(world);
}

static void changed(void)
{
    for (uint32_t p = 0; p < world->processes; p++)
        world->balancer[p].ops->changed(&world->balancer[p]);
}

static void set_eligible(uint32_t i, bool eligible)
{
    world->servers[i].eligible = eligible;
    changed();
}

static int pick_untried(uint32_t process, uint64_t hash, const uint64_t *tried)
{
    struct balance_key key = {hash};
    struct balancer *b = &world->balancer[process];
    return b->ops->pick(b, &key, (struct balance_tried){tried});
}

static int pick(uint32_t process)
{
    return pick_untried(process, 0, NULL);
}

/* `n` picks by the processes in an irregular order; how often each server was chosen. */
static void pick_many(uint32_t n, uint32_t *times)
{
    memset(times, 0, world->count * sizeof *times);
    for (uint32_t k = 0; k < n; k++) {
        int i = pick((k * k + k / 3) % world->processes);
        ck_assert_int_ge(i, 0);
        times[i]++;
    }
}

START_TEST(algorithms_are_found_by_name)
{
    ck_assert_str_eq(balance_algorithms[0]->name, "roundrobin");
    ck_assert_ptr_eq(balance_find("roundrobin"), balance_algorithms[0]);
    ck_assert_str_eq(balance_find("leastconn")->name, "leastconn");
    ck_assert_str_eq(balance_find("source")->name, "source");
    ck_assert_ptr_null(balance_find("roundrobi"));
    ck_assert_ptr_null(balance_find(""));
    for (const struct balancer_ops *const *a = balance_algorithms; *a; a++)
        ck_assert_msg((*a)->summary && (*a)->init && (*a)->pick && (*a)->changed && (*a)->free, "%s",
                      (*a)->name);
}
END_TEST

/* Every algorithm keeps to these. */
START_TEST(never_a_server_that_may_not_be_chosen)
{
    const char *name = balance_algorithms[_i]->name;
    uint32_t weights[] = {3, 0, 5, 2};
    start(name, 1, 4, weights);
    set_eligible(2, false);
    uint64_t tried = 1;
    for (uint64_t k = 0; k < 100; k++) {
        int i = pick_untried(0, k * 0x123456789abcdef, NULL);
        ck_assert_msg(i == 0 || i == 3, "%s chose %d", name, i);
        ck_assert_int_eq(pick_untried(0, k, &tried), 3);
    }
    tried = 1 | 8;
    ck_assert_int_eq(pick_untried(0, 7, &tried), -1);
    set_eligible(0, false);
    set_eligible(3, false);
    ck_assert_int_eq(pick(0), -1);
    set_eligible(2, true);
    ck_assert_int_eq(pick(0), 2);
    stop();

    start(name, 1, 2, (uint32_t[]){0, 0});
    ck_assert_int_eq(pick(0), -1);
    stop();
    start(name, 1, 0, NULL);
    ck_assert_int_eq(pick(0), -1);
    stop();
}
END_TEST

/* A server may have become ineligible since changed(). */
START_TEST(eligibility_counts_at_the_moment_of_the_pick)
{
    start(balance_algorithms[_i]->name, 1, 3, NULL);
    world->servers[0].eligible = world->servers[1].eligible = false;
    for (int k = 0; k < 10; k++)
        ck_assert_int_eq(pick_untried(0, (uint64_t)k, NULL), 2);
    stop();
}
END_TEST

START_TEST(tried_sets_go_beyond_one_word)
{
    start(balance_algorithms[_i]->name, 1, 130, NULL);
    uint64_t tried[3] = {UINT64_MAX, UINT64_MAX & ~((uint64_t)1 << 37), UINT64_MAX};
    for (int k = 0; k < 200; k++)
        ck_assert_int_eq(pick_untried(0, (uint64_t)k, tried), 64 + 37);
    tried[1] = UINT64_MAX;
    ck_assert_int_eq(pick_untried(0, 1, tried), -1);
    stop();
}
END_TEST

START_TEST(roundrobin_hits_each_of_n_in_any_n_picks_over_all_processes)
{
    start("roundrobin", 5, 7, NULL);
    int last[7];
    for (int k = 0; k < 7 * 30; k++) {
        int i = pick((uint32_t)(k * k) % 5);
        for (int back = 1; back < 7 && back <= k; back++)
            ck_assert_int_ne(last[(k - back) % 7], i);
        last[k % 7] = i;
    }
    stop();
}
END_TEST

/* After any number of turns each server is within one turn of its share. */
static void assert_smooth(const uint32_t *weights, uint32_t count)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += weights[i];
    start("roundrobin", 3, count, weights);
    uint64_t *times = calloc(count, sizeof *times);
    for (uint64_t turns = 1; turns <= 2 * sum; turns++) {
        times[pick((uint32_t)(turns % 3))]++;
        for (uint32_t i = 0; i < count; i++) {
            int64_t ahead = (int64_t)(times[i] * sum) - (int64_t)(turns * weights[i]);
            ck_assert_msg(llabs(ahead) < (int64_t)sum, "server %u of weight %u after %llu turns: %llu", i,
                          weights[i], (unsigned long long)turns, (unsigned long long)times[i]);
        }
        for (uint32_t i = 0; turns % sum == 0 && i < count; i++)
            ck_assert_uint_eq(times[i], turns / sum * weights[i]);
    }
    free(times);
    stop();
}

START_TEST(roundrobin_is_smooth_and_exact)
{
    assert_smooth((uint32_t[]){5, 1, 1}, 3);
    assert_smooth((uint32_t[]){4, 2, 1, 0}, 4);
    assert_smooth((uint32_t[]){256, 1}, 2);
    assert_smooth((uint32_t[]){1, 255, 256, 17, 100, 99, 3}, 7);
    uint32_t many[100], seed = 1;
    for (uint32_t round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < 100; i++)
            many[i] = 1 + (seed = seed * 1103515245 + 12345) / 65536 % (round % 2 ? 256 : 4);
        assert_smooth(many, round % 2 ? 6 : 100);
    }
}
END_TEST

START_TEST(roundrobin_has_no_bursts)
{
    start("roundrobin", 1, 3, (uint32_t[]){5, 1, 1});
    int run = 0, longest = 0;
    for (int k = 0; k < 70; k++) {
        run = pick(0) == 0 ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    ck_assert_int_le(longest, 3); /* five turns with two others between them */
    stop();

    start("roundrobin", 1, 2, (uint32_t[]){200, 200});
    for (int k = 0; k < 20; k++)
        ck_assert_int_eq(pick(0), k % 2);
    stop();
}
END_TEST

START_TEST(roundrobin_goes_on_along_the_schedule_without_another_turn)
{
    start("roundrobin", 2, 3, NULL);
    uint64_t tried = 1;
    ck_assert_int_eq(pick_untried(0, 0, &tried), 1); /* turn 0 is server 0's */
    ck_assert_uint_eq(world->rotation, 1);
    ck_assert_int_eq(pick(1), 1);
    ck_assert_int_eq(pick(0), 2);
    ck_assert_uint_eq(world->rotation, 3);
    tried = 1 | 2;
    ck_assert_int_eq(pick_untried(0, 0, &tried), 2);
    ck_assert_uint_eq(world->rotation, 4);
    stop();
}
END_TEST

START_TEST(roundrobin_follows_changes)
{
    uint32_t times[4];
    start("roundrobin", 4, 4, NULL);
    set_eligible(1, false);
    pick_many(300, times);
    ck_assert_uint_eq(times[0], 100);
    ck_assert_uint_eq(times[1], 0);
    ck_assert_uint_eq(times[2], 100);
    ck_assert_uint_eq(times[3], 100);
    set_eligible(1, true);
    world->servers[2].weight = 50;
    world->servers[3].weight = 0;
    changed();
    pick_many(500, times);
    ck_assert_uint_eq(times[0], 200);
    ck_assert_uint_eq(times[1], 200);
    ck_assert_uint_eq(times[2], 100);
    ck_assert_uint_eq(times[3], 0);
    stop();
}
END_TEST

START_TEST(schedules_are_bounded_and_keep_the_shares)
{
    enum { COUNT = 4096 };
    uint32_t weights[COUNT], times[COUNT] = {0};
    uint64_t sum = 0;
    for (uint32_t i = 0; i < COUNT; i++)
        sum += weights[i] = i % 2 ? BALANCE_WEIGHT_MAX : i > 0 ? BALANCE_WEIGHT_MAX / 4 - 1 : 1;
    struct schedule s = {0};
    schedule_make(&s, weights, COUNT);
    ck_assert_uint_le(s.length, SCHEDULE_TURNS_MAX + COUNT);
    for (uint32_t turn = 0; turn < s.length; turn++)
        times[s.turns[turn]]++;
    for (uint32_t i = 0; i < COUNT; i++) {
        double share = (double)weights[i] * SCHEDULE_TURNS_MAX / (double)sum;
        ck_assert_msg(times[i] >= 1 && (double)times[i] > share - 1 && (double)times[i] <= share + 1,
                      "%u: %u", i, times[i]);
    }
    schedule_free(&s);
    ck_assert_uint_eq(s.length, 0);

    for (uint32_t i = 0; i < COUNT; i++) /* the divisor keeps equal weights short */
        weights[i] = 240;
    schedule_make(&s, weights, COUNT);
    ck_assert_uint_eq(s.length, COUNT);
    schedule_free(&s);
}
END_TEST

START_TEST(leastconn_chooses_the_least_load_for_the_weight)
{
    start("leastconn", 1, 3, (uint32_t[]){10, 20, 30});
    memcpy(world->load, (uint32_t[]){3, 5, 9}, 12); /* 0.30, 0.25, 0.30 */
    ck_assert_int_eq(pick(0), 1);
    world->load[1] = 7; /* 0.35 */
    world->load[2] = 8; /* 0.27 */
    ck_assert_int_eq(pick(0), 2);
    uint64_t tried = 4;
    ck_assert_int_eq(pick_untried(0, 0, &tried), 0);
    world->load[0] = UINT32_MAX; /* no overflow */
    ck_assert_int_eq(pick_untried(0, 0, &tried), 1);
    stop();
}
END_TEST

START_TEST(leastconn_fills_up_by_weight)
{
    start("leastconn", 3, 3, (uint32_t[]){1, 2, 3});
    for (uint32_t k = 0; k < 600; k++)
        world->load[pick(k % 3)]++;
    ck_assert_uint_eq(world->load[0], 100);
    ck_assert_uint_eq(world->load[1], 200);
    ck_assert_uint_eq(world->load[2], 300);
    stop();
}
END_TEST

START_TEST(leastconn_shares_idle_servers_evenly)
{
    uint32_t times[4];
    start("leastconn", 3, 4, NULL);
    pick_many(400, times); /* the load stays 0: each request is over before the next */
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(times[i], 100);
    world->load[1] = 1;
    pick_many(300, times);
    ck_assert_uint_eq(times[1], 0);
    for (int i = 0; i < 4; i += i == 0 ? 2 : 1)
        ck_assert_uint_eq(times[i], 100);
    stop();

    start("leastconn", 3, 3, (uint32_t[]){10, 30, 60});
    pick_many(1000, times);
    ck_assert_int_le(abs((int)times[0] - 100), 3);
    ck_assert_int_le(abs((int)times[1] - 300), 3);
    ck_assert_int_le(abs((int)times[2] - 600), 3);
    stop();
}
END_TEST

enum { KEYS = 10000 };

static int source_pick_of(uint64_t client)
{
    return pick_untried(0, XXH3_64bits(&client, sizeof client), NULL);
}

static void pick_sources(int *chosen)
{
    for (uint64_t k = 0; k < KEYS; k++)
        chosen[k] = source_pick_of(k);
}

START_TEST(source_moves_only_the_clients_of_a_server_that_leaves)
{
    int before[KEYS], without[KEYS], after[KEYS], moved[8] = {0};
    start("source", 1, 8, NULL);
    pick_sources(before);
    set_eligible(3, false);
    pick_sources(without);
    set_eligible(3, true);
    pick_sources(after);
    for (int k = 0; k < KEYS; k++) {
        if (before[k] == 3)
            moved[without[k]]++;
        else
            ck_assert_int_eq(without[k], before[k]);
        ck_assert_int_eq(after[k], before[k]);
    }
    ck_assert_int_eq(moved[3], 0);
    for (int i = 0; i < 8; i++) /* its 1250 or so are spread over the other seven */
        ck_assert_msg(i == 3 || (moved[i] > 120 && moved[i] < 240), "%d took %d", i, moved[i]);
    stop();
}
END_TEST

START_TEST(source_sends_a_refused_client_where_it_goes_without_the_server)
{
    int without[KEYS];
    start("source", 1, 5, NULL);
    set_eligible(2, false);
    pick_sources(without);
    set_eligible(2, true);
    uint64_t tried = 4;
    for (uint64_t k = 0; k < KEYS; k++)
        ck_assert_int_eq(pick_untried(0, XXH3_64bits(&k, sizeof k), &tried), without[k]);
    stop();
}
END_TEST

START_TEST(source_is_even_and_keeps_weights)
{
    uint32_t weights[] = {10, 20, 30, 40, 100};
    int times[5] = {0};
    start("source", 1, 5, NULL);
    for (uint64_t k = 0; k < 10 * KEYS; k++)
        times[source_pick_of(k)]++;
    for (int i = 0; i < 5; i++)
        ck_assert_msg(abs(times[i] - 2 * KEYS) < KEYS / 20, "%d has %d of 20000", i, times[i]);
    stop();

    memset(times, 0, sizeof times);
    start("source", 1, 5, weights);
    for (uint64_t k = 0; k < 10 * KEYS; k++)
        times[source_pick_of(k)]++;
    for (int i = 0; i < 5; i++) {
        int share = (int)weights[i] * KEYS / 20;
        ck_assert_msg(abs(times[i] - share) < share / 20, "weight %u has %d of %d", weights[i], times[i],
                      share);
    }
    stop();
}
END_TEST

START_TEST(source_weight_change_moves_only_the_difference)
{
    int before[KEYS], after[KEYS], to = 0;
    start("source", 1, 4, NULL);
    pick_sources(before);
    world->servers[1].weight = 200;
    changed();
    pick_sources(after);
    for (int k = 0; k < KEYS; k++) {
        ck_assert(after[k] == before[k] || after[k] == 1);
        to += after[k] != before[k];
    }
    ck_assert_int_gt(to, 1300); /* from a quarter to two fifths */
    ck_assert_int_lt(to, 1700);
    stop();
}
END_TEST

START_TEST(source_depends_on_names_not_on_the_order)
{
    int before[KEYS];
    char name[32];
    start("source", 1, 6, NULL);
    pick_sources(before);
    stop();
    start("source", 1, 6, NULL);
    memcpy(name, world->names[0], sizeof name);
    memcpy(world->names[0], world->names[5], sizeof name);
    memcpy(world->names[5], name, sizeof name);
    world->balancer[0].ops->free(&world->balancer[0]);
    balancer_init(&world->balancer[0], balance_find("source"), &world->view, world->servers, 6);
    for (uint64_t k = 0; k < KEYS; k++) {
        int i = source_pick_of(k);
        ck_assert_int_eq(i == 0 ? 5 : i == 5 ? 0 : i, before[k]);
    }
    stop();
}
END_TEST

/* The numbers may never change: after an upgrade every client would move. */
START_TEST(source_stays_the_same_over_versions)
{
    const int expected[] = {2, 3, 9, 9, 2, 5, 9, 9, 1, 6, 2, 5};
    start("source", 1, 10, NULL);
    for (uint64_t k = 0; k < 12; k++)
        ck_assert_int_eq(source_pick_of(k), expected[k]);
    stop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("balance");
    TCase *every = tcase_create("every algorithm");
    tcase_add_test(every, algorithms_are_found_by_name);
    tcase_add_loop_test(every, never_a_server_that_may_not_be_chosen, 0, 3);
    tcase_add_loop_test(every, eligibility_counts_at_the_moment_of_the_pick, 0, 3);
    tcase_add_loop_test(every, tried_sets_go_beyond_one_word, 0, 3);
    suite_add_tcase(suite, every);

    TCase *roundrobin = tcase_create("roundrobin");
    tcase_add_test(roundrobin, roundrobin_hits_each_of_n_in_any_n_picks_over_all_processes);
    tcase_add_test(roundrobin, roundrobin_is_smooth_and_exact);
    tcase_add_test(roundrobin, roundrobin_has_no_bursts);
    tcase_add_test(roundrobin, roundrobin_goes_on_along_the_schedule_without_another_turn);
    tcase_add_test(roundrobin, roundrobin_follows_changes);
    tcase_add_test(roundrobin, schedules_are_bounded_and_keep_the_shares);
    suite_add_tcase(suite, roundrobin);

    TCase *leastconn = tcase_create("leastconn");
    tcase_add_test(leastconn, leastconn_chooses_the_least_load_for_the_weight);
    tcase_add_test(leastconn, leastconn_fills_up_by_weight);
    tcase_add_test(leastconn, leastconn_shares_idle_servers_evenly);
    suite_add_tcase(suite, leastconn);

    TCase *source = tcase_create("source");
    tcase_add_test(source, source_moves_only_the_clients_of_a_server_that_leaves);
    tcase_add_test(source, source_sends_a_refused_client_where_it_goes_without_the_server);
    tcase_add_test(source, source_is_even_and_keeps_weights);
    tcase_add_test(source, source_weight_change_moves_only_the_difference);
    tcase_add_test(source, source_depends_on_names_not_on_the_order);
    tcase_add_test(source, source_stays_the_same_over_versions);
    suite_add_tcase(suite, source);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
