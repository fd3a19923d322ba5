#include "admin_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

struct fixture fx;

static int ask_for_reload(void *context, struct admin_session *s, struct error *err)
{
    struct fixture *f = context;
    if (f->refuse_reload)
        return error_set(err, "the master does not answer");
    ck_assert_uint_lt(f->asked_count, ARRAY_LEN(f->asked));
    f->asked[f->asked_count++] = s;
    if (f->answer_at_once)
        admin_reload_done(s, true, "generation 4 serves\n");
    return 0;
}

static void make_server(struct server *s, const char *name, const char *addr_port, uint32_t weight,
                        uint32_t index)
{
    static struct server *servers[3];
    struct error err;
    *s = (struct server){.name = name, .addr_port = addr_port, .weight = weight, .backend = &fx.site};
    s->index = index;
    ck_assert_int_eq(endpoint_parse(&s->endpoint, addr_port, &err), 0);
    servers[index] = s;
    fx.site.servers = servers;
    fx.site.server_count = index + 1;
}

static void make_frontend(struct frontend *f, const char *name, uint32_t maxconn)
{
    struct error err;
    *f = (struct frontend){.name = name, .maxconn = maxconn};
    f->slot = state_slot(SLOT_FRONTEND, NULL, slice_of(name), &err);
    ck_assert_ptr_nonnull(f->slot);
}

static void make_host(void)
{
    static struct frontend *frontends[] = {&fx.web, &fx.api};
    static struct backend *backends[] = {&fx.site, &fx.empty};
    struct error err;
    make_frontend(&fx.web, "web", 100);
    make_frontend(&fx.api, "api", 1);
    fx.site = (struct backend){.name = "site", .algorithm = balance_find("roundrobin")};
    fx.empty = (struct backend){.name = "web", .algorithm = balance_find("leastconn")};
    make_server(&fx.a, "a", "10.0.0.1:80", 100, 0);
    make_server(&fx.b, "b", "host.invalid:80", 1, 1);
    make_server(&fx.c, "c", "[2001:db8::1]:8080", 0, 2);
    ck_assert_int_eq(backend_bind_state(&fx.site, &err), 0);
    ck_assert_int_eq(backend_bind_state(&fx.empty, &err), 0);
    fx.host = (struct admin_host){
        .frontends = frontends,
        .frontend_count = 2,
        .backends = backends,
        .backend_count = 2,
        .config_path = "/etc/noxy/noxy.yaml",
        .generation = 3,
        .workers = 2,
        .maxconn = 20000,
        .master_pid = 4711,
        .started_ms = clock_wall_ms() - 3723000,
        .generation_started_ms = clock_wall_ms() - 12000,
        .process = state_slot(SLOT_PROCESS, NULL, SLICE("noxy"), &err),
        .context = &fx,
        .reload = ask_for_reload,
    };
    ck_assert_ptr_nonnull(fx.host.process);
}

void fixture_setup(void)
{
    struct error err = {""};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    fx = (struct fixture){0};
    strcpy(fx.folder, "/tmp/noxy-admin-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fx.folder));
    snprintf(fx.path, sizeof fx.path, "%s/admin.sock", fx.folder);
    strcpy(to.sun_path, fx.path);
    fx.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fx.listener, 0);
    ck_assert_int_eq(bind(fx.listener, (struct sockaddr *)&to, sizeof to), 0);
    ck_assert_int_eq(listen(fx.listener, 128), 0);
    ck_assert_int_eq(state_open(&err), 0);
    make_host();
    fx.loop = loop_new(&err);
    ck_assert_ptr_nonnull(fx.loop);
    fx.admin = admin_start(fx.loop, fx.listener, &fx.host, &err);
    ck_assert_msg(fx.admin != NULL, "%s", err.text);
}

void fixture_teardown(void)
{
    admin_free(fx.admin);
    loop_free(fx.loop);
    state_close();
    close(fx.listener);
    unlink(fx.path);
    rmdir(fx.folder);
}

static void stop_loop(struct timer *t)
{
    (void)t;
    loop_stop(fx.loop);
}

void run_for(unsigned ms)
{
    struct timer timer = {.fire = stop_loop};
    loop_timer_set(fx.loop, &timer, ms * (uint64_t)1000);
    loop_run(fx.loop);
    loop_timer_stop(fx.loop, &timer);
}

int peer_open(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, fx.path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

void peer_send(int fd, const char *bytes, size_t len)
{
    uint64_t limit = clock_monotonic_us() + 30000000;
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
            continue;
        }
        ck_assert_int_eq(errno, EAGAIN);
        ck_assert_msg(clock_monotonic_us() < limit, "the server does not read");
        run_for(1);
    }
}

/* Receives a byte. False: the end. */
static bool receive_byte(int fd, char *byte)
{
    uint64_t limit = clock_monotonic_us() + 30000000;
    for (;;) {
        ssize_t n = recv(fd, byte, 1, 0);
        if (n >= 0)
            return n > 0;
        ck_assert_msg(errno == EAGAIN || errno == ECONNRESET, "recv: errno %d", errno);
        if (errno == ECONNRESET)
            return false;
        ck_assert_msg(clock_monotonic_us() < limit, "no answer");
        run_for(2);
    }
}

char *peer_answer(int fd)
{
    struct text answer = {0};
    char byte;
    while (receive_byte(fd, &byte)) {
        text_add(&answer, &byte, 1);
        if (answer.len >= 2 && strcmp(answer.data + answer.len - 2, "\n\n") == 0) {
            answer.data[answer.len - 1] = '\0';
            return answer.data;
        }
    }
    ck_abort_msg("the connection ended after \"%s\"", text_str(&answer));
    return NULL;
}

void peer_await_end(int fd)
{
    char byte;
    ck_assert_msg(!receive_byte(fd, &byte), "a byte instead of the end: '%c'", byte);
}

char *peer_command(int fd, const char *line)
{
    peer_send(fd, line, strlen(line));
    peer_send(fd, "\n", 1);
    return peer_answer(fd);
}

static char *ask_expecting(const char *line, const char *prefix)
{
    int fd = peer_open();
    char *answer = peer_command(fd, line);
    close(fd);
    ck_assert_msg(strncmp(answer, prefix, strlen(prefix)) == 0, "%s: %s", line, answer);
    memmove(answer, answer + strlen(prefix), strlen(answer + strlen(prefix)) + 1);
    return answer;
}

char *ask(const char *line)
{
    return ask_expecting(line, "ok\n");
}

char *ask_refused(const char *line)
{
    char *reason = ask_expecting(line, "error: ");
    reason[strcspn(reason, "\n")] = '\0';
    return reason;
}

json_t *ask_json(const char *line)
{
    char with_json[256];
    json_error_t error;
    snprintf(with_json, sizeof with_json, "%s --json", line);
    char *text = ask(with_json);
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(document != NULL, "%s: %s in: %s", line, error.text, text);
    free(text);
    return document;
}
