#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/resolver.h"

/* ---- a name server of our own ---- */

enum { BIG_ANSWER = 28 }; /* addresses of big.test: more than fit an answer over UDP */

static struct loop *loop;
static struct resolver *resolver;
static pid_t name_server;
static int name_server_udp, name_server_tcp;

/* One question's answer into `out`; its length, 0: none. By the question's name. */
static size_t make_answer(const unsigned char *question, size_t len, bool udp, unsigned char *out)
{
    char name[256] = "";
    size_t at = 12, n = 0, answers = 0;
    while (at < len && question[at] != 0 && at + 1u + question[at] < len &&
           n + question[at] + 1u < sizeof name) {
        memcpy(name + n, question + at + 1, question[at]);
        n += question[at];
        name[n++] = '.';
        at += 1u + question[at];
    }
    unsigned type = (unsigned)question[at + 1] << 8 | question[at + 2];
    size_t end = at + 5; /* behind the question */
    memcpy(out, question, end);
    memset(out + 6, 0, 6);
    out[2] = 0x81; /* a response, recursion desired */
    out[3] = 0x80; /* recursion available */
    bool big = strcmp(name, "big.test.") == 0, one = strcmp(name, "one.test.") == 0;
    bool mute = strcmp(name, "mute.test.") == 0;
    if (strcmp(name, "silent.test.") == 0 || (mute && !udp))
        return 0;
    if (strcmp(name, "broken.test.") == 0)
        out[3] |= 2; /* SERVFAIL */
    else if (!big && !one && !mute && strcmp(name, "both.test.") != 0 && strcmp(name, "empty.test.") != 0)
        out[3] |= 3; /* NXDOMAIN */
    else if (type == 1 && big)
        answers = BIG_ANSWER;
    else if (type == 1 && strcmp(name, "empty.test.") != 0)
        answers = 1;
    else if (type == 28 && strcmp(name, "both.test.") == 0)
        answers = 1;
    if ((answers == BIG_ANSWER || mute) && udp) {
        out[2] |= 2; /* truncated: ask over TCP */
        return end;
    }
    out[7] = (unsigned char)answers;
    for (size_t i = 0; i < answers; i++) {
        static const unsigned char ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
        unsigned char record[12] = {0xc0, 12, 0, (unsigned char)type, 0, 1, 0, 0,
                                    0,    60, 0, type == 28 ? 16 : 4};
        unsigned char ipv4[4] = {192, 0, 2, (unsigned char)(i + 1)};
        memcpy(out + end, record, 12);
        memcpy(out + end + 12, type == 28 ? ipv6 : ipv4, record[11]);
        end += 12u + record[11];
    }
    return end;
}

static bool read_all(int fd, unsigned char *to, size_t len)
{
    for (ssize_t n; len > 0; to += n, len -= (size_t)n)
        if ((n = read(fd, to, len)) <= 0)
            return false;
    return true;
}

/* One connection's questions; every other answer in three pieces: that tries a reader of edges. */
static void serve_tcp(int fd, bool whole)
{
    unsigned char head[2], question[512], answer[2048];
    while (read_all(fd, head, 2)) {
        size_t len = (size_t)head[0] << 8 | head[1];
        if (len > sizeof question || !read_all(fd, question, len))
            break;
        size_t n = make_answer(question, len, false, answer + 2);
        if (n == 0)
            continue;
        answer[0] = (unsigned char)(n >> 8);
        answer[1] = (unsigned char)n;
        size_t cuts[] = {0, whole ? 0 : 1, whole ? 0 : 20, n + 2};
        for (int i = 0; i < 3; i++) {
            if (write(fd, answer + cuts[i], cuts[i + 1] - cuts[i]) < 0)
                break;
            if (!whole)
                poll(NULL, 0, 10);
        }
        whole = !whole;
    }
    close(fd);
}

static void serve_names(void)
{
    struct pollfd p[2] = {{.fd = name_server_udp, .events = POLLIN},
                          {.fd = name_server_tcp, .events = POLLIN}};
    for (bool whole = true;;) {
        unsigned char question[512], answer[2048];
        struct sockaddr_in from;
        socklen_t from_len = sizeof from;
        poll(p, 2, -1);
        if (p[0].revents) {
            ssize_t n =
                recvfrom(name_server_udp, question, sizeof question, 0, (struct sockaddr *)&from, &from_len);
            size_t len = n >= 17 ? make_answer(question, (size_t)n, true, answer) : 0;
            if (len > 0)
                sendto(name_server_udp, answer, len, 0, (struct sockaddr *)&from, from_len);
        }
        if (p[1].revents) {
            int fd = accept(name_server_tcp, NULL, NULL);
            if (fd >= 0 && fork() == 0) {
                serve_tcp(fd, whole);
                _exit(0);
            }
            whole = !whole;
            close(fd);
        }
    }
}

