#include "http/host.h"

#include <arpa/inet.h>

#include "http/chars.h"

enum { PORT_MAX = 65535 };

/* [":" port], the port being a number that a port can have, or empty. */
static bool port_is_valid(struct slice s)
{
    unsigned port = 0;
    if (s.len > 0 && (s.ptr[0] != ':' || s.len > 6))
        return false;
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        port = port * 10 + (unsigned)(s.ptr[i] - '0');
    }
    return port <= PORT_MAX;
}

/* "[" IPv6 "]" */
static bool ip_literal_is_valid(struct slice s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (s.len < 2 || s.len - 2 >= sizeof text)
        return false;
    memcpy(text, s.ptr + 1, s.len - 2);
    text[s.len - 2] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

/*
 * A name or an IPv4 address; one dot may end it. What names the same host in another way than conditions
 * compare is refused: escapes, and labels without a letter ("a..b"). "," may stand in a name, but Host would
 * look like a list then.
 */
static bool name_is_valid(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '[' || s.ptr[i] == ']' || s.ptr[i] == ',' || s.ptr[i] == '%')
            return false;
        if (s.ptr[i] == '.' && (i == 0 || s.ptr[i - 1] == '.'))
            return false;
    }
    return s.len > 0;
}

bool host_is_valid(struct slice h)
{
    if (h.len == 0 || !chars_all(h, CHAR_HOST))
        return h.len == 0;
    bool literal = h.ptr[0] == '[';
    const char *end = memchr(h.ptr, literal ? ']' : ':', h.len);
    if (literal && !end)
        return false;
    size_t len = end ? (size_t)(end - h.ptr) + literal : h.len;
    struct slice name = {h.ptr, len}, port = {h.ptr + len, h.len - len};
    return (literal ? ip_literal_is_valid(name) : name_is_valid(name)) && port_is_valid(port);
}
