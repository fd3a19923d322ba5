/*
 * What must stay true when processes are killed at any point and race with
 * each other. Each writer keeps its own account in a page of the test: what it
 * begun and what it has done, so that the truth is known within the one
 * operation under way.
 */
#include <check.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "state/layout.h"
#include "state/state.h"

struct account {
    _Atomic uint64_t begun, done;
};

/* Seen by all processes of a test. */
struct page {
    struct account requests, latencies, bytes;
    _Atomic uint64_t inside, most, refused, ready;
    _Atomic int stop;
};

static struct error err;
static struct slot_totals totals;
static struct page *page;
static struct slot *server;

static void setup(void)
{
    random_seed();
    ck_assert_msg(state_open(&err) == 0, "%s", err.text);
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(page, MAP_FAILED);
    struct slot *backend = state_slot(SLOT_BACKEND, NULL, SLICE("web"), &err);
    server = state_slot(SLOT_SERVER, backend, SLICE("a"), &err);
    ck_assert_ptr_nonnull(server);
}

static void teardown(void)
{
    munmap(page, sizeof *page);
    state_close();
}

/* Runs `work` in a process of its own, on a lane of its own. */
static pid_t start(void (*work)(void), int *lane)
{
    *lane = state_lane_open(&err);
    ck_assert_msg(*lane > 0, "%s", err.text);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid)
        return pid;
    state_lane_use(*lane);
    random_seed();
    work();
    _exit(0);
}

static void end(pid_t pid, int lane, int expected_status)
{
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(status == expected_status, "a process ended with status %d", status);
    state_lane_close(lane);
}

static void kill_and_wait(pid_t pid)
{
    int status;
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
}

static void pause_us(uint32_t longest)
{
    uint64_t until = clock_monotonic_us() + random_below(longest);
    while (clock_monotonic_us() < until)
        sched_yield();
}

/* ---- writers that are killed ---- */

static void count_without_end(void)
{
    struct lane_block *b = state_block(server);
    for (;;) {
        uint64_t n = random_below(1000);
        atomic_fetch_add(&page->requests.begun, 1);
        state_count(b, COUNTER_REQUESTS, 1);
        atomic_fetch_add(&page->requests.done, 1);
        state_gauge_add(server, GAUGE_REQUESTS);
        atomic_fetch_add(&page->latencies.begun, 1);
        histogram_record(&b->latency[LATENCY_TOTAL], n);
        atomic_fetch_add(&page->latencies.done, 1);
        if (state_claim(server, GAUGE_SESSIONS, 1))
            state_gauge_sub(server, GAUGE_SESSIONS);
        atomic_fetch_add(&page->bytes.begun, n);
        state_count(b, COUNTER_BYTES_IN, n);
        atomic_fetch_add(&page->bytes.done, n);
        state_gauge_sub(server, GAUGE_REQUESTS);
    }
}

/* The truth lies between the two; from now on it is what was found. */
static void check_account(struct account *a, uint64_t found)
{
    ck_assert_uint_ge(found, a->done);
    ck_assert_uint_le(found, a->begun);
    a->begun = a->done = found;
}

START_TEST(nothing_is_lost_when_writers_are_killed_at_any_point)
{
    for (int round = 0; round < 250; round++) {
        int lane;
        pid_t pid = start(count_without_end, &lane);
        while (page->requests.done == page->requests.begun)
            sched_yield();
        pause_us(1500);
        kill_and_wait(pid);
        state_totals(server, &totals);
        struct slot_totals living = totals;
        check_account(&page->requests, totals.counter[COUNTER_REQUESTS]);
        check_account(&page->latencies, histogram_count(&totals.latency[LATENCY_TOTAL]));
        check_account(&page->bytes, totals.counter[COUNTER_BYTES_IN]);
        ck_assert_uint_le(state_gauge(server, GAUGE_REQUESTS), 1);
        state_lane_close(lane);
        state_totals(server, &totals);
        ck_assert_int_eq(memcmp(&totals, &living, sizeof totals), 0);
        ck_assert_uint_eq(state_gauge(server, GAUGE_REQUESTS), 0);
        ck_assert_uint_eq(state_gauge(server, GAUGE_SESSIONS), 0);
    }
    ck_assert_uint_gt(totals.counter[COUNTER_REQUESTS], 250);
}
END_TEST

