#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macros.h"
#include "upstream/attempt.h"
#include "upstream/connect.h"
#include "upstream/session.h"

enum { SERVERS = 3 };

static struct server servers[SERVERS];
static struct server *list[SERVERS] = {&servers[0], &servers[1], &servers[2]};
static struct backend backend;
static struct loop *loop;
static struct address client;

/* A backend of three servers on loopback addresses where nobody listens. */
static void setup(void)
{
    static const char *const names[SERVERS] = {"127.0.0.1:1", "127.0.0.2:1", "127.0.0.3:1"};
    struct error err;
    ck_assert_int_eq(state_open(&err), 0);
    loop = loop_new(&err);
    backend = (struct backend){.name = "b",
                               .algorithm = balance_find("roundrobin"),
                               .servers = list,
                               .server_count = SERVERS,
                               .retries = 3,
                               .timeout_connect = 1000000};
    for (uint32_t i = 0; i < SERVERS; i++) {
        servers[i] = (struct server){
            .addr_port = names[i], .name = names[i], .weight = 1, .backend = &backend, .index = i};
        ck_assert_int_eq(endpoint_parse(&servers[i].endpoint, names[i], &err), 0);
    }
    client = (struct address){.len = sizeof client.in};
    client.in.sin_family = AF_INET;
    client.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

static void start(void)
{
    struct error err;
    ck_assert_int_eq(backend_bind_state(&backend, &err), 0);
    backend_start(&backend, loop);
}

static void teardown(void)
{
    backend_stop(&backend);
    loop_free(loop);
    state_close();
}

static struct attempt begin(void)
{
    struct attempt a;
    attempt_begin(&a, &backend, &client);
    return a;
}

static uint64_t total(const struct slot *s, unsigned counter)
{
    static struct slot_totals totals;
    state_totals(s, &totals);
    return totals.counter[counter];
}

START_TEST(servers_take_turns_and_requests_in_flight_are_counted)
{
    start();
    struct attempt a[6];
    for (int i = 0; i < 6; i++) {
        a[i] = begin();
        ck_assert_int_eq(attempt_pick(&a[i]), REASON_NONE);
        ck_assert_uint_eq(a[i].server->index, (uint32_t)i % SERVERS);
    }
    ck_assert_uint_eq(state_gauge(servers[1].slot, GAUGE_REQUESTS), 2);
    ck_assert_uint_eq(state_gauge(backend.slot, GAUGE_REQUESTS), 6);
    for (int i = 0; i < 6; i++)
        attempt_end(&a[i], i == 0 ? REASON_SERVER_TIMEOUT : REASON_NONE);
    ck_assert_uint_eq(state_gauge(servers[1].slot, GAUGE_REQUESTS), 0);
    ck_assert_uint_eq(state_gauge(backend.slot, GAUGE_REQUESTS), 0);
    ck_assert_uint_eq(total(backend.slot, COUNTER_REQUESTS), 6);
    ck_assert_uint_eq(total(servers[0].slot, COUNTER_REASON + REASON_SERVER_TIMEOUT), 1);
    ck_assert_uint_eq(total(servers[1].slot, COUNTER_REASON + REASON_SERVER_TIMEOUT), 0);
}
END_TEST

START_TEST(a_failed_attempt_goes_to_each_other_server_once)
{
    start();
    struct attempt a = begin();
    bool seen[SERVERS] = {false};
    for (int i = 0; i < SERVERS; i++) {
        ck_assert_int_eq(attempt_pick(&a), REASON_NONE);
        ck_assert(!seen[a.server->index]);
        seen[a.server->index] = true;
        ck_assert(attempt_failed(&a, REASON_SERVER_REFUSED));
        ck_assert_ptr_null(a.server);
    }
    ck_assert_int_eq(attempt_pick(&a), REASON_NO_SERVER);
    ck_assert_uint_eq(a.retries, 3);
    attempt_end(&a, REASON_SERVER_REFUSED);
    ck_assert_uint_eq(total(backend.slot, COUNTER_RETRIES), 3);
    ck_assert_uint_eq(state_gauge(servers[0].slot, GAUGE_REQUESTS), 0);
}
END_TEST

START_TEST(retries_are_bounded)
{
    backend.retries = 1;
    start();
    struct attempt a = begin();
    ck_assert_int_eq(attempt_pick(&a), REASON_NONE);
    ck_assert(attempt_failed(&a, REASON_SERVER_REFUSED));
    ck_assert_int_eq(attempt_pick(&a), REASON_NONE);
    ck_assert(!attempt_failed(&a, REASON_SERVER_REFUSED));
    attempt_end(&a, REASON_SERVER_REFUSED);
}
END_TEST

START_TEST(failures_of_traffic_in_a_row_take_a_server_out_and_a_success_forgets_them)
{
    char reason[124];
    backend.failures_max = 3;
    start();
    for (int i = 0; i < 2; i++) {
        struct attempt a = begin();
        while (attempt_pick(&a) == REASON_NONE && a.server->index != 0)
            attempt_end(&a, REASON_NONE), a = begin();
        attempt_failed(&a, REASON_SERVER_REFUSED);
        attempt_end(&a, REASON_NONE);
    }
    ck_assert_uint_eq(servers[0].slot->failures, 2);
    struct attempt good = begin();
    while (attempt_pick(&good) == REASON_NONE && good.server->index != 0)
        attempt_end(&good, REASON_NONE), good = begin();
    attempt_connected(&good, 100);
    attempt_end(&good, REASON_NONE);
    ck_assert_uint_eq(servers[0].slot->failures, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert(server_eligible(&servers[1], NULL));
        struct attempt a = begin();
        while (attempt_pick(&a) == REASON_NONE && a.server->index != 1)
            attempt_end(&a, REASON_NONE), a = begin();
        attempt_failed(&a, REASON_SERVER_REFUSED);
        attempt_end(&a, REASON_NONE);
    }
    ck_assert(!server_eligible(&servers[1], NULL));
    state_read_text(&servers[1].slot->health_reason, reason, sizeof reason);
    ck_assert_ptr_nonnull(strstr(reason, "3 failures of traffic in a row"));
    for (int i = 0; i < 10; i++) {
        struct attempt a = begin();
        ck_assert_int_eq(attempt_pick(&a), REASON_NONE);
        ck_assert_uint_ne(a.server->index, 1);
        attempt_end(&a, REASON_NONE);
    }
}
END_TEST

START_TEST(without_checks_traffic_never_takes_a_server_out)
{
    start();
    for (int i = 0; i < 20; i++) {
        struct attempt a = begin();
        ck_assert_int_eq(attempt_pick(&a), REASON_NONE);
        attempt_failed(&a, REASON_SERVER_REFUSED);
        attempt_end(&a, REASON_NONE);
    }
    for (int i = 0; i < SERVERS; i++)
        ck_assert(server_eligible(&servers[i], NULL));
}
END_TEST

START_TEST(weight_0_gets_no_requests)
{
    const char *why;
    servers[2].weight = 0;
    start();
    for (int i = 0; i < 9; i++) {
        struct attempt a = begin();
        ck_assert_int_eq(attempt_pick(&a), REASON_NONE);
        ck_assert_uint_ne(a.server->index, 2);
        attempt_end(&a, REASON_NONE);
    }
    ck_assert(!server_eligible(&servers[2], &why));
    ck_assert_str_eq(why, "its weight is 0");
}
END_TEST

START_TEST(a_name_has_the_address_that_it_resolved_to)
{
    struct error err;
    struct address a;
    char text[256];
    ck_assert_int_eq(endpoint_parse(&servers[0].endpoint, "web.example:80", &err), 0);
    servers[0].name = servers[0].addr_port = "web.example:80";
    start();
    ck_assert(!server_address(&servers[0], &a));
    ck_assert_str_eq(server_print(&servers[0], text, sizeof text), "b:web.example/unresolved");
    enum reason why = REASON_NONE;
    ck_assert_ptr_null(upstream_connect(&servers[0], NULL, NULL, &why));
    ck_assert_int_eq(why, REASON_SERVER_UNRESOLVED);
    client.in.sin_port = htons(80);
    state_set_address(servers[0].slot, &client.any, client.len);
    ck_assert_str_eq(server_print(&servers[0], text, sizeof text), "b:web.example/127.0.0.1:80");
    ck_assert(server_address(&servers[0], &a));
    ck_assert(address_equal(&a, &client));
}
END_TEST

static void stop_loop(struct task *t)
{
    (void)t;
    loop_stop(loop);
}

static void next_round(void)
{
    struct task stop = {.run = stop_loop};
    loop_defer(loop, &stop);
    loop_run(loop);
}

static void ignore(struct conn *c)
{
    (void)c;
}

static const struct conn_handler ignoring = {.readable = ignore, .writable = ignore, .timeout = ignore};

/* A connection in the loop, and the peer's end of it. */
static struct conn *make_conn(int *peer)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    *peer = pair[1];
    return conn_adopt(loop, pair[0], NULL, &ignoring, NULL);
}

