#include "test_conf.h"

#include <stdio.h>

#include "conf/units.h"

static uint64_t time_of(const char *text)
{
    uint64_t us;
    struct error err = {""};
    ck_assert_msg(conf_read_time(text, &us, &err) == 0, "%s: %s", text, err.text);
    return us;
}

static uint64_t size_of(const char *text)
{
    uint64_t bytes;
    struct error err = {""};
    ck_assert_msg(conf_read_size(text, &bytes, &err) == 0, "%s: %s", text, err.text);
    return bytes;
}

static void expect_refused(int (*read)(const char *, uint64_t *, struct error *), const char *text,
                           const char *why)
{
    uint64_t value;
    struct error err = {""};
    ck_assert_msg(read(text, &value, &err) == -1, "%s is not refused", text);
    ck_assert_str_eq(err.text, why);
}

START_TEST(times_are_milliseconds_or_have_a_unit)
{
    ck_assert_uint_eq(time_of("0"), 0);
    ck_assert_uint_eq(time_of("5000"), 5000000);
    ck_assert_uint_eq(time_of("500ms"), 500000);
    ck_assert_uint_eq(time_of("10s"), 10000000);
    ck_assert_uint_eq(time_of("5m"), 300000000);
    ck_assert_uint_eq(time_of("1h"), UINT64_C(3600000000));
    ck_assert_uint_eq(time_of("2d"), UINT64_C(172800000000));
    ck_assert_uint_eq(time_of("18446744073709551"), UINT64_C(18446744073709551000));
}
END_TEST

START_TEST(sizes_are_bytes_or_have_a_unit)
{
    ck_assert_uint_eq(size_of("17"), 17);
    ck_assert_uint_eq(size_of("16k"), 16384);
    ck_assert_uint_eq(size_of("4m"), 4194304);
    ck_assert_uint_eq(size_of("1g"), 1073741824);
    ck_assert_uint_eq(size_of("18446744073709551615"), UINT64_MAX);
}
END_TEST

START_TEST(what_is_no_number_is_refused_with_a_way_out)
{
    static const char times[] = "a time is in milliseconds, or has a unit: 500ms, 10s, 5m, 1h, 1d";
    static const char *const no_times[] = {"",   "s",  "ten", "10x",    "1h30m", "1.", ".5s", "0x10", "1e3",
                                           "+5", " 5", "5 ",  "1.5.5s", "1.5x",  "-",  "--5", "5\n",  "10s "};
    struct error err;
    uint64_t value;
    for (unsigned i = 0; i < ARRAY_LEN(no_times); i++)
        ck_assert_msg(conf_read_time(no_times[i], &value, &err) == -1, "\"%s\" is a time", no_times[i]);
    char why[256];
    snprintf(why, sizeof why, "\"10x\" is not a time: %s", times);
    expect_refused(conf_read_time, "10x", why);
    expect_refused(conf_read_time, "-5s", "\"-5s\" is negative: write 0 or more");
    expect_refused(conf_read_time, "10S", "\"10S\" is not a time: write 10s");
    expect_refused(conf_read_time, "10 s", "\"10 s\" is not a time: write 10s");
    expect_refused(conf_read_size, "16K", "\"16K\" is not a size: write 16k");
    expect_refused(conf_read_number, "ten", "\"ten\" is not a whole number: write digits only");
    expect_refused(conf_read_number, "010", "\"010\" begins with a zero: write it without the zero");
}
END_TEST

START_TEST(fractions_are_refused_with_the_smaller_unit)
{
    expect_refused(conf_read_time, "1.5s", "\"1.5s\" is a fraction, not a whole number: write 1500ms");
    expect_refused(conf_read_time, "0.5h", "\"0.5h\" is a fraction, not a whole number: write 30m");
    expect_refused(conf_read_time, "0.0001s",
                   "\"0.0001s\" is a fraction, not a whole number: "
                   "a time is in milliseconds, or has a unit: 500ms, 10s, 5m, 1h, 1d");
    expect_refused(conf_read_size, "1.5k", "\"1.5k\" is a fraction, not a whole number: write 1536");
    expect_refused(conf_read_size, "1.3k",
                   "\"1.3k\" is a fraction, not a whole number: "
                   "a size is in bytes, or has a unit: 16k, 4m, 1g (1k is 1024 bytes)");
    expect_refused(conf_read_number, "1.0", "\"1.0\" is a fraction, not a whole number: write digits only");
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    expect_refused(conf_read_number, "18446744073709551616", "\"18446744073709551616\" is too large");
    expect_refused(conf_read_time, "18446744073709552", "\"18446744073709552\" is too large");
    expect_refused(conf_read_time, "213503983d", "\"213503983d\" is too large");
    expect_refused(conf_read_size, "17179869184g", "\"17179869184g\" is too large");
}
END_TEST

