#include "log/target.h"

#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/memory.h"

/*
 * Set by who could write a part of a line only, so that whoever writes next ends that line first. Shared with
 * the processes forked later: they write to the same file.
 */
static _Atomic bool own_torn;
static _Atomic bool *torn = &own_torn;

void target_share(void)
{
    if (torn != &own_torn)
        return;
    void *page = mmap(NULL, sizeof *torn, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED) /* else each process knows of its own lines only */
        torn = page;
}

static _Atomic bool *torn_of(const struct target *t)
{
    return t->torn ? t->torn : torn;
}

/*
 * A pipe's or terminal's description may be shared with others, whose O_NONBLOCK is not ours to set. Opened
 * anew it is a description of our own; where that can't be, poll(2) is asked before each line.
 */
static int open_stream(struct target *t, int fd, struct error *err)
{
    char path[32];
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_set_errno(err, "cannot log to %s", fd == STDOUT_FILENO ? "stdout" : "stderr");
    t->fd = fd;
    t->socket = S_ISSOCK(st.st_mode);
    t->regular = S_ISREG(st.st_mode);
    if (t->regular || t->socket)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    t->waits = own < 0;
    t->owned = own >= 0;
    t->fd = own >= 0 ? own : fd;
    return 0;
}

static bool is_regular(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
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
        return open_stream(t, STDOUT_FILENO, err);
    case LOG_TARGET_STDERR:
        return open_stream(t, STDERR_FILENO, err);
    case LOG_TARGET_FILE:
        t->fd = open_file(conf->path, err);
        if (t->fd < 0)
            return -1;
        t->owned = true;
        t->regular = is_regular(t->fd);
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
    target_adopt(t, fd);
    return 0;
}

void target_adopt(struct target *t, int fd)
{
    if (t->owned && t->fd >= 0)
        close(t->fd);
    t->fd = fd;
    t->owned = true;
    t->waits = t->socket = false;
    t->regular = is_regular(fd);
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
    return t->socket ? send(t->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) : write(t->fd, bytes, len);
}

bool target_write(struct target *t, const char *line, size_t len)
{
    char ended[LINE_MAX_BYTES + 1] = "\n";
    if (t->fd < 0 || !is_ready(t))
        return false;
    bool mend = atomic_load(torn_of(t)) && atomic_exchange(torn_of(t), false);
    if (mend) {
        memcpy(ended + 1, line, len);
        line = ended;
        len++;
    }
    ssize_t n = write_now(t, line, len);
    if (n == (ssize_t)len)
        return true;
    if (n > 0 || mend)
        atomic_store(torn_of(t), true);
    return false;
}

/* Ends a line that was written in part. False: not now. */
static bool end_torn(const struct target *t)
{
    if (!atomic_load(torn_of(t)))
        return true;
    if (write_now(t, "\n", 1) != 1)
        return false;
    atomic_store(torn_of(t), false);
    return true;
}

/* The bytes of the whole lines within the first `most`. */
static size_t whole_lines(const char *lines, size_t len, size_t most)
{
    const char *end = len > 0 ? memrchr(lines, '\n', MIN(len, most)) : NULL;
    return end ? (size_t)(end - lines) + 1 : 0;
}

size_t target_write_lines(struct target *t, const char *lines, size_t len)
{
    size_t done = 0, most = t->regular ? len : LINE_MAX_BYTES;
    while (done < len && t->fd >= 0 && is_ready(t) && end_torn(t)) {
        size_t piece = whole_lines(lines + done, len - done, most);
        ssize_t n = write_now(t, lines + done, piece);
        size_t whole = n > 0 ? whole_lines(lines + done, (size_t)n, (size_t)n) : 0;
        done += whole;
        if (n > (ssize_t)whole)
            atomic_store(torn_of(t), true);
        if (whole < piece)
            break;
    }
    return done;
}