static void start_resolver(void)
{
    struct error err = {""};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    char servers[64];
    for (int tries = 0;; tries++) { /* a port that is free for both */
        a.sin_port = 0;
        name_server_tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        name_server_udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(name_server_tcp, (struct sockaddr *)&a, sizeof a), 0);
        ck_assert_int_eq(getsockname(name_server_tcp, (struct sockaddr *)&a, &len), 0);
        if (bind(name_server_udp, (struct sockaddr *)&a, sizeof a) == 0)
            break;
        ck_assert_int_lt(tries, 20);
        close(name_server_tcp);
        close(name_server_udp);
    }
    ck_assert_int_eq(listen(name_server_tcp, 16), 0);
    name_server = fork();
    if (name_server == 0) {
        signal(SIGCHLD, SIG_IGN);
        serve_names();
    }
    loop = loop_new(&err);
    ck_assert_ptr_nonnull(loop);
    resolver = resolver_new(loop, 1000000, 2, &err);
    ck_assert_msg(resolver != NULL, "%s", err.text);
    snprintf(servers, sizeof servers, "127.0.0.1:%u", ntohs(a.sin_port));
    ck_assert_int_eq(resolver_use_servers(resolver, servers, &err), 0);
}

static void stop_resolver(void)
{
    kill(name_server, SIGKILL);
    waitpid(name_server, NULL, 0);
    close(name_server_udp);
    close(name_server_tcp);
    resolver_free(resolver);
    loop_free(loop);
}

struct asked {
    unsigned calls, count;
    bool has_ipv6;
    char first[ADDRESS_TEXT_MAX], reason[128];
};

static unsigned waiting_for;

static void answered(void *context, const struct address *addresses, unsigned count, const char *reason)
{
    struct asked *q = context;
    q->calls++;
    q->count = count;
    snprintf(q->reason, sizeof q->reason, "%s", reason ? reason : "");
    for (unsigned i = 0; i < count; i++)
        q->has_ipv6 |= addresses[i].any.sa_family == AF_INET6;
    if (count > 0)
        address_print(&addresses[0], q->first);
    if (waiting_for > 0 && --waiting_for == 0)
        loop_stop(loop);
}

static void out_of_time(struct timer *t)
{
    (void)t;
    loop_stop(loop);
}

/* Runs the loop until `n` answers are there, 5 s at most. */
static void await(unsigned n)
{
    struct timer limit = {.fire = out_of_time};
    waiting_for = n;
    loop_timer_set(loop, &limit, 20000000);
    loop_run(loop);
    loop_timer_stop(loop, &limit);
    ck_assert_uint_eq(waiting_for, 0);
}

static struct asked ask(const char *name)
{
    struct asked q = {0};
    resolver_ask(resolver, name, 8080, answered, &q);
    if (q.calls == 0)
        await(1);
    ck_assert_uint_eq(q.calls, 1);
    return q;
}

START_TEST(names_resolve)
{
    struct asked q = ask("one.test.");
    ck_assert_uint_eq(q.count, 1);
    ck_assert_str_eq(q.first, "192.0.2.1:8080");
    q = ask("both.test.");
    ck_assert_uint_eq(q.count, 2);
    ck_assert(q.has_ipv6);
    q = ask("localhost"); /* /etc/hosts */
    ck_assert_uint_ge(q.count, 1);
    ck_assert_msg(strcmp(q.first, "127.0.0.1:8080") == 0 || strcmp(q.first, "[::1]:8080") == 0, "%s",
                  q.first);
    q = ask("192.0.2.7");
    ck_assert_str_eq(q.first, "192.0.2.7:8080");
}
END_TEST

