/* The program noxyctl, run against a server that answers what the test wants. */
#include <check.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], path[96];
static char line[8192];                /* what the server got */
static char out[65536], errors[65536]; /* what noxyctl printed */

static void setup(void)
{
    strcpy(folder, "/tmp/noxy-ctl-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/admin.sock", folder);
    unsetenv("NOXY_ADMIN_SOCKET");
}

static void teardown(void)
{
    unlink(path);
    rmdir(folder);
}

static int listen_at_path(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    return fd;
}

/* Starts noxyctl with its outputs in pipes. */
static pid_t start(char *const *argv, int *from_out, int *from_err)
{
    const char *program = getenv("NOXYCTL");
    int outs[2], errs[2];
    ck_assert_int_eq(pipe(outs), 0);
    ck_assert_int_eq(pipe(errs), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        dup2(outs[1], STDOUT_FILENO);
        dup2(errs[1], STDERR_FILENO);
        close(outs[0]), close(errs[0]), close(outs[1]), close(errs[1]);
        execv(program ? program : "./noxyctl", argv);
        _exit(127);
    }
    close(outs[1]), close(errs[1]);
    *from_out = outs[0];
    *from_err = errs[0];
    return pid;
}

/* Reads a line of the first client and answers it; without an answer it just closes. */
static void serve(int listener, const char *answer)
{
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    size_t len = 0;
    ck_assert_int_eq(poll(&ready, 1, 5000), 1);
    int fd = accept(listener, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    while (len + 1 < sizeof line && !memchr(line, '\n', len)) {
        ssize_t n = recv(fd, line + len, sizeof line - 1 - len, 0);
        ck_assert_int_gt(n, 0);
        len += (size_t)n;
    }
    line[len] = '\0';
    for (; *answer; answer++) { /* one byte at a time: the client has to put it together */
        ck_assert_int_eq(send(fd, answer, 1, MSG_NOSIGNAL), 1);
    }
    close(fd);
}

static void read_all(int fd, char *into, size_t size)
{
    size_t len = 0;
    for (ssize_t n; len + 1 < size && (n = read(fd, into + len, size - 1 - len)) > 0;)
        len += (size_t)n;
    into[len] = '\0';
    close(fd);
}

/* Runs noxyctl with the arguments; `answer` NULL: nobody asks the server. Returns its exit status. */
static int run(const char *answer, ...)
{
    char *argv[16] = {(char[]){"noxyctl"}};
    int from_out, from_err, status, argc = 1, listener = answer ? listen_at_path() : -1;
    va_list ap;
    va_start(ap, answer);
    for (char *arg; argc < 15 && (arg = va_arg(ap, char *));)
        argv[argc++] = arg;
    va_end(ap);
    pid_t pid = start(argv, &from_out, &from_err);
    if (answer) {
        serve(listener, answer);
        close(listener);
        unlink(path);
    }
    read_all(from_out, out, sizeof out);
    read_all(from_err, errors, sizeof errors);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status), "noxyctl ended by signal %d: %s", WTERMSIG(status), errors);
    return WEXITSTATUS(status);
}

static void assert_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%s", part, text);
}

START_TEST(an_answer_is_printed_and_the_status_is_0)
{
    ck_assert_int_eq(run("ok\nfirst\n \nthird\n\n", "-s", path, "stats", "my \"web\\", NULL), 0);
    ck_assert_str_eq(out, "first\n\nthird\n");
    ck_assert_str_eq(errors, "");
    ck_assert_str_eq(line, "stats \"my \\\"web\\\\\"\n");
}
END_TEST

START_TEST(json_may_be_asked_for_before_and_behind_the_command)
{
    ck_assert_int_eq(run("ok\n{}\n\n", "-s", path, "info", "--json", NULL), 0);
    ck_assert_str_eq(line, "info --json\n");
    ck_assert_str_eq(out, "{}\n");
    ck_assert_int_eq(run("ok\n{}\n\n", "--json", "--socket", path, "help", NULL), 0);
    ck_assert_str_eq(line, "help --json\n");
}
END_TEST

START_TEST(options_of_a_command_s_own_are_passed_on)
{
    char body[sizeof path + 8], data[sizeof body + 8];
    snprintf(body, sizeof body, "%s.body", path);
    snprintf(data, sizeof data, "--data=%s", body);
    FILE *f = fopen(body, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs("12345", f), 0);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(
        run("ok\nx\n\n", "-s", path, "explain", "GET", "http://a/", "-H", "--json", "--src", "::1", NULL), 0);
    ck_assert_str_eq(line, "explain \"GET\" \"http://a/\" \"-H\" \"--json\" \"--src\" \"::1\"\n");
    ck_assert_int_eq(run("ok\n{}\n\n", "-s", path, "explain", "GET", "a", "--data", body, "--json", NULL), 0);
    ck_assert_str_eq(line, "explain \"GET\" \"a\" \"--length\" \"5\" --json\n");
    ck_assert_int_eq(run("ok\nx\n\n", "-s", path, "explain", data, "GET", "a", NULL), 0);
    ck_assert_str_eq(line, "explain \"--length=5\" \"GET\" \"a\"\n");
    unlink(body);
    ck_assert_int_eq(run(NULL, "-s", path, "explain", "GET", "a", "--data", body, NULL), 2);
    ck_assert_ptr_nonnull(strstr(errors, "cannot read "));
    ck_assert_int_eq(run(NULL, "-s", path, "explain", "GET", "a", "--data", folder, NULL), 2);
    ck_assert_ptr_nonnull(strstr(errors, "is not a file"));
}
END_TEST

