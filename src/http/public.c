/*
 * public.c: what becomes of a server's response on its way to the client: what
 * tells of the server goes, and its own names become the public ones. noxy's
 * own answers don't come here.
 */
#include "base/macros.h"
#include "http/http.h"
#include "http/location.h"
#include "http/set_cookie.h"

/* ---- hide_server ---- */

/* Fields that do nothing but tell what a server is made of. */
static const struct slice telling[] = {
    SLICE("Server"),        SLICE("X-Powered-By"), SLICE("X-AspNet-Version"), SLICE("X-AspNetMvc-Version"),
    SLICE("X-Powered-CMS"), SLICE("X-Generator"),  SLICE("X-Runtime"),
};

static struct slice name_of(const struct field *f)
{
    return (struct slice){f->name, f->name_len};
}

static bool is_telling(const struct field *f)
{
    if (f->id != FIELD_OTHER)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(telling); i++)
        if (slice_equal_nocase(telling[i], name_of(f)))
            return true;
    return false;
}

static void hide(struct message *m)
{
    for (unsigned i = 0; i < m->count; i++)
        if (is_telling(&m->fields[i]))
            m->fields[i].dropped = true;
}

/* ---- the fields that are rewritten ---- */

/* Memory for the field's line with a value of that length; NULL: too long for a field. `*value`: where it
 * goes. */
static char *new_line(struct exchange *x, const struct field *f, size_t value_len, char **value)
{
    if (value_len > UINT16_MAX)
        return NULL;
    char *line = exchange_alloc(x, f->name_len + value_len + 4);
    memcpy(line, f->name, f->name_len);
    memcpy(line + f->name_len, ": ", 2);
    *value = line + f->name_len + 2;
    memcpy(*value + value_len, "\r\n", 2);
    return line;
}

static void set_line(struct field *f, const char *line, const char *value, size_t value_len)
{
    f->name = line;
    f->value = value;
    f->value_len = (uint16_t)value_len;
    f->raw = true;
}

static struct slice whole(struct slice value)
{
    return value;
}

static const struct {
    struct slice name;
    struct slice (*url)(struct slice value); /* the part of the value that is a URL */
} with_url[] = {
    {SLICE("Location"), whole},
    {SLICE("Content-Location"), whole},
    {SLICE("Refresh"), location_in_refresh},
};

/* The URL in a field's value; empty: there is none. */
static struct slice url_of(const struct field *f)
{
    if (f->id == FIELD_OTHER || f->id == FIELD_LOCATION)
        for (size_t i = 0; i < ARRAY_LEN(with_url); i++)
            if (slice_equal_nocase(with_url[i].name, name_of(f)))
                return with_url[i].url(field_value(f));
    return SLICE("");
}

static void rewrite_location(struct exchange *x, struct field *f)
{
    struct slice url = url_of(f), pieces[LOCATION_PIECES];
    struct public_name name = {slice_of(x->client_scheme),
                               x->client_host.len ? x->client_host : x->request.host};
    const struct backend *b = x->attempt.backend;
    if (url.len == 0)
        return;
    unsigned count = location_rewrite(b->http->rewrite_location, b, &name, url, pieces);
    if (count == 0)
        return;
    struct slice before = {f->value, (size_t)(url.ptr - f->value)};
    struct slice after = {url.ptr + url.len, f->value_len - before.len - url.len};
    size_t len = before.len + after.len;
    for (unsigned i = 0; i < count; i++)
        len += pieces[i].len;
    char *value, *line = new_line(x, f, len, &value);
    if (!line)
        return;
    struct pen p = {value, 0};
    pen_put(&p, before);
    for (unsigned i = 0; i < count; i++)
        pen_put(&p, pieces[i]);
    pen_put(&p, after);
    set_line(f, line, value, len);
}

static void rewrite_cookie(struct exchange *x, struct field *f)
{
    const struct cookie_rules *rules = x->attempt.backend->http->rewrite_cookies;
    struct pen measure = {NULL, 0};
    char *value, *line;
    if (f->id != FIELD_SET_COOKIE || !set_cookie_rewrite(rules, field_value(f), &measure) ||
        !(line = new_line(x, f, measure.len, &value)))
        return;
    struct pen p = {value, 0};
    set_cookie_rewrite(rules, field_value(f), &p);
    set_line(f, line, value, p.len);
}

static void rewrite(struct exchange *x, struct message *m)
{
    const struct http_backend_conf *conf = x->attempt.backend->http;
    for (unsigned i = 0; i < m->count; i++) {
        if (conf->rewrite_location)
            rewrite_location(x, &m->fields[i]);
        if (conf->rewrite_cookies)
            rewrite_cookie(x, &m->fields[i]);
    }
}

void exchange_prepare_response(struct exchange *x, struct message *m)
{
    const struct http_backend_conf *conf = x->attempt.backend->http;
    if (UNLIKELY(x->frontend->http->hide_server))
        hide(m);
    if (UNLIKELY(conf->rewrite_location || conf->rewrite_cookies))
        rewrite(x, m);
}
