#include "http/set_cookie.h"

#include "base/macros.h"

/* One cookie on its way through. */
struct baking {
    const struct cookie_rules *rules;
    struct pen *pen;
    bool fixed; /* __Host-: has no domain, and no path but / (RFC 6265bis, 4.1.3.2) */
    bool secure, http_only, same_site;
    bool changed;
};

static const struct slice same_site_words[] = {
    [SAME_SITE_LAX] = SLICE("Lax"),
    [SAME_SITE_STRICT] = SLICE("Strict"),
    [SAME_SITE_NONE] = SLICE("None"),
};

/* Takes what stands before `end` off the front; all, if it isn't there. */
static struct slice take_until(struct slice *rest, char end)
{
    const char *at = rest->len ? memchr(rest->ptr, end, rest->len) : NULL;
    struct slice s = {rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len};
    *rest = at ? (struct slice){at + 1, rest->len - s.len - 1} : (struct slice){"", 0};
    return s;
}

/* An attribute in `piece`, "name = value", gets a value of up to two parts. */
static void put_value(struct baking *b, struct slice piece, struct slice first, struct slice second)
{
    struct slice rest = piece, name = take_until(&rest, '=');
    struct slice old = slice_trim(rest);
    if (old.len == first.len + second.len && old.len && memcmp(old.ptr, first.ptr, first.len) == 0 &&
        slice_equal((struct slice){old.ptr + first.len, second.len}, second)) {
        pen_put(b->pen, piece);
        return;
    }
    pen_put(b->pen, name);
    pen_put(b->pen, SLICE("="));
    pen_put(b->pen, first);
    pen_put(b->pen, second);
    b->changed = true;
}

static struct slice without_dot(struct slice domain)
{
    if (domain.len && domain.ptr[0] == '.')
        domain.ptr++, domain.len--;
    return domain;
}

static void put_domain(struct baking *b, struct slice piece, struct slice value)
{
    for (uint32_t i = 0; value.len && !b->fixed && i < b->rules->domain.count; i++) {
        const struct cookie_rule *r = b->rules->domain.items[i];
        if (!r->from || slice_equal_nocase(without_dot(slice_of(r->from)), without_dot(value))) {
            put_value(b, piece, slice_of(r->to), SLICE(""));
            return;
        }
    }
    pen_put(b->pen, piece);
}

static struct slice without_slash(struct slice path)
{
    if (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    return path;
}

static void put_path(struct baking *b, struct slice piece, struct slice value)
{
    for (uint32_t i = 0; value.len && !b->fixed && i < b->rules->path.count; i++) {
        const struct cookie_rule *r = b->rules->path.items[i];
        struct slice from = without_slash(slice_of(r->from)), to = slice_of(r->to);
        if (value.len < from.len || memcmp(value.ptr, from.ptr, from.len) != 0)
            continue;
        struct slice tail = {value.ptr + from.len, value.len - from.len};
        if (tail.len && tail.ptr[0] != '/')
            continue;
        if (slice_equal(value, slice_of(r->from)))
            tail.len = 0;
        put_value(b, piece, tail.len ? without_slash(to) : to, tail);
        return;
    }
    pen_put(b->pen, piece);
}

static void put_same_site(struct baking *b, struct slice piece, struct slice value)
{
    (void)value;
    b->same_site = true;
    if (b->rules->same_site == SAME_SITE_KEPT)
        pen_put(b->pen, piece);
    else
        put_value(b, piece, same_site_words[b->rules->same_site], SLICE(""));
}

static void put_secure(struct baking *b, struct slice piece, struct slice value)
{
    (void)value;
    b->secure = true;
    pen_put(b->pen, piece);
}

static void put_http_only(struct baking *b, struct slice piece, struct slice value)
{
    (void)value;
    b->http_only = true;
    pen_put(b->pen, piece);
}

static const struct {
    struct slice name;
    void (*put)(struct baking *b, struct slice piece, struct slice value);
} attributes[] = {
    {SLICE("Domain"), put_domain}, {SLICE("Path"), put_path},          {SLICE("SameSite"), put_same_site},
    {SLICE("Secure"), put_secure}, {SLICE("HttpOnly"), put_http_only},
};

static void put_attribute(struct baking *b, struct slice piece)
{
    struct slice rest = piece, name = slice_trim(take_until(&rest, '='));
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        if (slice_equal_nocase(attributes[i].name, name)) {
            attributes[i].put(b, piece, slice_trim(rest));
            return;
        }
    pen_put(b->pen, piece);
}

static void add(struct baking *b, struct slice attribute, struct slice value)
{
    pen_put(b->pen, SLICE("; "));
    pen_put(b->pen, attribute);
    pen_put(b->pen, value);
    b->changed = true;
}

static bool is_fixed(struct slice cookie)
{
    static const struct slice prefix = SLICE("__Host-");
    struct slice name = slice_trim(cookie);
    return name.len >= prefix.len && slice_equal_nocase((struct slice){name.ptr, prefix.len}, prefix);
}

bool set_cookie_rewrite(const struct cookie_rules *r, struct slice value, struct pen *p)
{
    struct baking b = {.rules = r, .pen = p};
    struct slice rest = value, cookie = take_until(&rest, ';');
    b.fixed = is_fixed(cookie);
    pen_put(p, cookie);
    for (size_t done = cookie.len; done < value.len;) {
        struct slice piece = take_until(&rest, ';');
        pen_put(p, SLICE(";"));
        put_attribute(&b, piece);
        done += piece.len + 1;
    }
    if (r->secure && !b.secure)
        add(&b, SLICE("Secure"), SLICE(""));
    if (r->http_only && !b.http_only)
        add(&b, SLICE("HttpOnly"), SLICE(""));
    if (r->same_site != SAME_SITE_KEPT && !b.same_site)
        add(&b, SLICE("SameSite="), same_site_words[r->same_site]);
    return b.changed;
}
