#include <check.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "process/admin_socket.h"
#include "process/global_conf.h"

static const struct conf_table *const global_tables[] = {&global_conf_table, NULL};
static const struct conf_section global_section = {.name = "global", .doc = "test", .tables = global_tables};
static const struct conf_section *const sections[] = {&global_section, NULL};

static struct conf_load load;

static const struct global_conf *load_global(const char *yaml)
{
    uint32_t count;
    if (conf_load_bytes(&load, "/etc/noxy/test.yaml", yaml, strlen(yaml), sections) < 0)
        return NULL;
    return conf_load_objects(&load, "global", &count)->structure;
}

START_TEST(an_empty_section_has_the_defaults)
{
    const struct global_conf *g = load_global("global: {}\n");
    ck_assert_ptr_nonnull(g);
    ck_assert_uint_ge(global_conf_workers(g), 1);
    ck_assert_uint_le(global_conf_workers(g), WORKERS_MAX);
    ck_assert_uint_eq(g->maxconn, 20000);
    ck_assert_uint_eq(g->health_check, 5000000);
    ck_assert_uint_eq(g->drain_timeout, 30000000);
    ck_assert_ptr_null(g->pid_file);
    ck_assert(g->admin_socket->enabled);
    ck_assert_uint_eq(g->admin_socket->mode, 0660);
    ck_assert_ptr_null(g->admin_socket->path);
    ck_assert_int_eq(g->log->target, LOG_TARGET_STDOUT);
    ck_assert_int_eq(g->log->level, LOG_LEVEL_INFO);
    conf_load_free(&load);
}
END_TEST

START_TEST(all_keys_are_read)
{
    bool preset;
    const struct global_conf *g =
        load_global("global:\n"
                    "  workers: 3\n"
                    "  maxconn: 7\n"
                    "  health_check: 250\n"
                    "  user: nobody\n"
                    "  pid_file: run/noxy.pid\n"
                    "  admin_socket: { path: /x/admin.sock, mode: 0600, user: root }\n"
                    "  log: { target: file, path: /x/log, level: debug, format: json }\n"
                    "  drain_timeout: 2m\n");
    ck_assert_ptr_nonnull(g);
    ck_assert_uint_eq(global_conf_workers(g), 3);
    ck_assert_uint_eq(g->maxconn, 7);
    ck_assert_uint_eq(g->health_check, 250000);
    ck_assert_uint_eq(g->credentials.uid, getpwnam("nobody")->pw_uid);
    ck_assert_str_eq(g->pid_file, "/etc/noxy/run/noxy.pid");
    ck_assert_uint_eq(g->admin_socket->mode, 0600);
    ck_assert_uint_eq(g->admin_socket->uid, 0);
    ck_assert_uint_eq(g->admin_socket->gid, (gid_t)-1);
    ck_assert_str_eq(admin_socket_path(g, &preset), "/x/admin.sock");
    ck_assert(!preset);
    ck_assert_int_eq(g->log->target, LOG_TARGET_FILE);
    ck_assert_str_eq(g->log->path, "/x/log");
    ck_assert_int_eq(g->log->level, LOG_LEVEL_DEBUG);
    ck_assert_uint_eq(g->drain_timeout, 120000000);
    conf_load_free(&load);
}
END_TEST

START_TEST(the_admin_socket_may_be_a_path_or_false)
{
    bool preset;
    const struct global_conf *g = load_global("global: { admin_socket: /x/a.sock }\n");
    ck_assert_ptr_nonnull(g);
    ck_assert_str_eq(admin_socket_path(g, &preset), "/x/a.sock");
    conf_load_free(&load);
    g = load_global("global: { admin_socket: false }\n");
    ck_assert_ptr_nonnull(g);
    ck_assert_ptr_null(admin_socket_path(g, &preset));
    conf_load_free(&load);
    g = load_global("global: {}\n");
    ck_assert_str_eq(admin_socket_path(g, &preset), RUNSTATEDIR "/noxy/admin.sock");
    ck_assert(preset);
    conf_load_free(&load);
}
END_TEST

static const struct {
    const char *yaml, *expected;
} wrong[] = {
    {"global: { threads: 0 }\n", "test.yaml:1:20: a number from 1 to 254 belongs here, or max"},
    {"global: { threads: 255 }\n", "test.yaml:1:20: a number from 1 to 254 belongs here, or max"},
    {"global: { threads: all }\n", "test.yaml:1:20: a number from 1 to 254 belongs here, or max"},
    {"global: { user: nobody-here }\n", "test.yaml:1:17: there is no user \"nobody-here\" on this system"},
    {"global: { group: none-here }\n", "test.yaml:1:18: there is no group \"none-here\" on this system"},
    {"global: { log: file }\n", "the log's target is file, but no path is set"},
    {"global: { log: { path: /x } }\n", "test.yaml:1:24: path belongs to the log's target file"},
    {"global: { admin_socket: { mode: 0888 } }\n", "test.yaml:1:33: permissions in octal digits"},
    {"global: { admin_socket: { mode: 1777 } }\n", "test.yaml:1:33: permissions in octal digits"},
    {"global: { admin_socket: { user: nobody-here } }\n", "test.yaml:1:33: there is no user"},
    {"global: { admin_socket: { path: /x, group: none-here } }\n", "test.yaml:1:44: there is no group"},
    {"global: { admin_socket: "
     "/23456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
     "4567890123456789 }\n",
     "the admin socket's path has 1"},
};

START_TEST(a_wrong_value_is_an_error_with_its_place)
{
    struct text out = {0};
    ck_assert_ptr_null(load_global(wrong[_i].yaml));
    conf_report_print(&load.report, CONF_ERROR, &out);
    ck_assert_msg(strstr(text_str(&out), wrong[_i].expected) != NULL, "%s", text_str(&out));
    text_free(&out);
    conf_load_free(&load);
}
END_TEST

static void add_conf_tests(Suite *suite)
{
    TCase *c = tcase_create("global");
    tcase_add_test(c, an_empty_section_has_the_defaults);
    tcase_add_test(c, all_keys_are_read);
    tcase_add_test(c, the_admin_socket_may_be_a_path_or_false);
    tcase_add_loop_test(c, a_wrong_value_is_an_error_with_its_place, 0, ARRAY_LEN(wrong));
    suite_add_tcase(suite, c);
}

int main(void)
{
    Suite *suite = suite_create("global_conf");
    add_conf_tests(suite);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
