#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"
#include "log/log.h"
#include "log_fixture.h"

/* ---- lines ---- */

START_TEST(a_text_line_has_time_level_process_and_message)
{
    open_file(LOG_FORMAT_TEXT);
    log_warn("Backend [%s] is now down: %s", "web:a/10.0.0.1:80", "connect refused");
    const char *line = read_file(log_file);
    int year, month, day, hour, minute, second, ms, end = 0;
    ck_assert_int_eq(sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ WARN%n", &year, &month, &day, &hour, &minute,
                            &second, &ms, &end),
                     7);
    ck_assert_int_eq(end, 29);
    ck_assert_int_ge(year, 2024);
    ck_assert_str_eq(line + end + strspn(line + end, " "),
                     "[worker 2] Backend [web:a/10.0.0.1:80] is now down: connect refused\n");
}
END_TEST

START_TEST(lines_below_the_level_are_left_out)
{
    open_log((struct log_conf){.target = LOG_TARGET_FILE, .path = log_file, .level = LOG_LEVEL_WARN});
    ck_assert(log_enabled(LOG_LEVEL_WARN) && !log_enabled(LOG_LEVEL_NOTICE));
    log_notice("no");
    log_debug("no");
    log_warn("yes");
    log_error("yes");
    ck_assert_uint_eq(lines_of(read_file(log_file)), 2);
    ck_assert_ptr_null(strstr(read_file(log_file), "no"));
    ck_assert_uint_eq(log_dropped(), 0);
}
END_TEST

START_TEST(a_peers_bytes_neither_break_nor_forge_a_line)
{
    open_file(LOG_FORMAT_TEXT);
    log_info("got %s", "a\nb\r\x1b[31m\x7f \xc2\x9b \xff \"q\" \\ \xc3\xa9");
    const char *line = read_file(log_file);
    ck_assert_uint_eq(lines_of(line), 1);
    ck_assert_ptr_nonnull(
        strstr(line, "] got a\\x0ab\\x0d\\x1b[31m\\x7f \\xc2\\x9b \\xff \"q\" \\ \xc3\xa9\n"));
}
END_TEST

/* The message of each byte, and of pairs that end in the middle of a character, through a real JSON parser.
 */
START_TEST(json_lines_are_valid_for_any_bytes)
{
    open_file(LOG_FORMAT_JSON);
    for (int first = 1; first < 256; first++)
        for (int second = 0; second < 256; second += first >= 0xc0 ? 1 : 255)
            log_info("<%c%c>", first, second ? second : '-');
    unsigned n = 0;
    char *at = (char *)(uintptr_t)read_file(log_file), *line;
    while ((line = strsep(&at, "\n")) && *line) {
        json_error_t why;
        json_t *o = json_loads(line, 0, &why);
        ck_assert_msg(o != NULL, "%s: %s", line, why.text);
        ck_assert_uint_eq(json_object_size(o), 4);
        ck_assert_str_eq(json_string_value(json_object_get(o, "level")), "INFO");
        ck_assert_str_eq(json_string_value(json_object_get(o, "process")), "worker 2");
        ck_assert_uint_eq(strlen(json_string_value(json_object_get(o, "time"))), 24);
        const char *m = json_string_value(json_object_get(o, "message"));
        if (n / 2 < 0x7f && n % 2 == 0) { /* ASCII comes back as it was */
            ck_assert_int_eq(m[1], (char)(n / 2 + 1));
        } else if (n / 2 + 1 >= 0x80 && n / 2 + 1 < 0xc0) { /* no byte that begins a character */
            ck_assert_ptr_nonnull(strstr(m, "\xef\xbf\xbd"));
        }
        json_decref(o);
        n++;
    }
    ck_assert_uint_eq(n, 191 * 2 + 64 * 256);
}
END_TEST

static void check_long_line(const char *piece)
{
    char message[9000] = "";
    for (size_t len = 0, more = strlen(piece); len + more < sizeof message; len += more)
        memcpy(message + len, piece, more + 1);
    log_info("%s", message);
    struct stat st;
    ck_assert_int_eq(stat(log_file, &st), 0);
    ck_assert_int_le(st.st_size, 4096);
    ck_assert_int_gt(st.st_size, 3900);
    ck_assert_uint_eq(lines_of(read_file(log_file)), 1);
    ck_assert_int_eq(truncate(log_file, 0), 0);
}

