/*
 * Targets that are no file: pipes, sockets, terminals, syslog daemons.
 */
#include <check.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/log.h"
#include "log_fixture.h"

/* All that can be read from `fd` now. */
static const char *read_now(int fd)
{
    static char text[4 << 20];
    size_t len = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (len < sizeof text - 1 && poll(&p, 1, 0) == 1 && p.revents & POLLIN) {
        ssize_t n = read(fd, text + len, sizeof text - 1 - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    return text;
}

/* `fd` in the place of stdout or stderr for `work`, which is given back after it. */
static void with_stream(int number, int fd, void (*work)(void))
{
    int kept = dup(number);
    ck_assert_int_eq(dup2(fd, number), number);
    work();
    log_close();
    ck_assert_int_eq(dup2(kept, number), number);
    close(kept);
}

/* ---- streams ---- */

static int ends[2];

static void fill_and_drain(void)
{
    struct log_conf conf = {.target = LOG_TARGET_STDERR, .level = LOG_LEVEL_INFO};
    open_log(conf);
    uint64_t start = clock_monotonic_us();
    unsigned written = 0;
    while (log_dropped() < 50) {
        log_info("line %u of many that nobody reads", written++);
        ck_assert_uint_lt(written, 100000);
    }
    ck_assert_uint_lt(clock_monotonic_us() - start, 30000000);
    unsigned held = lines_of(read_now(ends[0]));
    ck_assert_uint_eq(held + 50, written);
    log_info("it is read again");
    log_info("and again");
    const char *text = read_now(ends[0]);
    ck_assert_uint_eq(lines_of(text), 3);
    const char *told = strstr(text, "50 log lines were dropped"), *next = strstr(text, "it is read again\n");
    ck_assert(told && next && told < next);
    ck_assert_uint_eq(log_dropped(), 50);
    log_set_process("worker 3");
    ck_assert_uint_eq(log_dropped(), 0); /* of this process */
    log_set_process("worker 2");
}

START_TEST(a_full_pipe_drops_lines_and_tells_how_many)
{
    ck_assert_int_eq(pipe(ends), 0);
    with_stream(STDERR_FILENO, ends[1], fill_and_drain);
    ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0); /* others write to this description too */
}
END_TEST

START_TEST(a_full_socket_drops_lines_and_tells_how_many)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    with_stream(STDERR_FILENO, ends[1], fill_and_drain);
    ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

static void fill_before_opening(void)
{
    log_close(); /* as at the start: notice and above to stderr */
    uint64_t before = log_dropped();
    for (int i = 0; i < 3000; i++)
        log_notice("%d: before the log is opened, to a pipe that nobody reads", i);
    log_info("not told");
    ck_assert_uint_gt(log_dropped(), before);
    ck_assert_uint_gt(lines_of(read_now(ends[0])), 100);
}

START_TEST(it_never_blocks_before_it_is_opened_either)
{
    ck_assert_int_eq(pipe(ends), 0);
    with_stream(STDERR_FILENO, ends[1], fill_before_opening);
}
END_TEST

/* Each line begins with a time, and none has a second one in it. */
static void check_whole_lines(const char *text)
{
    unsigned year, whole = 0;
    while (*text) {
        size_t len = strcspn(text, "\n");
        if (len && sscanf(text, "%4u-", &year) == 1 && text[len] == '\n') {
            const char *again = strstr(text + 20, "[worker 2]");
            ck_assert(again && again < text + len);
            again = strstr(again + 1, "[worker 2]");
            ck_assert_msg(!again || again > text + len, "two lines in one: %.*s", (int)len, text);
            whole++;
        }
        text += len + (text[len] == '\n');
    }
    ck_assert_uint_gt(whole, 10);
}

static void fill_terminal(void)
{
    static char text[4 << 20];
    size_t len = 0;
    open_log((struct log_conf){.target = LOG_TARGET_STDOUT, .level = LOG_LEVEL_INFO});
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 600; i++)
            log_info("%d: a line to a terminal that is slow to show it, %0*d", i, 100 + round, i);
        const char *got = read_now(ends[0]);
        size_t more = strlen(got);
        ck_assert_uint_lt(len + more, sizeof text);
        memcpy(text + len, got, more + 1);
        len += more;
    }
    ck_assert_uint_gt(log_dropped(), 0);
    check_whole_lines(text);
}

