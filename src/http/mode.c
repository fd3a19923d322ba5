/*
 * mode.c: mode http among the frontend's modes.
 */
#include <assert.h>

#include "http/http.h"
#include "net/tls.h"

enum { CODECS_MAX = 4 };

static const struct client_codec *const *client_codecs;
static const char *protocols[CODECS_MAX + 1]; /* their names */

void http_set_codecs(const struct client_codec *const *clients, const struct server_codec *server)
{
    client_codecs = clients;
    for (unsigned i = 0; clients[i]; i++) {
        assert(i < CODECS_MAX);
        protocols[i] = clients[i]->name;
    }
    exchange_set_server_codec(server);
}

/* The codec of the protocol that the client chose. */
static const struct client_codec *codec_for(const struct conn *c)
{
    struct slice chosen = conn_tls_alpn(c);
    const struct client_codec *const *codec = client_codecs;
    while (codec[1] && !slice_equal(slice_of(codec[0]->name), chosen))
        codec++;
    return *codec;
}

static void accepted(struct frontend *f, struct conn *c)
{
    codec_for(c)->accepted(f, c);
}

static const char not_tls[] = "HTTP/1.1 400 Bad Request\r\n"
                              "Content-Type: text/plain\r\n"
                              "Content-Length: 51\r\n"
                              "Connection: close\r\n"
                              "\r\n"
                              "The plain HTTP request was sent to an HTTPS port.\r\n";

const struct mode_ops http_mode = {
    .name = "http", .accepted = accepted, .protocols = protocols, .not_tls = not_tls};
