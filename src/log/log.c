#include "log/log.h"

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

/* The process's log. Before log_open() it goes to stderr. */
static struct {
    struct target target;
    enum log_level level;
    enum log_format format;
    char process[32];
    uint64_t dropped; /* in all */
    uint64_t untold;  /* of them, those that no line has told of yet */
} the_log = {
    .target = {.kind = LOG_TARGET_STDERR, .fd = STDERR_FILENO}, .level = LOG_LEVEL_NOTICE, .process = "noxy"};

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
    target_close(&the_log.target);
    the_log.target = t;
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
    if (the_log.target.owned)
        close(the_log.target.fd);
    the_log.target.fd = fd;
    the_log.target.owned = true;
    the_log.target.torn = false;
}

void log_close(void)
{
    target_close(&the_log.target);
    the_log.target = (struct target){.kind = LOG_TARGET_STDERR, .fd = STDERR_FILENO};
}

void log_set_process(const char *name)
{
    snprintf(the_log.process, sizeof the_log.process, "%s", name);
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

/* In a message of our own the quotes and backslashes are ours: only what could break or forge a line is
 * escaped. */
static size_t escape_message(char *out, size_t size, const char *message, size_t len)
{
    size_t used = 0;
    while (len > 0 && used < size) {
        size_t run = 0;
        while (run < len && (message[run] == '"' || message[run] == '\\'))
            run++;
        if (run > 0) {
            run = MIN(run, size - used);
            memcpy(out + used, message, run);
            used += run;
        } else {
            while (run < len && message[run] != '"' && message[run] != '\\')
                run++;
            used += log_escape(out + used, size - used, message, run);
        }
        message += run;
        len -= run;
    }
    return used;
}

/* The line with its newline; its length. */
static size_t format_line(char line[static LINE_MAX_BYTES], enum log_level level, const char *message,
                          size_t len)
{
    char when[40];
    int used;
    const size_t size = LINE_MAX_BYTES - 3; /* "}, newline */
    print_time(when, sizeof when);
    if (the_log.format == LOG_FORMAT_JSON) {
        used =
            snprintf(line, size, "{\"time\": \"%s\", \"level\": \"%s\", \"process\": \"%s\", \"message\": \"",
                     when, level_words[level], the_log.process);
        size_t end = (size_t)used + escape_json(line + used, size - (size_t)used, message, len);
        memcpy(line + end, "\"}\n", 3);
        return end + 3;
    }
    used = snprintf(line, size, "%s %-6s [%s] ", when, level_words[level], the_log.process);
    size_t end = (size_t)used + escape_message(line + used, size - (size_t)used, message, len);
    line[end] = '\n';
    return end + 1;
}

static bool put_line(enum log_level level, const char *message, size_t len)
{
    char line[LINE_MAX_BYTES];
    if (the_log.target.kind != LOG_TARGET_SYSLOG)
        return target_write(&the_log.target, line, format_line(line, level, message, len));
    size_t escaped = escape_message(line, sizeof line, message, len);
    return target_send_syslog(&the_log.target, level, the_log.process, line, escaped);
}

/* Once writing works again, one line tells of those that were lost. */
static void tell_of_dropped(void)
{
    char message[80];
    int len = snprintf(message, sizeof message,
                       "%" PRIu64 " log lines were dropped: they could not be written", the_log.untold);
    if (put_line(LOG_LEVEL_WARN, message, (size_t)len))
        the_log.untold = 0;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    char message[LINE_MAX_BYTES];
    va_list ap;
    if (!log_enabled(level))
        return;
    va_start(ap, fmt);
    int len = vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    if (len < 0)
        return;
    if (the_log.untold > 0)
        tell_of_dropped();
    if (the_log.untold == 0 && put_line(level, message, MIN((size_t)len, sizeof message - 1)))
        return;
    the_log.dropped++;
    the_log.untold++;
}
