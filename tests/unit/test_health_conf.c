#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "health/health.h"

enum { MS = 1000 };

static char path[64];

static void make_file(void)
{
    strcpy(path, "/tmp/noxy-health-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void remove_file(void)
{
    unlink(path);
}

static const struct conf_table *const backend_tables[] = {&backend_conf_table, &health_conf_table, NULL};
static const struct conf_table *const no_tables[] = {NULL};
static const struct conf_section defaults_section = {
    .name = "defaults", .only_inherited = true, .tables = no_tables, .doc = "Defaults."};
static const struct conf_section backend_section = {
    .name = "backend", .list = true, .inherits = "defaults", .tables = backend_tables, .doc = "Backends."};
static const struct conf_section *const sections[] = {&defaults_section, &backend_section, NULL};

/* Loads a backend with these values of `health_check`, its own and defaults'; "": not written. */
static struct backend *load(struct conf_load *l, const char *own, const char *inherited)
{
    uint32_t count;
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "backend:\n- name: b\n  servers:\n  - addr_port: 10.0.0.1:80\n");
    if (*own)
        fprintf(f, "  health_check: %s\n", own);
    if (*inherited)
        fprintf(f, "defaults:\n  health_check: %s\n", inherited);
    fclose(f);
    *l = (struct conf_load){0};
    if (conf_load_file(l, path, sections) != 0)
        return NULL;
    struct backend *b = conf_load_objects(l, "backend", &count)[0].structure;
    ck_assert_uint_eq(count, 1);
    health_apply_default(b, 5000 * MS);
    return b;
}

static const struct {
    const char *written;
    struct health_conf effect;
    uint32_t failures_max;
} good[] = {
    {"", {true, 5000 * MS, 2000 * MS, 2, 3}, 3},
    {"true", {true, 5000 * MS, 2000 * MS, 2, 3}, 3},
    {"false", {false, 5000 * MS, 2000 * MS, 2, 3}, 0},
    {"200", {true, 200 * MS, 200 * MS, 2, 3}, 3},
    {"10s", {true, 10000 * MS, 2000 * MS, 2, 3}, 3},
    {"{ timeout: 9s }", {true, 5000 * MS, 5000 * MS, 2, 3}, 3},
    {"{ interval: 20s, timeout: 9s, rise: 1, fall: 7 }", {true, 20000 * MS, 9000 * MS, 1, 7}, 7},
    {"{ enabled: no, fall: 7 }", {false, 5000 * MS, 2000 * MS, 2, 7}, 0},
};

START_TEST(health_check_is_read)
{
    struct conf_load l;
    struct backend *b = load(&l, good[_i].written, "");
    ck_assert_msg(b != NULL, "%s", good[_i].written);
    const struct health_conf *c = &b->health->effect, *expected = &good[_i].effect;
    ck_assert_int_eq(c->enabled, expected->enabled);
    ck_assert_uint_eq(c->interval, expected->interval);
    ck_assert_uint_eq(c->timeout, expected->timeout);
    ck_assert_uint_eq(c->rise, expected->rise);
    ck_assert_uint_eq(c->fall, expected->fall);
    ck_assert_uint_eq(b->failures_max, good[_i].failures_max);
    conf_load_free(&l);
}
END_TEST

static const struct {
    const char *written, *says;
} bad[] = {
    {"{ interval: 1s, timeout: 2s }", "the timeout is longer than the interval"},
    {"{ rise: 0 }", "rise"},
    {"{ fall: 1001 }", "fall"},
    {"0", ""},
    {"tcp", ""},
    {"{ intervall: 5s }", "unknown key \"intervall\""},
};

START_TEST(a_bad_health_check_is_refused)
{
    struct conf_load l;
    struct text report = {0};
    ck_assert_ptr_null(load(&l, bad[_i].written, ""));
    conf_report_print(&l.report, CONF_ERROR, &report);
    ck_assert_msg(strstr(text_str(&report), ":5:") != NULL, "%s", text_str(&report));
    ck_assert_msg(strstr(text_str(&report), bad[_i].says) != NULL, "%s", text_str(&report));
    text_free(&report);
    conf_load_free(&l);
}
END_TEST

START_TEST(health_check_is_inherited)
{
    struct conf_load l;
    struct backend *b = load(&l, "", "{ interval: 300ms, fall: 9 }");
    ck_assert_uint_eq(b->health->effect.interval, 300 * MS);
    ck_assert_uint_eq(b->failures_max, 9);
    conf_load_free(&l);
    b = load(&l, "700", "false");
    ck_assert(b->health->effect.enabled);
    ck_assert_uint_eq(b->health->effect.interval, 700 * MS);
    conf_load_free(&l);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("health_conf");
    TCase *conf = tcase_create("configuration");
    tcase_add_checked_fixture(conf, make_file, remove_file);
    tcase_add_loop_test(conf, health_check_is_read, 0, (int)ARRAY_LEN(good));
    tcase_add_test(conf, health_check_is_inherited);
    tcase_add_loop_test(conf, a_bad_health_check_is_refused, 0, (int)ARRAY_LEN(bad));
    suite_add_tcase(suite, conf);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
