#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/address.h"
#include "net/listener.h"

/* ---- addresses ---- */

static const struct {
    const char *text, *host, *printed; /* printed NULL: a name */
    uint16_t port;
} good[] = {
    {"10.0.0.1:80", "10.0.0.1", "10.0.0.1:80", 80},
    {"0.0.0.0:65535", "0.0.0.0", "0.0.0.0:65535", 65535},
    {"[::1]:1", "::1", "[::1]:1", 1},
    {"[2001:db8:0::1]:443", "2001:db8:0::1", "[2001:db8::1]:443", 443},
    {"[::ffff:10.0.0.1]:443", "::ffff:10.0.0.1", "10.0.0.1:443", 443},
    {"*:80", "*", "[::]:80", 80},
    {":8080", "*", "[::]:8080", 8080},
    {"unix:/run/x.sock", "", "unix:/run/x.sock", 0},
    {"webserver1:80", "webserver1", NULL, 80},
    {"web_1.example.com.:8000", "web_1.example.com.", NULL, 8000},
    {"1and1.com:80", "1and1.com", NULL, 80},
    {"a:1", "a", NULL, 1},
};

START_TEST(addresses_are_parsed_and_printed)
{
    struct endpoint e;
    struct error err = {""};
    char out[ADDRESS_TEXT_MAX];
    ck_assert_msg(endpoint_parse(&e, good[_i].text, &err) == 0, "%s: %s", good[_i].text, err.text);
    ck_assert_str_eq(e.host, good[_i].host);
    ck_assert_uint_eq(e.port, good[_i].port);
    ck_assert_int_eq(e.literal, good[_i].printed != NULL);
    ck_assert_int_eq(e.address.len > 0, e.literal);
    ck_assert_str_eq(address_print(&e.address, out), good[_i].printed ? good[_i].printed : "none");
    if (e.literal)
        ck_assert_uint_eq(address_port(&e.address), good[_i].port);
}
END_TEST

static const struct {
    const char *text, *says;
} bad[] = {
    {"", "the address is empty"},
    {"10.0.0.1", "the port is missing: write 10.0.0.1:80"},
    {"10.0.0.1:", "the port is missing: write 10.0.0.1:80"},
    {"[::1]", "the port is missing: write [::1]:80"},
    {"web", "the port is missing: write web:80"},
    {"8080", "the port is missing: write 8080:80"},
    {"10.0.0.1:0", "is no port"},
    {"10.0.0.1:65536", "is no port"},
    {"10.0.0.1:99999999999999999999", "is no port"},
    {"10.0.0.1:+80", "\"+80\" is no port: write a number from 1 to 65535"},
    {"10.0.0.1:-80", "is no port"},
    {"10.0.0.1: 80", "is no port"},
    {"10.0.0.1:80 ", "is no port"},
    {"10.0.0.1:080", "is no port"},
    {"10.0.0.1:80/", "is no port"},
    {"10.0.0.1:http", "\"http\" is no port"},
    {"[::1]:", "is no port"},
    {"[::1]80", "write [::1]:80"},
    {"[::1", "the bracket is not closed"},
    {"[]:80", "is no IPv6 address"},
    {"[10.0.0.1]:80", "is no IPv6 address"},
    {"[::g]:80", "is no IPv6 address"},
    {"[fe80::1%eth0]:80", "has a zone"},
    {"::1", "in brackets, with the port behind them: write [::1]:80"},
    {"2001:db8::1", "write [2001:db8::1]:80"},
    {"a:b:80", "more than one colon"},
    {"10.0.0.256:80", "\"10.0.0.256\" is no IPv4 address"},
    {"10.0.1:80", "is no IPv4 address"},
    {"010.0.0.1:80", "is no IPv4 address"},
    {"10.0.0.1 :80", "is no host name"},
    {" web:80", "is no host name"},
    {"we b:80", "is no host name"},
    {"web..example:80", "is no host name"},
    {".:80", "is no host name"},
    {".web:80", "is no host name"},
    {"-web:80", "is no host name"},
    {"web-:80", "is no host name"},
    {"web-.example:80", "is no host name"},
    {"w\xc3\xa9"
     "b:80",
     "is no host name"},
    {"http//web:80", "is no host name"},
    {"unix:", "starts with a slash"},
    {"unix:run/x", "starts with a slash"},
};

