/* Which certificates belong to the name that a client asks for. */
#include <check.h>
#include <stdlib.h>

#include "net/tls_names.h"

static struct arena arena;
static struct tls_names names;

static void setup(void)
{
    arena_init(&arena);
    names = (struct tls_names){.arena = &arena};
}

static void teardown(void)
{
    tls_names_free(&names);
    arena_free(&arena);
}

static bool add(const char *name, enum tls_key_kind kind, int certificate)
{
    return tls_names_add(&names, slice_of(name), kind, certificate);
}

/* The RSA certificate of a name; -1: none, -2: nobody has that name. */
static int rsa_of(const char *name)
{
    const struct tls_choice *c = tls_names_find(&names, slice_of(name));
    return c ? c->certificate[TLS_KEY_RSA] : -2;
}

START_TEST(a_name_is_found_whatever_its_case_and_its_last_dot)
{
    ck_assert(add("Www.Example.Com", TLS_KEY_RSA, 3));
    ck_assert_int_eq(rsa_of("www.example.com"), 3);
    ck_assert_int_eq(rsa_of("WWW.EXAMPLE.COM."), 3);
    ck_assert_int_eq(rsa_of("example.com"), -2);
    ck_assert_int_eq(rsa_of("x.www.example.com"), -2);
}
END_TEST

START_TEST(a_wildcard_stands_for_one_label)
{
    ck_assert(add("*.example.com", TLS_KEY_RSA, 1));
    ck_assert_int_eq(rsa_of("a.example.com"), 1);
    ck_assert_int_eq(rsa_of("a.b.example.com"), -2);
    ck_assert_int_eq(rsa_of("example.com"), -2);
    ck_assert_int_eq(rsa_of(".example.com"), -2);
    ck_assert_int_eq(rsa_of("*.example.com"), 1);
}
END_TEST

START_TEST(an_exact_name_goes_before_a_wildcard)
{
    ck_assert(add("*.example.com", TLS_KEY_RSA, 1));
    ck_assert(add("a.example.com", TLS_KEY_RSA, 2));
    ck_assert_int_eq(rsa_of("a.example.com"), 2);
    ck_assert_int_eq(rsa_of("b.example.com"), 1);
}
END_TEST

START_TEST(a_name_has_a_certificate_of_each_kind_and_the_first_counts)
{
    add("a.example", TLS_KEY_RSA, 0);
    add("a.example", TLS_KEY_EC, 1);
    add("a.example", TLS_KEY_EC, 2);
    const struct tls_choice *c = tls_names_find(&names, SLICE("a.example"));
    ck_assert_int_eq(c->certificate[TLS_KEY_RSA], 0);
    ck_assert_int_eq(c->certificate[TLS_KEY_EC], 1);
    ck_assert_int_eq(c->certificate[TLS_KEY_OTHER], -1);
}
END_TEST

START_TEST(what_is_no_name_is_refused)
{
    char longest[TLS_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    ck_assert(!add("", TLS_KEY_RSA, 0));
    ck_assert(!add(".", TLS_KEY_RSA, 0));
    ck_assert(!add("*", TLS_KEY_RSA, 0));
    ck_assert(!add("a*.example", TLS_KEY_RSA, 0));
    ck_assert(!add("*.*.example", TLS_KEY_RSA, 0));
    ck_assert(!add("two words", TLS_KEY_RSA, 0));
    ck_assert(!tls_names_add(&names, (struct slice){longest, TLS_NAME_MAX + 1}, TLS_KEY_RSA, 0));
    ck_assert(tls_names_add(&names, (struct slice){longest, TLS_NAME_MAX}, TLS_KEY_RSA, 0));
    ck_assert(!tls_names_add(&names, (struct slice){"a\0b", 3}, TLS_KEY_RSA, 0));
    ck_assert_ptr_null(tls_names_find(&names, (struct slice){longest, TLS_NAME_MAX + 1}));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tls names");
    TCase *t = tcase_create("names");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_name_is_found_whatever_its_case_and_its_last_dot);
    tcase_add_test(t, a_wildcard_stands_for_one_label);
    tcase_add_test(t, an_exact_name_goes_before_a_wildcard);
    tcase_add_test(t, a_name_has_a_certificate_of_each_kind_and_the_first_counts);
    tcase_add_test(t, what_is_no_name_is_refused);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
