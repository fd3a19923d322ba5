#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/random.h"
#include "event/loop.h"
#include "event/signals.h"

/* ---- the wheel ---- */

enum { TIMERS = 2000 };

struct probe {
    struct timer timer;
    uint64_t fired_at; /* tick; 0: not yet */
};

static struct wheel wheel;
static struct probe probes[TIMERS];

static void probe_fired(struct timer *t)
{
    struct probe *p = CONTAINER_OF(t, struct probe, timer);
    p->fired_at = wheel.now;
}

START_TEST(timers_fire_at_their_tick_however_far_it_is)
{
    static const uint64_t starts[] = {0, 255, 65535, 16777215, 4294967295u, 123456789012u};
    for (size_t s = 0; s < ARRAY_LEN(starts); s++) {
        wheel_init(&wheel, starts[s]);
        for (size_t i = 0; i < TIMERS; i++) {
            probes[i] = (struct probe){.timer.fire = probe_fired};
            uint64_t delay = 1 + (random_u64() >> (32 + random_below(31)));
            wheel_set(&wheel, &probes[i].timer, starts[s] + delay);
        }
        while (wheel.used > 0) {
            uint64_t step = wheel_next(&wheel);
            ck_assert_uint_ge(step, 1);
            wheel_advance(&wheel, wheel.now + step);
        }
        for (size_t i = 0; i < TIMERS; i++)
            ck_assert_uint_eq(probes[i].fired_at, probes[i].timer.deadline);
    }
}
END_TEST

START_TEST(a_timer_that_was_put_off_fires_only_later)
{
    struct probe p = {.timer.fire = probe_fired};
    wheel_init(&wheel, 1000);
    wheel_set(&wheel, &p.timer, 1010);
    for (uint64_t now = 1001; now <= 3000; now++) {
        wheel_set(&wheel, &p.timer, now + 10);
        wheel_advance(&wheel, now);
        ck_assert_uint_eq(p.fired_at, 0);
    }
    wheel_advance(&wheel, 3009);
    ck_assert_uint_eq(p.fired_at, 0);
    wheel_advance(&wheel, 3010);
    ck_assert_uint_eq(p.fired_at, 3010);
    ck_assert(!p.timer.armed);
}
END_TEST

START_TEST(a_timer_can_be_set_earlier_and_stopped)
{
    struct probe p = {.timer.fire = probe_fired}, q = p;
    wheel_init(&wheel, 5);
    wheel_set(&wheel, &p.timer, 100000);
    wheel_set(&wheel, &p.timer, 20);
    wheel_set(&wheel, &q.timer, 15);
    wheel_stop(&wheel, &q.timer);
    wheel_advance(&wheel, 50);
    ck_assert_uint_eq(p.fired_at, 20);
    ck_assert_uint_eq(q.fired_at, 0);
    ck_assert_uint_eq(wheel.used, 0);
    ck_assert_uint_eq(wheel_next(&wheel), UINT64_MAX);
}
END_TEST

static struct probe victim;

static void kill_victim(struct timer *t)
{
    (void)t;
    wheel_stop(&wheel, &victim.timer);
}

START_TEST(a_timer_that_fires_may_stop_another_of_the_same_tick)
{
    struct timer killer = {.fire = kill_victim};
    victim = (struct probe){.timer.fire = probe_fired};
    wheel_init(&wheel, 0);
    wheel_set(&wheel, &victim.timer, 10); /* the latest set fires first */
    wheel_set(&wheel, &killer, 10);
    wheel_advance(&wheel, 20);
    ck_assert_uint_eq(victim.fired_at, 0);
    ck_assert_uint_eq(wheel.used, 0);
}
END_TEST

/* ---- the loop ---- */

static struct loop *loop;
static unsigned seen;
static int rounds;

static void note_events(struct watch *w, unsigned events)
{
    (void)w;
    seen |= events;
    if (events & LOOP_PEER_CLOSED)
        loop_stop(loop);
}

START_TEST(the_loop_tells_of_bytes_and_of_the_peers_end)
{
    int pair[2];
    loop = loop_new(NULL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    struct watch w = {.fd = pair[0], .ready = note_events};
    ck_assert_int_eq(loop_watch(loop, &w), 0);
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    close(pair[1]);
    loop_run(loop);
    ck_assert_uint_eq(seen & (LOOP_READABLE | LOOP_PEER_CLOSED), LOOP_READABLE | LOOP_PEER_CLOSED);
    loop_forget(loop, &w);
    close(pair[0]);
    loop_free(loop);
}
END_TEST

static struct task again;
static struct timer stopper;

static void run_again(struct task *t)
{
    if (++rounds < 5)
        loop_defer(loop, t);
}

static void stop_loop(struct timer *t)
{
    (void)t;
    loop_stop(loop);
}

START_TEST(work_put_off_runs_once_a_round_and_timers_end_the_wait)
{
    loop = loop_new(NULL);
    again = (struct task){.run = run_again};
    stopper = (struct timer){.fire = stop_loop};
    loop_defer(loop, &again);
    loop_defer(loop, &again);
    uint64_t begin = loop_now(loop);
    loop_timer_set(loop, &stopper, 20000);
    loop_run(loop);
    ck_assert_int_eq(rounds, 5);
    ck_assert_uint_ge(loop_now(loop) - begin, 19000);
    loop_free(loop);
}
END_TEST

static struct watch other_watch;

static void forget_other(struct watch *w, unsigned events)
{
    (void)w, (void)events;
    rounds++;
    loop_forget(loop, &other_watch);
    loop_stop(loop);
}

START_TEST(a_forgotten_watch_gets_no_event_of_the_same_round)
{
    int pair[2];
    struct watch first;
    loop = loop_new(NULL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    first = (struct watch){.fd = pair[0], .ready = forget_other};
    other_watch = (struct watch){.fd = pair[1], .ready = forget_other};
    ck_assert_int_eq(loop_watch(loop, &first), 0);
    ck_assert_int_eq(loop_watch(loop, &other_watch), 0);
    loop_run(loop);
    ck_assert_int_eq(rounds, 1);
    close(pair[0]);
    close(pair[1]);
    loop_free(loop);
}
END_TEST

static int caught;

static void on_signal(struct signals *s, int signo)
{
    caught = signo;
    loop_stop(s->loop);
}

START_TEST(signals_are_events)
{
    static const int list[] = {SIGUSR1, SIGHUP, 0};
    struct signals s;
    loop = loop_new(NULL);
    ck_assert_int_eq(signals_open(&s, loop, list, on_signal, NULL), 0);
    kill(getpid(), SIGHUP);
    loop_run(loop);
    ck_assert_int_eq(caught, SIGHUP);
    signals_close(&s);
    loop_free(loop);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("event");
    TCase *tcase = tcase_create("event");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, timers_fire_at_their_tick_however_far_it_is);
    tcase_add_test(tcase, a_timer_that_was_put_off_fires_only_later);
    tcase_add_test(tcase, a_timer_can_be_set_earlier_and_stopped);
    tcase_add_test(tcase, a_timer_that_fires_may_stop_another_of_the_same_tick);
    tcase_add_test(tcase, the_loop_tells_of_bytes_and_of_the_peers_end);
    tcase_add_test(tcase, work_put_off_runs_once_a_round_and_timers_end_the_wait);
    tcase_add_test(tcase, a_forgotten_watch_gets_no_event_of_the_same_round);
    tcase_add_test(tcase, signals_are_events);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
