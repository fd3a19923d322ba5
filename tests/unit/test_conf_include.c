#include "test_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The files of one test, in a folder that is the current one. */
static char folder[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/noxy-conf-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

static void remove_folder(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Writes a file, and the folder that its path names. */
static void put(const char *path, const char *text)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", path);
    char *slash = strrchr(copy, '/');
    if (slash) {
        *slash = '\0';
        ck_assert(mkdir(copy, 0700) == 0 || errno == EEXIST);
    }
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
}

static void print_all(const struct conf_load *l, enum conf_severity severity, struct text *out)
{
    for (uint32_t i = 0; i < l->report.count; i++) {
        if (l->report.messages[i].severity != severity)
            continue;
        conf_message_print_line(&l->report.messages[i], out);
        text_puts(out, "\n");
    }
}

/* Loads `yaml` as conf.yaml, and expects no error; the caller frees it. */
static void load(struct conf_load *l, const char *yaml)
{
    struct text out = {0};
    put("conf.yaml", yaml);
    int rc = conf_load_file(l, "conf.yaml", sample_sections);
    print_all(l, CONF_ERROR, &out);
    ck_assert_str_eq(text_str(&out), "");
    ck_assert_int_eq(rc, 0);
    text_free(&out);
}

/* Loads it and expects these messages of a severity. */
static void expect(const char *yaml, enum conf_severity severity, const char *lines)
{
    struct conf_load l;
    struct text out = {0};
    put("conf.yaml", yaml);
    int rc = conf_load_file(&l, "conf.yaml", sample_sections);
    print_all(&l, severity, &out);
    ck_assert_str_eq(text_str(&out), lines);
    ck_assert_int_eq(rc, l.report.errors ? -1 : 0);
    text_free(&out);
    conf_load_free(&l);
}

/* The names of a section's objects, with a space behind each. */
static void expect_names(const struct conf_load *l, const char *section, const char *names)
{
    uint32_t count;
    struct text out = {0};
    const struct conf_object *objects = conf_load_objects(l, section, &count);
    for (uint32_t i = 0; i < count; i++)
        text_printf(&out, "%s ", objects[i].name);
    ck_assert_str_eq(text_str(&out), names);
    text_free(&out);
}

#define FRONTEND      "frontend: { name: f, bind: ':1' }\n"
#define BACKEND(name) "{ name: " name ", servers: ':1' }"

START_TEST(sections_of_all_files_are_one_configuration)
{
    struct conf_load l;
    put("a.yaml", "global: { maxconn: 7 }\nbackend:\n- " BACKEND("a1") "\n- " BACKEND("a2") "\n");
    put("conf.d/2.yaml", "backend: " BACKEND("two") "\n");
    put("conf.d/1.yaml", "frontend: [{ name: one, bind: ':2', use_backend: two }]\nbackend:\n");
    put("conf.d/3.yml", "nonsense\n");
    load(&l, "include: [a.yaml, 'conf.d/*.yaml']\n" FRONTEND "backend: [" BACKEND("own") "]\n");
    expect_names(&l, "frontend", "one f ");
    expect_names(&l, "backend", "a1 a2 two own ");
    ck_assert_uint_eq(((const struct sample_global *)test_object(&l, "global", 0))->maxconn, 7);
    const struct sample_frontend *f = test_object(&l, "frontend", 0);
    ck_assert_str_eq(f->use_backend->name, "two");
    conf_load_free(&l);
}
END_TEST

START_TEST(a_configuration_may_be_an_include_alone)
{
    struct conf_load l;
    put("a.yaml", FRONTEND);
    put("b.yaml", "include: a.yaml\n");
    load(&l, "include: b.yaml\n");
    expect_names(&l, "frontend", "f ");
    conf_load_free(&l);
}
END_TEST

START_TEST(items_of_a_list_come_from_files)
{
    struct conf_load l;
    put("list.yaml", "- " BACKEND("b") "\n- " BACKEND("c") "\n");
    put("map.yaml", "name: d\nservers: [':1']\n");
    put("deep.yaml", "- include: map.yaml\n- " BACKEND("e") "\n");
    put("one.yaml", "include: list.yaml\n");
    load(&l, FRONTEND "backend:\n- " BACKEND("a") "\n- include: list.yaml\n- " BACKEND("z") "\n");
    expect_names(&l, "backend", "a b c z ");
    conf_load_free(&l);
    load(&l, FRONTEND "backend: [{ include: [deep.yaml, one.yaml] }, " BACKEND("z") "]\n");
    expect_names(&l, "backend", "d e b c z ");
    conf_load_free(&l);
}
END_TEST

START_TEST(a_file_stands_instead_of_a_list)
{
    struct conf_load l;
    put("s/1.yaml", "- { addr_port: ':1', weight: 5 }\n- ':2'\n");
    put("s/2.yaml", "addr_port: ':3'\n");
    put("b/1.yaml", "- name: b\n  servers: { include: ../s/*.yaml }\n");
    load(&l, FRONTEND "backend:\n  include: b/*\n");
    const struct sample_backend *b = test_object(&l, "backend", 0);
    ck_assert_uint_eq(b->servers.count, 3);
    ck_assert_uint_eq(((const struct sample_server *)b->servers.items[0])->weight, 5);
    ck_assert_str_eq(((const struct sample_server *)b->servers.items[2])->addr_port, ":3");
    conf_load_free(&l);
}
END_TEST

START_TEST(files_that_are_maps_are_items_where_a_list_belongs)
{
    struct conf_load l;
    put("s/1.yaml", "addr_port: ':1'\n");
    put("s/2.yaml", "addr_port: ':2'\n");
    put("b/1.yaml", "name: b1\nservers: { include: ../s/* }\n");
    put("b/2.yaml", "name: b2\ninclude: ../more.yaml\n");
    put("more.yaml", "servers: { include: s/2.yaml }\nbalance: leastconn\n");
    load(&l, FRONTEND "backend: { include: b/* }\n");
    expect_names(&l, "backend", "b1 b2 ");
    ck_assert_uint_eq(((const struct sample_backend *)test_object(&l, "backend", 0))->servers.count, 2);
    ck_assert_uint_eq(((const struct sample_backend *)test_object(&l, "backend", 1))->servers.count, 1);
    conf_load_free(&l);
}
END_TEST

START_TEST(keys_of_a_map_come_from_files)
{
    struct conf_load l;
    put("times.yaml", "timeout_client: 5s\ntimeout_server: 6s\n");
    put("mode.yaml", "mode: tcp\n");
    put("log.yaml", "target: file\npath: x.log\n");
    load(&l, "global: { log: { include: log.yaml } }\n"
             "defaults:\n  include: [times.yaml, mode.yaml]\n  timeout_connect: 7s\n"
             "frontend:\n  - name: f\n    bind: ':1'\n"
             "backend:\n  - include: mode.yaml\n    name: b\n    servers: ':1'\n");
    const struct sample_frontend *f = test_object(&l, "frontend", 0);
    const struct sample_backend *b = test_object(&l, "backend", 0);
    ck_assert_uint_eq(f->timeout_client, 5000000);
    ck_assert_int_eq(f->mode, SAMPLE_TCP);
    ck_assert_uint_eq(b->timeout_server, 6000000);
    ck_assert_uint_eq(b->timeout_connect, 7000000);
    ck_assert_str_eq(((const struct sample_global *)test_object(&l, "global", 0))->log->path, "./x.log");
    conf_load_free(&l);
}
END_TEST

START_TEST(one_file_may_stand_in_many_places)
{
    struct conf_load l;
    put("common.yaml", "balance: leastconn\nservers: [':1']\n");
    load(&l, FRONTEND "backend:\n- { name: a, include: common.yaml }\n- { name: b, include: common.yaml }\n");
    ck_assert_int_eq(((const struct sample_backend *)test_object(&l, "backend", 1))->balance, 2);
    conf_load_free(&l);
    put("common.yaml", "balance: lesconn\nservers: [':1']\n");
    expect(FRONTEND "backend:\n- { name: a, include: common.yaml }\n- { name: b, include: common.yaml }\n",
           CONF_ERROR, "common.yaml:1:10: \"balance\" can't be \"lesconn\" (did you mean \"leastconn\"?)\n");
}
END_TEST

START_TEST(relative_paths_start_where_they_are_written)
{
    struct conf_load l;
    put("sub/log.yaml", "path: x.log\ninclude: [more.yaml]\n");
    put("sub/more.yaml", "target: file\n");
    load(&l, "global: { log: { include: sub/log.yaml } }\n" FRONTEND);
    const struct sample_global *g = test_object(&l, "global", 0);
    ck_assert_str_eq(g->log->path, "sub/x.log");
    ck_assert_int_eq(g->log->target, 1);
    conf_load_free(&l);

    /* What is special in the folder's own name stands for itself. */
    struct text path = {0};
    put("a[b]*/conf.yaml", "include: 'c.*'\n");
    put("a[b]*/c.yaml", FRONTEND);
    text_printf(&path, "%s/a[b]*/conf.yaml", folder);
    ck_assert_int_eq(conf_load_file(&l, text_str(&path), sample_sections), 0);
    expect_names(&l, "frontend", "f ");
    conf_load_free(&l);
    text_free(&path);
}
END_TEST

START_TEST(quotes_make_it_a_key_like_any_other)
{
    expect("\"include\": a.yaml\n" FRONTEND, CONF_ERROR,
           "conf.yaml:1:1: unknown section \"include\" (remove its quotes)\n");
}
END_TEST

START_TEST(what_is_missing_is_told)
{
    struct conf_load l;
    expect("include: no.yaml\n" FRONTEND, CONF_ERROR,
           "conf.yaml:1:10: \"no.yaml\" cannot be opened: No such file or directory "
           "(a relative path starts in the folder of the file where it is written)\n");
    put("sub/a.yaml", "- include: no.yaml\n- include: ../sub\n");
    expect(
        "include: /nowhere/x\n" FRONTEND "backend:\n- include: sub/a.yaml\n", CONF_ERROR,
        "conf.yaml:1:10: \"/nowhere/x\" cannot be opened: No such file or directory (a relative path starts "
        "in the folder of the file where it is written)\n"
        "sub/a.yaml:1:12: \"sub/no.yaml\" cannot be opened: No such file or directory (a relative path "
        "starts in the folder of the file where it is written)\n"
        "sub/a.yaml:2:12: \"sub/../sub\" is a directory, not a configuration file (name the file in it)\n");
    expect("include: 'no/*.yaml'\n" FRONTEND, CONF_NOTICE,
           "conf.yaml:1:10: no file is like \"no/*.yaml\": nothing is included\n");
    put("empty.yaml", "");
    put("comment.yaml", "# nothing yet\n");
    put("null.yaml", "~\n");
    load(&l, "include: [empty.yaml, comment.yaml, null.yaml]\n" FRONTEND
             "backend:\n  include: 'no*.yaml'\nglobal: { log: { include: null.yaml } }\n");
    expect_names(&l, "backend", "");
    conf_load_free(&l);
}
END_TEST

START_TEST(a_wrong_value_is_told)
{
#define WAY_OUT " (write include: FILE, a pattern such as conf.d/*.yaml, or a list of them)\n"
    expect("include:\n" FRONTEND, CONF_ERROR, "conf.yaml:1:1: this can't be a file to include" WAY_OUT);
    expect("include: ''\n" FRONTEND, CONF_ERROR, "conf.yaml:1:10: this can't be a file to include" WAY_OUT);
    expect("include: { a: b }\n" FRONTEND, CONF_ERROR,
           "conf.yaml:1:10: this can't be a file to include" WAY_OUT);
    expect("include: [[a]]\n" FRONTEND, CONF_ERROR,
           "conf.yaml:1:11: this can't be a file to include (write - FILE)\n");
    expect("inclde: a.yaml\n" FRONTEND, CONF_ERROR,
           "conf.yaml:1:1: unknown section \"inclde\" (did you mean \"include\"?)\n");
    expect("global: { inclde: a.yaml }\n" FRONTEND, CONF_ERROR,
           "conf.yaml:1:11: unknown key \"inclde\" in global (did you mean \"include\"?)\n");
}
END_TEST

START_TEST(a_file_of_the_wrong_kind_is_told)
{
    put("list.yaml", "- a\n");
    put("text.yaml", "just text\n");
    expect("include: list.yaml\n" FRONTEND, CONF_ERROR,
           "list.yaml:1:1: a file that is included here must be a map of sections "
           "(it is included at conf.yaml:1)\n");
    expect("include: text.yaml\n" FRONTEND, CONF_ERROR,
           "text.yaml:1:1: a file that is included here must be a map of sections "
           "(it is included at conf.yaml:1)\n");
    expect(FRONTEND "backend:\n- include: text.yaml\n", CONF_ERROR,
           "text.yaml:1:1: a file that is included must be a list or a map "
           "(it is included at conf.yaml:3)\n");
    expect(FRONTEND "global:\n  maxconn: 1\n  include: list.yaml\n", CONF_ERROR,
           "list.yaml:1:1: a list can't stand here, only the keys of a map "
           "(it is included at conf.yaml:4, beside other keys)\n");
}
END_TEST

START_TEST(a_key_that_is_written_twice_names_both_places)
{
    put("a.yaml", "global: { maxconn: 1 }\ndefaults: { mode: tcp }\n");
    put("b.yaml", "\nglobal: { maxconn: 2 }\n");
    put("mode.yaml", "# first\nmode: http\n");
    expect("include: [a.yaml, b.yaml]\n" FRONTEND "defaults: {}\n", CONF_ERROR,
           "conf.yaml:3:1: the key \"defaults\" is written twice (the first is at a.yaml:2)\n"
           "b.yaml:2:1: the key \"global\" is written twice (the first is at a.yaml:1)\n");
    expect(FRONTEND "defaults:\n  mode: tcp\n  include: mode.yaml\n", CONF_ERROR,
           "mode.yaml:2:1: the key \"mode\" is written twice (the first is at conf.yaml:3)\n");
    put("threads.yaml", "threads: 2\n");
    expect(FRONTEND "global:\n  workers: 1\n  include: threads.yaml\n", CONF_ERROR,
           "threads.yaml:1:1: \"threads\" is set twice "
           "(\"workers\" at conf.yaml:3 is the same key: keep one of them)\n");
    put("site.yaml", "backend: [{ name: b, servers: ':1' }]\n");
    expect("include: site.yaml\n" FRONTEND "backend: [{ name: b, servers: ':1' }]\n", CONF_ERROR,
           "conf.yaml:3:19: two in \"backend\" have the name \"b\" (the first is at site.yaml:1)\n");
}
END_TEST

START_TEST(a_circle_is_told_with_its_files)
{
    put("a.yaml", "include: sub/b.yaml\n");
    put("sub/b.yaml", "backend:\n- include: ../c.yaml\n");
    put("c.yaml", "- include: a.yaml\n");
    expect(
        "include: a.yaml\n" FRONTEND, CONF_ERROR,
        "sub/../c.yaml:1:12: this includes a file that includes this one (conf.yaml includes a.yaml includes "
        "sub/b.yaml includes sub/../c.yaml includes sub/../a.yaml)\n");
}
END_TEST

START_TEST(a_file_that_includes_itself_is_told)
{
    expect("include: '*.yaml'\n" FRONTEND, CONF_ERROR,
           "conf.yaml:1:10: this includes a file that includes this one (conf.yaml includes conf.yaml)\n");
    ck_assert_int_eq(symlink("conf.yaml", "other"), 0);
    expect("include: other\n" FRONTEND, CONF_ERROR,
           "conf.yaml:1:10: this includes a file that includes this one (conf.yaml includes other)\n");
}
END_TEST

START_TEST(files_in_each_other_are_bounded)
{
    struct conf_load l;
    for (int i = 1; i < 17; i++) {
        char path[32], text[64];
        snprintf(path, sizeof path, "%d.yaml", i);
        snprintf(text, sizeof text, "include: %d.yaml\n", i + 1);
        put(path, text);
    }
    put("16.yaml", "global: { maxconn: 3 }\n");
    load(&l, "include: 2.yaml\n" FRONTEND);
    ck_assert_uint_eq(((const struct sample_global *)test_object(&l, "global", 0))->maxconn, 3);
    conf_load_free(&l);
    expect("include: 1.yaml\n" FRONTEND, CONF_ERROR,
           "15.yaml:1:10: more than 16 files include each other here\n");
}
END_TEST

START_TEST(the_number_of_files_is_bounded)
{
    struct text yaml = {0};
    put("a.yaml", "[]\n");
    text_puts(&yaml, FRONTEND "backend:\n");
    for (int i = 0; i < 1001; i++)
        text_puts(&yaml, "- include: a.yaml\n");
    expect(text_str(&yaml), CONF_ERROR, "conf.yaml:1003:12: more than 1000 files are included\n");
    text_free(&yaml);
    /* Files that each include the next one ten times. */
    put("1.yaml",
        "- include: [2.yaml, 2.yaml, 2.yaml, 2.yaml, 2.yaml, 2.yaml, 2.yaml, 2.yaml, 2.yaml, 2.yaml]\n");
    put("2.yaml",
        "- include: [3.yaml, 3.yaml, 3.yaml, 3.yaml, 3.yaml, 3.yaml, 3.yaml, 3.yaml, 3.yaml, 3.yaml]\n");
    put("3.yaml",
        "- include: [a.yaml, a.yaml, a.yaml, a.yaml, a.yaml, a.yaml, a.yaml, a.yaml, a.yaml, a.yaml]\n");
    expect(FRONTEND "backend:\n- include: 1.yaml\n", CONF_ERROR,
           "1.yaml:1:85: more than 1000 files are included\n");
}
END_TEST

START_TEST(the_size_of_all_files_is_bounded)
{
    static char big[9 << 20];
    memset(big, '#', sizeof big - 1);
    put("a.yaml", big);
    put("b.yaml", big);
    struct conf_load l;
    load(&l, "include: [a.yaml, a.yaml]\n" FRONTEND);
    conf_load_free(&l);
    expect("include: [a.yaml, b.yaml]\n" FRONTEND, CONF_ERROR,
           "conf.yaml:1:19: with this file the configuration is larger than 16 MiB, the most that it may "
           "have\n");
}
END_TEST

START_TEST(the_number_of_values_of_all_files_is_bounded)
{
    struct text many = {0};
    for (int i = 0; i < 300000; i++)
        text_puts(&many, "-\n");
    put("a.yaml", text_str(&many));
    text_free(&many);
    expect(FRONTEND "backend: [{ include: [a.yaml, a.yaml, a.yaml, a.yaml] }]\n", CONF_ERROR,
           "a.yaml:99992:1: with this file the configuration has more than a million values\n");
}
END_TEST

START_TEST(a_mistake_is_shown_in_its_own_file)
{
    struct conf_load l;
    struct text out = {0};
    put("conf.d/site.yaml", "backend:\n  - name: site\n    servers: ':1'\n    balanc: leastconn\n");
    put("conf.d/broken.yaml", "backend: [\n");
    put("conf.yaml", "include: conf.d/site.yaml\n" FRONTEND);
    ck_assert_int_eq(conf_load_file(&l, "conf.yaml", sample_sections), -1);
    conf_report_print(&l.report, CONF_ERROR, &out);
    ck_assert_str_eq(text_str(&out), "conf.d/site.yaml:4:5: unknown key \"balanc\" in backend \"site\"\n"
                                     "    4 |     balanc: leastconn\n      |     ^~~~~~\n"
                                     "      = did you mean \"balance\"?\n");
    text_free(&out);
    conf_load_free(&l);
    expect("include: conf.d/broken.yaml\n" FRONTEND, CONF_ERROR,
           "conf.d/broken.yaml:2:1: a value is expected here\n");
}
END_TEST

START_TEST(messages_come_file_by_file)
{
    put("a.yaml", "global:\n  x: 1\n  y: 1\n");
    put("b.yaml", "backend: [{ name: b, servers: ':1', z: 1 }]\n");
    expect("frontend: { name: f, bind: ':1', v: 1 }\ninclude: [a.yaml, b.yaml]\nw: 1\n", CONF_ERROR,
           "conf.yaml:1:34: unknown key \"v\" in frontend \"f\"\n"
           "conf.yaml:3:1: unknown section \"w\"\n"
           "a.yaml:2:3: unknown key \"x\" in global\n"
           "a.yaml:3:3: unknown key \"y\" in global\n"
           "b.yaml:1:37: unknown key \"z\" in backend \"b\"\n");
}
END_TEST

START_TEST(an_unreadable_folder_is_told)
{
    put("shut/a.yaml", "global: {}\n");
    put("conf.yaml", "include: 'shut/*.yaml'\n" FRONTEND);
    ck_assert_int_eq(chmod("conf.yaml", 0644), 0);
    ck_assert_int_eq(chmod(".", 0755), 0);
    ck_assert_int_eq(chmod("shut", 0), 0);
    bool root = geteuid() == 0;
    if (root)
        ck_assert_int_eq(seteuid(65534), 0);
    struct conf_load l;
    struct text out = {0};
    ck_assert_int_eq(conf_load_file(&l, "conf.yaml", sample_sections), -1);
    print_all(&l, CONF_ERROR, &out);
    ck_assert_str_eq(text_str(&out), "conf.yaml:1:10: a folder of this pattern can't be read\n");
    text_free(&out);
    conf_load_free(&l);
    if (root)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(chmod("shut", 0700), 0);
}
END_TEST

TCase *conf_include_tests(void)
{
    TCase *tests = tcase_create("include");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, sections_of_all_files_are_one_configuration);
    tcase_add_test(tests, a_configuration_may_be_an_include_alone);
    tcase_add_test(tests, items_of_a_list_come_from_files);
    tcase_add_test(tests, a_file_stands_instead_of_a_list);
    tcase_add_test(tests, files_that_are_maps_are_items_where_a_list_belongs);
    tcase_add_test(tests, keys_of_a_map_come_from_files);
    tcase_add_test(tests, one_file_may_stand_in_many_places);
    tcase_add_test(tests, relative_paths_start_where_they_are_written);
    tcase_add_test(tests, quotes_make_it_a_key_like_any_other);
    tcase_add_test(tests, what_is_missing_is_told);
    tcase_add_test(tests, a_wrong_value_is_told);
    tcase_add_test(tests, a_file_of_the_wrong_kind_is_told);
    tcase_add_test(tests, a_key_that_is_written_twice_names_both_places);
    tcase_add_test(tests, a_circle_is_told_with_its_files);
    tcase_add_test(tests, a_file_that_includes_itself_is_told);
    tcase_add_test(tests, files_in_each_other_are_bounded);
    tcase_add_test(tests, the_number_of_files_is_bounded);
    tcase_add_test(tests, the_size_of_all_files_is_bounded);
    tcase_add_test(tests, the_number_of_values_of_all_files_is_bounded);
    tcase_add_test(tests, a_mistake_is_shown_in_its_own_file);
    tcase_add_test(tests, messages_come_file_by_file);
    tcase_add_test(tests, an_unreadable_folder_is_told);
    return tests;
}
