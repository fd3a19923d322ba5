/*
 * test_public.c: rewrite_location and rewrite_cookies.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "http/http.h"
#include "http/location.h"
#include "http/set_cookie.h"
#include "net/network.h"

static const struct conf_table *const tables[] = {&backend_conf_table, &http_backend_conf_table, NULL};
static const struct conf_section section = {.name = "backend", .list = true, .doc = "x", .tables = tables};
static const struct conf_section *const sections[] = {&section, NULL};
static struct conf_load load;

static int read_backend(const char *keys)
{
    char yaml[2048];
    int len = snprintf(yaml, sizeof yaml,
                       "backend:\n  - name: b\n    servers: [ '10.0.0.1:8000', 'app.internal:80', "
                       "'[2001:db8::1]:8000', 'unix:/run/app' ]\n    %s\n",
                       keys);
    return conf_load_bytes(&load, "t.yaml", yaml, (size_t)len, sections);
}

/* The backend, whose server app.internal was resolved to 192.0.2.50. */
static const struct backend *backend_of(const char *keys)
{
    uint32_t count;
    struct error err;
    struct address address;
    struct ip ip;
    ck_assert_int_eq(read_backend(keys), 0);
    struct backend *b = conf_load_objects(&load, "backend", &count)->structure;
    ck_assert_int_eq(backend_bind_state(b, &err), 0);
    ck_assert(ip_parse(SLICE("192.0.2.50"), &ip));
    ip_to_address(ip, 80, &address);
    state_set_address(b->servers[1]->slot, &address.any, address.len);
    return b;
}

static void setup(void)
{
    struct error err;
    ck_assert_int_eq(state_open(&err), 0);
}

static void teardown(void)
{
    conf_load_free(&load);
    state_close();
}

/* ---- rewrite_location ---- */

#define OWN         "rewrite_location: true"
#define LIST(rules) "rewrite_location: [ " rules " ]"
#define APP                                                                                                  \
    LIST("{ from: 'http://in.example:8080/app/', to: / }, { from: /old, to: /new/ }, { from: /top/, to: / "  \
         "}")
#define CDN                                                                                                  \
    LIST("{ from: 'http://in.example', to: 'https://www.example.org' }, "                                    \
         "{ from: '//s.example/', to: '//cdn.example/s/' }, { from: 'https://10.0.0.1:8000/', to: '/x' }")