/* ---- a reader while lanes are folded ---- */

static void read_without_end(void)
{
    struct slot_totals now, before = {0};
    while (!page->stop) {
        uint64_t least = page->requests.done;
        state_totals(server, &now);
        uint64_t most = page->requests.begun, requests = now.counter[COUNTER_REQUESTS];
        if (requests < least || requests > most)
            _exit(1);
        for (unsigned c = 0; c < COUNTER_COUNT; c++)
            if (now.counter[c] < before.counter[c])
                _exit(2);
        for (unsigned l = 0; l < LATENCY_COUNT; l++)
            for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++)
                if (now.latency[l].bucket[b] < before.latency[l].bucket[b])
                    _exit(3);
        before = now;
        atomic_fetch_add(&page->ready, 1);
    }
}

static void write_a_life(int lane, uint64_t n)
{
    state_lane_use(lane);
    for (unsigned i = 0; i < 20; i++) {
        atomic_fetch_add(&page->requests.begun, n);
        state_count(state_block(server), COUNTER_REQUESTS, n);
        atomic_fetch_add(&page->requests.done, n);
        state_count(state_block(server), COUNTER_REASON + REASON_RESOURCES, 1);
        histogram_record(&state_block(server)->latency[LATENCY_COUNT - 1], UINT64_MAX);
    }
    state_lane_use(0);
}

START_TEST(a_reader_sees_each_count_once_while_lanes_are_folded)
{
    int readers_lane;
    pid_t reader = start(read_without_end, &readers_lane);
    uint64_t deadline = clock_monotonic_us() + 4000000;
    for (unsigned lives = 0; lives < 20000 || page->ready < 5000; lives += 2) {
        int a = state_lane_open(&err), b = state_lane_open(&err);
        write_a_life(a, 1000);
        write_a_life(b, 1);
        state_lane_close(lives % 4 ? a : b);
        state_lane_close(lives % 4 ? b : a);
        if (clock_monotonic_us() > deadline)
            break;
    }
    page->stop = 1;
    end(reader, readers_lane, 0);
    state_totals(server, &totals);
    ck_assert_uint_eq(totals.counter[COUNTER_REQUESTS], page->requests.done);
    ck_assert_uint_gt(page->ready, 100);
}
END_TEST

/* ---- a master that is killed ---- */

enum { MANY = 600 };

static struct slot *many[MANY];

static void count_everywhere(int lane)
{
    state_lane_use(lane);
    for (unsigned i = 0; i < MANY; i++) {
        state_count(state_block(many[i]), COUNTER_REQUESTS, i + 1);
        histogram_record(&state_block(many[i])->latency[LATENCY_TOTAL], i);
        state_gauge_add(many[i], GAUGE_SESSIONS);
    }
    state_lane_use(0);
}

static void check_everywhere(uint64_t lives)
{
    for (unsigned i = 0; i < MANY; i++) {
        state_totals(many[i], &totals);
        ck_assert_uint_eq(totals.counter[COUNTER_REQUESTS], lives * (i + 1));
        ck_assert_uint_eq(totals.latency[LATENCY_TOTAL].bucket[histogram_bucket_of(i)], lives);
    }
}

/* True: the process that closed the lane was killed in the middle. */
static bool close_and_be_killed(int lane, uint32_t longest)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        page->ready = 1;
        state_lane_close(lane);
        _exit(0);
    }
    while (!page->ready)
        sched_yield();
    page->ready = 0;
    pause_us(longest);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    return atomic_load(&state_map.head->closing) != 0;
}

