/*
 * choose.c: which frontend, and which of its binds, a request arrives at.
 */
#include <string.h>

#include "explain/parts.h"

/* How well a bind fits, 0: not at all. In mode tcp noxy sees no scheme: TLS may be passed through. */
static unsigned fit(const struct bind *b, const struct target *t)
{
    struct ip host;
    if (b->address.any.sa_family == AF_UNIX || address_port(&b->address) != t->port)
        return 0;
    if (b->frontend->mode == MODE_HTTP && (!t->scheme || strcmp(bind_scheme(b), t->scheme) != 0))
        return 0;
    if (!ip_parse(t->host, &host) || address_is_wildcard(&b->address))
        return 2;
    return ip_equal(ip_of_address(&b->address), host) ? 3 : 1;
}

static const char *describe(const struct bind *b)
{
    return b->frontend->mode == MODE_TCP ? "mode tcp" : bind_scheme(b);
}

static int report_none(const struct explain_host *h, const struct target *t, struct error *err)
{
    struct text all = {0};
    for (uint32_t i = 0; i < h->frontend_count; i++)
        for (uint32_t j = 0; j < h->frontends[i]->bind_count && all.len < 300; j++) {
            const struct bind *b = h->frontends[i]->binds[j];
            text_printf(&all, "%s%s %s (%s)", all.len ? ", " : "", b->frontend->name, b->addr_port,
                        describe(b));
        }
    error_set(
        err,
        "no frontend takes %s on port %u; there are: %s. With --frontend NAME one is taken whatever its "
        "port",
        t->tcp ? "mode tcp" : t->scheme, t->port, text_str(&all));
    text_free(&all);
    return -1;
}

/* The bind of the frontend that was named: one that fits, or of the right scheme, or the first. */
static const struct bind *choose_of(const struct frontend *f, const struct target *t, struct error *err)
{
    const struct bind *best = NULL;
    unsigned best_fit = 0;
    if (t->tcp && f->mode == MODE_HTTP) {
        error_set(err, "frontend \"%s\" is of mode http: give METHOD URL", f->name);
        return NULL;
    }
    for (uint32_t i = 0; i < f->bind_count; i++) {
        const struct bind *b = f->binds[i];
        bool scheme = f->mode == MODE_TCP || strcmp(bind_scheme(b), t->scheme) == 0;
        unsigned n = 2 * fit(b, t) + scheme;
        if (!best || n > best_fit) {
            best = b;
            best_fit = n;
        }
    }
    if (best && best_fit == 0) {
        error_set(err, "frontend \"%s\" has no bind for %s", f->name, t->scheme);
        return NULL;
    }
    return best;
}

static const struct bind *choose_named(const struct explain_host *h, const struct explain_request *r,
                                       const struct target *t, struct error *err)
{
    for (uint32_t i = 0; i < h->frontend_count; i++)
        if (strcmp(h->frontends[i]->name, r->frontend) == 0)
            return choose_of(h->frontends[i], t, err);
    error_set(err, "no frontend is named \"%.80s\"", r->frontend);
    return NULL;
}

const struct bind *choose_bind(const struct explain_host *h, const struct explain_request *r,
                               const struct target *t, json_t *others, struct error *err)
{
    const struct bind *best = NULL;
    unsigned best_fit = 0;
    if (r->frontend)
        return choose_named(h, r, t, err);
    for (uint32_t i = 0; i < h->frontend_count; i++)
        for (uint32_t j = 0; j < h->frontends[i]->bind_count; j++) {
            const struct bind *b = h->frontends[i]->binds[j];
            unsigned n = fit(b, t);
            if (n == 0 || n < best_fit)
                continue;
            if (n > best_fit)
                json_array_clear(others);
            else
                json_array_append_new(
                    others, json_pack("{s:s,s:s}", "frontend", b->frontend->name, "bind", b->addr_port));
            best = n > best_fit ? b : best;
            best_fit = n;
        }
    if (!best)
        report_none(h, t, err);
    return best;
}