START_TEST(bad_addresses_are_refused_with_a_way_out)
{
    struct endpoint e;
    struct error err = {""};
    ck_assert_int_eq(endpoint_parse(&e, bad[_i].text, &err), -1);
    ck_assert_msg(strstr(err.text, bad[_i].says) != NULL, "\"%s\": %s", bad[_i].text, err.text);
}
END_TEST

START_TEST(lengths_are_bounded)
{
    struct endpoint e;
    struct error err;
    char text[700];
    memset(text, 'a', sizeof text);
    strcpy(text + 63, ".b:80");
    ck_assert_int_eq(endpoint_parse(&e, text, &err), 0);
    strcpy(text + 63, "a.b:80"); /* a label of 64 */
    ck_assert_int_eq(endpoint_parse(&e, text, &err), -1);

    for (int i = 0; i < 600; i++)
        text[i] = i % 10 == 9 ? '.' : 'a';
    strcpy(text + 253, ":80");
    ck_assert_int_eq(endpoint_parse(&e, text, &err), 0);
    ck_assert_uint_eq(strlen(e.host), 253);
    text[253] = 'a';
    strcpy(text + 254, ":80");
    ck_assert_int_eq(endpoint_parse(&e, text, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "at most 253 bytes"));

    memset(text, 'a', sizeof text);
    memcpy(text, "unix:/", 6);
    text[5 + 107] = '\0';
    ck_assert_int_eq(endpoint_parse(&e, text, &err), 0);
    char out[ADDRESS_TEXT_MAX];
    ck_assert_str_eq(address_print(&e.address, out), text);
    strcpy(text + 5 + 107, "a");
    ck_assert_int_eq(endpoint_parse(&e, text, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "at most 107 bytes, this one has 108"));

    memset(text, '[', sizeof text);
    text[699] = '\0';
    ck_assert_int_eq(endpoint_parse(&e, text, &err), -1);
    memset(text, '9', 699);
    text[0] = ':';
    ck_assert_int_eq(endpoint_parse(&e, text, &err), -1);
}
END_TEST

static struct address parsed(const char *text)
{
    struct endpoint e;
    struct error err = {""};
    ck_assert_msg(endpoint_parse(&e, text, &err) == 0, "%s: %s", text, err.text);
    return e.address;
}

START_TEST(addresses_are_compared_and_hashed)
{
    static const char *const texts[] = {
        "10.0.0.1:80", "10.0.0.2:80", "10.0.0.1:81", "[::1]:80",
        "[::2]:80",    "[::1]:81",    "unix:/a",     "unix:/ab",
    };
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 8; j++) {
            struct address a = parsed(texts[i]), b = parsed(texts[j]);
            ck_assert_int_eq(address_equal(&a, &b), i == j);
        }
    }
    struct address none = {0}, one = parsed(texts[0]);
    ck_assert(address_equal(&none, &none) && !address_equal(&none, &one) && !address_equal(&one, &none));

    struct address a = parsed("10.0.0.1:80"), b = parsed("[::ffff:10.0.0.1]:999"), c = parsed("10.0.0.2:80");
    ck_assert_uint_eq(address_hash_ip(&a), address_hash_ip(&b));
    ck_assert_uint_ne(address_hash_ip(&a), address_hash_ip(&c));
    char out[ADDRESS_TEXT_MAX];
    ck_assert_str_eq(address_print_ip(&a, out), "10.0.0.1");
    ck_assert_str_eq(address_print_ip(&b, out), "10.0.0.1");
    a = parsed("[2001:db8::1]:80");
    ck_assert_str_eq(address_print_ip(&a, out), "2001:db8::1");
    address_set_port(&a, 81);
    ck_assert_str_eq(address_print(&a, out), "[2001:db8::1]:81");
    struct address client = {.len = sizeof(sa_family_t),
                             .any.sa_family = AF_UNIX}; /* as accept(2) gives it */
    ck_assert_str_eq(address_print(&client, out), "unix:");
    ck_assert_str_eq(address_print_ip(&client, out), "unix:");
}
END_TEST