static int closed;

static void close_session(struct session *s, enum reason why)
{
    (void)why;
    closed++;
    session_unkeep(s);
}

static const struct session_ops closing = {.name = "test", .close = close_session};

START_TEST(kept_sessions_come_back_the_latest_first_and_are_bounded)
{
    static struct session sessions[SESSIONS_KEPT_MAX + 1];
    int peer;
    start();
    struct conn *c = make_conn(&peer);
    ck_assert_ptr_null(session_take(&servers[0]));
    for (int i = 0; i < SESSIONS_KEPT_MAX; i++) {
        if (i == SESSIONS_KEPT_MAX / 2)
            next_round();
        sessions[i] = (struct session){.server = &servers[0], .conn = c};
        ck_assert(session_keep(&sessions[i]));
    }
    sessions[SESSIONS_KEPT_MAX].server = &servers[0];
    ck_assert(!session_keep(&sessions[SESSIONS_KEPT_MAX]));
    session_unkeep(&sessions[0]);
    session_unkeep(&sessions[SESSIONS_KEPT_MAX - 1]);
    next_round();
    for (int i = SESSIONS_KEPT_MAX - 2; i > 0; i--)
        ck_assert_ptr_eq(session_take(&servers[0]), &sessions[i]);
    ck_assert_ptr_null(session_take(&servers[0]));
    conn_close(c, REASON_NONE);
    close(peer);
    next_round();
}
END_TEST

