#include <check.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/memory.h"
#include "process/admin_socket.h"
#include "process/changes.h"
#include "process/child.h"
#include "process/daemon.h"
#include "process/limits.h"
#include "process/log_switch.h"
#include "process/notify.h"
#include "process/pid_file.h"
#include "process/privileges.h"

static char folder[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/noxy-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

/* In one of four buffers, used in turn. */
static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static const char *content(const char *path)
{
    static char bytes[4096];
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ssize_t n = read(fd, bytes, sizeof bytes - 1);
    ck_assert_int_ge(n, 0);
    bytes[n] = '\0';
    close(fd);
    return bytes;
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

/* ---- privileges ---- */

START_TEST(an_unknown_user_or_group_is_named)
{
    struct credentials c;
    struct error err;
    bool wrong_group;
    ck_assert_int_eq(privileges_choose(&c, "nobody-of-that-name", NULL, &wrong_group, &err), -1);
    ck_assert(!wrong_group);
    ck_assert_ptr_nonnull(strstr(err.text, "nobody-of-that-name"));
    ck_assert_int_eq(privileges_choose(&c, "nobody", "no-such-group", &wrong_group, &err), -1);
    ck_assert(wrong_group);
    ck_assert_ptr_nonnull(strstr(err.text, "no-such-group"));
}
END_TEST

START_TEST(the_group_is_the_users_own_unless_named)
{
    struct credentials c;
    struct error err;
    bool wrong_group;
    const struct passwd *nobody = getpwnam("nobody");
    const struct group *daemons = getgrnam("daemon");
    ck_assert(nobody && daemons);
    ck_assert_int_eq(privileges_choose(&c, "nobody", NULL, &wrong_group, &err), 0);
    ck_assert_uint_eq(c.uid, nobody->pw_uid);
    ck_assert_uint_eq(c.gid, nobody->pw_gid);
    ck_assert_int_eq(privileges_choose(&c, "nobody", "daemon", &wrong_group, &err), 0);
    ck_assert_uint_eq(c.gid, daemons->gr_gid);
    ck_assert_int_eq(c.change, geteuid() == 0);
}
END_TEST

START_TEST(rights_are_given_up_for_good)
{
    struct credentials c;
    struct error err;
    bool wrong_group;
    gid_t groups[64];
    uid_t real, effective, saved;
    ck_assert_int_eq(privileges_choose(&c, "nobody", NULL, &wrong_group, &err), 0);
    ck_assert_msg(privileges_drop(&c, true, &err) == 0, "%s", err.text);
    ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 1);
    if (!c.change)
        return;
    ck_assert_int_eq(getresuid(&real, &effective, &saved), 0);
    ck_assert_uint_eq(real, c.uid);
    ck_assert_uint_eq(effective, c.uid);
    ck_assert_uint_eq(saved, c.uid);
    ck_assert_uint_eq(getegid(), c.gid);
    ck_assert_int_eq(getgroups(64, groups), 1);
    ck_assert_uint_eq(groups[0], c.gid);
    ck_assert_int_eq(setuid(0), -1);
}
END_TEST

/* ---- limits, pauses ---- */

START_TEST(each_connection_takes_two_descriptors)
{
    ck_assert_uint_eq(limits_fit(1000000, 20000, 10), 20000);
    ck_assert_uint_eq(limits_fit(1074, 20000, 10), 500);
    ck_assert_uint_eq(limits_fit(1075, 20000, 10), 500);
    ck_assert_uint_eq(limits_fit(1074, 500, 10), 500);
    ck_assert_uint_eq(limits_fit(20, 20000, 10), 1);
}
END_TEST

START_TEST(a_limit_that_cannot_be_raised_is_explained)
{
    struct error err = {""};
    ck_assert_uint_eq(limits_raise(1, 0, &err), 1);
    ck_assert_str_eq(err.text, "");
    uint32_t fit = limits_raise(2000000000, 0, &err); /* more than the kernel lets anybody have */
    ck_assert_uint_lt(fit, 2000000000);
    ck_assert_ptr_nonnull(strstr(err.text, "LimitNOFILE=4000000064"));
    ck_assert_ptr_nonnull(strstr(err.text, "ulimit -n"));
}
END_TEST

START_TEST(the_pause_before_a_new_start_grows_up_to_ten_seconds)
{
    ck_assert_uint_eq(child_pause_us(0), 0);
    ck_assert_uint_eq(child_pause_us(1), 0);
    ck_assert_uint_eq(child_pause_us(2), 100000);
    ck_assert_uint_eq(child_pause_us(3), 200000);
    ck_assert_uint_eq(child_pause_us(8), 6400000);
    ck_assert_uint_eq(child_pause_us(9), 10000000);
    ck_assert_uint_eq(child_pause_us(4000000000), 10000000);
}
END_TEST

/* ---- pid file ---- */

START_TEST(a_pid_file_holds_the_number_and_goes_at_the_end)
{
    struct pid_file p;
    struct error err;
    char expected[32];
    const char *path = in_folder("noxy.pid");
    snprintf(expected, sizeof expected, "%ld\n", (long)getpid());
    ck_assert_int_eq(pid_file_open(&p, path, &err), 0);
    ck_assert_int_eq(pid_file_write(&p, &err), 0);
    ck_assert_str_eq(content(path), expected);
    pid_file_remove(&p);
    ck_assert_int_eq(access(path, F_OK), -1);
    pid_file_remove(&p); /* nothing left to do */
}
END_TEST

START_TEST(a_pid_file_in_use_is_refused_with_its_owner)
{
    struct pid_file p, second;
    struct error err;
    const char *path = in_folder("noxy.pid");
    ck_assert_int_eq(pid_file_open(&p, path, &err), 0);
    ck_assert_int_eq(pid_file_write(&p, &err), 0);
    pid_t owner = getpid(), pid = fork();
    if (pid == 0) {
        char expected[32];
        snprintf(expected, sizeof expected, "(pid %ld)", (long)owner);
        int refused = pid_file_open(&second, path, &err) == -1 && strstr(err.text, expected);
        _exit(refused ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(access(path, F_OK), 0);
    pid_file_remove(&p);
}
END_TEST

START_TEST(a_stale_pid_file_is_taken_over)
{
    struct pid_file p;
    char expected[32];
    struct error err;
    const char *path = in_folder("noxy.pid");
    write_file(path, "1234567890\n");
    ck_assert_msg(pid_file_open(&p, path, &err) == 0, "%s", err.text);
    ck_assert_int_eq(pid_file_write(&p, &err), 0);
    snprintf(expected, sizeof expected, "%ld\n", (long)getpid());
    ck_assert_str_eq(content(path), expected);
    pid_file_remove(&p);
}
END_TEST

START_TEST(a_file_that_is_something_else_is_left_alone)
{
    static const char *const texts[] = {"root:x:0:0\n", "12\n34\n", " 12\n",
                                        "1234567890123456789012345678901234567890\n"};
    struct pid_file p;
    struct error err;
    const char *path = in_folder("precious");
    write_file(path, texts[_i]);
    ck_assert_int_eq(pid_file_open(&p, path, &err), -1);
    ck_assert_ptr_null(p.path);
    ck_assert_str_eq(content(path), texts[_i]);
}
END_TEST

START_TEST(a_link_in_place_of_a_pid_file_is_refused)
{
    struct pid_file p;
    struct error err;
    const char *path = in_folder("noxy.pid"), *target = in_folder("target");
    write_file(target, "");
    ck_assert_int_eq(symlink(target, path), 0);
    ck_assert_int_eq(pid_file_open(&p, path, &err), -1);
    ck_assert_int_eq(pid_file_open(&p, folder, &err), -1);
}
END_TEST

/* ---- changes ---- */

START_TEST(changes_name_what_came_and_what_went)
{
    const char *before[] = {"a", "b", "c"}, *now[] = {"d", "b", "a"};
    struct text out = {0};
    ck_assert_uint_eq(changes_print("server", (struct names){before, 3}, (struct names){now, 3}, &out), 2);
    ck_assert_str_eq(text_str(&out), "added server d\nremoved server c\n");
    text_free(&out);
    ck_assert_uint_eq(changes_print("server", (struct names){before, 3}, (struct names){before, 3}, &out), 0);
    ck_assert_str_eq(text_str(&out), "");
    ck_assert_uint_eq(changes_print("backend", (struct names){NULL, 0}, (struct names){now, 1}, &out), 1);
    ck_assert_str_eq(text_str(&out), "added backend d\n");
    text_free(&out);
}
END_TEST

/* ---- notify ---- */

static int notify_socket(const char *name, bool abstract)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    strcpy(un.sun_path + abstract, name);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + abstract + strlen(name));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, len), 0);
    return fd;
}