/* A terminal takes a line in part when it is full. */
START_TEST(a_line_cut_by_a_full_terminal_is_ended_before_the_next)
{
    struct termios raw;
    ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert(ends[0] >= 0 && grantpt(ends[0]) == 0 && unlockpt(ends[0]) == 0);
    ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(ends[1], 0);
    ck_assert_int_eq(tcgetattr(ends[1], &raw), 0);
    cfmakeraw(&raw);
    ck_assert_int_eq(tcsetattr(ends[1], TCSANOW, &raw), 0);
    with_stream(STDOUT_FILENO, ends[1], fill_terminal);
}
END_TEST

static void write_to_nobody(void)
{
    open_log((struct log_conf){.target = LOG_TARGET_STDOUT, .level = LOG_LEVEL_INFO});
    close(ends[0]);
    for (int i = 0; i < 10; i++) {
        errno = 77;
        log_info("to nobody");
        ck_assert_int_eq(errno, 77); /* whoever logs an error may look at it again */
    }
    ck_assert_uint_eq(log_dropped(), 10);
}

START_TEST(a_closed_pipe_hurts_nobody)
{
    ck_assert_int_eq(pipe(ends), 0);
    with_stream(STDOUT_FILENO, ends[1], write_to_nobody);
}
END_TEST

START_TEST(a_closed_socket_hurts_nobody)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    signal(SIGPIPE, SIG_DFL);
    with_stream(STDOUT_FILENO, ends[1], write_to_nobody);
}
END_TEST

static void write_to_shared_file(void)
{
    open_log((struct log_conf){.target = LOG_TARGET_STDOUT, .level = LOG_LEVEL_INFO});
    log_info("ours");
    ck_assert_int_eq(write(STDOUT_FILENO, "theirs\n", 7), 7);
    log_info("ours");
}

