/*
 * access.h: the access log: one line for each request, or for each connection
 * in mode tcp, as text or as JSON (docs/access-log.md), to a file of its own
 * or to where the process's log goes.
 *
 * A line is formatted into a buffer of the process; nothing is allocated for
 * it and nothing is written. access_flush() writes what has gathered, whole
 * lines only, with as few calls as keep the lines of several processes apart:
 * one for a regular file, one each 4096 bytes (PIPE_BUF) for a pipe, socket
 * or terminal, one a line for syslog. It never waits. What can't be written
 * stays until the buffer is full; then further lines are dropped, counted
 * (log_dropped), and told of in the process's log when writing works again.
 *
 * No byte of a peer can forge or break a line: all are escaped, and a line
 * has at most 4096 bytes. A value that had to be cut ends with "...".
 *
 * The master opens the files and its children inherit them. After USR1 it
 * opens them anew and hands each child the new descriptors.
 */
#ifndef NOXY_LOG_ACCESS_H
#define NOXY_LOG_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "log/log.h"

struct access_log;

#define ACCESS_ABSENT UINT64_MAX /* a time that was not measured */

/* What there is to tell. Nothing of it is kept; texts that are not known are empty. */
struct access_entry {
    uint64_t time_ms; /* when it ended: milliseconds since 1970 */
    struct slice client, frontend, backend, server;
    struct slice method, target, version, host;
    struct slice
        malformed;     /* in the place of method, target and version: the first line of a malformed head */
    struct slice rule; /* that decided: its name, or FILE:LINE */
    struct slice tls_version, tls_cipher; /* spoken with the client */
    const char *reason;                   /* why it ended */
    const char *ended_by;                 /* "client", "server", "noxy" or "none" */
    uint64_t head_us, queue_us, connect_us, first_byte_us, total_us; /* or ACCESS_ABSENT */
    uint64_t bytes_in, bytes_out;
    uint32_t retries, generation;
    uint16_t status; /* 0: none */
};

/* Lines for the file of that path, or, with NULL, for the process's log. NULL with `err`. */
struct access_log *access_open(const char *path, enum log_format format, struct error *err);
/* Closes the file. What was not flushed is lost. */
void access_close(struct access_log *a);
/* NULL: the process's log. */
const char *access_path(const struct access_log *a);
enum log_format access_format(const struct access_log *a);

/* Opens the file anew: the descriptor to hand to the children, or -1 with `err`, and the old one stays. */
int access_reopen(struct access_log *a, struct error *err);
/* Flushes into the old file and goes on with `fd`, which it owns. Not for the process's log. */
void access_adopt_fd(struct access_log *a, int fd);

void access_write(struct access_log *a, const struct access_entry *e);
/* False: there are lines that could not be written now. */
bool access_flush(struct access_log *a);
/* The process ends: writes what is left, or drops it. */
void access_finish(struct access_log *a);

#endif