/* By each of the ways in which the next master can come across it. */
static void go_on(int lane, int other, unsigned way)
{
    if (way == 0) {
        int fd = dup(state_fd());
        state_close();
        ck_assert_msg(state_adopt(fd, &err) == 0, "%s", err.text);
        for (unsigned i = 0; i < MANY; i++)
            many[i] = i ? state_next(many[i - 1]) : state_slot_find(SLOT_BACKEND, NULL, SLICE("0"));
    } else if (way == 1) {
        int next = state_lane_open(&err);
        ck_assert_int_gt(next, 0);
        state_lane_close(next);
    } else if (way == 2) {
        state_lane_close(other);
    }
    state_lane_close(lane);
    state_lane_close(other);
}

START_TEST(a_fold_that_was_broken_off_is_brought_to_its_end_once)
{
    char name[16];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%u", i);
        many[i] = state_slot(SLOT_BACKEND, NULL, slice_of(name), &err);
        ck_assert_ptr_nonnull(many[i]);
    }
    uint32_t longest = 2000;
    uint64_t lives = 0;
    for (unsigned round = 0, broken = 0; round < 3000 && broken < 40; round++) {
        int lane = state_lane_open(&err), other = state_lane_open(&err);
        count_everywhere(lane);
        count_everywhere(other);
        lives += 2;
        bool middle = close_and_be_killed(lane, longest);
        check_everywhere(lives); /* as it was left: whoever reads, reads the truth */
        go_on(lane, other, middle ? broken % 4 : 3);
        check_everywhere(lives);
        ck_assert_uint_eq(state_gauge(many[round % MANY], GAUGE_SESSIONS), 0);
        broken += middle;
        /* Towards the time that a close takes on this machine. */
        longest = middle || longest < 50 ? longest * 2 : longest - longest / 8;
        longest = longest > 200000 ? 200000 : longest;
        if (round == 2999)
            ck_assert_uint_ge(broken, 10);
    }
}
END_TEST

/* ---- claims ---- */

enum { CLAIMANTS = 5, LIMIT = 2 };

static void claim_without_end(void)
{
    while (!page->stop) {
        if (!state_claim(server, GAUGE_SESSIONS, LIMIT)) {
            atomic_fetch_add(&page->refused, 1);
            continue;
        }
        uint64_t inside = atomic_fetch_add(&page->inside, 1) + 1, most = page->most;
        while (inside > most && !atomic_compare_exchange_weak(&page->most, &most, inside))
            continue;
        atomic_fetch_add(&page->ready, 1);
        atomic_fetch_sub(&page->inside, 1);
        state_gauge_sub(server, GAUGE_SESSIONS);
    }
}

START_TEST(processes_that_claim_at_once_never_exceed_the_limit)
{
    pid_t pids[CLAIMANTS];
    int lanes[CLAIMANTS];
    for (int i = 0; i < CLAIMANTS; i++)
        pids[i] = start(claim_without_end, &lanes[i]);
    uint64_t stop = clock_monotonic_us() + 1500000;
    while (clock_monotonic_us() < stop)
        usleep(10000);
    page->stop = 1;
    for (int i = 0; i < CLAIMANTS; i++)
        end(pids[i], lanes[i], 0);
    ck_assert_uint_eq(page->most, LIMIT);
    ck_assert_uint_gt(page->ready, 1000);
    ck_assert_uint_gt(page->refused, 0);
    ck_assert_uint_eq(state_gauge(server, GAUGE_SESSIONS), 0);
}
END_TEST

/* All of `count` processes go on at the same moment: they spin, each on a processor of its own if it has one.
 */
static void meet(uint64_t count)
{
    uint64_t mine = atomic_fetch_add(&page->ready, 1), all = (mine / count + 1) * count;
    for (unsigned spins = 0; atomic_load(&page->ready) < all; spins++)
        if (spins % 20000 == 19999)
            sched_yield();
}