START_TEST(a_long_line_is_cut_to_4096_bytes)
{
    static const char *const pieces[] = {"x",    "\n",  "\"\\",  "\xc3\xa9", "\xf0\x9f\x98\x80",
                                         "\xff", "a\n", "\"\n\n"};
    for (unsigned i = 0; i < ARRAY_LEN(pieces); i++) {
        open_file(LOG_FORMAT_TEXT);
        check_long_line(pieces[i]);
        open_file(LOG_FORMAT_JSON);
        log_info("%s", "");
        ck_assert_int_eq(truncate(log_file, 0), 0);
        check_long_line(pieces[i]);
        ck_assert_int_eq(truncate(log_file, 0), 0);
    }
}
END_TEST

START_TEST(what_is_cut_off_is_the_end)
{
    char message[4200], expected[4096];
    memset(message, 'x', sizeof message);
    for (size_t i = 3900; i < sizeof message - 1; i++)
        message[i] = i % 3 == 0 ? '"' : '\n';
    message[sizeof message - 1] = '\0';
    open_file(LOG_FORMAT_TEXT);
    log_info("%s", message);
    const char *line = strstr(read_file(log_file), "xxx");
    size_t len = 0, i = 0; /* no piece is left out between others */
    for (; len + 4 < sizeof expected; i++)
        len += (size_t)sprintf(expected + len, message[i] == '\n' ? "\\x0a" : "%c", message[i]);
    size_t told = strspn(line, "x\\0a\"");
    ck_assert_str_eq(line + told, "...\n");
    ck_assert_int_eq(strncmp(line, expected, told), 0);
}
END_TEST

START_TEST(escaped_bytes_are_printable_and_can_be_told_apart)
{
    char all[256], out[2048];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    size_t len = log_escape(out, sizeof out - 1, all, sizeof all), at = 0;
    out[len] = '\0';
    for (int i = 0; i < 256; i++) { /* read back, byte by byte */
        ck_assert_uint_lt(at, len);
        if (out[at] == '\\') {
            unsigned value;
            ck_assert_int_eq(sscanf(out + at, "\\x%2x", &value), 1);
            ck_assert_uint_eq(value, (unsigned)i);
            at += 4;
        } else {
            ck_assert_int_eq(out[at], (char)i);
            ck_assert(i >= 0x20 && i < 0x7f && i != '"' && i != '\\');
            at++;
        }
    }
    ck_assert_uint_eq(at, len);
}
END_TEST

START_TEST(nothing_is_read_behind_the_bytes)
{
    char out[64];
    ck_assert_uint_eq(log_escape(out, sizeof out, "\xe2\x82\xac", 2), 8);
    ck_assert_int_eq(strncmp(out, "\\xe2\\x82", 8), 0);
    ck_assert_uint_eq(log_escape(out, sizeof out, NULL, 0), 0);
}
END_TEST

static void check_escape(const char *bytes, size_t size, const char *expected)
{
    char out[64];
    memset(out, '#', sizeof out);
    size_t len = log_escape(out, size, bytes, strlen(bytes));
    ck_assert_uint_le(len, size);
    ck_assert_msg(len == strlen(expected) && memcmp(out, expected, len) == 0, "\"%.*s\" is not \"%s\"",
                  (int)len, out, expected);
    ck_assert_int_eq(out[size], '#');
}

