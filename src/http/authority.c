#include "http/authority.h"

#include "net/network.h"

enum { PORT_MAX = 65535, PORT_DIGITS = 5 };

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

static bool read_port(struct slice s, uint16_t *port)
{
    uint32_t n = 0;
    if (s.len == 0 || s.len > PORT_DIGITS)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        n = n * 10 + (uint32_t)(s.ptr[i] - '0');
    }
    *port = (uint16_t)n;
    return n > 0 && n <= PORT_MAX;
}

/* Takes the host off the front of `*rest`. */
static bool take_host(struct slice *rest, struct authority *a)
{
    size_t len = 0;
    if (rest->len && rest->ptr[0] == '[') {
        const char *end = memchr(rest->ptr, ']', rest->len);
        struct ip ip;
        if (!end)
            return false;
        a->bracketed = true;
        a->host = (struct slice){rest->ptr + 1, (size_t)(end - rest->ptr) - 1};
        len = a->host.len + 2;
        if (!memchr(a->host.ptr, ':', a->host.len) || !ip_parse(a->host, &ip))
            return false;
    } else {
        /* One dot may end it, but no label is empty. */
        while (len < rest->len && is_host_char(rest->ptr[len])) {
            if (rest->ptr[len] == '.' && (len == 0 || rest->ptr[len - 1] == '.'))
                return false;
            len++;
        }
        a->host = (struct slice){rest->ptr, len};
    }
    *rest = (struct slice){rest->ptr + len, rest->len - len};
    return a->host.len > 0;
}

bool authority_parse(struct slice text, struct authority *a)
{
    *a = (struct authority){0};
    if (!take_host(&text, a))
        return false;
    if (text.len == 0)
        return true;
    return text.ptr[0] == ':' && read_port((struct slice){text.ptr + 1, text.len - 1}, &a->port);
}

bool authority_same_host(const struct authority *a, const struct authority *b)
{
    struct ip ip, other;
    if (slice_equal_nocase(a->host, b->host))
        return true;
    return ip_parse(a->host, &ip) && ip_parse(b->host, &other) && ip_equal(ip, other);
}
