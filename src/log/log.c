#include "log/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "log/escape.h"
#include "log/target.h"

static const char *const level_words[] = {"ERROR", "WARN", "NOTICE", "INFO", "DEBUG"};

/* The process's log. Before log_open() it goes to stderr (begin). */
static struct {
    struct target target;
    bool begun; /* the target was opened, if it could be */
    enum log_level level;
    enum log_format format;
    char process[32];
    uint64_t dropped; /* in all */
    uint64_t untold;  /* of them, those that no line has told of yet */
} the_log = {.target = {.kind = LOG_TARGET_STDERR, .fd = -1}, .level = LOG_LEVEL_NOTICE, .process = "noxy"};

int log_check(const struct log_conf *conf, struct error *err)
{
    struct target t = {0};
    if (conf->target != LOG_TARGET_SYSLOG)
        return 0;
    if (conf->facility && syslog_facility(conf->facility) < 0)
        return error_set(err, "unknown syslog facility \"%s\": daemon, user or local0 to local7 are usual",
                         conf->facility);
    return conf->address ? syslog_address(&t, conf->address, err) : 0;
}

int log_open(const struct log_conf *conf, struct error *err)
{
    struct target t;
    if (log_check(conf, err) < 0 || target_open(&t, conf, err) < 0)
        return -1;
    target_share();
    target_close(&the_log.target);
    the_log.target = t;
    the_log.begun = true;
    the_log.level = conf->level;
    the_log.format = conf->format;
    return 0;
}

int log_reopen(struct error *err)
{
    if (the_log.target.kind != LOG_TARGET_FILE)
        return -2;
    return target_reopen(&the_log.target, err) < 0 ? -1 : the_log.target.fd;
}

void log_adopt_fd(int fd)
{
    target_adopt(&the_log.target, fd);
}

void log_close(void)
{
    target_close(&the_log.target);
    the_log.target = (struct target){.kind = LOG_TARGET_STDERR, .fd = -1};
    the_log.begun = false;
    the_log.level = LOG_LEVEL_NOTICE;
    the_log.format = LOG_FORMAT_TEXT;
}

void log_set_process(const char *name)
{
    snprintf(the_log.process, sizeof the_log.process, "%s", name);
    the_log.dropped = the_log.untold = 0;
}

bool log_enabled(enum log_level level)
{
    return level <= the_log.level;
}

uint64_t log_dropped(void)
{
    return the_log.dropped;
}

/* "2026-11-21T10:00:00.123Z" */
static void print_time(char *out, size_t size)
{
    struct timeval now;
    struct tm t;
    gettimeofday(&now, NULL);
    gmtime_r(&now.tv_sec, &t);
    size_t len = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &t);
    snprintf(out + len, size - len, ".%03dZ", (int)(now.tv_usec / 1000));
}

/* The message, marked when it had to be cut. Its own quotes and backslashes stay: they break nothing. */
static size_t put_message(char *out, size_t size, struct slice message)
{
    static const char mark[] = "...";
    size_t room = size - strlen(mark);
    size_t used = the_log.format == LOG_FORMAT_JSON ? escape_json(out, room, &message)
                                                    : escape_text(out, room, &message, "");
    if (message.len == 0)
        return used;
    memcpy(out + used, mark, strlen(mark));
    return used + strlen(mark);
}

static size_t put_json(char *out, size_t size, enum log_level level, struct slice message)
{
    static const char end[] = "\"}";
    char when[40];
    print_time(when, sizeof when);
    int head =
        snprintf(out, size, "{\"time\": \"%s\", \"level\": \"%s\", \"process\": \"%s\", \"message\": \"",
                 when, level_words[level], the_log.process);
    size_t used = (size_t)head;
    used += put_message(out + used, size - used - strlen(end), message);
    memcpy(out + used, end, strlen(end));
    return used + strlen(end);
}

static size_t put_text(char *out, size_t size, enum log_level level, struct slice message)
{
    char when[40];
    int head;
    if (the_log.target.kind == LOG_TARGET_SYSLOG) { /* which has time and level of its own */
        head = snprintf(out, size, "[%s] ", the_log.process);
    } else {
        print_time(when, sizeof when);
        head = snprintf(out, size, "%s %-6s [%s] ", when, level_words[level], the_log.process);
    }
    return (size_t)head + put_message(out + head, size - (size_t)head, message);
}

static bool put_line(enum log_level level, struct slice message)
{
    char line[LINE_MAX_BYTES];
    struct target *t = &the_log.target;
    bool syslog = t->kind == LOG_TARGET_SYSLOG;
    size_t used = syslog ? syslog_head(t, level, line, sizeof line) : 0, room = sizeof line - used - 1;
    used += the_log.format == LOG_FORMAT_JSON ? put_json(line + used, room, level, message)
                                              : put_text(line + used, room, level, message);
    if (syslog)
        return syslog_send(t, line, used);
    line[used++] = '\n';
    return target_write(t, line, used);
}

/* Once writing works again, one line tells of those that were lost. */
static void tell_of_dropped(void)
{
    char message[80];
    snprintf(message, sizeof message, "%" PRIu64 " log line%s dropped: %s could not be written",
             the_log.untold, the_log.untold == 1 ? " was" : "s were", the_log.untold == 1 ? "it" : "they");
    if (put_line(LOG_LEVEL_WARN, slice_of(message)))
        the_log.untold = 0;
}

/* Until the log is opened it is stderr, with the same care. */
static void begin(void)
{
    const struct log_conf conf = {.target = LOG_TARGET_STDERR};
    the_log.begun = true;
    (void)target_open(&the_log.target, &conf, NULL);
}

static void write_message(enum log_level level, struct slice message)
{
    if (!the_log.begun)
        begin();
    if (the_log.untold > 0)
        tell_of_dropped();
    if (the_log.untold == 0 && put_line(level, message))
        return;
    the_log.dropped++;
    the_log.untold++;
}

/* A datagram a line. */
static size_t send_lines(struct target *t, const char *lines, size_t len)
{
    char datagram[2 * LINE_MAX_BYTES];
    size_t done = 0, head = syslog_head(t, LOG_LEVEL_INFO, datagram, LINE_MAX_BYTES);
    while (done < len) {
        const char *end = memchr(lines + done, '\n', len - done);
        size_t line = end ? (size_t)(end - lines) - done : len - done;
        memcpy(datagram + head, lines + done, line);
        if (!syslog_send(t, datagram, head + line))
            break;
        done += line + 1;
    }
    return done;
}

size_t log_write_lines(const char *lines, size_t len)
{
    struct target *t = &the_log.target;
    if (!the_log.begun)
        begin();
    return t->kind == LOG_TARGET_SYSLOG ? send_lines(t, lines, len) : target_write_lines(t, lines, len);
}

void log_count_dropped(uint64_t lines)
{
    the_log.dropped += lines;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    char message[LINE_MAX_BYTES]; /* what doesn't fit here fits no line either */
    int kept = errno;
    va_list ap;
    if (!log_enabled(level))
        return;
    va_start(ap, fmt);
    int len = vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    if (len >= 0)
        write_message(level, (struct slice){message, MIN((size_t)len, sizeof message - 1)});
    errno = kept;
}
