/*
 * A server's maxconn over several processes, and whose turn it is among them.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"
#include "queue_fixture.h"

/* ---- the limit ---- */

/* What the processes of the test share. */
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

/* ---- whose turn it is ---- */

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

TCase *queue_processes(void)
{
    TCase *tcase = tcase_create("processes");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_limit_holds_over_all_processes_and_all_are_served);
    tcase_add_test(tcase, a_place_is_left_to_one_who_waits_for_longer_elsewhere);
    tcase_add_test(tcase, a_place_that_the_other_does_not_take_is_left_to_it_no_longer_for_a_while);
    tcase_add_test(tcase, a_place_that_was_gone_in_between_is_left_to_the_other_anew);
    tcase_add_test(tcase, the_others_are_told_since_when_the_first_waits);
    tcase_add_test(tcase, the_wait_of_a_process_that_died_is_forgotten);
    return tcase;
}
