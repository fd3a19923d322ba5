/*
 * target.h: the log room's own: where lines go. A target writes whole lines,
 * and never waits.
 */
#ifndef NOXY_LOG_TARGET_H
#define NOXY_LOG_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "log/log.h"

enum { LINE_MAX_BYTES = 4096 }; /* no more than PIPE_BUF: a pipe takes it whole */

struct target {
    enum log_target kind;
    int fd;      /* -1: none now */
    bool owned;  /* fd is ours to close */
    bool waits;  /* writing may wait: ask poll(2) first */
    bool socket; /* written by send(2), which takes a flag not to wait */
    char *path;  /* of a file */
    struct sockaddr_storage syslog;
    socklen_t syslog_len;
    int facility;         /* code, 0 to 23 */
    uint64_t retry_at_us; /* when a syslog daemon that has gone is tried again */

    /* A regular file: what one write(2) writes stays together, however long. */
    bool regular;
    /* A part of a line was written; NULL: it is known as for the process's log. */
    _Atomic bool *torn;
};

/* -1 with `err`. The target owns what it opened. */
int target_open(struct target *t, const struct log_conf *conf, struct error *err);
/* Opens a file anew; the old descriptor stays when that fails. */
int target_reopen(struct target *t, struct error *err);
/* Puts a file's descriptor in the place of the one before. */
void target_adopt(struct target *t, int fd);
void target_close(struct target *t);

/*
 * Writes a line that ends with a newline. False: it could not be written now. Where a part of it was, the
 * next line of any process that was forked since target_share() begins with a newline.
 */
bool target_write(struct target *t, const char *line, size_t len);
/*
 * Writes whole lines, none longer than LINE_MAX_BYTES, so that those of several processes do not mix. The
 * bytes of the lines that were written; the rest could not be now.
 */
size_t target_write_lines(struct target *t, const char *lines, size_t len);
/* Makes known to processes forked from here on when a line was cut. */
void target_share(void);

/* log.c: as target_write_lines(), for the process's log, whatever its target. */
size_t log_write_lines(const char *lines, size_t len);
/* Counts lines that somebody else tells of. */
void log_count_dropped(uint64_t lines);

/* syslog.c: the code of a facility's name, or -1. */
int syslog_facility(const char *name);
int syslog_address(struct target *t, const char *text, struct error *err);
/* What stands before the message; its length. */
size_t syslog_head(const struct target *t, enum log_level level, char *out, size_t size);
/* Sends head and message, without a newline. False: not now. */
bool syslog_send(struct target *t, const char *datagram, size_t len);

#endif
