#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "net/network.h"

static struct ip ip_of(const char *text)
{
    struct ip ip;
    ck_assert_msg(ip_parse(slice_of(text), &ip), "%s", text);
    return ip;
}

static struct network network_of(const char *text)
{
    struct network n;
    struct error err = {""};
    ck_assert_msg(network_parse(&n, slice_of(text), &err) == 0, "%s: %s", text, err.text);
    return n;
}

/* ---- addresses ---- */

static const struct {
    const char *text, *printed;
} good_ips[] = {
    {"10.0.0.1", "10.0.0.1"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"::1", "::1"},
    {"2001:0db8:0:0::1", "2001:db8::1"},
    {"2001:DB8::A", "2001:db8::a"},
    {"::ffff:10.0.0.1", "10.0.0.1"},
    {"::ffff:a00:1", "10.0.0.1"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"::", ""}, /* none */
};

START_TEST(addresses_are_read_and_printed)
{
    char out[ADDRESS_TEXT_MAX];
    struct ip ip = ip_of(good_ips[_i].text);
    ck_assert_uint_eq(ip_print(ip, out), strlen(good_ips[_i].printed));
    ck_assert_str_eq(out, good_ips[_i].printed);
    ck_assert_int_eq(ip_is_v4(ip), strchr(out, '.') != NULL);
    ck_assert_int_eq(ip_is_none(ip), out[0] == '\0');

    struct address a;
    ip_to_address(ip, 8080, &a);
    ck_assert_uint_eq(address_port(&a), 8080);
    ck_assert(ip_equal(ip_of_address(&a), ip));
}
END_TEST

static const struct slice bad_ips[] = {
    SLICE(""),
    SLICE(" "),
    SLICE("10.0.0"),
    SLICE("10.1"),
    SLICE("10.0.0.0.1"),
    SLICE("10.0.0.256"),
    SLICE("010.0.0.1"),
    SLICE("10.00.0.1"),
    SLICE("0x0a.0.0.1"),
    SLICE("167772161"),
    SLICE("10.0.0.1 "),
    SLICE(" 10.0.0.1"),
    SLICE("10.0.0.1:80"),
    SLICE("10.0.0.1/32"),
    SLICE("10.0.0.1\0"),
    SLICE("10.0.0.1\0x"),
    SLICE("-1.0.0.1"),
    SLICE("+1.0.0.1"),
    SLICE("::1%lo"),
    SLICE("[::1]"),
    SLICE(":"),
    SLICE(":::"),
    SLICE("1::2::3"),
    SLICE("1:2:3:4:5:6:7"),
    SLICE("1:2:3:4:5:6:7:8:9"),
    SLICE("12345::"),
    SLICE("::g"),
    SLICE("::ffff:010.0.0.1"),
    SLICE("::ffff:1.2.3"),
    SLICE("unix:"),
    SLICE("00000000000000000000000000000000000000000000000000000000000000000000000000000001"),
};

START_TEST(what_is_no_address_is_refused)
{
    struct ip ip;
    ck_assert_msg(!ip_parse(bad_ips[_i], &ip), "%.*s", SLICE_ARG(bad_ips[_i]));
}
END_TEST

START_TEST(a_socket_without_an_ip_has_none)
{
    struct address none = {0}, path = {.len = sizeof path.un, .un = {.sun_family = AF_UNIX}};
    ck_assert(ip_is_none(ip_of_address(&none)));
    ck_assert(ip_is_none(ip_of_address(&path)));
    struct ip any = ip_of("0.0.0.0");
    ck_assert(!ip_is_none(any));
}
END_TEST

START_TEST(the_bits_behind_a_prefix_are_cleared)
{
    char out[ADDRESS_TEXT_MAX];
    ip_print(ip_mask(ip_of("10.255.255.255"), 96 + 12), out);
    ck_assert_str_eq(out, "10.240.0.0");
    ip_print(ip_mask(ip_of("2001:db8:ffff:ffff:ffff::1"), 64), out);
    ck_assert_str_eq(out, "2001:db8:ffff:ffff::");
    ip_print(ip_mask(ip_of("2001:db8:ffff:ffff:ffff::1"), 65), out);
    ck_assert_str_eq(out, "2001:db8:ffff:ffff:8000::");
    ip_print(ip_mask(ip_of("2001:db8::1"), 128), out);
    ck_assert_str_eq(out, "2001:db8::1");
    ck_assert(ip_is_none(ip_mask(ip_of("2001:db8::1"), 0)));
}
END_TEST

/* ---- networks ---- */