static const struct {
    const char *keys, *scheme, *authority, *url;
    const char *to; /* NULL: as it was */
} locations[] = {
    {OWN, "http", "www.example.org", "http://10.0.0.1:8000/a?b#c", "http://www.example.org/a?b#c"},
    {OWN, "https", "www.example.org:8443", "http://10.0.0.1:8000/a", "https://www.example.org:8443/a"},
    {OWN, "https", "www.example.org", "https://10.0.0.1:8000/a", "https://www.example.org/a"},
    {OWN, "http", "www.example.org", "https://10.0.0.1:8000/a", NULL}, /* a redirect to https is one */
    {OWN, "http", "w", "HTTP://10.0.0.1:8000", "http://w"},
    {OWN, "http", "w", "http://10.0.0.1:8000?q", "http://w?q"},
    {OWN, "http", "w", "//10.0.0.1:8000/a", "//w/a"},
    {OWN, "http", "w", "http://app.internal/a", "http://w/a"},
    {OWN, "http", "w", "http://APP.Internal:80/a", "http://w/a"},
    {OWN, "http", "w", "//app.internal/a", "//w/a"},
    {OWN, "http", "w", "http://192.0.2.50/a", "http://w/a"},
    {OWN, "http", "w", "http://192.0.2.50:8000/a", NULL},
    {OWN, "http", "w", "http://app.internal:8080/a", NULL},
    {OWN, "http", "w", "http://app.internal.evil/a", NULL},
    {OWN, "https", "w", "https://app.internal/a", NULL}, /* port 443 is not the server's */
    {OWN, "http", "w", "http://[2001:db8::1]:8000/a", "http://w/a"},
    {OWN, "http", "w", "http://[2001:DB8:0:0::1]:8000/a", "http://w/a"},
    {OWN, "http", "w", "http://2001:db8::1:8000/a", NULL},
    {OWN, "http", "w", "http://[::ffff:10.0.0.1]:8000/a", "http://w/a"},
    {OWN, "http", "w", "http://user@10.0.0.1:8000/a", NULL},
    {OWN, "http", "w", "http://10.0.0.1:8000@evil/a", NULL},
    {OWN, "http", "w", "http://10.0.0.1:8000\\@evil/a", NULL},
    {OWN, "http", "w", "http://10.0.0.1:08000/", "http://w/"},
    {OWN, "http", "w", "http://10.0.0.1:80000/", NULL},
    {OWN, "http", "w", "http://10.0.0.1/a", NULL},
    {OWN, "http", "w", "http://10.0.0.2:8000/a", NULL},
    {OWN, "http", "w", "http:///a", NULL},
    {OWN, "http", "w", "http:/10.0.0.1:8000/", NULL},
    {OWN, "http", "w", "ftp://10.0.0.1:8000/a", NULL},
    {OWN, "http", "w", "/a", NULL},
    {OWN, "http", "w", "a/b", NULL},
    {OWN, "http", "w", "", NULL},
    {OWN, "http", "", "http://10.0.0.1:8000/a", NULL}, /* HTTP/1.0 without a Host */
    {OWN, "http", "w", "http://10.0.0.1:8000//evil", "http://w//evil"},
    {APP, "https", "w", "http://in.example:8080/app/x?y", "https://w/x?y"},
    {APP, "https", "w", "http://IN.example:8080/app", "https://w/"},
    {APP, "https", "w", "http://in.example:8080/app?x", "https://w/?x"},
    {APP, "https", "w", "http://in.example:8080/App/x", NULL},
    {APP, "https", "w", "http://in.example:8080/apple", NULL},
    {APP, "https", "w", "http://in.example/app/x", NULL},
    {APP, "https", "w", "https://in.example:8080/app/x", NULL},
    {APP, "https", "w", "//in.example:8080/app/x", "https://w/x"},
    {APP, "https", "w", "http://u:p@in.example:8080/app/x", NULL},
    {APP, "https", "", "http://in.example:8080/app/x", NULL},
    {APP, "https", "w", "http://in.example:8080/app//evil", "https://w//evil"},
    {APP, "https", "w", "/old", "/new/"},
    {APP, "https", "w", "/old/x", "/new/x"},
    {APP, "https", "w", "/older", NULL},
    {APP, "https", "w", "/top/x", "/x"},
    {APP, "https", "w", "/top", "/"},
    {APP, "https", "w", "/top//evil.example/", "https://w//evil.example/"}, /* never another host */
    {APP, "https", "w", "/top/\\evil.example/", "https://w/\\evil.example/"},
    {APP, "https", "w", "/top/\t/evil.example/", "https://w/\t/evil.example/"},
    {APP, "https", "", "/top//evil.example/", NULL},
    {APP, "http", "w", "http://10.0.0.1:8000/a", "http://w/a"}, /* the servers' own addresses, too */
    {CDN, "http", "w", "http://in.example/a", "https://www.example.org/a"},
    {CDN, "http", "w", "http://in.example:80", "https://www.example.org"},
    {CDN, "http", "", "http://in.example/a", "https://www.example.org/a"},
    {CDN, "http", "w", "https://s.example/a", "//cdn.example/s/a"},
    {CDN, "http", "w", "//s.example", "//cdn.example/s/"},
    {CDN, "http", "w", "http://s.example:443/", NULL},
    {CDN, "http", "w", "https://10.0.0.1:8000/a", "http://w/x/a"},
};

