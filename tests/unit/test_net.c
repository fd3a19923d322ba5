#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/address.h"
#include "net/listener.h"
#include "net/resolver.h"

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

/* ---- the resolver, against a name server of our own ---- */

enum { BIG_ANSWER = 28 }; /* addresses of big.test: more than fit an answer over UDP */

static struct loop *loop;
static struct resolver *resolver;
static pid_t name_server;
static int name_server_udp, name_server_tcp;

/* One question's answer into `out`; its length, 0: none. By the question's name. */
static size_t make_answer(const unsigned char *question, size_t len, bool udp, unsigned char *out)
{
    char name[256] = "";
    size_t at = 12, n = 0, answers = 0;
    while (at < len && question[at] != 0 && at + 1u + question[at] < len &&
           n + question[at] + 1u < sizeof name) {
        memcpy(name + n, question + at + 1, question[at]);
        n += question[at];
        name[n++] = '.';
        at += 1u + question[at];
    }
    unsigned type = (unsigned)question[at + 1] << 8 | question[at + 2];
    size_t end = at + 5; /* behind the question */
    memcpy(out, question, end);
    memset(out + 6, 0, 6);
    out[2] = 0x81; /* a response, recursion desired */
    out[3] = 0x80; /* recursion available */
    bool big = strcmp(name, "big.test.") == 0, one = strcmp(name, "one.test.") == 0;
    bool mute = strcmp(name, "mute.test.") == 0;
    if (strcmp(name, "silent.test.") == 0 || (mute && !udp))
        return 0;
    if (strcmp(name, "broken.test.") == 0)
        out[3] |= 2; /* SERVFAIL */
    else if (!big && !one && !mute && strcmp(name, "both.test.") != 0 && strcmp(name, "empty.test.") != 0)
        out[3] |= 3; /* NXDOMAIN */
    else if (type == 1 && big)
        answers = BIG_ANSWER;
    else if (type == 1 && strcmp(name, "empty.test.") != 0)
        answers = 1;
    else if (type == 28 && strcmp(name, "both.test.") == 0)
        answers = 1;
    if ((answers == BIG_ANSWER || mute) && udp) {
        out[2] |= 2; /* truncated: ask over TCP */
        return end;
    }
    out[7] = (unsigned char)answers;
    for (size_t i = 0; i < answers; i++) {
        static const unsigned char ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
        unsigned char record[12] = {0xc0, 12, 0, (unsigned char)type, 0, 1, 0, 0,
                                    0,    60, 0, type == 28 ? 16 : 4};
        unsigned char ipv4[4] = {192, 0, 2, (unsigned char)(i + 1)};
        memcpy(out + end, record, 12);
        memcpy(out + end + 12, type == 28 ? ipv6 : ipv4, record[11]);
        end += 12u + record[11];
    }
    return end;
}

static bool read_all(int fd, unsigned char *to, size_t len)
{
    for (ssize_t n; len > 0; to += n, len -= (size_t)n)
        if ((n = read(fd, to, len)) <= 0)
            return false;
    return true;
}

/* One connection's questions; every other answer in three pieces: that tries a reader of edges. */
static void serve_tcp(int fd, bool whole)
{
    unsigned char head[2], question[512], answer[2048];
    while (read_all(fd, head, 2)) {
        size_t len = (size_t)head[0] << 8 | head[1];
        if (len > sizeof question || !read_all(fd, question, len))
            break;
        size_t n = make_answer(question, len, false, answer + 2);
        if (n == 0)
            continue;
        answer[0] = (unsigned char)(n >> 8);
        answer[1] = (unsigned char)n;
        size_t cuts[] = {0, whole ? 0 : 1, whole ? 0 : 20, n + 2};
        for (int i = 0; i < 3; i++) {
            if (write(fd, answer + cuts[i], cuts[i + 1] - cuts[i]) < 0)
                break;
            if (!whole)
                poll(NULL, 0, 10);
        }
        whole = !whole;
    }
    close(fd);
}

