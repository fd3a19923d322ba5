/*
 * The check engine and the look-ups, with real servers on the loopback. long: one fixture (engine, log,
 * servers, name server) is used by all of it.
 */
#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/random.h"
#include "health/health.h"
#include "health/lookup.h"
#include "log/log.h"
#include "net/listener.h"
#include "net/resolver.h"

/* ---- a backend, an engine and a log, with real servers on the loopback ---- */

enum { SERVERS_MAX = 300, MS = 1000, PATIENCE_MS = 20000 };

static struct loop *loop;
static struct health_engine *engine;
static struct backend backend;
static struct health_part part;
static struct server servers[SERVERS_MAX];
static struct server *server_list[SERVERS_MAX];
static char names[SERVERS_MAX][64], log_path[64];

static void set_up(void)
{
    struct error err = {""};
    random_seed();
    ck_assert_msg(state_open(&err) == 0, "%s", err.text);
    loop = loop_new(&err);
    ck_assert_ptr_nonnull(loop);
    strcpy(log_path, "/tmp/noxy-health-XXXXXX");
    close(mkstemp(log_path));
    struct log_conf log = {.target = LOG_TARGET_FILE, .path = log_path, .level = LOG_LEVEL_INFO};
    ck_assert_msg(log_open(&log, &err) == 0, "%s", err.text);
    memset(servers, 0, sizeof servers);
    part = (struct health_part){.effect = {true, 100 * MS, 100 * MS, 2, 3}};
    backend = (struct backend){.name = "b", .servers = server_list, .health = &part};
}

static void tear_down(void)
{
    health_free(engine);
    engine = NULL;
    loop_free(loop);
    state_close();
    log_close();
    unlink(log_path);
}

/* Another server of the backend, by its address or name. */
static struct server *add_server(const char *addr_port)
{
    struct error err = {""};
    uint32_t i = backend.server_count++;
    struct server *s = server_list[i] = &servers[i];
    *s = (struct server){
        .name = names[i], .addr_port = addr_port, .weight = 1, .backend = &backend, .index = i};
    snprintf(names[i], sizeof names[i], "s%u", i);
    ck_assert_msg(endpoint_parse(&s->endpoint, addr_port, &err) == 0, "%s", err.text);
    ck_assert_msg(backend_bind_state(&backend, &err) == 0, "%s", err.text);
    return s;
}

static void start_engine(void)
{
    static struct backend *const list[] = {&backend};
    struct error err = {""};
    engine = health_start(loop, list, 1, &err);
    ck_assert_msg(engine != NULL, "%s", err.text);
}

static void stop_timer(struct timer *t)
{
    (void)t;
    loop_stop(loop);
}

static void run_for(uint64_t ms)
{
    struct timer t = {.fire = stop_timer};
    loop_timer_set(loop, &t, 0); /* the loop's clock may have stood still between two runs */
    loop_run(loop);
    loop_timer_set(loop, &t, ms * MS);
    loop_run(loop);
}

static enum health health_of(const struct server *s)
{
    return (enum health)atomic_load(&s->slot->health);
}

/* Runs until the server's health is `h`; how many ms that took. */
static uint64_t await_health(const struct server *s, enum health h)
{
    run_for(0);
    uint64_t start = loop_now(loop);
    while (health_of(s) != h && loop_now(loop) - start < PATIENCE_MS * MS)
        run_for(5);
    ck_assert_msg(health_of(s) == h, "health is %d after %d ms", health_of(s), PATIENCE_MS);
    return (loop_now(loop) - start) / MS;
}

static const char *reason_of(const struct server *s)
{
    static char text[200];
    state_read_text(&s->slot->health_reason, text, sizeof text);
    return text;
}

static uint64_t counter_of(const struct server *s, enum counter c)
{
    return atomic_load(&state_block(s->slot)->counter[c]);
}

/* Runs until it is at least `n`. */
static void await_counter(const struct server *s, enum counter c, uint64_t n)
{
    for (uint64_t i = 0; counter_of(s, c) < n && i < PATIENCE_MS / 5; i++)
        run_for(5);
    ck_assert_uint_ge(counter_of(s, c), n);
}

