/*
 * mode.c: mode http among the frontend's modes.
 */
#include <assert.h>

#include "http/choose.h"
#include "http/http.h"

enum { CODECS_MAX = 4 };

static const char *protocols[CODECS_MAX + 1]; /* the names of the clients' codecs */

void http_set_codecs(const struct client_codec *const *clients, const struct server_codec *server)
{
    for (unsigned i = 0; clients[i]; i++) {
        assert(i < CODECS_MAX);
        protocols[i] = clients[i]->name;
    }
    choose_set_codecs(clients);
    exchange_set_server_codec(server);
}

static const char not_tls[] = "HTTP/1.1 400 Bad Request\r\n"
                              "Content-Type: text/plain\r\n"
                              "Content-Length: 51\r\n"
                              "Connection: close\r\n"
                              "\r\n"
                              "The plain HTTP request was sent to an HTTPS port.\r\n";

const struct mode_ops http_mode = {
    .name = "http", .accepted = choose_accepted, .protocols = protocols, .not_tls = not_tls};