static const struct {
    const char *network, *has, *has_not;
} good_networks[] = {
    {"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
    {"10.0.0.0/8", "10.0.0.0", "9.255.255.255"},
    {"10.0.0.1", "10.0.0.1", "10.0.0.2"},
    {"10.0.0.2/31", "10.0.0.3", "10.0.0.1"},
    {"0.0.0.0/0", "255.1.2.3", "2001:db8::1"},
    {"128.0.0.0/1", "255.1.2.3", "127.0.0.1"},
    {"::/0", "2001:db8::1", NULL},
    {"::/0", "10.0.0.1", NULL},
    {"fc00::/7", "fdff::1", "fe00::"},
    {"2001:db8::/64", "2001:db8::ffff:1:2:3", "2001:db8:0:1::"},
    {"2001:db8::1", "2001:db8::1", "2001:db8::"},
    {"::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"},
};

START_TEST(networks_are_read_and_have_addresses)
{
    struct network n = network_of(good_networks[_i].network);
    ck_assert(network_has(&n, ip_of(good_networks[_i].has)));
    if (good_networks[_i].has_not)
        ck_assert(!network_has(&n, ip_of(good_networks[_i].has_not)));
    ck_assert(!network_has(&n, (struct ip){0}));
}
END_TEST

static const struct {
    const char *text, *says;
} bad_networks[] = {
    {"", "\"\" is no IP address or network such as 10.0.0.0/8 or 2001:db8::/32"},
    {"/8", "\"/8\" is no IP address or network such as 10.0.0.0/8 or 2001:db8::/32"},
    {"10.1/16", "\"10.1/16\" is no IP address or network such as 10.0.0.0/8 or 2001:db8::/32"},
    {"web/8", "\"web/8\" is no IP address or network such as 10.0.0.0/8 or 2001:db8::/32"},
    {"10.0.0.0/33", "\"10.0.0.0/33\": the prefix must be a number from 0 to 32"},
    {"10.0.0.0/", "\"10.0.0.0/\": the prefix must be a number from 0 to 32"},
    {"10.0.0.0/08", "\"10.0.0.0/08\": the prefix must be a number from 0 to 32"},
    {"10.0.0.0/-1", "\"10.0.0.0/-1\": the prefix must be a number from 0 to 32"},
    {"10.0.0.0/+8", "\"10.0.0.0/+8\": the prefix must be a number from 0 to 32"},
    {"10.0.0.0/8 ", "\"10.0.0.0/8 \": the prefix must be a number from 0 to 32"},
    {"10.0.0.0/8/8", "\"10.0.0.0/8/8\": the prefix must be a number from 0 to 32"},
    {"10.0.0.0/255.0.0.0", "\"10.0.0.0/255.0.0.0\": the prefix must be a number from 0 to 32"},
    {"10.0.0.0/4294967304", "\"10.0.0.0/4294967304\": the prefix must be a number from 0 to 32"},
    {"fc00::/129", "\"fc00::/129\": the prefix must be a number from 0 to 128"},
    {"10.1.2.3/8", "\"10.1.2.3/8\" has bits set behind its prefix: the network is 10.0.0.0/8, the address "
                   "10.1.2.3"},
    {"fc00::1/7",
     "\"fc00::1/7\" has bits set behind its prefix: the network is fc00::/7, the address fc00::1"},
    {"::1/0", "\"::1/0\" has bits set behind its prefix: the network is ::/0, the address ::1"},
};

START_TEST(bad_networks_are_refused_with_a_way_out)
{
    struct network n;
    struct error err = {""};
    ck_assert_int_eq(network_parse(&n, slice_of(bad_networks[_i].text), &err), -1);
    ck_assert_str_eq(err.text, bad_networks[_i].says);
}
END_TEST

START_TEST(an_endless_text_is_quoted_in_part)
{
    static char text[100000];
    memset(text, '1', sizeof text);
    struct network n;
    struct error err = {""};
    ck_assert_int_eq(network_parse(&n, (struct slice){text, sizeof text}, &err), -1);
    ck_assert_uint_lt(strlen(err.text), 150);
}
END_TEST

/* ---- tables ---- */

static struct arena arena;

static void make_arena(void)
{
    arena_init(&arena);
}

static void free_arena(void)
{
    arena_free(&arena);
}

/* Adds networks as their own values. */
static struct network_table *table_of(const char *const *networks)
{
    struct network_table *t = network_table_new(&arena);
    for (; *networks; networks++) {
        struct network n = network_of(*networks);
        ck_assert_ptr_null(network_table_add(t, &n, (void *)(uintptr_t)*networks));
    }
    return t;
}

START_TEST(the_most_exact_network_wins)
{
    static const char *const networks[] = {"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3",    "10.1.2.0/24",
                                           "0.0.0.0/0",  "fc00::/7",    "fc00:1::/32", NULL};
    static const char *const expected[][2] = {
        {"10.1.2.3", "10.1.2.3"},   {"10.1.2.4", "10.1.2.0/24"}, {"10.1.3.3", "10.1.0.0/16"},
        {"10.2.2.3", "10.0.0.0/8"}, {"11.1.2.3", "0.0.0.0/0"},   {"fc00:1::1", "fc00:1::/32"},
        {"fd00::1", "fc00::/7"},
    };
    struct network_table *t = table_of(networks);
    for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++)
        ck_assert_str_eq(network_table_find(t, ip_of(expected[i][0])), expected[i][1]);
    ck_assert_ptr_null(network_table_find(t, ip_of("2001:db8::1")));
    ck_assert_ptr_null(network_table_find(t, (struct ip){0}));
}
END_TEST

