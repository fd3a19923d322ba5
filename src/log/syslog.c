/*
 * syslog.c: messages to a syslog daemon: over a local datagram socket in the
 * form of RFC 3164, over UDP in the form of RFC 5424.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/target.h"

enum { RETRY_US = 1000000 }; /* a daemon that has gone is tried again no sooner */

int syslog_facility(const char *name)
{
    static const char *const names[24] = {"kern",   "user",   "mail",   "daemon", "auth",     "syslog",
                                          "lpr",    "news",   "uucp",   "cron",   "authpriv", "ftp",
                                          "ntp",    "audit",  "alert",  "clock",  "local0",   "local1",
                                          "local2", "local3", "local4", "local5", "local6",   "local7"};
    for (int code = 0; code < 24; code++)
        if (strcmp(name, names[code]) == 0)
            return code;
    return -1;
}

static int unix_address(struct target *t, const char *path, struct error *err)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&t->syslog;
    if (strlen(path) >= sizeof un->sun_path)
        return error_set(err, "the syslog socket's path %s is longer than %zu bytes", path,
                         sizeof un->sun_path - 1);
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, strlen(path) + 1);
    t->syslog_len = sizeof *un;
    return 0;
}

static int read_port(const char *text, in_port_t *port)
{
    char *end;
    unsigned long n = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;
    if (n == 0 || n > 65535 || *end)
        return -1;
    *port = htons((uint16_t)n);
    return 0;
}

int syslog_address(struct target *t, const char *text, struct error *err)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&t->syslog;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&t->syslog;
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + 2] = "";
    if (text[0] == '/')
        return unix_address(t, text, err);
    if (colon && (size_t)(colon - text) < sizeof host)
        memcpy(host, text, (size_t)(colon - text));
    size_t len = strlen(host);
    if (inet_pton(AF_INET, host, &in->sin_addr) == 1 && read_port(colon + 1, &in->sin_port) == 0) {
        in->sin_family = AF_INET;
        t->syslog_len = sizeof *in;
        return 0;
    }
    if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, &in6->sin6_addr) == 1 &&
            read_port(colon + 1, &in6->sin6_port) == 0) {
            in6->sin6_family = AF_INET6;
            t->syslog_len = sizeof *in6;
            return 0;
        }
    }
    return error_set(err, "the syslog address \"%s\" is neither a path such as /dev/log nor IP:PORT", text);
}

/* Connects when it isn't. A daemon that is not there now is tried again later. */
static bool connected(struct target *t)
{
    if (t->fd >= 0)
        return true;
    uint64_t now = clock_monotonic_us();
    if (now < t->retry_at_us)
        return false;
    t->retry_at_us = now + RETRY_US;
    int fd = socket(t->syslog.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    if (connect(fd, (struct sockaddr *)&t->syslog, t->syslog_len) < 0) {
        close(fd);
        return false;
    }
    t->fd = fd;
    t->owned = true;
    return true;
}

/* A host's name as RFC 5424, 6.2.4 wants it: printable ASCII, "-" when there is none. */
static void print_host(char *out, size_t size)
{
    if (gethostname(out, size) < 0)
        out[0] = '\0';
    out[size - 1] = '\0';
    for (char *c = out; *c; c++)
        if (*c <= ' ' || *c > '~')
            *c = '?';
    if (!*out)
        strcpy(out, "-");
}

size_t syslog_head(const struct target *t, enum log_level level, char *out, size_t size)
{
    static const int severities[] = {3, 4, 5, 6, 7}; /* by enum log_level */
    int len, priority = t->facility * 8 + severities[level];
    time_t now = time(NULL);
    struct tm tm;
    char when[40], host[256];
    if (t->syslog.ss_family == AF_UNIX) {
        localtime_r(&now, &tm);
        strftime(when, sizeof when, "%b %e %H:%M:%S", &tm);
        len = snprintf(out, size, "<%d>%s noxy[%d]: ", priority, when, (int)getpid());
    } else {
        print_host(host, sizeof host);
        gmtime_r(&now, &tm);
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
        len = snprintf(out, size, "<%d>1 %s %s noxy %d - - ", priority, when, host, (int)getpid());
    }
    return len > 0 && (size_t)len < size ? (size_t)len : 0;
}

bool syslog_send(struct target *t, const char *datagram, size_t len)
{
    for (int attempt = 0; attempt < 2 && connected(t); attempt++) {
        if (send(t->fd, datagram, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return true;
        if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE)
            return false;
        /* The daemon has restarted, or an earlier datagram was refused: once more with a new socket. */
        close(t->fd);
        t->fd = -1;
        t->retry_at_us = attempt == 0 ? 0 : t->retry_at_us;
    }
    return false;
}
