#include "test_conf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/source.h"

/* A folder for the files of one test. */
static char folder[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/noxy-conf-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/c.yaml", folder);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static const char *write_file(const char *bytes, size_t len, mode_t mode)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/c.yaml", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
    close(fd);
    return path;
}

/* Expects the file to be refused with `why` behind its path. */
static void expect_refused(const char *path, const char *why)
{
    struct conf_load l;
    struct text out = {0}, want = {0};
    ck_assert_int_eq(conf_load_file(&l, path, sample_sections), -1);
    conf_report_print(&l.report, CONF_ERROR, &out);
    text_printf(&want, "%s%s", path, why);
    ck_assert_str_eq(text_str(&out), text_str(&want));
    uint32_t count = 1;
    ck_assert_ptr_null(conf_load_objects(&l, "frontend", &count));
    ck_assert_uint_eq(count, 0);
    text_free(&out);
    text_free(&want);
    conf_load_free(&l);
}

START_TEST(a_file_is_loaded)
{
    struct conf_load l;
    const char *path = write_file(sample_first, strlen(sample_first), 0600);
    ck_assert_int_eq(conf_load_file(&l, path, sample_sections), 0);
    ck_assert_str_eq(l.directory, folder);
    ck_assert_uint_eq(((const struct sample_global *)test_object(&l, "global", 0))->maxconn, 10);
    conf_load_free(&l);
}
END_TEST

