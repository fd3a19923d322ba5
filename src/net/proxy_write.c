#include <stdio.h>
#include <string.h>

#include "net/network.h"
#include "net/proxy.h"

/* The two ends in one family, as the header needs them. */
struct ends {
    struct ip source, destination;
    uint16_t source_port, destination_port;
    bool v4;
};

static bool is_ip(const struct address *a)
{
    return a && a->len > 0 && (a->any.sa_family == AF_INET || a->any.sa_family == AF_INET6);
}

/* False: there is no source to name. */
static bool find_ends(const struct address *source, const struct address *destination, struct ends *e)
{
    *e = (struct ends){0};
    if (!is_ip(source))
        return false;
    e->source = ip_of_address(source);
    e->source_port = address_port(source);
    e->v4 = ip_is_v4(e->source);
    if (!is_ip(destination)) {
        if (e->v4)
            memcpy(e->destination.bytes, e->source.bytes, 12); /* 0.0.0.0 */
        return true;
    }
    e->destination = ip_of_address(destination);
    e->destination_port = address_port(destination);
    e->v4 = e->v4 && ip_is_v4(e->destination);
    return true;
}

/* As version 1 writes it: where only one of two is IPv4, that one stands in IPv6. */
static void print_ip(struct ip ip, bool v4, char out[static ADDRESS_TEXT_MAX])
{
    const uint8_t *b = ip.bytes;
    if (!v4 && ip_is_v4(ip))
        snprintf(out, ADDRESS_TEXT_MAX, "::ffff:%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
    else if (ip_print(ip, out) == 0)
        strcpy(out, "::");
}

static size_t write_line(const struct ends *e, char out[static PROXY_WRITE_MAX])
{
    char source[ADDRESS_TEXT_MAX], destination[ADDRESS_TEXT_MAX];
    print_ip(e->source, e->v4, source);
    print_ip(e->destination, e->v4, destination);
    return (size_t)snprintf(out, PROXY_WRITE_MAX, "PROXY TCP%c %.39s %.39s %u %u\r\n", e->v4 ? '4' : '6',
                            source, destination, e->source_port, e->destination_port);
}

static char *put(char *at, const void *bytes, size_t len)
{
    return (char *)memcpy(at, bytes, len) + len;
}

static char *put16(char *at, uint16_t value)
{
    *at++ = (char)(value >> 8);
    *at++ = (char)(value & 0xff);
    return at;
}

/* NULL: LOCAL. */
static size_t write_binary(const struct ends *e, char *out)
{
    char *at = put(out, "\r\n\r\n\0\r\nQUIT\n", 12), *length;
    *at++ = e ? 0x21 : 0x20;
    *at++ = !e ? 0x00 : e->v4 ? 0x11 : 0x21;
    length = at;
    at += 2;
    if (e) {
        size_t skip = e->v4 ? 12 : 0;
        at = put(at, e->source.bytes + skip, sizeof e->source.bytes - skip);
        at = put(at, e->destination.bytes + skip, sizeof e->destination.bytes - skip);
        at = put16(at, e->source_port);
        at = put16(at, e->destination_port);
    }
    put16(length, (uint16_t)(at - length - 2));
    return (size_t)(at - out);
}

size_t proxy_write(enum proxy_version v, const struct address *source, const struct address *destination,
                   char out[static PROXY_WRITE_MAX])
{
    struct ends e;
    bool known = find_ends(source, destination, &e);
    if (v == PROXY_V2)
        return write_binary(known ? &e : NULL, out);
    return known ? write_line(&e, out) : (size_t)(put(out, "PROXY UNKNOWN\r\n", 15) - out);
}