static const char *notified(int fd)
{
    static char bytes[1024];
    ssize_t n = recv(fd, bytes, sizeof bytes - 1, MSG_DONTWAIT);
    ck_assert_int_gt(n, 0);
    bytes[n] = '\0';
    return bytes;
}

START_TEST(the_service_manager_is_told)
{
    char expected[128];
    const char *path = in_folder("notify");
    int fd = notify_socket(path, false);
    setenv("NOTIFY_SOCKET", path, 1);
    notify_ready("all is well");
    snprintf(expected, sizeof expected, "READY=1\nMAINPID=%ld\nSTATUS=all is well", (long)getpid());
    ck_assert_str_eq(notified(fd), expected);
    notify_reloading();
    ck_assert(strncmp(notified(fd), "RELOADING=1\nMONOTONIC_USEC=", 27) == 0);
    close(fd);
}
END_TEST

START_TEST(an_abstract_socket_is_told_too)
{
    char name[32], variable[64];
    snprintf(name, sizeof name, "noxy-test-%ld", (long)getpid());
    snprintf(variable, sizeof variable, "@%s", name);
    int fd = notify_socket(name, true);
    setenv("NOTIFY_SOCKET", variable, 1);
    notify_stopping();
    ck_assert(strncmp(notified(fd), "STOPPING=1\n", 11) == 0);
    close(fd);
}
END_TEST