START_TEST(an_escape_or_a_character_is_never_cut_in_the_middle)
{
    check_escape("ab\n", 8, "ab\\x0a");
    check_escape("ab\n", 5, "ab");
    check_escape("ab\n", 0, "");
    check_escape("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 20, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    check_escape("a\xf0\x9f\x98\x80", 4, "a");
    check_escape("\xc0\x80\xed\xa0\x80", 40, "\\xc0\\x80\\xed\\xa0\\x80"); /* overlong, a surrogate */
    check_escape("\xf4\x90\x80\x80", 40, "\\xf4\\x90\\x80\\x80");          /* beyond U+10FFFF */
    check_escape("\xe2\x82", 40, "\\xe2\\x82");                            /* cut off */
    check_escape("\xc2\x85", 40, "\\xc2\\x85");                            /* a C1 control character */
}
END_TEST

/* ---- files ---- */

START_TEST(a_target_that_cannot_be_opened_leaves_the_one_before)
{
    open_file(LOG_FORMAT_TEXT);
    struct log_conf conf = {.target = LOG_TARGET_FILE, .path = "/nowhere/log", .level = LOG_LEVEL_ERROR};
    ck_assert_int_eq(log_open(&conf, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/log"));
    conf = (struct log_conf){.target = LOG_TARGET_SYSLOG, .facility = "local9"};
    ck_assert_int_eq(log_open(&conf, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "local9"));
    static const char *const wrong[] = {
        "",        "host:514", "127.0.0.1",      "127.0.0.1:0",  "127.0.0.1:65536",
        "::1:514", "[::1]",    "127.0.0.1:514x", "relative/path"};
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        conf = (struct log_conf){.target = LOG_TARGET_SYSLOG, .address = wrong[i]};
        ck_assert_msg(log_open(&conf, &err) == -1, "%s", wrong[i]);
    }
    log_info("still here");
    ck_assert_uint_eq(lines_of(read_file(log_file)), 1);
}
END_TEST

START_TEST(a_rotated_file_is_opened_anew)
{
    char old[160];
    snprintf(old, sizeof old, "%s.old", log_file);
    open_file(LOG_FORMAT_TEXT);
    log_info("one");
    ck_assert_int_eq(rename(log_file, old), 0);
    log_info("two");
    int fd = log_reopen(&err);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_APPEND, 0);
    for (int i = 0; i < 9; i++) /* the ones before are closed */
        ck_assert_int_le(log_reopen(&err), fd + 1);
    log_info("three");
    ck_assert_uint_eq(lines_of(read_file(old)), 2);
    ck_assert_uint_eq(lines_of(read_file(log_file)), 1);
    ck_assert_ptr_nonnull(strstr(read_file(log_file), "three"));
    ck_assert_int_eq(unlink(log_file), 0); /* what can't be opened anew stays */
    ck_assert_int_eq(rmdir(log_folder), -1);
    ck_assert_int_eq(mkdir(log_file, 0700), 0);
    ck_assert_int_eq(log_reopen(&err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, log_file));
    log_info("four");
    ck_assert_uint_eq(log_dropped(), 0);
    ck_assert_int_eq(rmdir(log_file), 0);
}
END_TEST

START_TEST(only_a_file_is_opened_anew)
{
    open_log((struct log_conf){.target = LOG_TARGET_STDERR, .level = LOG_LEVEL_ERROR});
    ck_assert_int_eq(log_reopen(&err), -2);
}
END_TEST

START_TEST(a_child_goes_on_with_the_descriptor_it_is_handed)
{
    char old[160];
    snprintf(old, sizeof old, "%s.old", log_file);
    open_file(LOG_FORMAT_TEXT);
    ck_assert_int_eq(rename(log_file, old), 0);
    int fd = open(log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    log_adopt_fd(fd);
    log_info("here");
    ck_assert_uint_eq(lines_of(read_file(old)), 0);
    ck_assert_uint_eq(lines_of(read_file(log_file)), 1);
    log_close();
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1); /* it was the log's */
}
END_TEST

START_TEST(lines_of_several_processes_do_not_mix)
{
    enum { WRITERS = 4, LINES = 500 };
    pid_t pids[WRITERS];
    open_file(LOG_FORMAT_TEXT);
    for (int w = 0; w < WRITERS; w++) {
        pids[w] = fork();
        ck_assert_int_ge(pids[w], 0);
        if (pids[w])
            continue;
        for (int i = 0; i < LINES; i++)
            log_info("<%0*d>", 100 + 10 * w, i);
        _exit(log_dropped() ? 1 : 0);
    }
    for (int w = 0; w < WRITERS; w++) {
        int status;
        ck_assert_int_eq(waitpid(pids[w], &status, 0), pids[w]);
        ck_assert_int_eq(status, 0);
    }
    unsigned n = 0;
    char *at = (char *)(uintptr_t)read_file(log_file), *line;
    for (; (line = strsep(&at, "\n")) && *line; n++)
        ck_assert(strchr(line, '<') == strrchr(line, '<') && line[strlen(line) - 1] == '>');
    ck_assert_uint_eq(n, WRITERS * LINES);
}
END_TEST

START_TEST(a_full_disk_hurts_nobody)
{
    open_log((struct log_conf){.target = LOG_TARGET_FILE, .path = "/dev/full", .level = LOG_LEVEL_INFO});
    for (int i = 0; i < 10; i++)
        log_info("no room");
    ck_assert_uint_eq(log_dropped(), 10);
    open_file(LOG_FORMAT_TEXT);
    log_info("room");
    const char *text = read_file(log_file);
    ck_assert_uint_eq(lines_of(text), 2);
    ck_assert_ptr_nonnull(strstr(text, "10 log lines were dropped"));
}
END_TEST

static void limit_file(rlim_t size)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* In the way of a disk that becomes full in the middle of a line, by the limit on a file's size. */
START_TEST(half_a_line_on_a_full_disk_is_not_joined_to_the_next_of_any_process)
{
    signal(SIGXFSZ, SIG_IGN);
    open_file(LOG_FORMAT_TEXT);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        limit_file(100);
        log_info("%0200d", 1);
        _exit(log_dropped() == 1 ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    log_info("the next");
    const char *text = read_file(log_file);
    ck_assert_uint_eq(lines_of(text), 2);
    ck_assert_int_eq(text[100], '\n');
    ck_assert_ptr_nonnull(strstr(text + 101, "] the next\n"));
}
END_TEST

START_TEST(half_a_line_is_ended_by_its_own_process)
{
    signal(SIGXFSZ, SIG_IGN);
    open_file(LOG_FORMAT_TEXT);
    limit_file(100);
    log_info("%0200d", 1);
    log_info("%0200d", 2);
    limit_file(RLIM_INFINITY);
    log_info("the next");
    const char *text = read_file(log_file);
    ck_assert_int_eq(text[100], '\n');
    ck_assert_uint_eq(lines_of(text), 3);
    ck_assert_ptr_nonnull(strstr(text, "2 log lines were dropped"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *lines = tcase_create("lines");
    tcase_add_checked_fixture(lines, log_setup, log_teardown);
    tcase_set_timeout(lines, 60);
    tcase_add_test(lines, a_text_line_has_time_level_process_and_message);
    tcase_add_test(lines, lines_below_the_level_are_left_out);
    tcase_add_test(lines, a_peers_bytes_neither_break_nor_forge_a_line);
    tcase_add_test(lines, json_lines_are_valid_for_any_bytes);
    tcase_add_test(lines, a_long_line_is_cut_to_4096_bytes);
    tcase_add_test(lines, what_is_cut_off_is_the_end);
    tcase_add_test(lines, escaped_bytes_are_printable_and_can_be_told_apart);
    tcase_add_test(lines, nothing_is_read_behind_the_bytes);
    tcase_add_test(lines, an_escape_or_a_character_is_never_cut_in_the_middle);
    suite_add_tcase(suite, lines);
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, log_setup, log_teardown);
    tcase_set_timeout(files, 60);
    tcase_add_test(files, a_target_that_cannot_be_opened_leaves_the_one_before);
    tcase_add_test(files, a_rotated_file_is_opened_anew);
    tcase_add_test(files, only_a_file_is_opened_anew);
    tcase_add_test(files, a_child_goes_on_with_the_descriptor_it_is_handed);
    tcase_add_test(files, lines_of_several_processes_do_not_mix);
    tcase_add_test(files, a_full_disk_hurts_nobody);
    tcase_add_test(files, half_a_line_on_a_full_disk_is_not_joined_to_the_next_of_any_process);
    tcase_add_test(files, half_a_line_is_ended_by_its_own_process);
    suite_add_tcase(suite, files);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