START_TEST(an_empty_table_has_nothing_and_everything_may_be_in_one)
{
    static const char *const none[] = {NULL}, *const all[] = {"::/0", NULL};
    ck_assert_ptr_null(network_table_find(table_of(none), ip_of("10.0.0.1")));
    struct network_table *t = table_of(all);
    ck_assert_ptr_nonnull(network_table_find(t, ip_of("10.0.0.1")));
    ck_assert_ptr_nonnull(network_table_find(t, ip_of("::1")));
    ck_assert_ptr_null(network_table_find(t, (struct ip){0}));
}
END_TEST

START_TEST(the_same_network_keeps_its_first_value)
{
    struct network_table *t = network_table_new(&arena);
    struct network n = network_of("10.0.0.0/8"), same = network_of("::ffff:10.0.0.0/104");
    char first[] = "first", second[] = "second";
    ck_assert_ptr_null(network_table_add(t, &n, first));
    ck_assert_ptr_eq(network_table_add(t, &same, second), first);
    ck_assert_ptr_eq(network_table_find(t, ip_of("10.0.0.1")), first);
}
END_TEST

/* Few different bytes, so that networks hold one another. */
static struct ip random_ip(void)
{
    char text[64];
    if (random_below(2))
        snprintf(text, sizeof text, "10.%u.%u.%u", random_below(3), random_below(256), random_below(256));
    else
        snprintf(text, sizeof text, "2001:db8:%x:%x::%x", random_below(3), random_below(65536),
                 1 + random_below(65535));
    return ip_of(text);
}

START_TEST(a_table_finds_what_a_search_of_all_networks_finds)
{
    enum { NETWORKS = 3000, LOOKUPS = 3000 };
    static struct network networks[NETWORKS];
    struct network_table *t = network_table_new(&arena);
    for (unsigned i = 0; i < NETWORKS; i++) {
        networks[i].bits = (uint8_t)(random_below(4) ? 96 + random_below(33) : random_below(129));
        networks[i].ip = ip_mask(random_ip(), networks[i].bits);
        network_table_add(t, &networks[i], &networks[i]);
    }
    for (unsigned i = 0; i < LOOKUPS; i++) {
        struct ip ip = random_ip();
        const struct network *best = NULL;
        for (unsigned j = 0; j < NETWORKS; j++)
            if (network_has(&networks[j], ip) && (!best || networks[j].bits > best->bits))
                best = &networks[j];
        ck_assert_ptr_eq(network_table_find(t, ip), best);
    }
}
END_TEST

START_TEST(a_hundred_thousand_networks_are_all_found)
{
    enum { NETWORKS = 100000 };
    struct network_table *t = network_table_new(&arena);
    char *values = arena_alloc(&arena, NETWORKS);
    for (unsigned i = 0; i < NETWORKS; i++) {
        struct network n = {ip_of("0.0.0.0"), 96 + 24};
        n.ip.bytes[12] = (uint8_t)(i >> 16), n.ip.bytes[13] = (uint8_t)(i >> 8), n.ip.bytes[14] = (uint8_t)i;
        ck_assert_ptr_null(network_table_add(t, &n, &values[i]));
    }
    for (unsigned i = 0; i < NETWORKS + 1; i++) {
        struct ip ip = ip_of("0.0.0.77");
        ip.bytes[12] = (uint8_t)(i >> 16), ip.bytes[13] = (uint8_t)(i >> 8), ip.bytes[14] = (uint8_t)i;
        ck_assert_ptr_eq(network_table_find(t, ip), i < NETWORKS ? &values[i] : NULL);
    }
}
END_TEST

#define LOOP(tcase, test, rows) tcase_add_loop_test(tcase, test, 0, (int)(sizeof rows / sizeof rows[0]))

int main(void)
{
    Suite *suite = suite_create("network");
    TCase *addresses = tcase_create("addresses");
    LOOP(addresses, addresses_are_read_and_printed, good_ips);
    LOOP(addresses, what_is_no_address_is_refused, bad_ips);
    tcase_add_test(addresses, a_socket_without_an_ip_has_none);
    tcase_add_test(addresses, the_bits_behind_a_prefix_are_cleared);
    suite_add_tcase(suite, addresses);

    TCase *networks = tcase_create("networks");
    LOOP(networks, networks_are_read_and_have_addresses, good_networks);
    LOOP(networks, bad_networks_are_refused_with_a_way_out, bad_networks);
    tcase_add_test(networks, an_endless_text_is_quoted_in_part);
    suite_add_tcase(suite, networks);

    TCase *tables = tcase_create("tables");
    tcase_add_checked_fixture(tables, make_arena, free_arena);
    tcase_set_timeout(tables, 60);
    tcase_add_test(tables, the_most_exact_network_wins);
    tcase_add_test(tables, an_empty_table_has_nothing_and_everything_may_be_in_one);
    tcase_add_test(tables, the_same_network_keeps_its_first_value);
    tcase_add_test(tables, a_table_finds_what_a_search_of_all_networks_finds);
    tcase_add_test(tables, a_hundred_thousand_networks_are_all_found);
    suite_add_tcase(suite, tables);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
