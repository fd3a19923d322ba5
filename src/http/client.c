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

static void log_bad(const struct exchange *x, struct ip peer, struct slice bad)
{
    char address[ADDRESS_TEXT_MAX], shown[4 * SHOWN_MAX];
    size_t len = log_escape(shown, sizeof shown, bad.ptr, bad.len < SHOWN_MAX ? bad.len : SHOWN_MAX);
    ip_print(peer, address);
    log_debug("Frontend \"%s\": trusted proxy %s says what can't be read and is not believed: \"%.*s\"",
              x->frontend->name, address[0] ? address : "unix:", (int)len, shown);
}

/*
 * Servers would believe what these say. So all that somebody untrusted sent go; and those that came with a
 * trusted proxy's request and name another client: it passed them on unread.
 */
static void drop_invented(struct exchange *x, const struct trusted *t, struct ip peer)
{
    static const struct {
        enum field_id id;
        enum trusted_field which;
    } all[] = {
        {FIELD_X_FORWARDED_FOR, TRUSTED_X_FORWARDED_FOR},
        {FIELD_FORWARDED, TRUSTED_FORWARDED},
        {FIELD_X_REAL_IP, TRUSTED_X_REAL_IP},
    };
    struct message *m = &x->request;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct trusted_word w = {.client = peer};
        if (x->peer_trusted && message_find(m, all[i].id))
            trusted_read(t, all[i].which, m, peer, &w);
        if (!x->peer_trusted || !ip_equal(w.client, x->client_ip))
            message_drop(m, all[i].id);
    }
}

/* Believes what the trusted peer says. */
static void believe(struct exchange *x, const struct http_conf *conf, struct ip peer)
{
    struct trusted_word w;
    trusted_read(conf->trusted_proxies, (enum trusted_field)conf->trusted_field, &x->request, peer, &w);
    x->peer_trusted = true;
    x->client_ip = w.client;
    x->client_host = w.host;
    if (w.scheme.len)
        x->client_scheme = w.scheme.ptr;
    if (UNLIKELY(w.bad.len > 0) && log_enabled(LOG_LEVEL_DEBUG))
        log_bad(x, peer, w.bad);
}

void exchange_find_client(struct exchange *x)
{
    const struct http_conf *conf = x->frontend->http;
    struct ip peer = exchange_peer_ip(x);
    if (trusted_has(conf->trusted_proxies, peer))
        believe(x, conf, peer);
    drop_invented(x, conf->trusted_proxies, peer);
}

struct ip exchange_client_ip(const struct exchange *x)
{
    return x->peer_trusted ? x->client_ip : exchange_peer_ip(x);
}
