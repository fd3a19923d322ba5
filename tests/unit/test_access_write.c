#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/access.h"
#include "log/access_line.h"
#include "log/target.h"

static struct error err;
static char folder[64], path[128];
static char line[LINE_MAX_BYTES + 1];

static const struct access_entry whole = {
    .time_ms = 1795255200123,
    .client = SLICE("192.0.2.7:51234"),
    .frontend = SLICE("web"),
    .method = SLICE("GET"),
    .target = SLICE("/x?y"),
    .version = SLICE("HTTP/1.1"),
    .host = SLICE("example.org"),
    .reason = "ok",
    .ended_by = "none",
    .status = 200,
};

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN); /* as noxy's processes do */
    snprintf(folder, sizeof folder, "/tmp/noxy-access-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/log", folder);
    log_set_process("worker 2");
}

static void teardown(void)
{
    char old[160];
    log_close();
    snprintf(old, sizeof old, "%s.old", path);
    unlink(old);
    unlink(path);
    rmdir(folder);
}

static const char *text_of(const struct access_entry *e)
{
    line[access_line_text(line, e)] = '\0';
    return line;
}

/* What stands in the file. */
static const char *contents(void)
{
    static char text[4 << 20];
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    close(fd);
    return text;
}

static unsigned count_lines(const char *text)
{
    unsigned n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static struct access_log *open_access(enum log_format format)
{
    struct access_log *a = access_open(path, format, &err);
    ck_assert_msg(a != NULL, "%s", err.text);
    return a;
}

static void write_times(struct access_log *a, unsigned n)
{
    while (n-- > 0)
        access_write(a, &whole);
}

START_TEST(lines_gather_until_they_are_flushed)
{
    struct access_log *a = open_access(LOG_FORMAT_TEXT);
    ck_assert(access_flush(a));
    write_times(a, 10);
    ck_assert_str_eq(contents(), "");
    ck_assert(access_flush(a));
    ck_assert_uint_eq(count_lines(contents()), 10);
    ck_assert(access_flush(a));
    ck_assert_uint_eq(count_lines(contents()), 10);
    ck_assert_str_eq(access_path(a), path);
    access_close(a);
}
END_TEST

START_TEST(a_full_buffer_is_written_by_itself)
{
    struct access_log *a = open_access(LOG_FORMAT_JSON);
    write_times(a, 5000);
    ck_assert_uint_gt(count_lines(contents()), 4500);
    access_finish(a);
    ck_assert_uint_eq(count_lines(contents()), 5000);
    ck_assert_uint_eq(log_dropped(), 0);
    access_close(a);
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_is_an_error)
{
    ck_assert_ptr_null(access_open("/nowhere/access.log", LOG_FORMAT_TEXT, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/access.log: No such file"));
}
END_TEST

START_TEST(lines_before_a_rotation_go_to_the_old_file)
{
    char old[160];
    struct access_log *a = open_access(LOG_FORMAT_TEXT);
    write_times(a, 3);
    snprintf(old, sizeof old, "%s.old", path);
    ck_assert_int_eq(rename(path, old), 0);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    access_adopt_fd(a, fd); /* as a worker */
    write_times(a, 2);
    access_finish(a);
    ck_assert_uint_eq(count_lines(contents()), 2);
    ck_assert_int_eq(rename(old, path), 0);
    ck_assert_uint_eq(count_lines(contents()), 3);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_ge(access_reopen(a, &err), 0); /* as the master */
    write_times(a, 1);
    access_finish(a);
    ck_assert_uint_eq(count_lines(contents()), 1);
    ck_assert_int_eq(unlink(path) | rmdir(folder), 0);
    ck_assert_int_eq(access_reopen(a, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, path));
    access_close(a);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
}
END_TEST

/* What can be read from `fd` without waiting. */
static const char *read_now(int fd)
{
    static char text[4 << 20];
    size_t len = 0;
    ssize_t n;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    while ((n = read(fd, text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    return text;
}

static void check_each_line(const char *text)
{
    for (const char *end; *text; text = end + 1) {
        end = strchr(text, '\n');
        ck_assert_ptr_nonnull(end);
        ck_assert_msg((size_t)(end - text) + 1 == strlen(text_of(&whole)) &&
                          strncmp(text, line, (size_t)(end - text)) == 0,
                      "%.*s", (int)(end - text), text);
    }
}

static int ends[2];

/* Lines to stderr, which nobody reads: the buffer fills, then they are dropped; then somebody reads. */
static void fill_and_drain(void)
{
    struct access_log *a = access_open(NULL, LOG_FORMAT_TEXT, &err);
    unsigned written = 0;
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_null(access_path(a));
    for (; log_dropped() < 50; written++) {
        access_write(a, &whole);
        ck_assert_uint_lt(written, 100000);
    }
    ck_assert(!access_flush(a));
    const char *text = read_now(ends[0]);
    unsigned held = count_lines(text);
    ck_assert_uint_gt(held, 10);
    check_each_line(text);
    access_write(a, &whole); /* there is room in the pipe, but no try before the next flush */
    written++;
    ck_assert_uint_eq(log_dropped(), 51);
    while (!access_flush(a)) {
        text = read_now(ends[0]);
        held += count_lines(text);
    }
    text = read_now(ends[0]);
    const char *told = strstr(text, "51 lines of the access log were dropped: they could not be written\n");
    ck_assert_ptr_nonnull(told);
    held += count_lines(text) - 1;
    ck_assert_uint_eq(held + 51, written);
    access_write(a, &whole);
    access_finish(a);
    check_each_line(read_now(ends[0]));
    ck_assert_uint_eq(log_dropped(), 51);
    access_close(a);
}

static void with_stderr(int fd, void (*work)(void))
{
    const struct log_conf conf = {.target = LOG_TARGET_STDERR, .level = LOG_LEVEL_WARN};
    int kept = dup(STDERR_FILENO);
    ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    ck_assert_int_eq(log_open(&conf, &err), 0);
    work();
    log_close();
    ck_assert_int_eq(dup2(kept, STDERR_FILENO), STDERR_FILENO);
    close(kept);
}

START_TEST(a_full_pipe_drops_lines_and_tells_how_many)
{
    ck_assert_int_eq(pipe(ends), 0);
    with_stderr(ends[1], fill_and_drain);
}
END_TEST

START_TEST(a_full_socket_drops_lines_and_tells_how_many)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    with_stderr(ends[1], fill_and_drain);
}
END_TEST

static void write_to_nobody(void)
{
    struct access_log *a = access_open(NULL, LOG_FORMAT_JSON, &err);
    close(ends[0]);
    write_times(a, 7);
    ck_assert(!access_flush(a));
    access_finish(a);
    ck_assert_uint_eq(log_dropped(), 7);
    access_close(a);
}

START_TEST(a_reader_that_went_away_costs_lines_only)
{
    ck_assert_int_eq(pipe(ends), 0);
    with_stderr(ends[1], write_to_nobody);
}
END_TEST

/* Several processes write to the same target, in one go of many lines each. */
static void write_from_processes(const char *where)
{
    enum { PROCESSES = 4, LINES = 4000 };
    static const char letters[] = "abcd";
    struct access_log *a = access_open(where, LOG_FORMAT_TEXT, &err);
    ck_assert_ptr_nonnull(a);
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() > 0)
            continue;
        char target[700];
        struct access_entry e = whole;
        memset(target, letters[i], sizeof target);
        for (int n = 0; n < LINES; n++) {
            e.target = (struct slice){target, (size_t)(1 + n * 7 % 700)};
            access_write(a, &e);
            if (n % 50 == 0)
                while (!access_flush(a))
                    usleep(100);
        }
        while (!access_flush(a))
            usleep(100);
        _exit(log_dropped() == 0 ? 0 : 1);
    }
    access_close(a);
}

/* Looks at one line at a time: of a search in megabytes, a sanitizer checks all of them, every time. */
static unsigned count_pure_lines(const char *text, size_t len)
{
    unsigned n = 0;
    const char *all = text + len;
    for (const char *end; (end = memchr(text, '\n', (size_t)(all - text))); text = end + 1, n++) {
        const char *target = memmem(text, (size_t)(end - text), "\"GET ", 5);
        ck_assert_msg(strncmp(text, "2026-11-21T10:00:00.123Z 192.0.2.7:51234 web ", 44) == 0, "%.80s", text);
        ck_assert(target && target < end);
        size_t same = 1;
        while (target[5 + same] == target[5])
            same++;
        ck_assert_int_eq(strncmp(target + 5 + same, " HTTP/1.1\" host=\"example.org\"\n", 30), 0);
    }
    ck_assert_ptr_eq(text, all);
    return n;
}

START_TEST(lines_of_several_processes_do_not_mix_in_a_file)
{
    int status;
    static char text[16 << 20];
    write_from_processes(path);
    while (wait(&status) > 0)
        ck_assert_int_eq(status, 0);
    FILE *f = fopen(path, "r");
    size_t len = fread(text, 1, sizeof text, f);
    fclose(f);
    ck_assert_uint_eq(count_pure_lines(text, len), 16000);
}
END_TEST

static void write_to_shared_stderr(void)
{
    static char text[16 << 20];
    size_t len = 0;
    ssize_t n;
    write_from_processes(NULL);
    log_close();
    close(STDERR_FILENO);
    close(ends[1]);
    while ((n = read(ends[0], text + len, sizeof text - len)) > 0)
        len += (size_t)n;
    ck_assert_uint_eq(count_pure_lines(text, len), 16000);
}

START_TEST(lines_of_several_processes_do_not_mix_in_a_pipe)
{
    ck_assert_int_eq(pipe(ends), 0);
    with_stderr(ends[1], write_to_shared_stderr);
}
END_TEST

START_TEST(lines_of_several_processes_do_not_mix_in_a_socket)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    with_stderr(ends[1], write_to_shared_stderr);
}
END_TEST

/* A file that may grow no further takes a part of what is written. */
START_TEST(a_line_cut_by_a_full_disk_is_ended_before_the_next)
{
    struct rlimit kept, limit;
    struct access_log *a = open_access(LOG_FORMAT_TEXT);
    size_t one = strlen(text_of(&whole));
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &kept), 0);
    limit = (struct rlimit){.rlim_cur = 2 * one + one / 2, .rlim_max = kept.rlim_max};
    write_times(a, 5);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert(!access_flush(a));
    ck_assert(!access_flush(a));
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &kept), 0);
    if (fork() == 0) { /* whoever writes next ends it */
        write_times(a, 1);
        _exit(access_flush(a) ? 0 : 1);
    }
    int status;
    ck_assert_int_gt(wait(&status), 0);
    ck_assert_int_eq(status, 0);
    ck_assert(access_flush(a));
    const char *text = contents();
    ck_assert_uint_eq(count_lines(text), 2 + 1 + 4 + 3); /* whole, the half one, the child's, the rest */
    ck_assert_uint_eq(strlen(text), 9 * one + one / 2 + 1);
    ck_assert_int_eq(text[2 * one + one / 2], '\n');
    check_each_line(text + 2 * one + one / 2 + 1);
    access_close(a);
}
END_TEST

