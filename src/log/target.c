#include "log/target.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/*
 * A pipe's or terminal's description may be shared with others, whose O_NONBLOCK is not ours to set. Opened
 * anew it is a description of our own; where that can't be, poll(2) is asked before each line.
 */
static void open_stream(struct target *t, int fd)
{
    char path[32];
    struct stat st;
    t->fd = fd;
    if (fstat(fd, &st) < 0 || S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode))
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    t->waits = own < 0;
    t->owned = own >= 0;
    t->fd = own >= 0 ? own : fd;
}

static int open_file(const char *path, struct error *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
    if (fd < 0)
        error_set_errno(err, "cannot open the log file %s", path);
    return fd;
}

int target_open(struct target *t, const struct log_conf *conf, struct error *err)
{
    *t = (struct target){.kind = conf->target, .fd = -1};
    switch (conf->target) {
    case LOG_TARGET_STDOUT:
        open_stream(t, STDOUT_FILENO);
        return 0;
    case LOG_TARGET_STDERR:
        open_stream(t, STDERR_FILENO);
        return 0;
    case LOG_TARGET_FILE:
        t->fd = open_file(conf->path, err);
        if (t->fd < 0)
            return -1;
        t->owned = true;
        t->path = memory_strdup(conf->path);
        return 0;
    default:
        t->facility = syslog_facility(conf->facility ? conf->facility : "daemon");
        return syslog_address(t, conf->address ? conf->address : "/dev/log", err);
    }
}

int target_reopen(struct target *t, struct error *err)
{
    int fd = open_file(t->path, err);
    if (fd < 0)
        return -1;
    close(t->fd);
    t->fd = fd;
    t->torn = false;
    return 0;
}

void target_close(struct target *t)
{
    if (t->owned && t->fd >= 0)
        close(t->fd);
    free(t->path);
    *t = (struct target){.fd = -1};
}

static bool is_ready(const struct target *t)
{
    struct pollfd p = {.fd = t->fd, .events = POLLOUT};
    return !t->waits || (poll(&p, 1, 0) == 1 && p.revents & POLLOUT);
}

static ssize_t write_now(const struct target *t, const char *bytes, size_t len)
{
    ssize_t n = send(t->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n < 0 && errno == ENOTSOCK ? write(t->fd, bytes, len) : n;
}

bool target_write(struct target *t, const char *line, size_t len)
{
    char torn[LINE_MAX_BYTES + 1];
    if (t->fd < 0 || !is_ready(t))
        return false;
    if (t->torn) { /* ends the line that was cut, so that this one stands by itself */
        torn[0] = '\n';
        memcpy(torn + 1, line, len);
        line = torn;
        len++;
    }
    ssize_t n = write_now(t, line, len);
    if (n <= 0)
        return false;
    t->torn = (size_t)n < len;
    return !t->torn;
}
