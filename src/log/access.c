#include "log/access.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/memory.h"
#include "log/access_line.h"
#include "log/target.h"

enum { BUFFER_BYTES = 64 * 1024 };

struct access_log {
    struct target target; /* of a file */
    char *path;           /* NULL: the process's log */
    _Atomic bool *torn;   /* of a file: shared by all processes that write it */
    enum log_format format;
    bool stuck;      /* the latest write failed: no further try before the next access_flush() */
    uint64_t untold; /* lines dropped that the process's log has not told of */
    size_t used;
    char *buffer; /* BUFFER_BYTES; NULL until the first line, so that only who writes has one */
};

struct access_log *access_open(const char *path, enum log_format format, struct error *err)
{
    const struct log_conf conf = {.target = LOG_TARGET_FILE, .path = path};
    struct access_log *a = memory_zalloc(sizeof *a);
    a->format = format;
    a->target.fd = -1;
    if (!path)
        return a;
    a->path = memory_strdup(path);
    a->torn = mmap(NULL, sizeof *a->torn, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (a->torn == MAP_FAILED) {
        error_set_errno(err, "cannot open the access log %s", path);
        a->torn = NULL;
    } else if (target_open(&a->target, &conf, err) == 0) {
        a->target.torn = a->torn;
        return a;
    }
    access_close(a);
    return NULL;
}

void access_close(struct access_log *a)
{
    if (!a)
        return;
    target_close(&a->target);
    if (a->torn)
        munmap(a->torn, sizeof *a->torn);
    free(a->path);
    free(a->buffer);
    free(a);
}

const char *access_path(const struct access_log *a)
{
    return a->path;
}

enum log_format access_format(const struct access_log *a)
{
    return a->format;
}

int access_reopen(struct access_log *a, struct error *err)
{
    return target_reopen(&a->target, err) < 0 ? -1 : a->target.fd;
}

void access_adopt_fd(struct access_log *a, int fd)
{
    access_flush(a);
    target_adopt(&a->target, fd);
}

static void tell_of_dropped(struct access_log *a)
{
    log_warn("%" PRIu64 " line%s of the access log%s%s %s dropped: %s could not be written", a->untold,
             a->untold == 1 ? "" : "s", a->path ? " " : "", a->path ? a->path : "",
             a->untold == 1 ? "was" : "were", a->untold == 1 ? "it" : "they");
    a->untold = 0;
}

bool access_flush(struct access_log *a)
{
    if (a->used == 0)
        return true;
    size_t done =
        a->path ? target_write_lines(&a->target, a->buffer, a->used) : log_write_lines(a->buffer, a->used);
    a->used -= done;
    a->stuck = a->used > 0;
    memmove(a->buffer, a->buffer + done, a->used);
    if (done > 0 && a->untold > 0)
        tell_of_dropped(a);
    return a->used == 0;
}

static void drop(struct access_log *a, uint64_t lines)
{
    a->untold += lines;
    log_count_dropped(lines);
}

void access_finish(struct access_log *a)
{
    uint64_t lines = 0;
    access_flush(a);
    for (const char *p = a->buffer, *end = p + a->used; p < end; lines++)
        p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
    drop(a, lines);
    a->used = 0;
}

void access_write(struct access_log *a, const struct access_entry *e)
{
    if (UNLIKELY(!a->buffer))
        a->buffer = memory_zalloc(BUFFER_BYTES);
    if (BUFFER_BYTES - a->used < LINE_MAX_BYTES && !a->stuck)
        access_flush(a);
    if (UNLIKELY(BUFFER_BYTES - a->used < LINE_MAX_BYTES)) {
        drop(a, 1);
        return;
    }
    char *line = a->buffer + a->used;
    a->used += a->format == LOG_FORMAT_JSON ? access_line_json(line, e) : access_line_text(line, e);
}