START_TEST(the_system_resolves_names)
{
    struct address a;
    struct error err;
    char out[ADDRESS_TEXT_MAX];
    ck_assert_int_eq(address_resolve(&a, "localhost", 8080, &err), 0);
    address_print(&a, out);
    ck_assert_msg(strcmp(out, "127.0.0.1:8080") == 0 || strcmp(out, "[::1]:8080") == 0, "%s", out);
    ck_assert_int_eq(address_resolve(&a, "no such name", 8080, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "cannot resolve \"no such name\": "));
    ck_assert_uint_eq(a.len, 0);
}
END_TEST

/* ---- listeners ---- */

/* On a port that the kernel chooses: endpoint_parse() would refuse port 0, so it is set here. */
static int listen_anywhere(const char *text, struct address *bound)
{
    struct error err = {""};
    struct address a = parsed(text);
    address_set_port(&a, 0);
    int fd = listener_open(&a, &err);
    ck_assert_msg(fd >= 0, "%s", err.text);
    *bound = (struct address){.len = sizeof bound->storage};
    ck_assert_int_eq(getsockname(fd, &bound->any, &bound->len), 0);
    return fd;
}

static bool can_connect(const struct address *to)
{
    int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    bool connected = connect(fd, &to->any, to->len) == 0;
    close(fd);
    return connected;
}

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

START_TEST(a_listener_is_set_up)
{
    struct address bound;
    int fd = listen_anywhere("127.0.0.1:1", &bound);
    ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_REUSEADDR), 1);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    ck_assert(can_connect(&bound));
    int accepted = accept(fd, NULL, NULL);
    ck_assert_int_ge(accepted, 0);
    ck_assert_int_eq(option_of(accepted, IPPROTO_TCP, TCP_NODELAY), 1);
    close(accepted);
    close(fd);
    ck_assert(!can_connect(&bound));
}
END_TEST

START_TEST(all_addresses_are_both_families)
{
    struct address bound, local;
    char text[64];
    int fd = listen_anywhere("*:1", &bound);
    snprintf(text, sizeof text, "127.0.0.1:%u", address_port(&bound));
    local = parsed(text);
    ck_assert(can_connect(&local));
    if (bound.any.sa_family == AF_INET6) {
        snprintf(text, sizeof text, "[::1]:%u", address_port(&bound));
        local = parsed(text);
        int probe = socket(AF_INET6, SOCK_STREAM, 0);
        struct address loopback = parsed("[::1]:1");
        address_set_port(&loopback, 0);
        if (bind(probe, &loopback.any, loopback.len) == 0) /* ::1 may be switched off */
            ck_assert(can_connect(&local));
        close(probe);
    }
    close(fd);
}
END_TEST

START_TEST(an_address_in_use_is_named_with_what_to_do)
{
    struct address bound;
    struct error err = {""};
    char expected[200];
    int fd = listen_anywhere("127.0.0.1:1", &bound);
    unsigned port = address_port(&bound);
    ck_assert_int_eq(listener_open(&bound, &err), -1);
    snprintf(expected, sizeof expected,
             "cannot listen on 127.0.0.1:%u: the address is in use; see who has it: ss -ltnp 'sport = :%u'",
             port, port);
    ck_assert_str_eq(err.text, expected);
    struct address any = parsed("*:1");
    address_set_port(&any, (uint16_t)port);
    ck_assert_int_eq(listener_open(&any, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "it stands for IPv4, too"));
    close(fd);
    fd = listener_open(&bound, &err); /* at once, whatever is left in TIME_WAIT */
    ck_assert_int_ge(fd, 0);
    close(fd);
}
END_TEST

START_TEST(a_foreign_address_is_explained)
{
    struct address a = parsed("192.0.2.1:8080");
    struct error err = {""};
    ck_assert_int_eq(listener_open(&a, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "cannot listen on 192.0.2.1:8080: no interface"));
}
END_TEST