START_TEST(a_truncated_answer_is_asked_for_over_tcp)
{
    for (int i = 0; i < 4; i++) {
        uint64_t before = clock_monotonic_us();
        struct asked q = ask("big.test.");
        ck_assert_uint_eq(q.count, BIG_ANSWER);
        ck_assert_uint_lt(clock_monotonic_us() - before, 900000); /* not by way of a timeout */
    }
    struct asked both[2] = {0};
    resolver_ask(resolver, "big.test.", 80, answered, &both[0]);
    resolver_ask(resolver, "big.test.", 80, answered, &both[1]);
    await(2);
    ck_assert_uint_eq(both[0].count, BIG_ANSWER);
    ck_assert_uint_eq(both[1].count, BIG_ANSWER);
}
END_TEST

static void ask_on_open_connection(struct timer *t)
{
    static struct asked q;
    (void)t;
    resolver_ask(resolver, "big.test.", 80, answered, &q);
}

/* The second question finds a connection that has been writable for long: no edge will tell. */
START_TEST(a_question_on_an_open_connection_is_sent_at_once)
{
    struct asked mute = {0};
    struct timer later = {.fire = ask_on_open_connection};
    uint64_t before = clock_monotonic_us();
    resolver_ask(resolver, "mute.test.", 80, answered, &mute);
    loop_timer_set(loop, &later, 100000);
    await(1);
    ck_assert_uint_eq(mute.calls, 0);
    ck_assert_uint_lt(clock_monotonic_us() - before, 900000);
}
END_TEST

START_TEST(many_questions_at_once)
{
    enum { MANY = 200 };
    static struct asked q[MANY];
    for (int i = 0; i < MANY; i++)
        resolver_ask(resolver, i % 2 ? "one.test." : "nx.test.", (uint16_t)(i + 1), answered, &q[i]);
    await(MANY);
    for (int i = 0; i < MANY; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "192.0.2.1:%d", i + 1);
        ck_assert_uint_eq(q[i].calls, 1);
        ck_assert_str_eq(q[i].first, i % 2 ? expected : "");
        ck_assert_str_eq(q[i].reason, i % 2 ? "" : "no such name");
    }
}
END_TEST

START_TEST(failures_are_told_in_words)
{
    ck_assert_str_eq(ask("nx.test.").reason, "no such name");
    ck_assert_str_eq(ask("empty.test.").reason, "the name has no address");
    ck_assert_str_eq(ask("broken.test.").reason, "no name server gives an answer");
    uint64_t before = clock_monotonic_us();
    ck_assert_str_eq(ask("silent.test.").reason, "the name server does not answer in time");
    ck_assert_uint_lt(clock_monotonic_us() - before, 15000000);
}
END_TEST

START_TEST(a_name_server_that_is_gone_is_told)
{
    struct error err;
    ck_assert_int_eq(resolver_use_servers(resolver, "127.0.0.1:1", &err), 0);
    ck_assert_str_eq(ask("one.test.").reason, "no name server gives an answer");
    ck_assert_int_eq(resolver_use_servers(resolver, "nonsense", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "cannot use the name servers \"nonsense\""));
}
END_TEST

START_TEST(freeing_ends_questions_without_an_answer)
{
    struct asked q = {0};
    resolver_ask(resolver, "silent.test.", 80, answered, &q);
    resolver_free(resolver);
    resolver = NULL;
    ck_assert_uint_eq(q.calls, 0);
}
END_TEST

static void ask_again(void *context, const struct address *addresses, unsigned count, const char *reason)
{
    (void)addresses, (void)count, (void)reason;
    resolver_ask(resolver, "one.test.", 80, answered, context);
}

START_TEST(an_answer_may_ask_again)
{
    struct asked q = {0};
    resolver_ask(resolver, "nx.test.", 80, ask_again, &q);
    await(1);
    ck_assert_str_eq(q.first, "192.0.2.1:80");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resolver");
    TCase *names = tcase_create("resolver");
    tcase_set_timeout(names, 60);
    tcase_add_checked_fixture(names, start_resolver, stop_resolver);
    tcase_add_test(names, names_resolve);
    tcase_add_test(names, a_truncated_answer_is_asked_for_over_tcp);
    tcase_add_test(names, a_question_on_an_open_connection_is_sent_at_once);
    tcase_add_test(names, many_questions_at_once);
    tcase_add_test(names, failures_are_told_in_words);
    tcase_add_test(names, a_name_server_that_is_gone_is_told);
    tcase_add_test(names, freeing_ends_questions_without_an_answer);
    tcase_add_test(names, an_answer_may_ask_again);
    suite_add_tcase(suite, names);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
