#include "http/trusted.h"

#include "http/authority.h"
#include "http/forwarded.h"

bool trusted_has(const struct trusted *t, struct ip ip)
{
    static const struct ip none;
    if (ip_equal(ip, none))
        return t->local;
    for (uint32_t i = 0; i < t->count; i++)
        if (network_has(&t->networks[i], ip))
            return true;
    return false;
}

/* ---- a list field's elements, from the last to the first ---- */

struct walk {
    const struct message *m;
    enum field_id id;
    bool quotes;       /* commas in quotes don't end an element */
    unsigned line;     /* the fields before this one are still to be looked at */
    struct slice rest; /* what is left of the present line; NULL: nothing */
};

/* Is the quote at `at` a part of the quoted string that it stands in? */
static bool is_escaped(struct slice s, size_t at)
{
    size_t backslashes = 0;
    while (backslashes < at && s.ptr[at - 1 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 1;
}

/*
 * Where the last element of `s` begins. From the right, too, since that is the end that a trusted proxy
 * wrote: a quote that somebody left open before it can't swallow it.
 */
static size_t last_begins(const struct walk *w, struct slice s)
{
    bool quoted = false;
    for (size_t i = s.len; i > 0; i--) {
        char c = s.ptr[i - 1];
        if (c == '"' && w->quotes && !(quoted && is_escaped(s, i - 1)))
            quoted = !quoted;
        else if (c == ',' && !quoted)
            return i;
    }
    return 0;
}

static bool previous_line(struct walk *w)
{
    while (w->line > 0) {
        const struct field *f = &w->m->fields[--w->line];
        if (f->id != w->id || f->dropped)
            continue;
        w->rest = field_value(f);
        return true;
    }
    return false;
}

/* The element before the last that was got; empty ones are none (RFC 9110, 5.6.1). False: there is no more.
 */
static bool previous(struct walk *w, struct slice *element)
{
    while (w->rest.len || previous_line(w)) {
        size_t begin = last_begins(w, w->rest);
        *element = slice_trim((struct slice){w->rest.ptr + begin, w->rest.len - begin});
        w->rest.len = begin ? begin - 1 : 0;
        if (element->len)
            return true;
    }
    return false;
}

static struct walk walk_of(const struct message *m, enum field_id id, bool quotes)
{
    return (struct walk){.m = m, .id = id, .quotes = quotes, .line = m->count};
}

/* The one line of a field; "" when there is none or more than one. */
static struct slice only_line(const struct message *m, enum field_id id)
{
    struct slice value = SLICE("");
    for (unsigned i = 0; i < m->count; i++) {
        if (m->fields[i].id != id || m->fields[i].dropped)
            continue;
        if (value.len)
            return SLICE("");
        value = field_value(&m->fields[i]);
    }
    return value;
}

/* ---- the fields ---- */

/* A node is where the walk goes on from. False: it ends. */
static bool follow(const struct trusted *t, enum node_kind kind, struct ip ip, struct slice element,
                   struct trusted_word *w)
{
    if (kind == NODE_MALFORMED)
        w->bad = element;
    if (kind != NODE_ADDRESS)
        return false;
    w->client = ip;
    w->named = true;
    return trusted_has(t, ip);
}

/* An address as X-Forwarded-For and X-Real-IP have it: RFC 7239's forms, and an IPv6 address without
 * brackets. */
static enum node_kind read_plain(struct slice s, struct ip *ip)
{
    static const struct ip none;
    if (ip_parse(s, ip))
        return ip_equal(*ip, none) ? NODE_MALFORMED : NODE_ADDRESS;
    return forwarded_read_node(s, ip);
}

/* These return false when the field says nothing at all. */

static bool read_x_forwarded_for(const struct trusted *t, const struct message *m, struct trusted_word *w)
{
    struct walk walk = walk_of(m, FIELD_X_FORWARDED_FOR, false);
    struct slice element;
    struct ip ip;
    if (!previous(&walk, &element))
        return false;
    while (follow(t, read_plain(element, &ip), ip, element, w) && previous(&walk, &element))
        continue;
    return true;
}

static struct slice known_scheme(struct slice s)
{
    if (slice_equal_nocase(s, SLICE("https")))
        return SLICE("https");
    return slice_equal_nocase(s, SLICE("http")) ? SLICE("http") : SLICE("");
}

static void take_scheme(struct trusted_word *w, struct slice value)
{
    struct slice scheme = known_scheme(value);
    if (scheme.len)
        w->scheme = scheme;
    else if (value.len)
        w->bad = value;
}

static void take_host(struct trusted_word *w, struct slice value)
{
    struct authority a;
    if (authority_parse(value, &a))
        w->host = value;
    else if (value.len)
        w->bad = value;
}

static bool read_forwarded(const struct trusted *t, const struct message *m, struct trusted_word *w)
{
    struct walk walk = walk_of(m, FIELD_FORWARDED, true);
    struct slice element;
    struct forwarded f;
    struct ip ip;
    bool any = false, on = true;
    while (on && previous(&walk, &element)) {
        any = true;
        if (!forwarded_parse(element, &f)) {
            w->bad = element;
            break;
        }
        take_scheme(w, f.proto);
        take_host(w, f.host);
        on = f.node.len && follow(t, forwarded_read_node(f.node, &ip), ip, element, w);
    }
    return any;
}

static bool read_x_real_ip(const struct trusted *t, const struct message *m, struct trusted_word *w)
{
    struct slice value = only_line(m, FIELD_X_REAL_IP);
    struct ip ip;
    if (value.len)
        follow(t, read_plain(value, &ip), ip, value, w);
    return value.len > 0;
}

static const struct {
    enum trusted_field which;
    bool (*read)(const struct trusted *t, const struct message *m, struct trusted_word *w);
} fields[] = {
    {TRUSTED_X_FORWARDED_FOR, read_x_forwarded_for},
    {TRUSTED_FORWARDED, read_forwarded},
    {TRUSTED_X_REAL_IP, read_x_real_ip},
};

bool trusted_read(const struct trusted *t, enum trusted_field which, const struct message *m, struct ip peer,
                  struct trusted_word *w)
{
    *w = (struct trusted_word){.client = peer, .scheme = {"", 0}, .host = {"", 0}, .bad = {"", 0}};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if ((which == TRUSTED_ANY || which == fields[i].which) && fields[i].read(t, m, w))
            break;
    if (which != TRUSTED_FORWARDED) {
        take_scheme(w, only_line(m, FIELD_X_FORWARDED_PROTO));
        take_host(w, only_line(m, FIELD_X_FORWARDED_HOST));
    }
    return w->named;
}
