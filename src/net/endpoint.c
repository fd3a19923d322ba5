#include "net/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { HOST_NAME_MAX_LEN = 253, LABEL_MAX = 63 }; /* RFC 1035, 2.3.4 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A name's character (RFC 952, and the underscore that containers' names have). */
static bool is_name_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

static int parse_unix(struct endpoint *e, const char *path, struct error *err)
{
    size_t len = strlen(path);
    if (path[0] != '/')
        return error_set(err, "the path of a Unix socket starts with a slash: write unix:/run/name.sock");
    if (len >= sizeof e->address.un.sun_path)
        return error_set(err, "the path of a Unix socket has at most %zu bytes, this one has %zu",
                         sizeof e->address.un.sun_path - 1, len);
    e->address.un.sun_family = AF_UNIX;
    memcpy(e->address.un.sun_path, path, len + 1);
    e->address.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    e->literal = true;
    return 0;
}

static int parse_port(uint16_t *port, const char *text, struct error *err)
{
    uint32_t value = 0;
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i]) || len > 5)
            return error_set(err, "\"%.40s\" is no port: write a number from 1 to 65535", text);
        value = value * 10 + (uint32_t)(text[i] - '0');
    }
    if (len == 0 || value < 1 || value > UINT16_MAX || text[0] == '0')
        return error_set(err, "\"%.40s\" is no port: write a number from 1 to 65535", text);
    *port = (uint16_t)value;
    return 0;
}

/* All addresses: the IPv6 one, which takes IPv4 as well (see listener_open). */
static void set_any(struct endpoint *e)
{
    strcpy(e->host, "*");
    e->address.in6.sin6_family = AF_INET6;
    e->address.in6.sin6_addr = in6addr_any;
    e->address.len = sizeof e->address.in6;
    e->literal = true;
}

static int set_ipv6(struct endpoint *e, struct slice host, struct error *err)
{
    char text[INET6_ADDRSTRLEN];
    if (host.len && memchr(host.ptr, '%', host.len))
        return error_set(err, "\"%.*s\" has a zone: write the address without it", SLICE_ARG(host));
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(host));
    if (host.len >= sizeof text || inet_pton(AF_INET6, text, &e->address.in6.sin6_addr) != 1)
        return error_set(err, "\"%.*s\" is no IPv6 address", (int)(host.len > 60 ? 60 : host.len), host.ptr);
    memcpy(e->host, text, host.len + 1);
    e->address.in6.sin6_family = AF_INET6;
    e->address.len = sizeof e->address.in6;
    e->literal = true;
    return 0;
}

/* A name's last label is never all digits: what ends like that is meant as an IPv4 address (RFC 3696, 2). */
static bool ends_in_number(struct slice host)
{
    size_t at = host.len;
    while (at > 0 && is_digit(host.ptr[at - 1]))
        at--;
    return at < host.len && (at == 0 || host.ptr[at - 1] == '.');
}

static int check_name(struct slice host, struct error *err)
{
    size_t label = 0;
    struct slice name = host;
    if (name.len > 1 && name.ptr[name.len - 1] == '.') /* the root, written out */
        name.len--;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '.' && label > 0 && name.ptr[i - 1] != '-') {
            label = 0;
            continue;
        }
        if (!is_name_char(c) || (c == '-' && label == 0) || ++label > LABEL_MAX)
            return error_set(err, "\"%.*s\" is no host name", SLICE_ARG(host));
    }
    if (label == 0 || name.ptr[name.len - 1] == '-')
        return error_set(err, "\"%.*s\" is no host name", SLICE_ARG(host));
    return 0;
}

static int set_host(struct endpoint *e, struct slice host, struct error *err)
{
    if (host.len == 0 || slice_equal(host, SLICE("*"))) {
        set_any(e);
        return 0;
    }
    if (host.len > HOST_NAME_MAX_LEN)
        return error_set(err, "a host name has at most %d bytes, this one has %zu", HOST_NAME_MAX_LEN,
                         host.len);
    memcpy(e->host, host.ptr, host.len);
    e->host[host.len] = '\0';
    if (inet_pton(AF_INET, e->host, &e->address.in.sin_addr) == 1) {
        e->address.in.sin_family = AF_INET;
        e->address.len = sizeof e->address.in;
        e->literal = true;
        return 0;
    }
    if (ends_in_number(host))
        return error_set(err, "\"%s\" is no IPv4 address", e->host);
    return check_name(host, err);
}

/* "[HOST]:PORT". */
static int parse_bracketed(struct endpoint *e, const char *text, struct error *err)
{
    const char *end = strchr(text, ']');
    if (!end)
        return error_set(err, "the bracket is not closed: write [::1]:80");
    if (set_ipv6(e, (struct slice){text + 1, (size_t)(end - text - 1)}, err) != 0)
        return -1;
    if (end[1] == '\0')
        return error_set(err, "the port is missing: write %s:80", text);
    if (end[1] != ':')
        return error_set(err, "a colon and the port follow the bracket: write [%s]:80", e->host);
    return parse_port(&e->port, end + 2, err);
}

static int parse_host_port(struct endpoint *e, const char *text, struct error *err)
{
    const char *colon = strchr(text, ':');
    struct in6_addr ignored;
    if (text[0] == '\0')
        return error_set(err, "the address is empty: write 10.0.0.1:80");
    if (!colon)
        return error_set(err, "the port is missing: write %.200s:80", text);
    if (strchr(colon + 1, ':')) {
        if (inet_pton(AF_INET6, text, &ignored) == 1)
            return error_set(
                err, "an IPv6 address stands in brackets, with the port behind them: write [%s]:80", text);
        return error_set(err,
                         "more than one colon: write 10.0.0.1:80, or an IPv6 address in brackets: [::1]:80");
    }
    if (set_host(e, (struct slice){text, (size_t)(colon - text)}, err) != 0)
        return -1;
    if (colon[1] == '\0')
        return error_set(err, "the port is missing: write %s80", text);
    return parse_port(&e->port, colon + 1, err);
}

int endpoint_parse(struct endpoint *e, const char *text, struct error *err)
{
    int rc;
    *e = (struct endpoint){0};
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(e, text + 5, err);
    rc = text[0] == '[' ? parse_bracketed(e, text, err) : parse_host_port(e, text, err);
    if (rc == 0 && e->literal)
        address_set_port(&e->address, e->port);
    return rc;
}
