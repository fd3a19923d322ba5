/*
 * client.c: who the client of an exchange is.
 */
#include "http/http.h"
#include "http/trusted.h"
#include "log/log.h"

enum { SHOWN_MAX = 128 }; /* bytes of what could not be read */

struct ip exchange_peer_ip(const struct exchange *x)
{
    struct address peer;
    conn_peer(x->client_conn, &peer);
    return ip_of_address(&peer);
}

static void log_bad(const struct frontend *f, struct ip peer, struct slice bad)
{
    char address[ADDRESS_TEXT_MAX], shown[4 * SHOWN_MAX];
    size_t len = log_escape(shown, sizeof shown, bad.ptr, bad.len < SHOWN_MAX ? bad.len : SHOWN_MAX);
    ip_print(peer, address);
    log_debug("Frontend \"%s\": trusted proxy %s says what can't be read and is not believed: \"%.*s\"",
              f->name, address[0] ? address : "unix:", (int)len, shown);
}

/*
 * Servers would believe what these say. So all that somebody untrusted sent go; and those that came with a
 * trusted proxy's request and name another client, or nobody in a way that noxy can read and a server perhaps
 * can: it passed them on unread.
 */
static void drop_invented(const struct trusted *t, struct message *m, struct ip peer,
                          const struct http_client *c)
{
    static const struct {
        enum field_id id;
        enum trusted_field which;
    } all[] = {
        {FIELD_X_FORWARDED_FOR, TRUSTED_X_FORWARDED_FOR},
        {FIELD_FORWARDED, TRUSTED_FORWARDED},
        {FIELD_X_REAL_IP, TRUSTED_X_REAL_IP},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct trusted_word w;
        if (!message_find(m, all[i].id))
            continue;
        if (!c->peer_trusted || !trusted_read(t, all[i].which, m, peer, &w) || !ip_equal(w.client, c->ip))
            message_drop(m, all[i].id);
    }
}

void http_find_client(const struct frontend *f, struct message *m, struct ip peer, struct http_client *c)
{
    const struct http_conf *conf = f->http;
    struct trusted_word w;
    *c = (struct http_client){.ip = peer, .peer_trusted = trusted_has(conf->trusted_proxies, peer)};
    if (c->peer_trusted) {
        trusted_read(conf->trusted_proxies, (enum trusted_field)conf->trusted_field, m, peer, &w);
        c->ip = w.client;
        c->host = w.host;
        c->scheme = w.scheme;
        if (UNLIKELY(w.bad.len > 0) && log_enabled(LOG_LEVEL_DEBUG))
            log_bad(f, peer, w.bad);
    }
    drop_invented(conf->trusted_proxies, m, peer, c);
}

void exchange_find_client(struct exchange *x)
{
    struct http_client c;
    http_find_client(x->frontend, &x->request, exchange_peer_ip(x), &c);
    if (!c.peer_trusted)
        return;
    x->peer_trusted = true;
    x->client_ip = c.ip;
    x->client_host = c.host;
    if (c.scheme.len)
        x->client_scheme = c.scheme.ptr;
}

struct ip exchange_client_ip(const struct exchange *x)
{
    return x->peer_trusted ? x->client_ip : exchange_peer_ip(x);
}

void exchange_client_address(const struct exchange *x, struct address *out)
{
    conn_peer(x->client_conn, out);
    if (UNLIKELY(x->peer_trusted) && !ip_equal(x->client_ip, ip_of_address(out)))
        ip_to_address(x->client_ip, 0, out);
}