/* How many lines of the log have `text`. */
static unsigned logged(const char *text)
{
    char line[4200];
    unsigned count = 0;
    FILE *f = fopen(log_path, "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f))
        count += strstr(line, text) != NULL;
    fclose(f);
    return count;
}

/* A server on a port of the loopback, which it keeps when stopped and started again. */
struct origin {
    int fd;
    struct sockaddr_in addr;
    char text[32];
};

static void origin_start(struct origin *o, int backlog)
{
    int on = 1;
    socklen_t len = sizeof o->addr;
    o->addr.sin_family = AF_INET;
    /* An address of this process's own: nobody else takes the port while the server is stopped. */
    o->addr.sin_addr.s_addr = htonl(0x7f800000u | ((uint32_t)getpid() & 0x7fffff));
    o->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(o->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ck_assert_int_eq(bind(o->fd, (struct sockaddr *)&o->addr, len), 0);
    ck_assert_int_eq(listen(o->fd, backlog), 0);
    ck_assert_int_eq(getsockname(o->fd, (struct sockaddr *)&o->addr, &len), 0);
    snprintf(o->text, sizeof o->text, "%s:%u", inet_ntoa(o->addr.sin_addr), ntohs(o->addr.sin_port));
}

/* Takes what has connected; how many. */
static unsigned origin_accept(struct origin *o)
{
    unsigned count = 0;
    for (int fd; (fd = accept(o->fd, NULL, NULL)) >= 0; count++)
        close(fd);
    return count;
}

/* A server that accepts nothing: its queue is full, so that connection attempts hang. */
static void origin_start_hanging(struct origin *o, int *filler)
{
    origin_start(o, 0);
    for (int i = 0; i < 4; i++) {
        filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(filler[i], (struct sockaddr *)&o->addr, sizeof o->addr);
    }
    usleep(20000);
}

/* ---- checks and verdicts ---- */

START_TEST(a_server_that_accepts_is_up_after_the_first_check)
{
    struct origin o = {0};
    char line[200];
    origin_start(&o, 100);
    struct server *s = add_server(o.text);
    ck_assert_int_eq(health_of(s), HEALTH_UNKNOWN);
    start_engine();
    uint64_t began = loop_now(loop);
    await_health(s, HEALTH_UP);
    ck_assert_uint_eq(counter_of(s, COUNTER_CHECKS_PASSED), 1);
    ck_assert_str_eq(reason_of(s), "first check passed");
    await_counter(s, COUNTER_CHECKS_PASSED, 4);
    snprintf(line, sizeof line, "Backend [b:s0/%s] is now up", o.text);
    ck_assert_uint_eq(logged(line), 1);
    ck_assert_uint_eq(logged("Backend"), 1);
    unsigned made = origin_accept(&o);
    ck_assert_uint_le(made, 2 + (loop_now(loop) - began) / (75 * MS)); /* the first comes at once */
    ck_assert_uint_ge(made, counter_of(s, COUNTER_CHECKS_PASSED));
    ck_assert_uint_le(made, counter_of(s, COUNTER_CHECKS_PASSED) + 1); /* one may be under way */
    ck_assert_uint_eq(counter_of(s, COUNTER_CHECKS_FAILED), 0);
    close(o.fd);
}
END_TEST

START_TEST(a_server_that_refuses_is_down_after_the_first_check)
{
    struct origin o = {0};
    char line[200];
    origin_start(&o, 1);
    close(o.fd);
    struct server *s = add_server(o.text);
    start_engine();
    await_health(s, HEALTH_DOWN);
    ck_assert_uint_eq(counter_of(s, COUNTER_CHECKS_FAILED), 1);
    ck_assert_str_eq(reason_of(s), "connect refused, first check");
    await_counter(s, COUNTER_CHECKS_FAILED, 3);
    snprintf(line, sizeof line, "Backend [b:s0/%s] is now down: connect refused, first check", o.text);
    ck_assert_uint_eq(logged(line), 1);
    ck_assert_uint_eq(logged("Backend"), 1);
}
END_TEST

START_TEST(fall_failures_take_down_and_rise_passes_bring_back)
{
    struct origin o = {0};
    origin_start(&o, 100);
    struct server *s = add_server(o.text);
    start_engine();
    await_health(s, HEALTH_UP);
    run_for(150);
    close(o.fd);
    uint64_t failed_before = counter_of(s, COUNTER_CHECKS_FAILED);
    uint64_t took = await_health(s, HEALTH_DOWN);
    ck_assert_msg(took >= 195, "%llu ms", (unsigned long long)took);
    ck_assert_uint_eq(counter_of(s, COUNTER_CHECKS_FAILED) - failed_before, 3);
    ck_assert_str_eq(reason_of(s), "connect refused, 3 of 3 checks");
    ck_assert_uint_eq(logged("is now down: connect refused, 3 of 3 checks"), 1);
    run_for(200);
    uint64_t passed_before = counter_of(s, COUNTER_CHECKS_PASSED);
    origin_start(&o, 100);
    await_health(s, HEALTH_UP);
    ck_assert_uint_eq(counter_of(s, COUNTER_CHECKS_PASSED) - passed_before, 2);
    ck_assert_str_eq(reason_of(s), "2 of 2 checks passed");
    ck_assert_uint_eq(logged("is now up"), 2);
    ck_assert_uint_eq(logged("is now down"), 1);
    close(o.fd);
}
END_TEST

START_TEST(failures_count_only_in_a_row)
{
    struct origin o = {0};
    origin_start(&o, 100);
    struct server *s = add_server(o.text);
    start_engine();
    await_health(s, HEALTH_UP);
    for (int round = 0; round < 3; round++) {
        uint64_t failed = counter_of(s, COUNTER_CHECKS_FAILED), passed = counter_of(s, COUNTER_CHECKS_PASSED);
        close(o.fd);
        while (counter_of(s, COUNTER_CHECKS_FAILED) < failed + 2)
            run_for(5);
        origin_start(&o, 100);
        while (counter_of(s, COUNTER_CHECKS_PASSED) == passed)
            run_for(5);
        ck_assert_int_eq(health_of(s), HEALTH_UP);
    }
    ck_assert_uint_eq(logged("is now down"), 0);
    close(o.fd);
}
END_TEST

START_TEST(a_server_that_hangs_times_out)
{
    struct origin o = {0};
    int filler[4];
    origin_start_hanging(&o, filler);
    part.effect.timeout = 60 * MS;
    struct server *s = add_server(o.text);
    start_engine();
    uint64_t took = await_health(s, HEALTH_DOWN);
    ck_assert_msg(took >= 55, "%llu ms", (unsigned long long)took);
    ck_assert_str_eq(reason_of(s), "no connection within 60 ms, first check");
    for (int i = 0; i < 4; i++)
        close(filler[i]);
    close(o.fd);
}
END_TEST

START_TEST(a_server_behind_a_unix_socket_is_checked)
{
    struct error err = {""};
    struct endpoint e;
    char text[100];
    snprintf(text, sizeof text, "unix:%s.sock", log_path);
    ck_assert_int_eq(endpoint_parse(&e, text, &err), 0);
    int fd = listener_open(&e.address, &err);
    ck_assert_msg(fd >= 0, "%s", err.text);
    struct server *s = add_server(text);
    start_engine();
    await_health(s, HEALTH_UP);
    close(fd);
    await_health(s, HEALTH_DOWN);
    ck_assert_str_eq(reason_of(s), "connect refused, 3 of 3 checks");
    unlink(e.address.un.sun_path);
}
END_TEST

START_TEST(what_traffic_took_out_is_noticed_and_brought_back)
{
    struct origin o = {0};
    part.effect.interval = 60000 * MS;
    origin_start(&o, 100);
    struct server *s = add_server(o.text);
    start_engine();
    await_health(s, HEALTH_UP);
    atomic_store(&s->slot->failures, 3);
    server_set_health(s, HEALTH_DOWN, "3 failures of traffic in a row");
    await_health(s, HEALTH_UP); /* long before the interval's next check */
    ck_assert_str_eq(reason_of(s), "2 of 2 checks passed");
    ck_assert_uint_eq(counter_of(s, COUNTER_CHECKS_PASSED), 3);
    ck_assert_uint_eq(atomic_load(&s->slot->failures), 0);
    close(o.fd);
}
END_TEST

START_TEST(checks_tell_better_why_what_traffic_took_out_is_down)
{
    struct origin o = {0};
    origin_start(&o, 100);
    struct server *s = add_server(o.text);
    start_engine();
    await_health(s, HEALTH_UP);
    close(o.fd);
    server_set_health(s, HEALTH_DOWN, "3 failures of traffic in a row");
    await_counter(s, COUNTER_CHECKS_FAILED, 4);
    ck_assert_int_eq(health_of(s), HEALTH_DOWN);
    ck_assert_str_eq(reason_of(s), "connect refused, 3 of 3 checks");
    ck_assert_uint_eq(logged("is now down"), 1);
}
END_TEST

START_TEST(health_goes_on_over_a_reload_without_a_line)
{
    struct origin up = {0}, down = {0};
    origin_start(&up, 100);
    origin_start(&down, 100);
    struct server *s = add_server(up.text), *d = add_server(down.text);
    close(down.fd);
    start_engine();
    await_health(s, HEALTH_UP);
    await_health(d, HEALTH_DOWN);
    ck_assert_uint_eq(logged("Backend"), 2);
    health_free(engine);
    start_engine();
    run_for(500);
    ck_assert_int_eq(health_of(s), HEALTH_UP);
    ck_assert_int_eq(health_of(d), HEALTH_DOWN);
    ck_assert_uint_eq(logged("Backend"), 2);

    health_free(engine); /* nor does one failure take an inherited server down at once */
    engine = NULL;
    close(up.fd);
    uint64_t failed = counter_of(s, COUNTER_CHECKS_FAILED);
    start_engine();
    await_health(s, HEALTH_DOWN);
    ck_assert_uint_eq(counter_of(s, COUNTER_CHECKS_FAILED) - failed, 3);
}
END_TEST

START_TEST(nobody_is_checked_when_checks_are_off)
{
    struct origin o = {0};
    origin_start(&o, 100);
    struct server *s = add_server(o.text), *left_down = add_server(o.text);
    server_set_health(left_down, HEALTH_DOWN, "by the configuration before");
    part.effect.enabled = false;
    start_engine();
    ck_assert_int_eq(health_of(left_down), HEALTH_UP);
    run_for(1300);
    ck_assert_int_eq(health_of(s), HEALTH_UNKNOWN);
    ck_assert_uint_eq(origin_accept(&o), 0);
    close(o.fd);
}
END_TEST

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    ck_assert_ptr_nonnull(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

START_TEST(at_most_256_checks_are_under_way)
{
    struct origin o = {0};
    int filler[4];
    origin_start_hanging(&o, filler);
    part.effect.interval = 10000 * MS;
    part.effect.timeout = 800 * MS;
    for (int i = 0; i < SERVERS_MAX; i++)
        add_server(o.text);
    unsigned before = open_descriptors();
    start_engine();
    while (open_descriptors() - before < 256)
        run_for(1);
    ck_assert_int_eq(health_of(&servers[0]), HEALTH_UNKNOWN);
    for (int i = 0; i < SERVERS_MAX; i++) /* those that had to wait get their turn, too */
        while (health_of(&servers[i]) != HEALTH_DOWN) {
            ck_assert_uint_le(open_descriptors() - before, 256);
            run_for(5);
        }
    for (int i = 0; i < 4; i++)
        close(filler[i]);
    close(o.fd);
}
END_TEST

START_TEST(checks_are_spread_over_the_interval)
{
    struct origin o = {0};
    part.effect.interval = part.effect.timeout = 2400 * MS;
    origin_start(&o, 100);
    for (int i = 0; i < 40; i++)
        add_server(o.text);
    start_engine();
    run_for(50);
    ck_assert_uint_eq(origin_accept(&o), 40);
    run_for(2350); /* the second checks: from a quarter to the whole of the interval */
    unsigned second = origin_accept(&o);
    ck_assert_uint_ge(second, 38);
    unsigned quarter[3];
    for (int i = 0; i < 3; i++) {
        run_for(600);
        quarter[i] = origin_accept(&o);
    }
    ck_assert_uint_le(quarter[0], 8);
    ck_assert_uint_gt(quarter[1], 3);
    ck_assert_uint_gt(quarter[2], 3);
    close(o.fd);
}
END_TEST

START_TEST(a_lack_of_descriptors_is_no_verdict)
{
    struct origin o = {0};
    struct rlimit old, low;
    origin_start(&o, 100);
    struct server *s = add_server(o.text);
    start_engine();
    await_health(s, HEALTH_UP);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = old;
    low.rlim_cur = 3;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    run_for(600);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    ck_assert_int_eq(health_of(s), HEALTH_UP);
    ck_assert_uint_eq(counter_of(s, COUNTER_CHECKS_FAILED), 0);
    ck_assert_uint_eq(logged("cannot be checked: Too many open files; it stays as it is"), 1);
    uint64_t passed = counter_of(s, COUNTER_CHECKS_PASSED);
    await_counter(s, COUNTER_CHECKS_PASSED, passed + 1);
    close(o.fd);
}
END_TEST

START_TEST(freeing_ends_checks_under_way)
{
    struct origin o = {0};
    int filler[4];
    origin_start_hanging(&o, filler);
    for (int i = 0; i < 10; i++)
        add_server(o.text);
    unsigned before = open_descriptors();
    start_engine();
    run_for(20);
    ck_assert_uint_eq(open_descriptors() - before, 10);
    health_free(engine);
    engine = NULL;
    ck_assert_uint_eq(open_descriptors(), before);
    run_for(300);
    ck_assert_int_eq(health_of(&servers[0]), HEALTH_UNKNOWN);
    for (int i = 0; i < 4; i++)
        close(filler[i]);
    close(o.fd);
}
END_TEST

/* ---- names ---- */

/* A name that no name server is asked for (RFC 7686): it never resolves. */
#define UNRESOLVABLE "nosuch.onion:80"

START_TEST(names_are_resolved_at_a_load)
{
    static struct backend *const list[] = {&backend};
    struct address a;
    char text[ADDRESS_TEXT_MAX];
    struct server *good = add_server("localhost:8080"), *bad = add_server(UNRESOLVABLE);
    struct server *literal = add_server("10.0.0.1:80");
    health_resolve_all(list, 1, 1000 * MS);
    ck_assert(server_address(good, &a));
    address_print(&a, text);
    ck_assert_msg(strcmp(text, "127.0.0.1:8080") == 0 || strcmp(text, "[::1]:8080") == 0, "%s", text);
    ck_assert_int_eq(health_of(good), HEALTH_UNKNOWN);
    ck_assert_int_eq(health_of(literal), HEALTH_UNKNOWN);
    ck_assert(!server_address(bad, &a));
    ck_assert_int_eq(health_of(bad), HEALTH_DOWN);
    ck_assert_str_eq(reason_of(bad), "cannot resolve \"nosuch.onion\": no such name");
    ck_assert_uint_eq(
        logged("Backend [b:s1]: cannot resolve \"nosuch.onion\": no such name; it is down until it does"), 1);
    ck_assert_uint_eq(logged("Backend"), 1);

    state_set_address(bad->slot, &literal->endpoint.address.any, literal->endpoint.address.len);
    health_resolve_all(list, 1, 1000 * MS); /* what has an address is left to the manager */
    ck_assert_uint_eq(logged("Backend"), 1);
}
END_TEST

START_TEST(a_named_server_is_checked_once_it_resolves)
{
    struct endpoint any;
    struct error err = {""};
    struct address bound = {.len = sizeof bound.storage};
    char addr_port[40];
    ck_assert_int_eq(endpoint_parse(&any, "*:1", &err), 0);
    address_set_port(&any.address, 0);
    int fd = listener_open(&any.address, &err); /* localhost may be of either family */
    ck_assert_msg(fd >= 0, "%s", err.text);
    ck_assert_int_eq(getsockname(fd, &bound.any, &bound.len), 0);
    snprintf(addr_port, sizeof addr_port, "localhost:%u", address_port(&bound));
    struct server *s = add_server(addr_port);
    state_set_health(s->slot, HEALTH_DOWN, "cannot resolve \"localhost\": no such name");
    start_engine();
    await_health(s, HEALTH_UP);
    ck_assert_str_eq(reason_of(s), "first check passed"); /* not `rise` of them */
    ck_assert_uint_eq(counter_of(s, COUNTER_CHECKS_PASSED), 1);
    ck_assert_uint_eq(logged("\"localhost\" resolves"), 1);
    ck_assert_uint_eq(logged("is now up"), 1);
    close(fd);
}
END_TEST

START_TEST(an_unresolved_server_is_down_with_the_reason)
{
    struct server *s = add_server(UNRESOLVABLE);
    start_engine();
    run_for(200);
    ck_assert_int_eq(health_of(s), HEALTH_DOWN);
    ck_assert_str_eq(reason_of(s), "cannot resolve \"nosuch.onion\": no such name");
    ck_assert_uint_eq(logged("is now down: cannot resolve \"nosuch.onion\": no such name"), 1);
    ck_assert_uint_eq(counter_of(s, COUNTER_CHECKS_FAILED), 0);
    run_for(2100); /* asked again, told once */
    ck_assert_uint_eq(logged("Backend"), 1);
}
END_TEST

START_TEST(an_address_stays_in_use_when_the_name_fails)
{
    struct origin o = {0};
    origin_start(&o, 100);
    struct server *s = add_server(UNRESOLVABLE);
    state_set_address(s->slot, (struct sockaddr *)&o.addr, sizeof o.addr);
    start_engine();
    await_health(s, HEALTH_UP);
    run_for(2200);
    ck_assert_int_eq(health_of(s), HEALTH_UP);
    ck_assert_uint_eq(logged("cannot resolve \"nosuch.onion\": no such name; the address stays in use"), 1);
    close(o.fd);
}
END_TEST

START_TEST(a_named_server_without_checks_is_up_when_it_resolves)
{
    part.effect.enabled = false;
    struct server *s = add_server("localhost:1");
    state_set_health(s->slot, HEALTH_DOWN, "cannot resolve \"localhost\": no such name");
    start_engine();
    run_for(50);
    ck_assert_int_eq(health_of(s), HEALTH_UP);
    ck_assert_str_eq(reason_of(s), "not checked");
}
END_TEST

/* A name server in this process: answers each question for an IPv4 address with those set here, others with
 * none. */
static struct {
    struct watch watch;
    unsigned char addresses[4]; /* the last byte of 192.0.2.x */
    unsigned count;             /* 0: no such name */
} dns;

static void dns_ready(struct watch *w, unsigned events)
{
    unsigned char packet[512];
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    ssize_t n;
    (void)events;
    while ((n = recvfrom(w->fd, packet, sizeof packet / 2, 0, (struct sockaddr *)&from, &from_len)) > 0) {
        size_t end = 12;
        while (packet[end])
            end += 1u + packet[end];
        bool ipv4 = packet[end + 2] == 1;
        end += 5;
        packet[2] = 0x81;
        packet[3] = dns.count ? 0x80 : 0x83;
        memset(packet + 6, 0, 6);
        for (unsigned i = 0; ipv4 && i < dns.count; i++, packet[7]++) {
            unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, dns.addresses[i]};
            memcpy(packet + end, record, sizeof record);
            end += sizeof record;
        }
        sendto(w->fd, packet, end, 0, (struct sockaddr *)&from, from_len);
    }
}

static enum lookup_result last_result;
static unsigned results, results_of[LOOKUP_FAILED + 1];

static void looked_up(struct lookup *k, enum lookup_result result, const char *reason)
{
    (void)k;
    ck_assert_int_eq(result == LOOKUP_FAILED, reason != NULL);
    last_result = result;
    results++;
    results_of[result]++;
}

/* The next look-up's result with these addresses of the name. */
static enum lookup_result look_up_with(unsigned count, const char *addresses)
{
    run_for(0);
    dns.count = count;
    memcpy(dns.addresses, addresses, count);
    for (unsigned until = results + 2; results < until;) /* one may have been under way */
        run_for(1);
    return last_result;
}

START_TEST(addresses_are_looked_up_again)
{
    struct error err = {""};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    char text[ADDRESS_TEXT_MAX];
    struct address now;
    dns.watch = (struct watch){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                               .ready = dns_ready};
    ck_assert_int_eq(bind(dns.watch.fd, (struct sockaddr *)&a, sizeof a), 0);
    ck_assert_int_eq(getsockname(dns.watch.fd, (struct sockaddr *)&a, &len), 0);
    ck_assert_int_eq(loop_watch(loop, &dns.watch), 0);
    struct resolver *resolver = resolver_new(loop, 1000 * MS, 2, &err);
    snprintf(text, sizeof text, "127.0.0.1:%u", ntohs(a.sin_port));
    ck_assert_int_eq(resolver_use_servers(resolver, text, &err), 0);

    struct server *s = add_server("web.test.:8000");
    struct lookup k = {.loop = loop,
                       .resolver = resolver,
                       .server = s,
                       .interval_us = 5 * MS,
                       .retry_us = 2 * MS,
                       .done = looked_up};
    dns.count = 0;
    results = 0;
    memset(results_of, 0, sizeof results_of);
    lookup_start(&k);
    while (results == 0)
        run_for(1);
    ck_assert_int_eq(last_result, LOOKUP_FAILED);
    ck_assert(!server_address(s, &now));

    dns.count = 1;
    dns.addresses[0] = 7;
    while (last_result == LOOKUP_FAILED)
        run_for(1);
    ck_assert_uint_eq(results_of[LOOKUP_FOUND], 1);
    ck_assert(server_address(s, &now));
    ck_assert_str_eq(address_print(&now, text), "192.0.2.7:8000");
    uint32_t changes = atomic_load(&backend.slot->changes);
    ck_assert_int_eq(look_up_with(3, "\x08\x09\x07"), LOOKUP_SAME); /* shuffled: nothing moves */
    ck_assert_int_eq(look_up_with(0, ""), LOOKUP_FAILED);           /* nor now */
    server_address(s, &now);
    ck_assert_str_eq(address_print(&now, text), "192.0.2.7:8000");
    ck_assert_uint_eq(atomic_load(&backend.slot->changes), changes);
    dns.count = 1;
    dns.addresses[0] = 9;
    while (last_result == LOOKUP_FAILED)
        run_for(1);
    ck_assert_uint_eq(results_of[LOOKUP_MOVED], 1);
    ck_assert_uint_eq(results_of[LOOKUP_FOUND], 1);
    server_address(s, &now);
    ck_assert_str_eq(address_print(&now, text), "192.0.2.9:8000");
    ck_assert_uint_gt(atomic_load(&backend.slot->changes), changes);

    resolver_free(resolver);
    lookup_stop(&k);
    loop_forget(loop, &dns.watch);
    close(dns.watch.fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("health");
    TCase *checks = tcase_create("checks");
    tcase_set_timeout(checks, 120);
    tcase_add_checked_fixture(checks, set_up, tear_down);
    tcase_add_test(checks, a_server_that_accepts_is_up_after_the_first_check);
    tcase_add_test(checks, a_server_that_refuses_is_down_after_the_first_check);
    tcase_add_test(checks, fall_failures_take_down_and_rise_passes_bring_back);
    tcase_add_test(checks, failures_count_only_in_a_row);
    tcase_add_test(checks, a_server_that_hangs_times_out);
    tcase_add_test(checks, a_server_behind_a_unix_socket_is_checked);
    tcase_add_test(checks, what_traffic_took_out_is_noticed_and_brought_back);
    tcase_add_test(checks, checks_tell_better_why_what_traffic_took_out_is_down);
    tcase_add_test(checks, health_goes_on_over_a_reload_without_a_line);
    tcase_add_test(checks, nobody_is_checked_when_checks_are_off);
    tcase_add_test(checks, at_most_256_checks_are_under_way);
    tcase_add_test(checks, checks_are_spread_over_the_interval);
    tcase_add_test(checks, a_lack_of_descriptors_is_no_verdict);
    tcase_add_test(checks, freeing_ends_checks_under_way);
    suite_add_tcase(suite, checks);

    TCase *named = tcase_create("names");
    tcase_set_timeout(named, 120);
    tcase_add_checked_fixture(named, set_up, tear_down);
    tcase_add_test(named, names_are_resolved_at_a_load);
    tcase_add_test(named, a_named_server_is_checked_once_it_resolves);
    tcase_add_test(named, an_unresolved_server_is_down_with_the_reason);
    tcase_add_test(named, an_address_stays_in_use_when_the_name_fails);
    tcase_add_test(named, a_named_server_without_checks_is_up_when_it_resolves);
    tcase_add_test(named, addresses_are_looked_up_again);
    suite_add_tcase(suite, named);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