START_TEST(a_file_that_stdout_goes_to_is_not_written_over)
{
    int fd = open(log_file, O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq(write(fd, "before\n", 7), 7);
    with_stream(STDOUT_FILENO, fd, write_to_shared_file);
    const char *text = read_file(log_file);
    ck_assert_int_eq(strncmp(text, "before\n", 7), 0);
    ck_assert_uint_eq(lines_of(text), 4);
    ck_assert_int_eq(strncmp(text + 7, "20", 2), 0);
    ck_assert_ptr_nonnull(strstr(text, "] ours\ntheirs\n20"));
}
END_TEST

/* ---- syslog ---- */

static int syslog_daemon(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    strcpy(un.sun_path, log_file);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    return fd;
}

static const char *receive(int fd)
{
    static char datagram[8192];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ck_assert_msg(poll(&p, 1, 2000) == 1, "no datagram came");
    ssize_t n = recv(fd, datagram, sizeof datagram - 1, 0);
    ck_assert_int_gt(n, 0);
    datagram[n] = '\0';
    return datagram;
}

static void open_syslog(const char *address, const char *facility, enum log_format format)
{
    open_log((struct log_conf){.target = LOG_TARGET_SYSLOG,
                               .address = address,
                               .facility = facility,
                               .format = format,
                               .level = LOG_LEVEL_DEBUG});
}

START_TEST(a_local_syslog_daemon_gets_rfc_3164)
{
    int fd = syslog_daemon();
    open_syslog(log_file, NULL, LOG_FORMAT_TEXT);
    log_warn("one\ntwo");
    const char *got = receive(fd);
    char month[4];
    int day, hour, minute, second, pid, end = 0;
    ck_assert_int_eq(
        sscanf(got, "<28>%3s %2d %2d:%2d:%2d noxy[%d]: %n", month, &day, &hour, &minute, &second, &pid, &end),
        6);
    ck_assert_int_eq(pid, getpid());
    ck_assert_str_eq(got + end, "[worker 2] one\\x0atwo");
    open_syslog(log_file, "local7", LOG_FORMAT_TEXT);
    log_error("e");
    ck_assert_int_eq(strncmp(receive(fd), "<187>", 5), 0);
    log_debug("d");
    ck_assert_int_eq(strncmp(receive(fd), "<191>", 5), 0);
    close(fd);
}
END_TEST

START_TEST(a_syslog_message_may_be_json)
{
    int fd = syslog_daemon();
    open_syslog(log_file, "daemon", LOG_FORMAT_JSON);
    log_warn("one \"two\"");
    json_t *o = json_loads(strstr(receive(fd), "]: ") + 3, 0, NULL);
    ck_assert_ptr_nonnull(o);
    ck_assert_str_eq(json_string_value(json_object_get(o, "message")), "one \"two\"");
    json_decref(o);
    close(fd);
}
END_TEST

START_TEST(a_restarted_syslog_daemon_is_found_again)
{
    int fd = syslog_daemon();
    open_syslog(log_file, NULL, LOG_FORMAT_TEXT);
    log_warn("before");
    receive(fd);
    close(fd);
    ck_assert_int_eq(unlink(log_file), 0);
    uint64_t start = clock_monotonic_us();
    for (int i = 0; i < 2000; i++)
        log_warn("meanwhile");
    ck_assert_uint_lt(clock_monotonic_us() - start, 30000000);
    uint64_t lost = log_dropped();
    ck_assert_uint_eq(lost, 2000);
    fd = syslog_daemon();
    log_warn("too soon");
    if (clock_monotonic_us() - start < 900000)
        ck_assert_uint_eq(log_dropped(), ++lost);
    do { /* it is tried once a second */
        ck_assert_uint_lt(clock_monotonic_us() - start, 40000000);
        usleep(100000);
        log_warn("after");
    } while (log_dropped() > lost++);
    ck_assert_ptr_nonnull(strstr(receive(fd), "log lines were dropped"));
    ck_assert_ptr_nonnull(strstr(receive(fd), "[worker 2] "));
    close(fd);
}
END_TEST

START_TEST(a_syslog_daemon_that_does_not_read_blocks_nobody)
{
    int fd = syslog_daemon();
    open_syslog(log_file, NULL, LOG_FORMAT_TEXT);
    for (int i = 0; i < 20000; i++)
        log_warn("%d", i);
    ck_assert_uint_gt(log_dropped(), 0);
    while (strlen(read_now(fd)) > 0)
        continue;
    log_warn("read again");
    ck_assert_ptr_nonnull(strstr(receive(fd), "log lines were dropped"));
    ck_assert_ptr_nonnull(strstr(receive(fd), "read again"));
    close(fd);
}
END_TEST

static void check_udp(struct sockaddr *addr, socklen_t len, const char *form)
{
    char address[64], host[256], date[64];
    int pid, end = 0, fd = socket(addr->sa_family, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(fd, addr, len), 0);
    ck_assert_int_eq(getsockname(fd, addr, &len), 0);
    snprintf(address, sizeof address, form, ntohs(((struct sockaddr_in *)(void *)addr)->sin_port));
    open_syslog(address, "local0", LOG_FORMAT_TEXT);
    log_notice("hello");
    const char *got = receive(fd);
    ck_assert_int_eq(sscanf(got, "<133>1 %63s %255s noxy %d - - %n", date, host, &pid, &end), 3);
    ck_assert_int_eq(date[strlen(date) - 1], 'Z');
    ck_assert_int_eq(pid, getpid());
    ck_assert_str_eq(got + end, "[worker 2] hello");
    close(fd); /* nobody there: the kernel tells of it by ICMP, which hurts nobody */
    for (int i = 0; i < 100; i++)
        log_notice("to nobody");
}

START_TEST(a_distant_syslog_daemon_gets_rfc_5424)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    check_udp((struct sockaddr *)&four, sizeof four, "127.0.0.1:%d");
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    bool has_six = fd >= 0 && bind(fd, (struct sockaddr *)&six, sizeof six) == 0;
    close(fd);
    if (has_six)
        check_udp((struct sockaddr *)&six, sizeof six, "[::1]:%d");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log targets");
    TCase *streams = tcase_create("streams");
    tcase_add_checked_fixture(streams, log_setup, log_teardown);
    tcase_set_timeout(streams, 60);
    tcase_add_test(streams, a_full_pipe_drops_lines_and_tells_how_many);
    tcase_add_test(streams, a_full_socket_drops_lines_and_tells_how_many);
    tcase_add_test(streams, it_never_blocks_before_it_is_opened_either);
    tcase_add_test(streams, a_line_cut_by_a_full_terminal_is_ended_before_the_next);
    tcase_add_test(streams, a_closed_pipe_hurts_nobody);
    tcase_add_test(streams, a_closed_socket_hurts_nobody);
    tcase_add_test(streams, a_file_that_stdout_goes_to_is_not_written_over);
    suite_add_tcase(suite, streams);
    TCase *syslog = tcase_create("syslog");
    tcase_add_checked_fixture(syslog, log_setup, log_teardown);
    tcase_set_timeout(syslog, 60);
    tcase_add_test(syslog, a_local_syslog_daemon_gets_rfc_3164);
    tcase_add_test(syslog, a_syslog_message_may_be_json);
    tcase_add_test(syslog, a_restarted_syslog_daemon_is_found_again);
    tcase_add_test(syslog, a_syslog_daemon_that_does_not_read_blocks_nobody);
    tcase_add_test(syslog, a_distant_syslog_daemon_gets_rfc_5424);
    suite_add_tcase(suite, syslog);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