START_TEST(a_location_names_the_public_side)
{
    struct slice pieces[LOCATION_PIECES];
    char text[512] = "";
    const struct backend *b = backend_of(locations[_i].keys);
    struct public_name name = {slice_of(locations[_i].scheme), slice_of(locations[_i].authority)};
    unsigned n = location_rewrite(b->http->rewrite_location, b, &name, slice_of(locations[_i].url), pieces);
    for (unsigned i = 0; i < n; i++)
        strncat(text, pieces[i].ptr, pieces[i].len);
    const char *to = locations[_i].to;
    if ((n > 0) != (to != NULL) || (to && strcmp(text, to) != 0))
        ck_abort_msg("%s becomes %s, not %s", locations[_i].url, n ? text : "nothing", to ? to : "nothing");
}
END_TEST

static const struct {
    const char *value, *url;
} refreshes[] = {
    {"5; url=http://a/b", "http://a/b"},
    {"0;URL='http://a/b'", "http://a/b"},
    {"0, url = \"http://a/b\" x", "http://a/b"},
    {"0; url=\"http://a", "http://a"},
    {"5", ""},
    {"", ""},
    {"5;", ""},
    {"5; link=x", ""},
    {"5; url", ""},
    {"5; url=", ""},
    {"5; url='", ""},
    {"5; url=''", ""},
};

START_TEST(the_url_of_a_refresh_is_found)
{
    struct slice url = location_in_refresh(slice_of(refreshes[_i].value));
    ck_assert_msg(slice_equal(url, slice_of(refreshes[_i].url)), "%s: %.*s", refreshes[_i].value,
                  SLICE_ARG(url));
}
END_TEST

START_TEST(false_switches_it_off)
{
    ck_assert_ptr_null(backend_of("rewrite_location: false")->http->rewrite_location);
}
END_TEST

/* ---- rewrite_cookies ---- */

#define COOKIES(rules) "rewrite_cookies: { " rules " }"
#define DOMAIN_ANY     COOKIES("domain: www.example.org")
#define DOMAIN_LIST    COOKIES("domain: [ { from: .in.example, to: example.org }, { from: b, to: c } ]")
#define PATHS          COOKIES("path: [ { from: /app/, to: / }, { from: /deep, to: /a/b } ]")
#define ALL            COOKIES("secure: true, http_only: yes, same_site: lax")

static const struct {
    const char *keys, *cookie;
    const char *to; /* NULL: as it was */
} cookies[] = {
    {DOMAIN_ANY, "a=b; Domain=in.example; Path=/", "a=b; Domain=www.example.org; Path=/"},
    {DOMAIN_ANY, "a=b;dOMAIN = .in.example ;x", "a=b;dOMAIN =www.example.org;x"},
    {DOMAIN_ANY, "a=b; Path=/", NULL},
    {DOMAIN_ANY, "a=b; Domain=; Domain", NULL},
    {DOMAIN_ANY, "a=b; Domain=www.example.org", NULL},
    {DOMAIN_ANY, "Domain=x; Domain=y", "Domain=x; Domain=www.example.org"}, /* a cookie of that name */
    {DOMAIN_ANY, "a=\"x; Domain=y\"", "a=\"x; Domain=www.example.org"},     /* as browsers read it */
    {DOMAIN_ANY, "", NULL},
    {DOMAIN_ANY, ";", NULL},
    {DOMAIN_ANY, "a=b;;  ; ;", NULL},
    {DOMAIN_LIST, "a=b; domain=IN.example", "a=b; domain=example.org"},
    {DOMAIN_LIST, "a=b; domain=x.in.example", NULL},
    {DOMAIN_LIST, "a=b; domain=.b; Domain=in.example", "a=b; domain=c; Domain=example.org"},
    {DOMAIN_LIST, "a=b; domain=d", NULL},
    {PATHS, "a=b; Path=/app/x/; Foo=bar; HttpOnly", "a=b; Path=/x/; Foo=bar; HttpOnly"},
    {PATHS, "a=b; path=/app", "a=b; path=/"},
    {PATHS, "a=b; path=/app/", "a=b; path=/"},
    {PATHS, "a=b; path=/apple", NULL},
    {PATHS, "a=b; path=/App", NULL},
    {PATHS, "a=b; path=/deep", "a=b; path=/a/b"},
    {PATHS, "a=b; path=/deep/", "a=b; path=/a/b/"},
    {PATHS, "a=b; path=/", NULL},
    {PATHS, "__Host-a=b; Path=/", NULL},
    {COOKIES("path: { from: /, to: /app }"), "a=b; Path=/", "a=b; Path=/app"},
    {COOKIES("path: { from: /, to: /app }"), "a=b; Path=/x", "a=b; Path=/app/x"},
    {COOKIES("path: { from: /, to: /app }"), "__host-a=b; Path=/", NULL},
    {ALL, "a=b", "a=b; Secure; HttpOnly; SameSite=Lax"},
    {ALL, "a=b; secure; HTTPONLY", "a=b; secure; HTTPONLY; SameSite=Lax"},
    {ALL, "a=b; SameSite=None; Secure", "a=b; SameSite=Lax; Secure; HttpOnly"},
    {ALL, "a=b; SameSite; Secure=1;HttpOnly", "a=b; SameSite=Lax; Secure=1;HttpOnly"},
    {ALL, "a=b; Secure; HttpOnly; SameSite=Lax", NULL},
    {ALL, "a=Secure", "a=Secure; Secure; HttpOnly; SameSite=Lax"},
    {COOKIES("secure: false"), "a=b; Secure", NULL},
    {COOKIES("same_site: strict"), "a=b", "a=b; SameSite=Strict"},
    {COOKIES("same_site: none, secure: true"), "a=b", "a=b; Secure; SameSite=None"},
};