static void serve_names(void)
{
    struct pollfd p[2] = {{.fd = name_server_udp, .events = POLLIN},
                          {.fd = name_server_tcp, .events = POLLIN}};
    for (bool whole = true;;) {
        unsigned char question[512], answer[2048];
        struct sockaddr_in from;
        socklen_t from_len = sizeof from;
        poll(p, 2, -1);
        if (p[0].revents) {
            ssize_t n =
                recvfrom(name_server_udp, question, sizeof question, 0, (struct sockaddr *)&from, &from_len);
            size_t len = n >= 17 ? make_answer(question, (size_t)n, true, answer) : 0;
            if (len > 0)
                sendto(name_server_udp, answer, len, 0, (struct sockaddr *)&from, from_len);
        }
        if (p[1].revents) {
            int fd = accept(name_server_tcp, NULL, NULL);
            if (fd >= 0 && fork() == 0) {
                serve_tcp(fd, whole);
                _exit(0);
            }
            whole = !whole;
            close(fd);
        }
    }
}

static void start_resolver(void)
{
    struct error err = {""};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    char servers[64];
    for (int tries = 0;; tries++) { /* a port that is free for both */
        a.sin_port = 0;
        name_server_tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        name_server_udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(name_server_tcp, (struct sockaddr *)&a, sizeof a), 0);
        ck_assert_int_eq(getsockname(name_server_tcp, (struct sockaddr *)&a, &len), 0);
        if (bind(name_server_udp, (struct sockaddr *)&a, sizeof a) == 0)
            break;
        ck_assert_int_lt(tries, 20);
        close(name_server_tcp);
        close(name_server_udp);
    }
    ck_assert_int_eq(listen(name_server_tcp, 16), 0);
    name_server = fork();
    if (name_server == 0) {
        signal(SIGCHLD, SIG_IGN);
        serve_names();
    }
    loop = loop_new(&err);
    ck_assert_ptr_nonnull(loop);
    resolver = resolver_new(loop, 300000, 2, &err);
    ck_assert_msg(resolver != NULL, "%s", err.text);
    snprintf(servers, sizeof servers, "127.0.0.1:%u", ntohs(a.sin_port));
    ck_assert_int_eq(resolver_use_servers(resolver, servers, &err), 0);
}

static void stop_resolver(void)
{
    kill(name_server, SIGKILL);
    waitpid(name_server, NULL, 0);
    close(name_server_udp);
    close(name_server_tcp);
    resolver_free(resolver);
    loop_free(loop);
}

struct asked {
    unsigned calls, count;
    bool has_ipv6;
    char first[ADDRESS_TEXT_MAX], reason[128];
};

static unsigned waiting_for;

static void answered(void *context, const struct address *addresses, unsigned count, const char *reason)
{
    struct asked *q = context;
    q->calls++;
    q->count = count;
    snprintf(q->reason, sizeof q->reason, "%s", reason ? reason : "");
    for (unsigned i = 0; i < count; i++)
        q->has_ipv6 |= addresses[i].any.sa_family == AF_INET6;
    if (count > 0)
        address_print(&addresses[0], q->first);
    if (waiting_for > 0 && --waiting_for == 0)
        loop_stop(loop);
}

static void out_of_time(struct timer *t)
{
    (void)t;
    loop_stop(loop);
}

/* Runs the loop until `n` answers are there, 5 s at most. */
static void await(unsigned n)
{
    struct timer limit = {.fire = out_of_time};
    waiting_for = n;
    loop_timer_set(loop, &limit, 5000000);
    loop_run(loop);
    loop_timer_stop(loop, &limit);
    ck_assert_uint_eq(waiting_for, 0);
}

static struct asked ask(const char *name)
{
    struct asked q = {0};
    resolver_ask(resolver, name, 8080, answered, &q);
    if (q.calls == 0)
        await(1);
    ck_assert_uint_eq(q.calls, 1);
    return q;
}

START_TEST(names_resolve)
{
    struct asked q = ask("one.test.");
    ck_assert_uint_eq(q.count, 1);
    ck_assert_str_eq(q.first, "192.0.2.1:8080");
    q = ask("both.test.");
    ck_assert_uint_eq(q.count, 2);
    ck_assert(q.has_ipv6);
    q = ask("localhost"); /* /etc/hosts */
    ck_assert_uint_ge(q.count, 1);
    ck_assert_msg(strcmp(q.first, "127.0.0.1:8080") == 0 || strcmp(q.first, "[::1]:8080") == 0, "%s",
                  q.first);
    q = ask("192.0.2.7");
    ck_assert_str_eq(q.first, "192.0.2.7:8080");
}
END_TEST

