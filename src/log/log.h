/*
 * log.h: what noxy tells the operator. One line an event, levels error, warn,
 * notice, info and debug, to stdout, stderr, a file or syslog (RFC 3164 over
 * a local socket, RFC 5424 over UDP to an address), as text or as JSON lines.
 *
 * Text:  2026-11-21T10:00:00.123Z WARN  [worker 2] Backend [web:a/10.0.0.1:80] is now down: connect refused
 *
 * Writing never blocks: a line that can't be written now is dropped and
 * counted (log_dropped), and when writing works again one line tells how many
 * were lost. Control characters of a message are escaped (\xNN), so that no
 * peer's byte can forge or break a line. A line holds at most 4096 bytes; one
 * that had to be cut ends with "...".
 *
 * The master opens the target (log_open) and its children inherit it. An
 * unprivileged process can't open the file again after USR1: the master does
 * and hands each the new descriptor (log_adopt_fd).
 */
#ifndef NOXY_LOG_LOG_H
#define NOXY_LOG_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum log_target { LOG_TARGET_STDOUT, LOG_TARGET_STDERR, LOG_TARGET_FILE, LOG_TARGET_SYSLOG };

/* As configured; the strings belong to the configuration. */
struct log_conf {
    enum log_target target;
    const char *path;     /* of a file */
    const char *address;  /* of syslog: "/dev/log" (default) or IP:PORT */
    const char *facility; /* of syslog: daemon (default), local0 ... */
    enum log_level level;
    enum log_format format;
};

/*
 * Opens the target and makes it the process's log; the one before stays in use when this fails. Until the
 * first success lines of level notice and above go to stderr as text. -1 with `err`.
 */
int log_open(const struct log_conf *conf, struct error *err);
/* Opens a file target anew (USR1). The descriptor to hand to the children, or -1 with `err`; -2: not a file.
 */
int log_reopen(struct error *err);
/* Replaces the target's descriptor with `fd`, which the log owns from then on. */
void log_adopt_fd(int fd);
void log_close(void);

/* Is what a syslog target was given usable? -1 with `err`: an unknown facility, or no address at all. */
int log_check(const struct log_conf *conf, struct error *err);

/*
 * Who speaks: "master", "worker 2", "manager". Copied; at most 31 bytes. A process that was forked calls it
 * first: its count of dropped lines starts at 0.
 */
void log_set_process(const char *name);

bool log_enabled(enum log_level level);
/* One line, without the newline. errno stays as it was. */
void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
/*
 * Writes bytes so that they can neither forge nor break a line: control characters, the backslash, the double
 * quote and bytes that are not UTF-8 become \xNN. Returns the length written (no NUL behind it); cut at
 * `size`.
 */
size_t log_escape(char *out, size_t size, const char *bytes, size_t len);

/* Lines dropped by this process so far. */
uint64_t log_dropped(void);

#define log_error(...)  log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)   log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)   log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                                       \
    do {                                                                                                     \
        if (log_enabled(LOG_LEVEL_DEBUG))                                                                    \
            log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                                         \
    } while (0)

#endif
