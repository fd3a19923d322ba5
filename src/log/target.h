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

enum { LINE_MAX_BYTES = 4096 };

struct target {
    enum log_target kind;
    int fd;     /* -1: none now */
    bool owned; /* fd is ours to close */
    bool waits; /* writing may wait: ask poll(2) first */
    bool torn;  /* a line was written in part: the next begins with a newline */
    char *path; /* of a file */
    struct sockaddr_storage syslog;
    socklen_t syslog_len;
    int facility;         /* code, 0 to 23 */
    uint64_t retry_at_ms; /* when a syslog daemon that has gone is tried again */
};

/* -1 with `err`. The target owns what it opened. */
int target_open(struct target *t, const struct log_conf *conf, struct error *err);
/* Opens a file anew; the old descriptor stays when that fails. */
int target_reopen(struct target *t, struct error *err);
void target_close(struct target *t);

/* Writes a line that ends with a newline. False: it could not be written now, and none of it was. */
bool target_write(struct target *t, const char *line, size_t len);
/* Sends a message without a newline to syslog. */
bool target_send_syslog(struct target *t, enum log_level level, const char *process, const char *message,
                        size_t len);

/* syslog.c: the code of a facility's name, or -1. */
int syslog_facility(const char *name);
int syslog_address(struct target *t, const char *text, struct error *err);

#endif
