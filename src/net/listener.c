#include "net/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* As long as the kernel allows: it cuts the number to net.core.somaxconn. */
enum { BACKLOG = 65535 };

static bool is_any_ipv6(const struct address *a)
{
    return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

static int set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value);
}

static int set_tcp_options(int fd, const struct address *a)
{
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) != 0 || set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) != 0)
        return -1;
    return is_any_ipv6(a) ? set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) : 0;
}

/* The last failed call's errno as a sentence with a way out. */
static int explain(const struct address *a, struct error *err)
{
    char text[ADDRESS_TEXT_MAX];
    address_print(a, text);
    bool is_unix = a->any.sa_family == AF_UNIX;
    if (errno == EADDRINUSE && is_unix)
        return error_set(err, "cannot listen on %s: it is in use; see who has it: ss -lxp 'src %s'", text,
                         a->un.sun_path);
    if (errno == EADDRINUSE)
        return error_set(
            err, "cannot listen on %s: the address is in use%s; see who has it: ss -ltnp 'sport = :%u'", text,
            is_any_ipv6(a) ? " (it stands for IPv4, too)" : "", address_port(a));
    if (errno == EACCES && !is_unix)
        return error_set(err,
                         "cannot listen on %s: permission denied: low ports need root, the capability "
                         "CAP_NET_BIND_SERVICE, or sysctl net.ipv4.ip_unprivileged_port_start=%u",
                         text, address_port(a));
    if (errno == EADDRNOTAVAIL)
        return error_set(
            err, "cannot listen on %s: no interface of this machine has the address; see: ip addr", text);
    return error_set_errno(err, "cannot listen on %s", text);
}

/* Is there a socket file that nobody listens on any more? With errno EADDRINUSE when not. */
static bool is_stale(const struct address *a)
{
    struct stat st;
    bool refused = false;
    if (lstat(a->un.sun_path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            return false;
        refused = connect(fd, &a->any, a->len) != 0 && errno == ECONNREFUSED;
        close(fd);
    }
    errno = EADDRINUSE;
    return refused;
}

static int bind_unix(int fd, const struct address *a)
{
    if (bind(fd, &a->any, a->len) == 0)
        return 0;
    if (errno != EADDRINUSE || !is_stale(a) || unlink(a->un.sun_path) != 0)
        return -1;
    return bind(fd, &a->any, a->len);
}

static int set_up(int fd, const struct address *a)
{
    if (a->any.sa_family == AF_UNIX) {
        if (bind_unix(fd, a) != 0)
            return -1;
    } else if (set_tcp_options(fd, a) != 0 || bind(fd, &a->any, a->len) != 0) {
        return -1;
    }
    return listen(fd, BACKLOG);
}

int listener_open(const struct address *a, struct error *err)
{
    struct address ipv4 = {.len = sizeof ipv4.in, .in = {.sin_family = AF_INET}};
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT &&
        is_any_ipv6(a)) { /* a system without IPv6: IPv4's addresses are all */
        address_set_port(&ipv4, address_port(a));
        a = &ipv4;
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (fd < 0)
        return explain(a, err);
    if (set_up(fd, a) != 0) {
        explain(a, err);
        close(fd);
        return -1;
    }
    return fd;
}
