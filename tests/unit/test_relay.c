/*
 * The data plane of one worker in mode tcp, over real sockets: accepting and its limits (frontend/), passing
 * bytes on (relay/).
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/macros.h"
#include "frontend/frontend.h"
#include "net/listener.h"
#include "relay/relay.h"

enum { STEP_US = 2000, STEPS_MAX = 2000, SECOND = 1000000 };

static const struct mode_ops *const modes[MODE_COUNT] = {[MODE_TCP] = &tcp_mode};

static struct server server;
static struct server *servers[1] = {&server};
static struct backend backend;
static struct bind bind_one;
static struct bind *binds[1] = {&bind_one};
static struct frontend frontend;
static struct frontend *frontends[1] = {&frontend};
static struct backend *backends[1] = {&backend};
static struct worker worker;
static struct timer step;
static int origin; /* the server's listening socket */

static void step_over(struct timer *t)
{
    (void)t;
    loop_stop(worker.loop);
}

static void run_a_step(void)
{
    loop_timer_set(worker.loop, &step, STEP_US);
    loop_run(worker.loop);
}

/* Runs the loop until `condition` holds; fails if it never does. */
#define UNTIL(condition)                                                                                     \
    do {                                                                                                     \
        int steps = 0;                                                                                       \
        while (!(condition)) {                                                                               \
            ck_assert_msg(steps++ < STEPS_MAX, "never: %s", #condition);                                     \
            run_a_step();                                                                                    \
        }                                                                                                    \
    } while (0)

static int listen_on_loopback(struct address *bound)
{
    struct error err;
    struct address a = {.len = sizeof a.in};
    a.in.sin_family = AF_INET;
    a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = listener_open(&a, &err);
    ck_assert_msg(fd >= 0, "%s", err.text);
    *bound = (struct address){.len = sizeof bound->storage};
    ck_assert_int_eq(getsockname(fd, &bound->any, &bound->len), 0);
    return fd;
}

static void setup(void)
{
    struct error err;
    ck_assert_int_eq(state_open(&err), 0);
    step.fire = step_over;
    server = (struct server){.addr_port = "s", .name = "s", .weight = 1, .backend = &backend};
    server.endpoint.literal = true;
    origin = listen_on_loopback(&server.endpoint.address);
    backend = (struct backend){.name = "b",
                               .algorithm = balance_find("roundrobin"),
                               .servers = servers,
                               .server_count = 1,
                               .timeout_connect = SECOND,
                               .timeout_server = 60 * SECOND};
    frontend = (struct frontend){.name = "f",
                                 .mode = MODE_TCP,
                                 .binds = binds,
                                 .bind_count = 1,
                                 .maxconn = 100,
                                 .timeout_client = 60 * SECOND,
                                 .use_backend = &backend};
    bind_one = (struct bind){.addr_port = "bind", .frontend = &frontend};
    bind_one.fd = listen_on_loopback(&bind_one.address);
    frontend_set_modes(modes);
    ck_assert_int_eq(frontend_bind_state(&frontend, &err), 0);
    ck_assert_int_eq(backend_bind_state(&backend, &err), 0);
    worker = (struct worker){.loop = loop_new(&err),
                             .frontends = frontends,
                             .frontend_count = 1,
                             .backends = backends,
                             .backend_count = 1,
                             .maxconn = 1000,
                             .process = state_slot(SLOT_PROCESS, NULL, SLICE("noxy"), &err)};
    ck_assert_int_eq(worker_start(&worker, &err), 0);
}

static void teardown(void)
{
    worker_stop(&worker);
    for (int i = 0; i < 3; i++)
        run_a_step();
    ck_assert_uint_eq(worker.open, 0);
    ck_assert_uint_eq(state_gauge(frontend.slot, GAUGE_SESSIONS), 0);
    ck_assert_uint_eq(state_gauge(frontend.slot, GAUGE_REQUESTS), 0);
    ck_assert_uint_eq(state_gauge(server.slot, GAUGE_SESSIONS), 0);
    ck_assert_uint_eq(state_gauge(server.slot, GAUGE_REQUESTS), 0);
    ck_assert_uint_eq(state_gauge(worker.process, GAUGE_SESSIONS), 0);
    ck_assert_uint_eq(buffer_live(), 0);
    loop_free(worker.loop);
    close(bind_one.fd);
    close(origin);
    state_close();
}

static int connect_client(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, &bind_one.address.any, bind_one.address.len), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static int accept_at_origin(void)
{
    int fd = -1;
    UNTIL((fd = accept4(origin, NULL, NULL, SOCK_NONBLOCK)) >= 0);
    return fd;
}

/* Has the peer closed (cleanly or not)? */
static bool is_closed(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK);
    return n == 0 || (n < 0 && errno != EAGAIN);
}