START_TEST(values_are_printed_in_the_largest_unit_that_divides_them)
{
    char out[CONF_MEASURE_TEXT];
    ck_assert_str_eq(conf_measure_print(&conf_measure_time, 0, out), "0");
    ck_assert_str_eq(conf_measure_print(&conf_measure_time, 1500000, out), "1500ms");
    ck_assert_str_eq(conf_measure_print(&conf_measure_time, 60000000, out), "1m");
    ck_assert_str_eq(conf_measure_print(&conf_measure_time, 17, out), "17us");
    ck_assert_str_eq(conf_measure_print(&conf_measure_size, 1 << 20, out), "1m");
    ck_assert_str_eq(conf_measure_print(&conf_measure_size, 1000, out), "1000");
    ck_assert_str_eq(conf_measure_print(&conf_measure_number, UINT64_MAX, out), "18446744073709551615");
}
END_TEST

START_TEST(booleans_have_three_spellings)
{
    static const struct {
        const char *text;
        bool value;
    } good[] = {{"true", true}, {"yes", true}, {"on", true}, {"false", false}, {"no", false}, {"off", false}};
    struct error err;
    bool value;
    for (unsigned i = 0; i < ARRAY_LEN(good); i++) {
        value = !good[i].value;
        ck_assert_int_eq(conf_read_bool(good[i].text, &value, &err), 0);
        ck_assert(value == good[i].value);
    }
    ck_assert_int_eq(conf_read_bool("1", &value, &err), -1);
    ck_assert_str_eq(err.text, "\"1\" is neither true nor false: write true or false");
    ck_assert_int_eq(conf_read_bool("True", &value, &err), -1);
    ck_assert_str_eq(err.text, "\"True\" is neither true nor false: write it in small letters: true");
}
END_TEST

START_TEST(the_nearest_word_is_found)
{
    static const char *const words[] = {"use_backend", "bind", "maxconn", "mode", "on", NULL};
    ck_assert_str_eq(conf_nearest("use_backnd", words), "use_backend"); /* one is missing */
    ck_assert_str_eq(conf_nearest("bindd", words), "bind");             /* one too much */
    ck_assert_str_eq(conf_nearest("mdoe", words), "mode");              /* two swapped */
    ck_assert_str_eq(conf_nearest("maxcomn", words), "maxconn");        /* one is wrong */
    ck_assert_str_eq(conf_nearest("MaxConn", words), "maxconn");
    ck_assert_str_eq(conf_nearest("use-backend", words), "use_backend");
    ck_assert_ptr_null(conf_nearest("servers", words));
    ck_assert_ptr_null(conf_nearest("binary", words));
    ck_assert_ptr_null(conf_nearest("no", words));
    ck_assert_ptr_null(conf_nearest("", words));
    char longest[200];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    ck_assert_ptr_null(conf_nearest(longest, words));
    ck_assert_ptr_null(conf_nearest("x", (const char *const[]){longest, NULL}));
}
END_TEST

TCase *conf_units_tests(void)
{
    TCase *tests = tcase_create("units");
    tcase_add_test(tests, times_are_milliseconds_or_have_a_unit);
    tcase_add_test(tests, sizes_are_bytes_or_have_a_unit);
    tcase_add_test(tests, what_is_no_number_is_refused_with_a_way_out);
    tcase_add_test(tests, fractions_are_refused_with_the_smaller_unit);
    tcase_add_test(tests, what_does_not_fit_is_refused);
    tcase_add_test(tests, values_are_printed_in_the_largest_unit_that_divides_them);
    tcase_add_test(tests, booleans_have_three_spellings);
    tcase_add_test(tests, the_nearest_word_is_found);
    return tests;
}
