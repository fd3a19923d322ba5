#include "http/forwarded.h"

#include "base/macros.h"
#include "http/authority.h"

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token_len(struct slice s)
{
    size_t len = 0;
    while (len < s.len && is_token_char(s.ptr[len]))
        len++;
    return len;
}

static void skip(struct slice *s, size_t len)
{
    s->ptr += len;
    s->len -= len;
}

/* Takes a quoted string off the front. One with a backslash inside is taken off, too: `*value` keeps it. */
static bool take_quoted(struct slice *rest, struct slice *value)
{
    size_t i = 1;
    while (i < rest->len && rest->ptr[i] != '"')
        i += rest->ptr[i] == '\\' ? 2 : 1;
    if (i >= rest->len)
        return false;
    *value = (struct slice){rest->ptr + 1, i - 1};
    skip(rest, i + 1);
    return true;
}

/* Takes name "=" value off the front. */
static bool take_pair(struct slice *rest, struct slice *name, struct slice *value)
{
    *name = (struct slice){rest->ptr, token_len(*rest)};
    skip(rest, name->len);
    if (name->len == 0 || rest->len < 2 || rest->ptr[0] != '=')
        return false;
    skip(rest, 1);
    if (rest->ptr[0] == '"')
        return take_quoted(rest, value);
    *value = (struct slice){rest->ptr, token_len(*rest)};
    skip(rest, value->len);
    return value->len > 0;
}

/* Where the value of a parameter goes; NULL: noxy doesn't know it. */
static struct slice *place_of(struct forwarded *f, struct slice name)
{
    if (slice_equal_nocase(name, SLICE("for")))
        return &f->node;
    if (slice_equal_nocase(name, SLICE("host")))
        return &f->host;
    return slice_equal_nocase(name, SLICE("proto")) ? &f->proto : NULL;
}

bool forwarded_parse(struct slice element, struct forwarded *f)
{
    *f = (struct forwarded){{"", 0}, {"", 0}, {"", 0}};
    for (struct slice rest = slice_trim(element); rest.len; rest = slice_trim(rest)) {
        struct slice name, value;
        if (rest.ptr[0] == ';') {
            skip(&rest, 1);
            continue;
        }
        if (!take_pair(&rest, &name, &value))
            return false;
        struct slice *place = place_of(f, name);
        /* Nothing that may stand in these needs a backslash. */
        if (place && (place->len || !value.len || memchr(value.ptr, '\\', value.len)))
            return false;
        if (place)
            *place = value;
        rest = slice_trim(rest);
        if (rest.len && rest.ptr[0] != ';')
            return false;
    }
    return true;
}

static bool all_obfuscated(struct slice s)
{
    if (s.len < 2 || s.ptr[0] != '_')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_char(s.ptr[i]))
            return false;
    return true;
}

/* Without an obfuscated port (RFC 7239, 6.3). */
static struct slice without_hidden_port(struct slice node)
{
    const char *colon = node.len ? memrchr(node.ptr, ':', node.len) : NULL;
    if (colon) {
        struct slice port = {colon + 1, node.len - (size_t)(colon + 1 - node.ptr)};
        if (all_obfuscated(port))
            return (struct slice){node.ptr, (size_t)(colon - node.ptr)};
    }
    return node;
}

enum node_kind forwarded_read_node(struct slice node, struct ip *ip)
{
    static const struct ip none;
    struct authority a;
    node = without_hidden_port(node);
    if (all_obfuscated(node))
        return NODE_HIDDEN;
    if (!authority_parse(node, &a))
        return NODE_MALFORMED;
    if (slice_equal_nocase(a.host, SLICE("unknown")) || all_obfuscated(a.host))
        return NODE_HIDDEN;
    /* "::" is nobody's address, and stands for "none" here. */
    return ip_parse(a.host, ip) && !ip_equal(*ip, none) ? NODE_ADDRESS : NODE_MALFORMED;
}

/* A token as it is, anything else in quotes. */
static void put_value(struct pen *p, struct slice value)
{
    if (value.len && token_len(value) == value.len) {
        pen_put(p, value);
        return;
    }
    pen_put(p, SLICE("\""));
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"' || value.ptr[i] == '\\')
            pen_put(p, SLICE("\\"));
        pen_put(p, (struct slice){value.ptr + i, 1});
    }
    pen_put(p, SLICE("\""));
}

void forwarded_put(struct pen *p, struct ip ip, struct slice host, struct slice proto)
{
    char text[ADDRESS_TEXT_MAX];
    struct slice address = {text, ip_print(ip, text)};
    pen_put(p, SLICE("for="));
    if (address.len == 0) {
        pen_put(p, SLICE("unknown"));
    } else if (ip_is_v4(ip)) {
        pen_put(p, address);
    } else {
        pen_put(p, SLICE("\"["));
        pen_put(p, address);
        pen_put(p, SLICE("]\""));
    }
    if (host.len) {
        pen_put(p, SLICE(";host="));
        put_value(p, host);
    }
    if (proto.len) {
        pen_put(p, SLICE(";proto="));
        put_value(p, proto);
    }
}