START_TEST(a_cookie_is_made_for_the_public_side)
{
    char text[512];
    const struct backend *b = backend_of(cookies[_i].keys);
    struct pen measure = {NULL, 0}, pen = {text, 0};
    const char *to = cookies[_i].to ? cookies[_i].to : cookies[_i].cookie;
    bool changed = set_cookie_rewrite(b->http->rewrite_cookies, slice_of(cookies[_i].cookie), &measure);
    set_cookie_rewrite(b->http->rewrite_cookies, slice_of(cookies[_i].cookie), &pen);
    text[pen.len] = '\0';
    ck_assert_uint_eq(measure.len, pen.len);
    ck_assert_str_eq(text, to);
    ck_assert_msg(changed == (cookies[_i].to != NULL), "%s", cookies[_i].cookie);
}
END_TEST

/* ---- what servers may send ---- */

/* Text of pieces that mean something and of noise, in memory of just its length. */
static struct slice random_text(unsigned *seed, const char *const *words, size_t count)
{
    char text[128];
    size_t len = 0;
    for (int i = rand_r(seed) % 10; i > 0; i--) {
        const char *word = words[(size_t)rand_r(seed) % count];
        memcpy(text + len, word, strlen(word));
        len += strlen(word);
    }
    char *exact = malloc(len ? len : 1);
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, text, len);
    return (struct slice){exact, len};
}

START_TEST(nothing_that_a_server_sends_makes_a_url_of_another_host)
{
    static const char *const words[] = {
        "http:", "//", "/", "10.0.0.1", ":8000", "/top", "/old", "@", "\\",           "[",   "]", "?", "#",
        "evil",  "s",  ":", "5;",       "url=",  "'",    "\"",   " ", "app.internal", "\xff"};
    const struct backend *b = backend_of(APP);
    struct public_name name = {SLICE("http"), SLICE("w")};
    unsigned seed = 1;
    for (int round = 0; round < 30000; round++) {
        struct slice text = random_text(&seed, words, ARRAY_LEN(words)), pieces[LOCATION_PIECES];
        struct slice url = location_in_refresh(text);
        ck_assert(url.len == 0 || (url.ptr >= text.ptr && url.ptr + url.len <= text.ptr + text.len));
        unsigned n = location_rewrite(b->http->rewrite_location, b, &name, text, pieces);
        char out[512] = "";
        for (unsigned i = 0; i < n; i++)
            strncat(out, pieces[i].ptr, pieces[i].len);
        /* ours, or a path that no browser takes for a host */
        bool good = strncmp(out, "http://w", 8) == 0 ? out[8] == '\0' || strchr("/?#", out[8])
                    : strncmp(out, "//w", 3) == 0    ? out[3] == '\0' || strchr("/?#", out[3])
                                                     : out[0] == '/' && out[1] != '/' && out[1] != '\\';
        ck_assert_msg(n == 0 || good, "%.*s becomes %s", SLICE_ARG(text), out);
        free((char *)text.ptr);
    }
}
END_TEST