/* In each round both claim the one place at once, and keep it until both have tried. */
static void claim_in_rounds(void)
{
    for (uint64_t round = 1; round <= 20000; round++) {
        meet(2);
        bool got = state_claim(server, GAUGE_SESSIONS, 1);
        atomic_fetch_add(&page->inside, got);
        meet(2);
        if (atomic_load(&page->inside) != round)
            _exit(1);
        if (got)
            state_gauge_sub(server, GAUGE_SESSIONS);
        meet(2);
    }
}

START_TEST(a_free_place_is_given_to_one_of_those_who_claim_at_once)
{
    int lanes[2];
    pid_t pids[2];
    for (int i = 0; i < 300; i++) /* so that adding up takes long enough to meet */
        ck_assert_int_gt(state_lane_open(&err), 0);
    for (int i = 0; i < 2; i++)
        pids[i] = start(claim_in_rounds, &lanes[i]);
    for (int i = 0; i < 2; i++)
        end(pids[i], lanes[i], 0);
    ck_assert_uint_eq(page->inside, 20000);
}
END_TEST

/* ---- health, written by several and killed ---- */

static void write_health_without_end(void)
{
    char text[2][136];
    memset(text[0], 'a' + (char)random_below(26), 135);
    memset(text[1], 'A' + (char)random_below(26), 135);
    text[0][135] = text[1][135] = '\0';
    for (unsigned i = 0;; i++)
        state_set_health(server, i % 2 ? HEALTH_UP : HEALTH_DOWN, text[i % 2]);
}

/*
 * One writer's text, whole. None only while a writer goes on that was stopped for so long that it was
 * overtaken, which a busy machine can bring about.
 */
static unsigned check_text(void)
{
    char text[200];
    state_read_text(&server->health_reason, text, sizeof text);
    size_t len = strlen(text);
    if (len && (len != 135 || strspn(text, (char[]){text[0], '\0'}) != 135))
        ck_abort_msg("not one writer's text: \"%s\"", text);
    return len == 0;
}

static void set_and_check(int round)
{
    char text[200];
    uint64_t began = clock_monotonic_us();
    snprintf(text, sizeof text, "round %d", round);
    state_set_health(server, HEALTH_DOWN, text);
    ck_assert_uint_lt(clock_monotonic_us() - began, 20000000);
    state_read_text(&server->health_reason, text, sizeof text);
    ck_assert_int_eq(atoi(text + 6), round);
}

START_TEST(a_reason_is_read_whole_and_nobody_waits_for_a_killed_writer)
{
    unsigned none = 0;
    for (int round = 0; round < 100; round++) {
        int lanes[2];
        pid_t pids[2];
        for (int i = 0; i < 2; i++)
            pids[i] = start(write_health_without_end, &lanes[i]);
        uint64_t version = server->health_reason.state >> 16;
        while (server->health_reason.state >> 16 < version + 2)
            sched_yield();
        for (int i = 0; i < 3000; i++)
            none += check_text();
        pause_us(1000);
        kill_and_wait(pids[0]);
        none += check_text();
        kill_and_wait(pids[1]);
        none += check_text();
        if (round % 2) /* mostly the master comes first, but it need not */
            set_and_check(round);
        for (int i = 0; i < 2; i++)
            state_lane_close(lanes[i]);
        set_and_check(round);
    }
    ck_assert_uint_lt(none, 3000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state under crashes");
    TCase *crash = tcase_create("crash");
    tcase_set_timeout(crash, 300);
    tcase_add_checked_fixture(crash, setup, teardown);
    tcase_add_test(crash, nothing_is_lost_when_writers_are_killed_at_any_point);
    tcase_add_test(crash, a_reader_sees_each_count_once_while_lanes_are_folded);
    tcase_add_test(crash, a_fold_that_was_broken_off_is_brought_to_its_end_once);
    tcase_add_test(crash, processes_that_claim_at_once_never_exceed_the_limit);
    tcase_add_test(crash, a_free_place_is_given_to_one_of_those_who_claim_at_once);
    tcase_add_test(crash, a_reason_is_read_whole_and_nobody_waits_for_a_killed_writer);
    suite_add_tcase(suite, crash);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
