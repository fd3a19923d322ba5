/*
 * A server's maxconn and the queue of those who wait for a place. long: one fixture (a backend shared by
 * several processes) is used by all of it.
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"
#include "upstream/attempt.h"

enum { SERVERS = 2, MANY = 200, MS = 1000 };

static struct server servers[SERVERS];
static struct server *list[SERVERS] = {&servers[0], &servers[1]};
static struct backend backend;
static struct loop *loop;
static struct address client;
static struct error err;

/* An attempt, and what became of its wait. */
struct waiter {
    struct attempt attempt; /* first */
    enum reason none;
    unsigned turn; /* in which it was woken, from 1; 0: not yet */
};

static struct waiter waiters[MANY];
static unsigned turns;

static void setup(void)
{
    static const char *const names[SERVERS] = {"127.0.0.1:1", "127.0.0.2:1"};
    ck_assert_int_eq(state_open(&err), 0);
    loop = loop_new(&err);
    backend = (struct backend){.name = "b",
                               .algorithm = balance_find("roundrobin"),
                               .servers = list,
                               .server_count = SERVERS,
                               .retries = 3,
                               .timeout_queue = 60000 * MS};
    for (uint32_t i = 0; i < SERVERS; i++)
        servers[i] = (struct server){
            .addr_port = names[i], .name = names[i], .weight = 1, .backend = &backend, .index = i};
    client = (struct address){.len = sizeof client.in};
    client.in.sin_family = AF_INET;
    ck_assert_int_eq(backend_bind_state(&backend, &err), 0);
    turns = 0;
}

static void start(uint32_t maxconn_0, uint32_t maxconn_1)
{
    servers[0].maxconn = maxconn_0;
    servers[1].maxconn = maxconn_1;
    backend_start(&backend, loop);
}

/* One server, which takes `maxconn`. */
static void start_one(uint32_t maxconn)
{
    backend.server_count = 1;
    start(maxconn, 0);
}

/* All that was begun is over: nothing is left behind. */
static void teardown(void)
{
    ck_assert_uint_eq(state_gauge(backend.slot, GAUGE_QUEUED), 0);
    ck_assert_uint_eq(state_gauge(backend.slot, GAUGE_REQUESTS), 0);
    ck_assert_uint_eq(state_gauge(servers[0].slot, GAUGE_REQUESTS), 0);
    ck_assert_uint_eq(state_gauge(servers[1].slot, GAUGE_REQUESTS), 0);
    backend_stop(&backend);
    loop_free(loop);
    state_close();
}

static void step_over(struct timer *t)
{
    (void)t;
    loop_stop(loop);
}

static void run_for(uint64_t us)
{
    struct timer step = {.fire = step_over};
    loop_timer_set(loop, &step, us);
    loop_run(loop);
}

static void woken(struct attempt *a, enum reason none)
{
    struct waiter *w = (struct waiter *)a;
    w->none = none;
    w->turn = ++turns;
}

static struct attempt *begin(struct waiter *w)
{
    memset(w, 0, sizeof *w);
    attempt_begin(&w->attempt, &backend, &client);
    return &w->attempt;
}

/* Begins one that must get a server at once. */
static void serve(struct waiter *w)
{
    ck_assert_int_eq(attempt_pick(begin(w)), REASON_NONE);
}

/* Begins one that must wait. */
static void queue(struct waiter *w)
{
    ck_assert_int_eq(attempt_pick(begin(w)), REASON_MAXCONN);
    attempt_wait(&w->attempt, woken);
}

static void finish(struct waiter *w)
{
    attempt_end(&w->attempt, REASON_NONE);
}

static void finish_all(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        finish(&waiters[i]);
}

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

/* What the processes of the next test share. */
struct page {
    _Atomic unsigned inside, most, done;
};
static struct page *page;

/* A client that makes requests of one millisecond, one after the other. */
struct user {
    struct waiter waiter; /* first */
    struct timer work;
    unsigned left;
};

enum { PROCESSES = 3, USERS = 8, REQUESTS = 25, PLACES = 2 };

static void user_request(struct user *u);

static void user_in(struct attempt *a, enum reason none)
{
    struct user *u = (struct user *)a;
    if (none != REASON_NONE)
        _exit(1);
    unsigned inside = atomic_fetch_add(&page->inside, 1) + 1, most = page->most;
    while (inside > most && !atomic_compare_exchange_weak(&page->most, &most, inside))
        continue;
    loop_timer_set(loop, &u->work, MS);
}

static void user_done(struct timer *t)
{
    struct user *u = CONTAINER_OF(t, struct user, work);
    atomic_fetch_sub(&page->inside, 1);
    attempt_end(&u->waiter.attempt, REASON_NONE);
    atomic_fetch_add(&page->done, 1);
    if (--u->left)
        user_request(u);
}

static void user_request(struct user *u)
{
    enum reason none = attempt_pick(begin(&u->waiter));
    if (none == REASON_MAXCONN)
        attempt_wait(&u->waiter.attempt, user_in);
    else
        user_in(&u->waiter.attempt, none);
}

static void be_a_process(int lane)
{
    struct user users[USERS];
    state_lane_use(lane);
    loop = loop_new(&err);
    start_one(PLACES);
    for (unsigned i = 0; i < USERS; i++) {
        users[i] = (struct user){.work.fire = user_done, .left = REQUESTS};
        user_request(&users[i]);
    }
    while (page->done < PROCESSES * USERS * REQUESTS)
        run_for(MS);
    backend_stop(&backend);
    loop_free(loop);
    _exit(0);
}

