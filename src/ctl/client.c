#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    ANSWER_MAX = 256 << 20,
    CONNECT_RETRY_US = 20000, /* while the socket's queue is full */
};

/* Says why there is no connection, from errno. */
static int explain(const char *path, struct error *err)
{
    if (errno == ENOENT || errno == ECONNREFUSED)
        return error_set(
            err,
            "nobody answers at %s: is noxy running? If its configuration names another admin_socket, "
            "give it with -s SOCKET",
            path);
    if (errno == EACCES || errno == EPERM)
        return error_set(
            err, "no permission to use %s: run noxyctl as root or as a user of the socket's group", path);
    if (errno == EAGAIN)
        return error_set(
            err, "nobody accepts connections at %s: noxy's manager is busy or hangs (see its log)", path);
    return error_set_errno(err, "cannot connect to %s", path);
}

/* A connected non-blocking descriptor, or -1 with `err`. */
static int open_socket(const char *path, uint64_t deadline, struct error *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof to.sun_path)
        return error_set(err, "the path %s is too long for a socket", path);
    strcpy(to.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(err, "cannot make a socket");
    while (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        const struct timespec pause = {.tv_nsec = CONNECT_RETRY_US * 1000L};
        if (errno == EAGAIN && clock_monotonic_us() < deadline) {
            nanosleep(&pause, NULL);
            continue;
        }
        explain(path, err);
        close(fd);
        return -1;
    }
    return fd;
}

/* Waits until the socket is ready for `events`. -1: not before the deadline. */
static int await(int fd, short events, uint64_t deadline)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        uint64_t now = clock_monotonic_us();
        int n = poll(&p, 1, now < deadline ? (int)((deadline - now) / 1000 + 1) : 0);
        if (n > 0)
            return 0;
        if (n == 0 || errno != EINTR)
            return -1;
    }
}

static int late(const char *path, unsigned patience_s, struct error *err)
{
    return error_set(err, "no answer from %s within %u s: noxy's manager is busy or hangs (see its log)",
                     path, patience_s);
}

static int send_all(int fd, const char *bytes, size_t len, uint64_t deadline)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return 0; /* closed: an answer may have come all the same */
        if (n < 0 && await(fd, POLLOUT, deadline) < 0)
            return -1;
        bytes += MAX(n, 0);
        len -= (size_t)MAX(n, 0);
    }
    return 0;
}

/* Where the answer's end begins, an empty line; -1: not there yet. `searched`: where it was sought already.
 */
static ssize_t find_end(const struct text *t, size_t *searched)
{
    const char *end = t->len - *searched ? memmem(t->data + *searched, t->len - *searched, "\n\n", 2) : NULL;
    *searched = t->len ? t->len - 1 : 0;
    return end ? end - t->data : -1;
}

/* Up to the empty line. The answer's length, -1 at the deadline, -2 without an end. */
static ssize_t receive(int fd, struct text *into, uint64_t deadline)
{
    size_t searched = 0;
    char bytes[65536];
    ssize_t end;
    while ((end = find_end(into, &searched)) < 0) {
        if (await(fd, POLLIN, deadline) < 0)
            return -1;
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0 || into->len + (size_t)n > ANSWER_MAX)
            return -2;
        text_add(into, bytes, (size_t)n);
    }
    return end + 1;
}

static int parse(struct reply *r, size_t len)
{
    static const char error[] = "error: ";
    char *bytes = r->bytes.data, *newline = memchr(bytes, '\n', len);
    bytes[len] = '\0';
    *newline = '\0';
    r->body = newline + 1;
    r->ok = strcmp(bytes, "ok") == 0;
    if (r->ok)
        return 0;
    if (strncmp(bytes, error, sizeof error - 1) != 0)
        return -1;
    r->reason = bytes + sizeof error - 1;
    return 0;
}

int client_ask(const char *path, const char *line, unsigned patience_s, struct reply *r, struct error *err)
{
    uint64_t deadline = clock_monotonic_us() + patience_s * (uint64_t)1000000;
    struct text request = {0};
    ssize_t len = -1;
    *r = (struct reply){0};
    int fd = open_socket(path, deadline, err);
    if (fd < 0)
        return -1;
    text_printf(&request, "%s\n", line);
    if (send_all(fd, request.data, request.len, deadline) == 0)
        len = receive(fd, &r->bytes, deadline);
    text_free(&request);
    close(fd);
    if (len == -1)
        return late(path, patience_s, err);
    if (len == -2)
        return error_set(
            err, "%s closed the connection without a whole answer: noxy's manager has ended (see its log)",
            path);
    if (parse(r, (size_t)len) < 0)
        return error_set(err, "%s answers something else than noxy does: is it noxy's admin socket?", path);
    return 0;
}