START_TEST(syslog_gets_a_datagram_a_line)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct log_conf conf = {.target = LOG_TARGET_SYSLOG, .address = path, .facility = "local0"};
    char got[9000];
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    strcpy(addr.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    ck_assert_int_eq(log_open(&conf, &err), 0);
    struct access_log *a = access_open(NULL, LOG_FORMAT_TEXT, &err);
    write_times(a, 3);
    ck_assert(access_flush(a));
    for (int i = 0; i < 3; i++) {
        ssize_t n = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);
        ck_assert_int_gt(n, 0);
        got[n] = '\0';
        ck_assert_int_eq(strncmp(got, "<134>", 5), 0);
        const char *message = strstr(got, "]: ");
        ck_assert_ptr_nonnull(message);
        line[access_line_text(line, &whole) - 1] = '\0';
        ck_assert_str_eq(message + 3, line);
    }
    ck_assert_int_lt(recv(fd, got, sizeof got, MSG_DONTWAIT), 0);
    access_close(a);
    close(fd);
}
END_TEST

static void add_writing(Suite *suite)
{
    TCase *writing = tcase_create("writing");
    tcase_add_checked_fixture(writing, setup, teardown);
    tcase_add_test(writing, lines_gather_until_they_are_flushed);
    tcase_add_test(writing, a_full_buffer_is_written_by_itself);
    tcase_add_test(writing, a_file_that_cannot_be_opened_is_an_error);
    tcase_add_test(writing, lines_before_a_rotation_go_to_the_old_file);
    tcase_add_test(writing, a_full_pipe_drops_lines_and_tells_how_many);
    tcase_add_test(writing, a_full_socket_drops_lines_and_tells_how_many);
    tcase_add_test(writing, a_reader_that_went_away_costs_lines_only);
    tcase_add_test(writing, lines_of_several_processes_do_not_mix_in_a_file);
    tcase_add_test(writing, lines_of_several_processes_do_not_mix_in_a_pipe);
    tcase_add_test(writing, lines_of_several_processes_do_not_mix_in_a_socket);
    tcase_add_test(writing, a_line_cut_by_a_full_disk_is_ended_before_the_next);
    tcase_add_test(writing, syslog_gets_a_datagram_a_line);
    tcase_set_timeout(writing, 60);
    suite_add_tcase(suite, writing);
}

int main(void)
{
    Suite *suite = suite_create("access-write");
    add_writing(suite);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