START_TEST(the_limit_holds_over_all_processes_and_all_are_served)
{
    pid_t pids[PROCESSES];
    int lanes[PROCESSES], status;
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < PROCESSES; i++) {
        lanes[i] = state_lane_open(&err);
        pids[i] = fork();
        if (pids[i] == 0)
            be_a_process(lanes[i]);
    }
    for (int i = 0; i < PROCESSES; i++) {
        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
        ck_assert_int_eq(status, 0);
        state_lane_close(lanes[i]);
    }
    ck_assert_uint_eq(page->done, PROCESSES * USERS * REQUESTS);
    ck_assert_uint_eq(page->most, PLACES);
    munmap(page, sizeof *page);
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

/* ---- between processes ---- */

/* Does as another process would whose first waits since `us` ago; 0: nobody does. */
static void wait_elsewhere(int lane, uint64_t us)
{
    state_lane_use(lane);
    state_set_waiting(backend.slot, us ? loop_now(loop) - us : 0);
    state_lane_use(0);
}

START_TEST(a_place_is_left_to_one_who_waits_for_longer_elsewhere)
{
    int lane = state_lane_open(&err);
    start_one(1);
    run_for(1);
    wait_elsewhere(lane, 1000 * MS);
    queue(&waiters[0]); /* though a place is free */
    run_for(4 * MS);
    ck_assert_uint_eq(turns, 0);
    wait_elsewhere(lane, 0); /* it was served, and so on */
    run_for(4 * MS);
    ck_assert_uint_eq(waiters[0].turn, 1);
    wait_elsewhere(lane, 10 * MS); /* hardly longer: our own goes on */
    finish(&waiters[0]);
    serve(&waiters[1]);
    finish(&waiters[1]);
    state_lane_close(lane);
}
END_TEST

START_TEST(a_place_that_the_other_does_not_take_is_left_to_it_no_longer_for_a_while)
{
    int lane = state_lane_open(&err);
    start_one(2);
    run_for(1);
    wait_elsewhere(lane, 1000 * MS);
    queue(&waiters[0]);
    run_for(20 * MS);
    ck_assert_uint_eq(waiters[0].turn, 1);
    serve(&waiters[1]); /* nor is the next held up */
    finish(&waiters[1]);
    run_for(200 * MS);
    queue(&waiters[1]); /* it gets another chance */
    run_for(20 * MS);
    ck_assert_uint_eq(waiters[1].turn, 2);
    finish_all(2);
    state_lane_close(lane);
}
END_TEST

START_TEST(a_place_that_was_gone_in_between_is_left_to_the_other_anew)
{
    int lane = state_lane_open(&err);
    start_one(1);
    run_for(1);
    wait_elsewhere(lane, 1000 * MS);
    queue(&waiters[0]);
    run_for(4 * MS);
    state_lane_use(lane); /* a third one takes it, and gives it back */
    state_gauge_add(servers[0].slot, GAUGE_REQUESTS);
    run_for(20 * MS);
    state_gauge_sub(servers[0].slot, GAUGE_REQUESTS);
    state_lane_use(0);
    run_for(4 * MS);
    ck_assert_uint_eq(turns, 0);
    run_for(20 * MS);
    ck_assert_uint_eq(waiters[0].turn, 1);
    finish(&waiters[0]);
    state_lane_close(lane);
}
END_TEST

/* What the process with that lane sees of this one. */
static uint64_t first_waits_since(int lane)
{
    state_lane_use(lane);
    uint64_t since = state_waiting_elsewhere(backend.slot);
    state_lane_use(0);
    return since;
}

START_TEST(the_others_are_told_since_when_the_first_waits)
{
    int lane = state_lane_open(&err);
    start_one(1);
    serve(&waiters[0]);
    ck_assert_uint_eq(first_waits_since(lane), 0);
    queue(&waiters[1]);
    uint64_t since = loop_now(loop);
    ck_assert_uint_eq(first_waits_since(lane), since);
    run_for(4 * MS);
    queue(&waiters[2]);
    ck_assert_uint_eq(first_waits_since(lane), since);
    finish(&waiters[1]);
    ck_assert_uint_gt(first_waits_since(lane), since);
    finish(&waiters[2]);
    ck_assert_uint_eq(first_waits_since(lane), 0);
    finish(&waiters[0]);
    state_lane_close(lane);
}
END_TEST

START_TEST(the_wait_of_a_process_that_died_is_forgotten)
{
    int lane = state_lane_open(&err);
    start_one(1);
    run_for(1);
    wait_elsewhere(lane, 1000 * MS);
    ck_assert_uint_ne(state_waiting_elsewhere(backend.slot), 0);
    state_lane_close(lane);
    ck_assert_uint_eq(state_waiting_elsewhere(backend.slot), 0);
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
    tcase_add_test(tcase, the_limit_holds_over_all_processes_and_all_are_served);
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
    tcase_add_test(tcase, a_place_is_left_to_one_who_waits_for_longer_elsewhere);
    tcase_add_test(tcase, a_place_that_the_other_does_not_take_is_left_to_it_no_longer_for_a_while);
    tcase_add_test(tcase, a_place_that_was_gone_in_between_is_left_to_the_other_anew);
    tcase_add_test(tcase, the_others_are_told_since_when_the_first_waits);
    tcase_add_test(tcase, the_wait_of_a_process_that_died_is_forgotten);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
