/*
 * A server's maxconn and the queue of those who wait for a place.
 */
#include <stdlib.h>

#include "queue_fixture.h"

static uint64_t waits_recorded(const struct slot *s, double percent, uint64_t *us)
{
    static struct slot_totals totals;
    state_totals(s, &totals);
    *us = histogram_percentile(&totals.latency[LATENCY_QUEUE], percent);
    return histogram_count(&totals.latency[LATENCY_QUEUE]);
}

/* ---- the limit ---- */

START_TEST(a_full_server_is_passed_over_and_nobody_waits_while_another_has_room)
{
    start(1, 3);
    for (unsigned i = 0; i < 4; i++)
        serve(&waiters[i]);
    ck_assert_uint_eq(state_gauge(servers[0].slot, GAUGE_REQUESTS), 1);
    ck_assert_uint_eq(state_gauge(servers[1].slot, GAUGE_REQUESTS), 3);
    queue(&waiters[4]);
    ck_assert_uint_eq(state_gauge(backend.slot, GAUGE_QUEUED), 1);
    ck_assert_ptr_null(waiters[4].attempt.tried); /* none of them has failed it */
    finish_all(5);
}
END_TEST

START_TEST(a_server_without_a_limit_takes_all_that_the_others_cannot)
{
    start(1, 0);
    for (unsigned i = 0; i < 50; i++)
        serve(&waiters[i]);
    ck_assert_uint_eq(state_gauge(servers[0].slot, GAUGE_REQUESTS), 1);
    finish_all(50);
}
END_TEST

START_TEST(without_a_limit_no_wait_is_recorded)
{
    uint64_t us;
    start(0, 0);
    for (unsigned i = 0; i < 50; i++)
        serve(&waiters[i]);
    finish_all(50);
    ck_assert_uint_eq(waits_recorded(backend.slot, 50, &us), 0);
}
END_TEST

/* ---- the order ---- */

START_TEST(those_who_wait_are_served_in_the_order_in_which_they_came)
{
    start_one(1);
    serve(&waiters[0]);
    for (unsigned i = 1; i < 6; i++)
        queue(&waiters[i]);
    for (unsigned i = 0; i < 6; i++) {
        ck_assert_uint_eq(waiters[i].turn, i);
        finish(&waiters[i]);
        ck_assert(i == 5 || waiters[i + 1].turn == 0); /* not in the midst of what ends the other */
        run_for(1);
    }
    ck_assert_uint_eq(turns, 5);
    ck_assert_uint_eq(waiters[5].none, REASON_NONE);
}
END_TEST

START_TEST(who_comes_when_a_place_becomes_free_does_not_overtake)
{
    start_one(1);
    serve(&waiters[0]);
    queue(&waiters[1]);
    finish(&waiters[0]);
    queue(&waiters[2]);
    run_for(1);
    ck_assert(waiters[1].turn == 1 && waiters[2].turn == 0);
    finish_all(3);
}
END_TEST

START_TEST(one_who_leaves_the_queue_is_not_woken_and_the_next_is)
{
    start_one(1);
    serve(&waiters[0]);
    for (unsigned i = 1; i < 4; i++)
        queue(&waiters[i]);
    finish(&waiters[1]);
    finish(&waiters[3]);
    ck_assert_uint_eq(state_gauge(backend.slot, GAUGE_QUEUED), 1);
    finish(&waiters[0]);
    run_for(1);
    ck_assert_uint_eq(turns, 1);
    ck_assert_uint_eq(waiters[2].turn, 1);
    finish(&waiters[2]);
}
END_TEST

static void end_the_next(struct attempt *a, enum reason none)
{
    struct waiter *w = (struct waiter *)a;
    woken(a, none);
    finish(w + 1);
}