static uint64_t counted(const struct slot *s, unsigned counter)
{
    static struct slot_totals totals;
    state_totals(s, &totals);
    return totals.counter[counter];
}

/* ---- passing bytes on ---- */

START_TEST(bytes_go_both_ways_and_half_closes_too)
{
    char got[16] = "";
    int client = connect_client(), peer = accept_at_origin();
    ck_assert_int_eq(send(client, "ping", 4, 0), 4);
    UNTIL(recv(peer, got, sizeof got, 0) == 4);
    ck_assert_str_eq(got, "ping");
    shutdown(client, SHUT_WR);
    UNTIL(is_closed(peer));
    ck_assert_int_eq(send(peer, "pong!", 5, 0), 5);
    UNTIL(recv(client, got, sizeof got, 0) == 5);
    ck_assert_str_eq(got, "pong!");
    ck_assert(!is_closed(client));
    close(peer);
    UNTIL(is_closed(client));
    UNTIL(worker.open == 0);
    close(client);
    ck_assert_uint_eq(counted(frontend.slot, COUNTER_BYTES_IN), 4);
    ck_assert_uint_eq(counted(server.slot, COUNTER_BYTES_OUT), 5);
}
END_TEST

START_TEST(a_slow_reader_stops_the_sender_and_gets_every_byte)
{
    static char sent[8 << 20], got[8 << 20];
    size_t sent_len = 0, got_len = 0;
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (char)(i * 7 >> 3);
    int client = connect_client(), peer = accept_at_origin();
    for (int idle = 0; idle < 20; run_a_step()) {
        ssize_t n = send(peer, sent + sent_len, sizeof sent - sent_len, 0);
        sent_len += (size_t)MAX(n, 0);
        idle = n > 0 ? 0 : idle + 1;
    }
    ck_assert_uint_lt(buffer_live() * BUFFER_SIZE, 300000); /* what noxy itself holds is bounded */
    while (got_len < sizeof got) {
        ssize_t n = recv(client, got + got_len, sizeof got - got_len, 0);
        got_len += (size_t)MAX(n, 0);
        n = send(peer, sent + sent_len, sizeof sent - sent_len, 0);
        sent_len += (size_t)MAX(n, 0);
        run_a_step();
    }
    ck_assert_int_eq(memcmp(sent, got, sizeof got), 0);
    close(client);
    close(peer);
    UNTIL(worker.open == 0);
}
END_TEST