START_TEST(a_session_is_not_taken_in_the_round_in_which_it_was_kept)
{
    int peer;
    start();
    struct conn *c = make_conn(&peer);
    struct session early = {.server = &servers[0], .conn = c}, late = early;
    next_round();
    ck_assert(session_keep(&early));
    ck_assert_ptr_null(session_take(&servers[0]));
    next_round();
    ck_assert(session_keep(&late));
    ck_assert_ptr_eq(session_take(&servers[0]), &early);
    ck_assert_ptr_null(session_take(&servers[0]));
    next_round();
    ck_assert_ptr_eq(session_take(&servers[0]), &late);
    conn_close(c, REASON_NONE);
    close(peer);
    next_round();
}
END_TEST

static struct session *found;

static void take_session(struct conn *c)
{
    (void)c;
    found = session_take(&servers[0]);
}

/* The client's event comes first, the session's own stands behind it in the same round. */
START_TEST(a_session_with_an_event_yet_to_be_handed_out_is_closed_instead_of_taken)
{
    static const struct conn_handler taking = {
        .readable = take_session, .writable = ignore, .timeout = ignore};
    int ends[3];
    struct conn *conns[3];
    struct session sessions[2];
    start();
    for (int i = 0; i < 3; i++)
        conns[i] = make_conn(&ends[i]);
    for (int i = 0; i < 2; i++) {
        sessions[i] = (struct session){.ops = &closing, .server = &servers[0], .conn = conns[i + 1]};
        ck_assert(session_keep(&sessions[i]));
    }
    next_round();
    conn_set_owner(conns[0], &taking, NULL);
    ck_assert_int_eq(write(ends[0], "x", 1), 1);
    ck_assert_int_eq(write(ends[2], "x", 1), 1);
    closed = 0;
    next_round();
    ck_assert_int_eq(closed, 1);
    ck_assert_ptr_eq(found, &sessions[0]);
    for (int i = 0; i < 3; i++) {
        conn_close(conns[i], REASON_NONE);
        close(ends[i]);
    }
    next_round();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upstream");
    TCase *tcase = tcase_create("upstream");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, servers_take_turns_and_requests_in_flight_are_counted);
    tcase_add_test(tcase, a_failed_attempt_goes_to_each_other_server_once);
    tcase_add_test(tcase, retries_are_bounded);
    tcase_add_test(tcase, failures_of_traffic_in_a_row_take_a_server_out_and_a_success_forgets_them);
    tcase_add_test(tcase, without_checks_traffic_never_takes_a_server_out);
    tcase_add_test(tcase, weight_0_gets_no_requests);
    tcase_add_test(tcase, a_name_has_the_address_that_it_resolved_to);
    tcase_add_test(tcase, kept_sessions_come_back_the_latest_first_and_are_bounded);
    tcase_add_test(tcase, a_session_is_not_taken_in_the_round_in_which_it_was_kept);
    tcase_add_test(tcase, a_session_with_an_event_yet_to_be_handed_out_is_closed_instead_of_taken);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