START_TEST(one_who_is_woken_may_end_others)
{
    start_one(2);
    serve(&waiters[0]);
    serve(&waiters[1]);
    for (unsigned i = 2; i < 6; i++) {
        ck_assert_int_eq(attempt_pick(begin(&waiters[i])), REASON_MAXCONN);
        attempt_wait(&waiters[i].attempt, i == 5 ? woken : end_the_next);
    }
    finish(&waiters[0]);
    finish(&waiters[1]);
    run_for(1);
    ck_assert(waiters[2].turn == 1 && waiters[3].turn == 0 && waiters[4].turn == 2 && waiters[5].turn == 0);
    finish(&waiters[2]);
    finish(&waiters[4]);
}
END_TEST

START_TEST(many_places_that_become_free_at_once_are_all_taken)
{
    start_one(MANY / 2);
    for (unsigned i = 0; i < MANY / 2; i++)
        serve(&waiters[i]);
    for (unsigned i = MANY / 2; i < MANY; i++)
        queue(&waiters[i]);
    for (unsigned i = 0; i < MANY / 2; i++)
        finish(&waiters[i]);
    run_for(4 * MS);
    for (unsigned i = MANY / 2; i < MANY; i++)
        ck_assert_uint_eq(waiters[i].turn, i - MANY / 2 + 1);
    for (unsigned i = MANY / 2; i < MANY; i++)
        finish(&waiters[i]);
}
END_TEST

/* ---- after a failure ---- */

/* The waiter gets the server with that index, fails there and has to wait for the other, which is full. */
static void fail_and_queue(struct waiter *w, uint32_t at)
{
    serve(w);
    ck_assert_uint_eq(w->attempt.server->index, at);
    ck_assert(attempt_failed(&w->attempt, REASON_SERVER_REFUSED));
    ck_assert_int_eq(attempt_pick(&w->attempt), REASON_MAXCONN);
    attempt_wait(&w->attempt, woken);
}

START_TEST(one_who_tried_a_server_does_not_hold_up_those_who_may_have_it)
{
    start(1, 1);
    serve(&waiters[0]);
    serve(&waiters[1]);
    ck_assert_uint_eq(waiters[1].attempt.server->index, 1);
    finish(&waiters[0]);
    fail_and_queue(&waiters[2], 0);
    run_for(4 * MS);
    ck_assert_uint_eq(waiters[2].turn, 0);
    serve(&waiters[3]); /* the server that the one in the queue can't use */
    queue(&waiters[4]);
    finish(&waiters[3]);
    run_for(1);
    ck_assert_uint_eq(waiters[4].turn, 1);
    ck_assert_uint_eq(waiters[4].attempt.server->index, 0);
    finish(&waiters[1]);
    run_for(1);
    ck_assert_uint_eq(waiters[2].turn, 2);
    ck_assert_uint_eq(waiters[2].attempt.server->index, 1);
    finish(&waiters[2]);
    finish(&waiters[4]);
}
END_TEST

START_TEST(one_who_has_no_server_left_does_not_wait)
{
    start(1, 1);
    serve(&waiters[0]);
    serve(&waiters[1]);
    finish(&waiters[0]);
    fail_and_queue(&waiters[2], 0);
    serve(&waiters[3]);
    queue(&waiters[4]);
    server_set_health(&servers[1], HEALTH_DOWN, "test");
    run_for(4 * MS);
    ck_assert_uint_eq(waiters[2].turn, 1);
    ck_assert_int_eq(waiters[2].none, REASON_NO_SERVER);
    ck_assert_uint_eq(waiters[4].turn, 0); /* the other server is only full */
    finish_all(5);
}
END_TEST

/* ---- servers that go and come ---- */

START_TEST(when_all_servers_go_down_nobody_waits_on)
{
    start(1, 1);
    serve(&waiters[0]);
    serve(&waiters[1]);
    queue(&waiters[2]);
    queue(&waiters[3]);
    server_set_health(&servers[0], HEALTH_DOWN, "test");
    run_for(4 * MS);
    ck_assert_uint_eq(turns, 0);
    server_set_health(&servers[1], HEALTH_DOWN, "test");
    ck_assert_int_eq(attempt_pick(begin(&waiters[4])), REASON_NO_SERVER); /* nor begins to */
    run_for(4 * MS);
    ck_assert_uint_eq(turns, 2);
    ck_assert_int_eq(waiters[2].none, REASON_NO_SERVER);
    ck_assert_int_eq(waiters[3].none, REASON_NO_SERVER);
    finish_all(5);
}
END_TEST