START_TEST(a_reset_of_one_side_ends_the_other)
{
    struct linger abort = {.l_onoff = 1};
    int client = connect_client(), peer = accept_at_origin();
    UNTIL(state_gauge(server.slot, GAUGE_SESSIONS) == 1);
    setsockopt(client, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    close(client);
    UNTIL(is_closed(peer));
    UNTIL(worker.open == 0);
    ck_assert_uint_eq(counted(frontend.slot, COUNTER_REASON + REASON_CLIENT_RESET), 1);
    close(peer);
}
END_TEST

START_TEST(silence_ends_a_connection)
{
    frontend.timeout_client = 20000;
    int client = connect_client(), peer = accept_at_origin();
    UNTIL(is_closed(client));
    ck_assert(is_closed(peer));
    ck_assert_uint_eq(counted(frontend.slot, COUNTER_REASON + REASON_CLIENT_TIMEOUT), 1);
    close(client);
    close(peer);
}
END_TEST

START_TEST(a_server_that_refuses_is_counted_and_the_client_closed)
{
    close(origin);
    int client = connect_client();
    UNTIL(is_closed(client));
    ck_assert_uint_eq(counted(server.slot, COUNTER_REASON + REASON_SERVER_REFUSED), 1);
    close(client);
    origin = socket(AF_INET, SOCK_STREAM, 0);
}
END_TEST

/* ---- accepting ---- */

START_TEST(beyond_maxconn_connections_are_closed)
{
    frontend.maxconn = 1;
    int first = connect_client(), peer = accept_at_origin(), second = connect_client();
    UNTIL(is_closed(second));
    ck_assert(!is_closed(first));
    ck_assert_uint_eq(counted(frontend.slot, COUNTER_REASON + REASON_MAXCONN), 1);
    close(first);
    UNTIL(worker.open == 1 && is_closed(peer)); /* the server's half is still open */
    close(peer);
    UNTIL(worker.open == 0);
    int third = connect_client();
    peer = accept_at_origin();
    ck_assert(!is_closed(third));
    close(peer);
    close(second);
    close(third);
    UNTIL(worker.open == 0);
}
END_TEST

START_TEST(noxys_own_maxconn_counts_too)
{
    worker.maxconn = 1;
    int first = connect_client(), peer = accept_at_origin(), second = connect_client();
    UNTIL(is_closed(second));
    close(first);
    close(second);
    close(peer);
    UNTIL(worker.open == 0);
}
END_TEST

START_TEST(with_overflow_wait_the_next_is_served_when_there_is_room)
{
    frontend.maxconn = 1;
    frontend.overflow = OVERFLOW_WAIT;
    int first = connect_client(), peer = accept_at_origin(), second = connect_client();
    for (int i = 0; i < 20; i++)
        run_a_step();
    ck_assert(!is_closed(second));
    ck_assert_int_eq(accept4(origin, NULL, NULL, SOCK_NONBLOCK), -1);
    close(first);
    close(peer);
    peer = accept_at_origin();
    ck_assert(!is_closed(second));
    close(second);
    close(peer);
    UNTIL(worker.open == 0);
}
END_TEST

START_TEST(a_drain_stops_accepting_and_ends_what_is_left_at_its_end)
{
    int client = connect_client(), peer = accept_at_origin();
    worker_drain(&worker, 50000);
    ck_assert(!worker_drained(&worker));
    int late = connect_client(); /* the kernel takes it; nobody accepts it here */
    run_a_step();
    ck_assert(!is_closed(client));
    ck_assert_uint_eq(worker.open, 1);
    UNTIL(worker_drained(&worker));
    ck_assert(is_closed(client) && is_closed(peer));
    ck_assert_uint_eq(counted(frontend.slot, COUNTER_REASON + REASON_DRAIN_TIMEOUT), 1);
    close(client);
    close(peer);
    close(late);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("relay");
    TCase *tcase = tcase_create("relay");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, bytes_go_both_ways_and_half_closes_too);
    tcase_add_test(tcase, a_slow_reader_stops_the_sender_and_gets_every_byte);
    tcase_add_test(tcase, a_reset_of_one_side_ends_the_other);
    tcase_add_test(tcase, silence_ends_a_connection);
    tcase_add_test(tcase, a_server_that_refuses_is_counted_and_the_client_closed);
    tcase_add_test(tcase, beyond_maxconn_connections_are_closed);
    tcase_add_test(tcase, noxys_own_maxconn_counts_too);
    tcase_add_test(tcase, with_overflow_wait_the_next_is_served_when_there_is_room);
    tcase_add_test(tcase, a_drain_stops_accepting_and_ends_what_is_left_at_its_end);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
