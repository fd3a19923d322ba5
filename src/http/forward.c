/*
 * forward.c: what becomes of a request's head on its way to a server:
 * hop-by-hop fields go (RFC 9110, 7.6.1), X-Forwarded-For, -Proto and -Host
 * and Forwarded (RFC 7239) say who asked, how, and for what. Where a rule has
 * set one of them, it is what the rule says.
 */
#include "http/forwarded.h"
#include "http/http.h"
#include "http/trusted.h"

/* Writes text behind what was written. */
static char *put(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static char *put_name(char *at, struct slice name)
{
    return put(put(at, name.ptr, name.len), ": ", 2);
}

/* Room for all values of a list field joined by ", ". */
static size_t joined_len(const struct message *m, enum field_id id)
{
    size_t len = 0;
    for (unsigned i = 0; i < m->count; i++)
        if (m->fields[i].id == id && !m->fields[i].dropped)
            len += m->fields[i].value_len + 2u;
    return len;
}

static char *put_joined(char *at, const struct message *m, enum field_id id)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct field *f = &m->fields[i];
        if (f->id == id && f->value_len && !f->dropped)
            at = put(put(at, f->value, f->value_len), ", ", 2);
    }
    return at;
}

/* Drops the fields of that id but for a rule's. True: there is one of a rule. */
static bool drop_received(struct message *m, enum field_id id)
{
    bool of_rule = false;
    for (unsigned i = 0; i < m->count; i++) {
        struct field *f = &m->fields[i];
        if (f->id != id || f->dropped)
            continue;
        f->dropped = !f->own;
        of_rule = of_rule || f->own;
    }
    return of_rule;
}

/* Drops the client's fields of that id and adds ours, which was written from `line` to `end`, without its
 * CRLF, if there is none of a rule. */
static char *replace(struct message *m, enum field_id id, size_t name_len, char *line, char *end)
{
    if (LIKELY(!drop_received(m, id)))
        message_add_raw(m, id, line, name_len, (size_t)(end - line) - name_len - 2);
    return put(end, "\r\n", 2);
}

/* The peer's address; in front of it that of the client whom it named, if that isn't said yet. */
static size_t put_addresses(const struct exchange *x, bool first, char out[static 2 * ADDRESS_TEXT_MAX])
{
    size_t len = 0;
    struct address peer;
    conn_peer(x->client_conn, &peer);
    if (UNLIKELY(x->peer_trusted) && first && !ip_equal(x->client_ip, ip_of_address(&peer))) {
        len = ip_print(x->client_ip, out);
        memcpy(out + len, ", ", 2);
        len += 2;
    }
    return len + strlen(address_print_ip(&peer, out + len));
}

static void add_x_forwarded(struct exchange *x)
{
    static const struct slice for_name = SLICE("X-Forwarded-For"), proto_name = SLICE("X-Forwarded-Proto"),
                              host_name = SLICE("X-Forwarded-Host");
    struct message *m = &x->request;
    struct slice host = x->client_host.len ? x->client_host : m->host;
    char ip[2 * ADDRESS_TEXT_MAX];
    size_t before = joined_len(m, FIELD_X_FORWARDED_FOR);
    size_t ip_len = put_addresses(x, before == 0, ip), scheme_len = strlen(x->client_scheme);
    size_t need =
        for_name.len + before + ip_len + proto_name.len + scheme_len + host_name.len + host.len + 3 * 4;
    /* One piece of memory, so that the three lines go out as one. */
    char *line = exchange_alloc(x, need), *at = put_name(line, for_name);
    at = put_joined(at, m, FIELD_X_FORWARDED_FOR);
    at = put(at, ip, ip_len);
    line = replace(m, FIELD_X_FORWARDED_FOR, for_name.len, line, at);
    at = put(put_name(line, proto_name), x->client_scheme, scheme_len);
    line = replace(m, FIELD_X_FORWARDED_PROTO, proto_name.len, line, at);
    if (host.len == 0) {
        drop_received(m, FIELD_X_FORWARDED_HOST);
        return;
    }
    at = put(put_name(line, host_name), host.ptr, host.len);
    replace(m, FIELD_X_FORWARDED_HOST, host_name.len, line, at);
}

/*
 * noxy's own element. A trusted proxy's is preceded by one for the client, if there is none yet (the proxy
 * may have said it with other fields), and says nothing of the client's host and scheme.
 */
static void put_elements(const struct exchange *x, struct ip peer, bool first, struct pen *p)
{
    struct slice host = x->client_host.len ? x->client_host : x->request.host;
    struct slice scheme = slice_of(x->client_scheme), none = SLICE("");
    struct ip client = exchange_client_ip(x);
    if (first)
        forwarded_put(p, client, host, scheme);
    if (first && ip_equal(client, peer))
        return;
    if (first)
        pen_put(p, SLICE(", "));
    forwarded_put(p, peer, none, none);
}

/* Continues the Forwarded of a trusted proxy; anybody else's was invented by its sender. */
static void add_forwarded(struct exchange *x)
{
    static const struct slice name = SLICE("Forwarded");
    struct message *m = &x->request;
    struct ip peer = exchange_peer_ip(x);
    struct pen p = {NULL, 0};
    if (!x->peer_trusted)
        drop_received(m, FIELD_FORWARDED);
    size_t before = joined_len(m, FIELD_FORWARDED);
    put_elements(x, peer, before == 0, &p);
    char *line = exchange_alloc(x, name.len + before + p.len + 4);
    p = (struct pen){put_joined(put_name(line, name), m, FIELD_FORWARDED), 0};
    put_elements(x, peer, before == 0, &p);
    replace(m, FIELD_FORWARDED, name.len, line, p.to + p.len);
}

/* Without X-Forwarded-* of noxy's own: only what a trusted proxy or a rule says is passed on. */
static void drop_x_forwarded(struct exchange *x)
{
    struct message *m = &x->request;
    if (!x->peer_trusted)
        drop_received(m, FIELD_X_FORWARDED_FOR);
    if (x->peer_trusted && x->frontend->http->trusted_field != TRUSTED_FORWARDED)
        return;
    drop_received(m, FIELD_X_FORWARDED_PROTO);
    drop_received(m, FIELD_X_FORWARDED_HOST);
}

/* As the frontend's keys want it. */
static void forward_differently(struct exchange *x)
{
    const struct http_conf *conf = x->frontend->http;
    if (conf->forwarded)
        add_forwarded(x);
    if (conf->x_forwarded)
        add_x_forwarded(x);
    else
        drop_x_forwarded(x);
}

void exchange_prepare_request(struct exchange *x)
{
    if (x->prepared)
        return;
    x->prepared = true;
    message_drop_hop(&x->request);
    if (UNLIKELY(x->frontend->http->forwarding_differs))
        forward_differently(x);
    else
        add_x_forwarded(x);
}