START_TEST(a_server_that_comes_back_takes_those_who_wait)
{
    start(1, 1);
    server_set_health(&servers[1], HEALTH_DOWN, "test");
    serve(&waiters[0]);
    queue(&waiters[1]);
    server_set_health(&servers[1], HEALTH_UP, "test");
    run_for(4 * MS);
    ck_assert_uint_eq(waiters[1].turn, 1);
    ck_assert_uint_eq(waiters[1].attempt.server->index, 1);
    finish_all(2);
}
END_TEST

/* ---- time ---- */

START_TEST(timeout_queue_ends_a_wait)
{
    uint64_t us;
    backend.timeout_queue = 30 * MS;
    start_one(1);
    serve(&waiters[0]);
    queue(&waiters[1]);
    run_for(15 * MS);
    queue(&waiters[2]);
    ck_assert_uint_eq(turns, 0);
    run_for(20 * MS);
    ck_assert_uint_eq(waiters[1].turn, 1);
    ck_assert_int_eq(waiters[1].none, REASON_QUEUE_TIMEOUT);
    ck_assert_ptr_null(waiters[1].attempt.server);
    ck_assert_uint_eq(waiters[2].turn, 0);
    ck_assert_uint_eq(waits_recorded(backend.slot, 100, &us), 2);
    ck_assert_uint_ge(us, 29 * MS);
    finish(&waiters[0]);
    run_for(1);
    ck_assert_int_eq(waiters[2].none, REASON_NONE);
    finish(&waiters[1]);
    finish(&waiters[2]);
}
END_TEST

START_TEST(the_time_in_the_queue_is_recorded)
{
    uint64_t us;
    start_one(1);
    serve(&waiters[0]);
    ck_assert_uint_eq(waits_recorded(servers[0].slot, 100, &us), 1);
    ck_assert_uint_lt(us, MS);
    queue(&waiters[1]);
    run_for(20 * MS);
    finish(&waiters[0]);
    run_for(1);
    ck_assert_uint_eq(waits_recorded(servers[0].slot, 100, &us), 2);
    ck_assert_uint_ge(us, 19 * MS);
    ck_assert_uint_ge(waiters[1].attempt.waited_us, 20 * MS);
    finish(&waiters[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue");
    TCase *tcase = tcase_create("queue");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_full_server_is_passed_over_and_nobody_waits_while_another_has_room);
    tcase_add_test(tcase, a_server_without_a_limit_takes_all_that_the_others_cannot);
    tcase_add_test(tcase, without_a_limit_no_wait_is_recorded);
    tcase_add_test(tcase, those_who_wait_are_served_in_the_order_in_which_they_came);
    tcase_add_test(tcase, who_comes_when_a_place_becomes_free_does_not_overtake);
    tcase_add_test(tcase, one_who_leaves_the_queue_is_not_woken_and_the_next_is);
    tcase_add_test(tcase, one_who_is_woken_may_end_others);
    tcase_add_test(tcase, many_places_that_become_free_at_once_are_all_taken);
    tcase_add_test(tcase, one_who_tried_a_server_does_not_hold_up_those_who_may_have_it);
    tcase_add_test(tcase, one_who_has_no_server_left_does_not_wait);
    tcase_add_test(tcase, when_all_servers_go_down_nobody_waits_on);
    tcase_add_test(tcase, a_server_that_comes_back_takes_those_who_wait);
    tcase_add_test(tcase, timeout_queue_ends_a_wait);
    tcase_add_test(tcase, the_time_in_the_queue_is_recorded);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, queue_processes());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
