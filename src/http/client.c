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

void exchange_find_client(struct exchange *x)
{
    const struct http_conf *conf = x->frontend->http;
    struct trusted_word w;
    struct ip peer = exchange_peer_ip(x);
    if (!trusted_has(conf->trusted_proxies, peer))
        return;
    trusted_read(conf->trusted_proxies, (enum trusted_field)conf->trusted_field, &x->request, peer, &w);
    x->peer_trusted = true;
    x->client_ip = w.client;
    x->client_host = w.host;
    if (w.scheme.len)
        x->client_scheme = w.scheme.ptr;
    if (UNLIKELY(w.bad.len > 0) && log_enabled(LOG_LEVEL_DEBUG))
        log_bad(x, peer, w.bad);
}

struct ip exchange_client_ip(const struct exchange *x)
{
    return x->peer_trusted ? x->client_ip : exchange_peer_ip(x);
}