START_TEST(relative_paths_start_at_the_file)
{
    static const struct {
        const char *file, *written, *path;
    } cases[] = {
        {"t.yaml", "x.log", "./x.log"},
        {"/etc/noxy/t.yaml", "x.log", "/etc/noxy/x.log"},
        {"/t.yaml", "x.log", "//x.log"},
        {"/etc/noxy/t.yaml", "/var/x.log", "/var/x.log"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conf_load l;
        struct text yaml = {0};
        text_printf(&yaml, "global: { log: { path: %s } }\nfrontend: { name: a, bind: ':1' }\n",
                    cases[i].written);
        ck_assert_int_eq(conf_load_bytes(&l, cases[i].file, yaml.data, yaml.len, sample_sections), 0);
        ck_assert_str_eq(((const struct sample_global *)test_object(&l, "global", 0))->log->path,
                         cases[i].path);
        conf_load_free(&l);
        text_free(&yaml);
    }
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
    expect_refused(folder, ": is a directory, not a configuration file\n      = name the file in it\n");
    expect_refused("/nowhere/c.yaml", ": cannot be opened: No such file or directory\n"
                                      "      = name the configuration file with -c FILE\n");
    expect_refused("/dev/null", ": is not a regular file\n"
                                "      = noxy reads its configuration again at a reload\n");
    char path[128];
    snprintf(path, sizeof path, "%s/c.yaml", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    expect_refused(path, ": is not a regular file\n      = noxy reads its configuration again at a reload\n");
    unlink(path);
    ck_assert_int_eq(symlink("c.yaml", path), 0);
    expect_refused(path, ": cannot be opened: Too many levels of symbolic links\n");
}
END_TEST

START_TEST(an_unreadable_file_is_refused)
{
    const char *path = write_file("a: 1\n", 5, 0);
    ck_assert_int_eq(chmod(folder, 0755), 0);
    /* Root can read all: the test goes on as somebody else. */
    bool root = geteuid() == 0;
    if (root)
        ck_assert_int_eq(seteuid(65534), 0);
    expect_refused(path, ": cannot be opened: Permission denied\n");
    if (root)
        ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(an_empty_file_is_refused)
{
    const char *path = write_file("", 0, 0600);
    expect_refused(path, ":1:1: the file is empty: there is no configuration in it\n    1 | \n      | ^\n");
}
END_TEST

START_TEST(the_size_is_bounded)
{
    const char *path = write_file("#", 1, 0600);
    ck_assert_int_eq(truncate(path, CONF_FILE_MAX + 1), 0);
    expect_refused(path, ": is larger than 16 MiB, the most that a configuration may have\n");
    ck_assert_int_eq(truncate(path, CONF_FILE_MAX), 0);
    expect_refused(
        path, ":1:2: a NUL byte is not text\n"
              "    1 | #???????????????????????????????????????????????????????????????????????????????????"
              "????????????????...\n"
              "      |  ^\n"
              "      = is this a configuration file?\n");
}
END_TEST

START_TEST(a_configuration_is_a_map)
{
    test_expect(
        "- a\n", CONF_ERROR,
        "t.yaml:1:1: a configuration must be a map of sections (it starts with a line like \"frontend:\")\n");
    test_expect(
        "just text\n", CONF_ERROR,
        "t.yaml:1:1: a configuration must be a map of sections (it starts with a line like \"frontend:\")\n");
    test_expect(
        "~\n", CONF_ERROR,
        "t.yaml:1:1: a configuration must be a map of sections (it starts with a line like \"frontend:\")\n");
}
END_TEST

START_TEST(a_required_section_is_missed)
{
    static const char example[] =
        "(for example: frontend: [{ name: web, bind: [{ addr_port: 0.0.0.0:80 }] }])\n";
    struct text want = {0};
    text_printf(&want, "t.yaml:1:1: there is no \"frontend\" %s", example);
    test_expect("global: {}\n", CONF_ERROR, text_str(&want));
    text_free(&want);
    text_printf(&want, "t.yaml:2:1: \"frontend\" is empty %s", example);
    test_expect("global:\nfrontend:\nbackend:\n", CONF_ERROR, text_str(&want));
    test_expect("global:\nfrontend: []\nbackend:\n", CONF_ERROR, text_str(&want));
    text_free(&want);
}
END_TEST

START_TEST(sections_of_the_wrong_kind_are_refused)
{
    test_expect_errors("global: 5\ndefaults: x\nbackend: [1, [2], { name: a, servers: b }, ~]\n",
                       "t.yaml:1:9: global must be a map of keys\n"
                       "t.yaml:2:11: defaults must be a map of keys\n"
                       "t.yaml:3:11: each backend must be a map of keys "
                       "(for example: backend: [{ name: site, servers: [{ addr_port: 10.0.0.1:80 }] }])\n"
                       "t.yaml:3:14: each backend must be a map of keys "
                       "(for example: backend: [{ name: site, servers: [{ addr_port: 10.0.0.1:80 }] }])\n"
                       "t.yaml:3:44: backend needs \"name\" (for example: name: site)\n"
                       "t.yaml:3:44: backend needs \"servers\" "
                       "(for example: servers: [{ addr_port: 10.0.0.1:80 }])\n");
}
END_TEST

START_TEST(all_errors_are_reported_in_one_go)
{
    test_expect("global: { maxconn: 0 }\n"
                "globl: {}\n"
                "frontend:\n"
                "  - { name: a, mode: udp, bind: ':1', use_backend: c }\n"
                "  - { name: b, bind: [] }\n"
                "frontend: []\n"
                "backend: { name: b, servers: { addr_port: a, weight: !!int 3 } }\n",
                CONF_ERROR,
                "t.yaml:1:20: \"maxconn\" must be between 1 and 1000000, not 0\n"
                "t.yaml:2:1: unknown section \"globl\" (did you mean \"global\"?)\n"
                "t.yaml:4:22: \"mode\" can't be \"udp\" (the choices are tcp, http)\n"
                "t.yaml:4:52: there is no backend \"c\" (there is b)\n"
                "t.yaml:5:22: \"bind\" must not be empty\n"
                "t.yaml:6:1: the key \"frontend\" is written twice (the first is at line 3)\n"
                "t.yaml:7:54: a tag can't be used here: \"!!int\" (remove it)\n");
}
END_TEST

TCase *conf_load_tests(void)
{
    TCase *tests = tcase_create("load");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, a_file_is_loaded);
    tcase_add_test(tests, relative_paths_start_at_the_file);
    tcase_add_test(tests, what_is_no_file_is_refused);
    tcase_add_test(tests, an_unreadable_file_is_refused);
    tcase_add_test(tests, an_empty_file_is_refused);
    tcase_add_test(tests, the_size_is_bounded);
    tcase_add_test(tests, a_configuration_is_a_map);
    tcase_add_test(tests, a_required_section_is_missed);
    tcase_add_test(tests, sections_of_the_wrong_kind_are_refused);
    tcase_add_test(tests, all_errors_are_reported_in_one_go);
    return tests;
}