/* Only where low ports are low and the test may give up root. */
START_TEST(a_low_port_is_explained)
{
    int first = 1024;
    FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
    if (f) {
        if (fscanf(f, "%d", &first) != 1)
            first = 0;
        fclose(f);
    }
    if (first < 2)
        return;
    pid_t child = fork();
    if (child == 0) {
        struct address a = parsed("127.0.0.1:1");
        struct error err = {""};
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        _exit(listener_open(&a, &err) == -1 && strstr(err.text, "permission denied: low ports need root")
                  ? 0
                  : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

static char directory[64];
static struct address socket_file;

static void make_directory(void)
{
    char text[100];
    strcpy(directory, "/tmp/noxy-net-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(text, sizeof text, "unix:%s/s", directory);
    socket_file = parsed(text);
}

static void remove_directory(void)
{
    unlink(socket_file.un.sun_path);
    rmdir(directory);
}

START_TEST(a_stale_unix_socket_is_replaced)
{
    struct error err = {""};
    int fd = listener_open(&socket_file, &err);
    ck_assert_msg(fd >= 0, "%s", err.text);
    close(fd); /* the file stays */
    ck_assert(!can_connect(&socket_file));
    fd = listener_open(&socket_file, &err);
    ck_assert_msg(fd >= 0, "%s", err.text);
    ck_assert(can_connect(&socket_file));
    close(fd);
}
END_TEST

START_TEST(a_unix_socket_that_answers_is_left_alone)
{
    struct error err = {""};
    char expected[300];
    int fd = listener_open(&socket_file, &err);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(listener_open(&socket_file, &err), -1);
    snprintf(expected, sizeof expected,
             "cannot listen on unix:%s: it is in use; see who has it: ss -lxp 'src %s'",
             socket_file.un.sun_path, socket_file.un.sun_path);
    ck_assert_str_eq(err.text, expected);
    ck_assert(can_connect(&socket_file));

    ck_assert_int_eq(listen(fd, 0), 0); /* nor is one whose queue is full taken for a stale one */
    int waiting[8];
    for (int i = 0; i < 8; i++) {
        waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(waiting[i], &socket_file.any, socket_file.len) != 0)
            ck_assert_int_eq(errno, EAGAIN);
    }
    ck_assert_int_eq(listener_open(&socket_file, &err), -1);
    ck_assert_int_eq(access(socket_file.un.sun_path, F_OK), 0);
    for (int i = 0; i < 8; i++)
        close(waiting[i]);
    close(fd);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_never_removed)
{
    struct error err = {""};
    int fd = open(socket_file.un.sun_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(listener_open(&socket_file, &err), -1);
    ck_assert_int_eq(access(socket_file.un.sun_path, F_OK), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net");
    TCase *addresses = tcase_create("addresses");
    tcase_add_loop_test(addresses, addresses_are_parsed_and_printed, 0, (int)(sizeof good / sizeof good[0]));
    tcase_add_loop_test(addresses, bad_addresses_are_refused_with_a_way_out, 0,
                        (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(addresses, lengths_are_bounded);
    tcase_add_test(addresses, addresses_are_compared_and_hashed);
    tcase_add_test(addresses, the_system_resolves_names);
    suite_add_tcase(suite, addresses);

    TCase *listeners = tcase_create("listeners");
    tcase_add_test(listeners, a_listener_is_set_up);
    tcase_add_test(listeners, all_addresses_are_both_families);
    tcase_add_test(listeners, an_address_in_use_is_named_with_what_to_do);
    tcase_add_test(listeners, a_foreign_address_is_explained);
    tcase_add_test(listeners, a_low_port_is_explained);
    suite_add_tcase(suite, listeners);

    TCase *unix_sockets = tcase_create("unix sockets");
    tcase_add_checked_fixture(unix_sockets, make_directory, remove_directory);
    tcase_add_test(unix_sockets, a_stale_unix_socket_is_replaced);
    tcase_add_test(unix_sockets, a_unix_socket_that_answers_is_left_alone);
    tcase_add_test(unix_sockets, a_file_that_is_no_socket_is_never_removed);
    suite_add_tcase(suite, unix_sockets);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