/* ---- daemon ---- */

/* What a daemon's command prints, and its exit status. */
static int run_daemon(void (*in_daemon)(int report_fd), char *out, size_t size)
{
    int fds[2], status;
    ck_assert_int_eq(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct error err;
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        in_daemon(daemon_start(&err));
        _exit(0);
    }
    close(fds[1]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ssize_t n = read(fds[0], out, size - 1);
    ck_assert_int_ge(n, 0);
    out[n] = '\0';
    close(fds[0]);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void serves(int fd)
{
    char cwd[16];
    bool right =
        getcwd(cwd, sizeof cwd) && strcmp(cwd, "/") == 0 && getsid(0) != getpid() && !isatty(STDERR_FILENO);
    daemon_report(fd, right, "a warning\n");
}

static void fails(int fd)
{
    daemon_report(fd, false, "the port is in use\n");
}

static void dies(int fd)
{
    (void)fd;
}

START_TEST(the_command_that_starts_a_daemon_tells_how_it_went)
{
    char out[256];
    ck_assert_int_eq(run_daemon(serves, out, sizeof out), 0);
    ck_assert_str_eq(out, "a warning\n");
    ck_assert_int_eq(run_daemon(fails, out, sizeof out), 1);
    ck_assert_str_eq(out, "the port is in use\n");
    ck_assert_int_eq(run_daemon(dies, out, sizeof out), 1);
    ck_assert_ptr_nonnull(strstr(out, "ended before it served"));
}
END_TEST

/* ---- admin socket ---- */

START_TEST(the_admin_socket_has_its_permissions_and_goes_at_the_end)
{
    struct admin_socket_conf conf = {
        .enabled = true, .path = in_folder("admin.sock"), .mode = 0640, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct admin_socket a;
    struct error err;
    struct stat st;
    ck_assert_msg(admin_socket_open(&a, conf.path, &conf, &err) == 0, "%s", err.text);
    ck_assert_int_eq(stat(conf.path, &st), 0);
    ck_assert(S_ISSOCK(st.st_mode));
    ck_assert_int_eq(st.st_mode & 07777, 0640);
    conf.mode = 0600;
    conf.gid = getgid();
    ck_assert_int_eq(admin_socket_set_owner(&a, &conf, &err), 0);
    ck_assert_int_eq(stat(conf.path, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    admin_socket_remove(&a);
    ck_assert_int_eq(access(conf.path, F_OK), -1);
}
END_TEST

START_TEST(an_admin_socket_in_use_is_refused_and_a_stale_one_replaced)
{
    struct admin_socket_conf conf = {
        .enabled = true, .path = in_folder("admin.sock"), .mode = 0660, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct admin_socket a, b;
    struct error err;
    ck_assert_int_eq(admin_socket_open(&a, conf.path, &conf, &err), 0);
    ck_assert_int_eq(admin_socket_open(&b, conf.path, &conf, &err), -1);
    ck_assert_int_eq(access(conf.path, F_OK), 0);
    close(a.fd); /* as a crash leaves it */
    ck_assert_msg(admin_socket_open(&b, conf.path, &conf, &err) == 0, "%s", err.text);
    a.fd = -1;
    free(a.path);
    admin_socket_remove(&b);
}
END_TEST

START_TEST(log_settings_are_compared_by_value)
{
    struct log_conf a = {.target = LOG_TARGET_FILE, .path = "/a/b"}, b = a;
    char path[] = "/a/b";
    b.path = path;
    ck_assert(log_conf_equal(&a, &b));
    path[1] = 'x';
    ck_assert(!log_conf_equal(&a, &b));
    b.path = NULL;
    ck_assert(!log_conf_equal(&a, &b));
    b = a;
    b.level = LOG_LEVEL_DEBUG;
    ck_assert(!log_conf_equal(&a, &b));
}
END_TEST

static void add_file_tests(Suite *suite)
{
    TCase *c = tcase_create("files and processes");
    tcase_add_checked_fixture(c, make_folder, remove_folder);
    tcase_add_test(c, a_pid_file_holds_the_number_and_goes_at_the_end);
    tcase_add_test(c, a_pid_file_in_use_is_refused_with_its_owner);
    tcase_add_test(c, a_stale_pid_file_is_taken_over);
    tcase_add_loop_test(c, a_file_that_is_something_else_is_left_alone, 0, 4);
    tcase_add_test(c, a_link_in_place_of_a_pid_file_is_refused);
    tcase_add_test(c, the_service_manager_is_told);
    tcase_add_test(c, an_abstract_socket_is_told_too);
    tcase_add_test(c, the_command_that_starts_a_daemon_tells_how_it_went);
    tcase_add_test(c, the_admin_socket_has_its_permissions_and_goes_at_the_end);
    tcase_add_test(c, an_admin_socket_in_use_is_refused_and_a_stale_one_replaced);
    suite_add_tcase(suite, c);
}

static void add_plain_tests(Suite *suite)
{
    TCase *c = tcase_create("rights, limits, texts");
    tcase_add_test(c, an_unknown_user_or_group_is_named);
    tcase_add_test(c, the_group_is_the_users_own_unless_named);
    tcase_add_test(c, rights_are_given_up_for_good);
    tcase_add_test(c, each_connection_takes_two_descriptors);
    tcase_add_test(c, a_limit_that_cannot_be_raised_is_explained);
    tcase_add_test(c, the_pause_before_a_new_start_grows_up_to_ten_seconds);
    tcase_add_test(c, changes_name_what_came_and_what_went);
    tcase_add_test(c, log_settings_are_compared_by_value);
    suite_add_tcase(suite, c);
}

int main(void)
{
    Suite *suite = suite_create("process");
    add_file_tests(suite);
    add_plain_tests(suite);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
