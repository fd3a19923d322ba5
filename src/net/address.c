#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* The IPv4 address that stands in an IPv6 one (RFC 4291, 2.5.5.2), as a socket for both families shows its
 * peers. */
static bool mapped_ipv4(const struct address *a, struct in_addr *ip)
{
    if (a->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
        return false;
    memcpy(ip, a->in6.sin6_addr.s6_addr + 12, sizeof *ip);
    return true;
}

/* The path of a Unix socket, "" for one without (a client's). */
static struct slice unix_path(const struct address *a)
{
    size_t head = offsetof(struct sockaddr_un, sun_path);
    size_t max = a->len > head ? a->len - head : 0;
    return (struct slice){a->un.sun_path, strnlen(a->un.sun_path, max)};
}

static char *put_decimal(char *at, unsigned n)
{
    if (n >= 10)
        at = put_decimal(at, n / 10);
    *at++ = (char)('0' + n % 10);
    return at;
}

/* By hand: printf costs more than all else that a request's address is needed for. */
static char *put_ipv4(char *at, struct in_addr ip)
{
    uint8_t bytes[4];
    memcpy(bytes, &ip, sizeof bytes);
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            *at++ = '.';
        at = put_decimal(at, bytes[i]);
    }
    return at;
}

static void print(const struct address *a, char *out, bool with_port)
{
    char ip[INET6_ADDRSTRLEN] = "";
    struct in_addr ip4;
    bool is_ip4 = mapped_ipv4(a, &ip4);
    if (a->any.sa_family == AF_INET) {
        ip4 = a->in.sin_addr;
        is_ip4 = true;
    }
    if (is_ip4) {
        char *at = put_ipv4(out, ip4);
        if (with_port) {
            *at++ = ':';
            at = put_decimal(at, address_port(a));
        }
        *at = '\0';
        return;
    }
    inet_ntop(AF_INET6, &a->in6.sin6_addr, ip, sizeof ip);
    snprintf(out, ADDRESS_TEXT_MAX, with_port ? "[%s]:%u" : "%s", ip, address_port(a));
}

static bool is_ip(const struct address *a)
{
    return a->len > 0 && (a->any.sa_family == AF_INET || a->any.sa_family == AF_INET6);
}

const char *address_print(const struct address *a, char out[static ADDRESS_TEXT_MAX])
{
    if (is_ip(a))
        print(a, out, true);
    else if (a->len > 0 && a->any.sa_family == AF_UNIX)
        snprintf(out, ADDRESS_TEXT_MAX, "unix:%.*s", SLICE_ARG(unix_path(a)));
    else
        snprintf(out, ADDRESS_TEXT_MAX, "none");
    return out;
}

const char *address_print_ip(const struct address *a, char out[static ADDRESS_TEXT_MAX])
{
    if (is_ip(a))
        print(a, out, false);
    else
        snprintf(out, ADDRESS_TEXT_MAX, "%s", a->len > 0 && a->any.sa_family == AF_UNIX ? "unix:" : "none");
    return out;
}

bool address_equal(const struct address *a, const struct address *b)
{
    if (a->len == 0 || b->len == 0)
        return a->len == b->len;
    if (a->any.sa_family != b->any.sa_family)
        return false;
    switch (a->any.sa_family) {
    case AF_INET:
        return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr && a->in.sin_port == b->in.sin_port;
    case AF_INET6:
        return IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
               a->in6.sin6_port == b->in6.sin6_port && a->in6.sin6_scope_id == b->in6.sin6_scope_id;
    case AF_UNIX:
        return slice_equal(unix_path(a), unix_path(b));
    default:
        return false;
    }
}

bool address_is_wildcard(const struct address *a)
{
    if (a->any.sa_family == AF_INET)
        return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
    return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

void address_set_port(struct address *a, uint16_t port)
{
    if (a->any.sa_family == AF_INET)
        a->in.sin_port = htons(port);
    else if (a->any.sa_family == AF_INET6)
        a->in6.sin6_port = htons(port);
}

uint16_t address_port(const struct address *a)
{
    if (a->any.sa_family == AF_INET)
        return ntohs(a->in.sin_port);
    return a->any.sa_family == AF_INET6 ? ntohs(a->in6.sin6_port) : 0;
}

uint64_t address_hash_ip(const struct address *a)
{
    struct in6_addr ip = {0}; /* a Unix socket's clients are all one */
    if (a->any.sa_family == AF_INET6) {
        ip = a->in6.sin6_addr;
    } else if (a->any.sa_family == AF_INET) {
        ip.s6_addr[10] = ip.s6_addr[11] = 0xff;
        memcpy(ip.s6_addr + 12, &a->in.sin_addr, sizeof a->in.sin_addr);
    }
    return XXH3_64bits(&ip, sizeof ip);
}

int address_resolve(struct address *out, const char *host, uint16_t port, struct error *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    *out = (struct address){0};
    int rc = getaddrinfo(host, NULL, &hints, &found);
    if (rc == EAI_SYSTEM)
        return error_set_errno(err, "cannot resolve \"%s\"", host);
    if (rc != 0)
        return error_set(err, "cannot resolve \"%s\": %s", host, gai_strerror(rc));
    if (found->ai_addrlen <= sizeof out->storage) {
        memcpy(&out->storage, found->ai_addr, found->ai_addrlen);
        out->len = found->ai_addrlen;
        address_set_port(out, port);
    }
    freeaddrinfo(found);
    return out->len ? 0 : error_set(err, "cannot resolve \"%s\": the answer is no IP address", host);
}