START_TEST(any_cookie_is_read_like_a_browser_does)
{
    static const char *const words[] = {"a=b",    ";",           ";",        ";",        " ",       "=",
                                        "domain", "Path=/app/x", "path",     "/",        "x",       ".",
                                        "\"",     "secure",      "SameSite", "HttpOnly", "__Host-", "\xff"};
    const struct backend *b = backend_of(COOKIES("domain: w, path: { from: /app, to: / }, secure: true, "
                                                 "http_only: true, same_site: strict"));
    unsigned seed = 1;
    for (int round = 0; round < 30000; round++) {
        struct slice text = random_text(&seed, words, ARRAY_LEN(words));
        char out[512], again[1024];
        struct pen measure = {NULL, 0}, pen = {out, 0}, second = {again, 0};
        bool changed = set_cookie_rewrite(b->http->rewrite_cookies, text, &measure);
        set_cookie_rewrite(b->http->rewrite_cookies, text, &pen);
        ck_assert_uint_eq(measure.len, pen.len);
        ck_assert(changed == !slice_equal(text, (struct slice){out, pen.len}));
        /* what is as it shall be stays so, but for a path that fits once more */
        set_cookie_rewrite(b->http->rewrite_cookies, (struct slice){out, pen.len}, &second);
        ck_assert_uint_le(second.len, pen.len);
        free((char *)text.ptr);
    }
}
END_TEST

/* ---- what is refused ---- */

static const char *const faults[] = {
    LIST("{ from: 'http://u@in.example/', to: / }"),
    LIST("{ from: 'http://in.example/?x', to: / }"),
    LIST("{ from: app/, to: / }"),
    LIST("{ from: 'ftp://in.example/', to: / }"),
    LIST("{ from: /a, to: \"/b\\r\\nX: y\" }"),
    LIST("{ from: /a, to: 'http://' }"),
    LIST("{ from: /a }"),
    COOKIES("domain: 'a;b'"),
    COOKIES("domain: \"a\\nb\""),
    COOKIES("path: [ { from: app, to: / } ]"),
    COOKIES("path: [ { from: /app, to: '/a b' } ]"),
    COOKIES("path: /"),
    COOKIES("same_site: maybe"),
};

START_TEST(what_no_url_or_cookie_can_be_is_an_error)
{
    ck_assert_int_eq(read_backend(faults[_i]), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("public");
    TCase *tcase = tcase_create("public");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_location_names_the_public_side, 0, ARRAY_LEN(locations));
    tcase_add_test(tcase, false_switches_it_off);
    tcase_add_loop_test(tcase, a_cookie_is_made_for_the_public_side, 0, ARRAY_LEN(cookies));
    tcase_add_test(tcase, nothing_that_a_server_sends_makes_a_url_of_another_host);
    tcase_add_test(tcase, any_cookie_is_read_like_a_browser_does);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, what_no_url_or_cookie_can_be_is_an_error, 0, ARRAY_LEN(faults));
    suite_add_tcase(suite, tcase);
    TCase *pure = tcase_create("pure");
    tcase_add_loop_test(pure, the_url_of_a_refresh_is_found, 0, ARRAY_LEN(refreshes));
    suite_add_tcase(suite, pure);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