START_TEST(the_environment_names_the_socket)
{
    setenv("NOXY_ADMIN_SOCKET", path, 1);
    ck_assert_int_eq(run("ok\npong\n\n", "ping", NULL), 0);
    ck_assert_str_eq(out, "pong\n");
}
END_TEST

START_TEST(a_refusal_is_told_on_stderr_and_the_status_is_1)
{
    ck_assert_int_eq(run("error: the file is wrong\nnoxy.yaml:1:1: no\n\n", "-s", path, "reload", NULL), 1);
    ck_assert_str_eq(out, "");
    ck_assert_str_eq(errors, "noxyctl: the file is wrong\nnoxy.yaml:1:1: no\n");
    ck_assert_int_eq(run("error: no\n{\"error\": \"no\"}\n\n", "-s", path, "reload", "--json", NULL), 1);
    ck_assert_str_eq(out, "{\"error\": \"no\"}\n");
    ck_assert_str_eq(errors, "noxyctl: no\n");
}
END_TEST

START_TEST(bad_usage_is_2_with_a_way_out)
{
    ck_assert_int_eq(run(NULL, "relaod", NULL), 2);
    assert_has(errors, "unknown command \"relaod\", did you mean \"reload\"?");
    ck_assert_int_eq(run(NULL, NULL), 2);
    assert_has(errors, "usage: noxyctl");
    ck_assert_int_eq(run(NULL, "--xml", "ping", NULL), 2);
    ck_assert_int_eq(run(NULL, "ping", "me", NULL), 2);
    assert_has(errors, "too many arguments: \"ping\" is all it takes");
    ck_assert_int_eq(run(NULL, "help", "sing", NULL), 2);
    ck_assert_int_eq(run(NULL, "stats", "a\nreload", NULL), 2);
    assert_has(errors, "control characters");
    ck_assert_int_eq(run(NULL, "x\x1b[2J", NULL), 2);
    assert_has(errors, "\"x\\x1b[2J\"");
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(nobody_there_is_3_and_names_the_socket)
{
    ck_assert_int_eq(run(NULL, "-s", path, "ping", NULL), 3);
    assert_has(errors, path);
    assert_has(errors, "is noxy running?");
    close(listen_at_path()); /* a socket that is left over */
    ck_assert_int_eq(run(NULL, "-s", path, "ping", NULL), 3);
    assert_has(errors, "is noxy running?");
    unlink(path);
    ck_assert_int_eq(run("", "-s", path, "ping", NULL), 3);
    assert_has(errors, "closed the connection without a whole answer");
    ck_assert_int_eq(run("ok\npong\n", "-s", path, "ping", NULL), 3); /* no empty line: cut off */
    ck_assert_str_eq(out, "");
    ck_assert_int_eq(run("HTTP/1.1 400 Bad Request\n\n", "-s", path, "ping", NULL), 3);
    assert_has(errors, "is it noxy's admin socket?");
    ck_assert_int_eq(run("\n\n", "-s", path, "ping", NULL), 3);
}
END_TEST

START_TEST(a_socket_without_permission_is_3_and_says_so)
{
    if (geteuid() == 0)
        return; /* root may use every socket */
    int listener = listen_at_path();
    ck_assert_int_eq(chmod(path, 0), 0);
    ck_assert_int_eq(run(NULL, "-s", path, "ping", NULL), 3);
    assert_has(errors, "no permission to use");
    close(listener);
}
END_TEST

START_TEST(a_terminal_is_not_obeyed_to_the_server)
{
    const char *answer = "ok\na\x1b[2Jb\r\x7f\tc \xc3\xa9 \xe2\x82\xac \xc2\x9b \xff \xc3\n\n";
    ck_assert_int_eq(run(answer, "-s", path, "info", NULL), 0);
    ck_assert_str_eq(out, "a\\x1b[2Jb\\x0d\\x7f\tc \xc3\xa9 \xe2\x82\xac \\xc2\\x9b \\xff \\xc3\n");
    ck_assert_int_eq(run("error: \x1b]0;x\x07\n\n", "-s", path, "info", NULL), 1);
    ck_assert_str_eq(errors, "noxyctl: \\x1b]0;x\\x07\n");
}
END_TEST

START_TEST(help_and_version_need_no_noxy)
{
    ck_assert_int_eq(run(NULL, "help", NULL), 0);
    assert_has(out, "usage: noxyctl");
    assert_has(out, "load the configuration file anew");
    ck_assert_int_eq(run(NULL, "--help", NULL), 0);
    assert_has(out, "--socket=SOCKET");
    ck_assert_int_eq(run(NULL, "help", "stats", NULL), 0);
    assert_has(out, "stats [NAME]: counters");
    ck_assert_int_eq(run(NULL, "--version", NULL), 0);
    ck_assert_int_eq(strncmp(out, "noxyctl ", 8), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ctl");
    TCase *t = tcase_create("noxyctl");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, an_answer_is_printed_and_the_status_is_0);
    tcase_add_test(t, json_may_be_asked_for_before_and_behind_the_command);
    tcase_add_test(t, options_of_a_command_s_own_are_passed_on);
    tcase_add_test(t, the_environment_names_the_socket);
    tcase_add_test(t, a_refusal_is_told_on_stderr_and_the_status_is_1);
    tcase_add_test(t, bad_usage_is_2_with_a_way_out);
    tcase_add_test(t, nobody_there_is_3_and_names_the_socket);
    tcase_add_test(t, a_socket_without_permission_is_3_and_says_so);
    tcase_add_test(t, a_terminal_is_not_obeyed_to_the_server);
    tcase_add_test(t, help_and_version_need_no_noxy);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