START_TEST(a_truncated_answer_is_asked_for_over_tcp)
{
    for (int i = 0; i < 4; i++) {
        uint64_t before = clock_monotonic_us();
        struct asked q = ask("big.test.");
        ck_assert_uint_eq(q.count, BIG_ANSWER);
        ck_assert_uint_lt(clock_monotonic_us() - before, 250000); /* not by way of a timeout */
    }
    struct asked both[2] = {0};
    resolver_ask(resolver, "big.test.", 80, answered, &both[0]);
    resolver_ask(resolver, "big.test.", 80, answered, &both[1]);
    await(2);
    ck_assert_uint_eq(both[0].count, BIG_ANSWER);
    ck_assert_uint_eq(both[1].count, BIG_ANSWER);
}
END_TEST

static void ask_on_open_connection(struct timer *t)
{
    static struct asked q;
    (void)t;
    resolver_ask(resolver, "big.test.", 80, answered, &q);
}

/* The second question finds a connection that has been writable for long: no edge will tell. */
START_TEST(a_question_on_an_open_connection_is_sent_at_once)
{
    struct asked mute = {0};
    struct timer later = {.fire = ask_on_open_connection};
    uint64_t before = clock_monotonic_us();
    resolver_ask(resolver, "mute.test.", 80, answered, &mute);
    loop_timer_set(loop, &later, 100000);
    await(1);
    ck_assert_uint_eq(mute.calls, 0);
    ck_assert_uint_lt(clock_monotonic_us() - before, 250000);
}
END_TEST

START_TEST(many_questions_at_once)
{
    enum { MANY = 200 };
    static struct asked q[MANY];
    for (int i = 0; i < MANY; i++)
        resolver_ask(resolver, i % 2 ? "one.test." : "nx.test.", (uint16_t)(i + 1), answered, &q[i]);
    await(MANY);
    for (int i = 0; i < MANY; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "192.0.2.1:%d", i + 1);
        ck_assert_uint_eq(q[i].calls, 1);
        ck_assert_str_eq(q[i].first, i % 2 ? expected : "");
        ck_assert_str_eq(q[i].reason, i % 2 ? "" : "no such name");
    }
}
END_TEST

START_TEST(failures_are_told_in_words)
{
    ck_assert_str_eq(ask("nx.test.").reason, "no such name");
    ck_assert_str_eq(ask("empty.test.").reason, "the name has no address");
    ck_assert_str_eq(ask("broken.test.").reason, "no name server gives an answer");
    uint64_t before = clock_monotonic_us();
    ck_assert_str_eq(ask("silent.test.").reason, "the name server does not answer in time");
    ck_assert_uint_lt(clock_monotonic_us() - before, 3000000);
}
END_TEST

START_TEST(a_name_server_that_is_gone_is_told)
{
    struct error err;
    ck_assert_int_eq(resolver_use_servers(resolver, "127.0.0.1:1", &err), 0);
    ck_assert_str_eq(ask("one.test.").reason, "no name server gives an answer");
    ck_assert_int_eq(resolver_use_servers(resolver, "nonsense", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "cannot use the name servers \"nonsense\""));
}
END_TEST

START_TEST(freeing_ends_questions_without_an_answer)
{
    struct asked q = {0};
    resolver_ask(resolver, "silent.test.", 80, answered, &q);
    resolver_free(resolver);
    resolver = NULL;
    ck_assert_uint_eq(q.calls, 0);
}
END_TEST

static void ask_again(void *context, const struct address *addresses, unsigned count, const char *reason)
{
    (void)addresses, (void)count, (void)reason;
    resolver_ask(resolver, "one.test.", 80, answered, context);
}

START_TEST(an_answer_may_ask_again)
{
    struct asked q = {0};
    resolver_ask(resolver, "nx.test.", 80, ask_again, &q);
    await(1);
    ck_assert_str_eq(q.first, "192.0.2.1:80");
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

    TCase *names = tcase_create("resolver");
    tcase_set_timeout(names, 20);
    tcase_add_checked_fixture(names, start_resolver, stop_resolver);
    tcase_add_test(names, names_resolve);
    tcase_add_test(names, a_truncated_answer_is_asked_for_over_tcp);
    tcase_add_test(names, a_question_on_an_open_connection_is_sent_at_once);
    tcase_add_test(names, many_questions_at_once);
    tcase_add_test(names, failures_are_told_in_words);
    tcase_add_test(names, a_name_server_that_is_gone_is_told);
    tcase_add_test(names, freeing_ends_questions_without_an_answer);
    tcase_add_test(names, an_answer_may_ask_again);
    suite_add_tcase(suite, names);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
