#include "http/location.h"

#include "net/network.h"

enum { PORT_HTTP = 80, PORT_HTTPS = 443 };

/* ---- URLs ---- */

static bool begins_nocase(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_equal_nocase((struct slice){s.ptr, prefix.len}, prefix);
}

static struct slice behind(struct slice s, size_t len)
{
    return (struct slice){s.ptr + len, s.len - len};
}

bool url_split(struct slice text, struct url *u)
{
    *u = (struct url){.scheme = {text.ptr, 0}, .path = text};
    if (begins_nocase(text, SLICE("http://")))
        u->scheme.len = 4;
    else if (begins_nocase(text, SLICE("https://")))
        u->scheme.len = 5;
    else if (!begins_nocase(text, SLICE("//")))
        return true;
    struct slice rest = behind(text, u->scheme.len ? u->scheme.len + 3 : 2);
    size_t len = 0;
    while (len < rest.len && !memchr("/?#", rest.ptr[len], 3))
        len++;
    u->text = (struct slice){rest.ptr, len};
    u->path = behind(rest, len);
    return authority_parse(u->text, &u->authority);
}

/* The port that it means; of one without a scheme that of the other side's. */
static uint16_t port_of(const struct url *u, struct slice other_scheme)
{
    struct slice scheme = u->scheme.len ? u->scheme : other_scheme;
    if (u->authority.port)
        return u->authority.port;
    return slice_equal_nocase(scheme, SLICE("https")) ? PORT_HTTPS : PORT_HTTP;
}

/* ---- the rules that are written ---- */

static bool same_origin(const struct url *from, const struct url *u)
{
    if (!from->text.ptr || !u->text.ptr)
        return !from->text.ptr && !u->text.ptr;
    if (from->scheme.len && u->scheme.len && !slice_equal_nocase(from->scheme, u->scheme))
        return false;
    return port_of(from, u->scheme) == port_of(u, from->scheme) &&
           authority_same_host(&from->authority, &u->authority);
}

/* Is `prefix` in front of the path, up to the end of a segment? */
static bool path_fits(struct slice prefix, struct slice path, struct slice *tail)
{
    if (path.len < prefix.len || memcmp(path.ptr, prefix.ptr, prefix.len) != 0)
        return false;
    *tail = behind(path, prefix.len);
    return tail->len == 0 || memchr("/?#", tail->ptr[0], 3);
}

static unsigned put_authority(const struct public_name *name, struct slice out[static 3])
{
    out[0] = name->scheme;
    out[1] = SLICE("://");
    out[2] = name->authority;
    return 3;
}

static unsigned apply(const struct location_rule *r, const struct public_name *name, const struct url *u,
                      struct slice tail, struct slice out[static LOCATION_PIECES])
{
    unsigned n = 0;
    if (r->to.text.ptr) {
        out[n++] = (struct slice){r->to_text, (size_t)(r->to.path.ptr - r->to_text)};
    } else {
        /* A path alone stays one, but for "//x" and what browsers take for it (they don't see a tab): that is
         * another host. */
        bool host_like = r->to.path.len == 0 && tail.len > 1 && memchr("/\\\t", tail.ptr[1], 3);
        if (u->text.ptr || host_like) {
            if (name->authority.len == 0)
                return 0;
            n = put_authority(name, out);
        }
    }
    out[n++] = r->to.path;
    if (r->slash && (tail.len == 0 || tail.ptr[0] != '/'))
        out[n++] = SLICE("/");
    out[n++] = tail;
    return n;
}

/* ---- the servers' own addresses ---- */

static bool names_server(const struct server *s, const struct url *u, uint16_t port)
{
    struct ip ip;
    struct address address;
    if (s->endpoint.host[0] == '\0' || port != s->endpoint.port)
        return false;
    if (slice_equal_nocase(u->authority.host, slice_of(s->endpoint.host)))
        return true;
    return ip_parse(u->authority.host, &ip) && server_address(s, &address) &&
           ip_equal(ip, ip_of_address(&address));
}

/* https is no server's own, unless the public side is https, too: a redirect to it is meant as one. */
static bool is_own(const struct backend *b, const struct public_name *name, const struct url *u)
{
    if (u->scheme.len && !slice_equal_nocase(u->scheme, SLICE("http")) &&
        !slice_equal_nocase(u->scheme, name->scheme))
        return false;
    uint16_t port = port_of(u, SLICE("http"));
    for (uint32_t i = 0; i < b->server_count; i++)
        if (names_server(b->servers[i], u, port))
            return true;
    return false;
}

unsigned location_rewrite(const struct location_rules *r, const struct backend *b,
                          const struct public_name *name, struct slice url,
                          struct slice out[static LOCATION_PIECES])
{
    struct url u;
    struct slice tail;
    if (!url_split(url, &u))
        return 0;
    for (uint32_t i = 0; i < r->list.count; i++) {
        const struct location_rule *rule = r->list.items[i];
        if (same_origin(&rule->from, &u) && path_fits(rule->from.path, u.path, &tail))
            return apply(rule, name, &u, tail, out);
    }
    if (!u.text.ptr || name->authority.len == 0 || !is_own(b, name, &u))
        return 0;
    unsigned n = 0;
    if (u.scheme.len) {
        n = put_authority(name, out);
    } else {
        out[n++] = SLICE("//");
        out[n++] = name->authority;
    }
    out[n++] = u.path;
    return n;
}

/* ---- Refresh ---- */

static struct slice skip_spaces(struct slice s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = behind(s, 1);
    return s;
}

struct slice location_in_refresh(struct slice value)
{
    static const struct slice none = {"", 0};
    size_t time = 0;
    while (time < value.len && value.ptr[time] != ';' && value.ptr[time] != ',')
        time++;
    if (time == value.len)
        return none;
    struct slice s = skip_spaces(behind(value, time + 1));
    if (!begins_nocase(s, SLICE("url")))
        return none;
    s = skip_spaces(behind(s, 3));
    if (s.len == 0 || s.ptr[0] != '=')
        return none;
    s = skip_spaces(behind(s, 1));
    if (s.len && (s.ptr[0] == '"' || s.ptr[0] == '\'')) {
        const char *end = memchr(s.ptr + 1, s.ptr[0], s.len - 1);
        s = behind(s, 1);
        if (end)
            s.len = (size_t)(end - s.ptr);
    }
    return s;
}
