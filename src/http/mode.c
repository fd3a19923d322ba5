/*
 * mode.c: mode http among the frontend's modes.
 */
#include "http/http.h"

static const struct client_codec *client_codec;

void http_set_codecs(const struct client_codec *client, const struct server_codec *server)
{
    client_codec = client;
    exchange_set_server_codec(server);
}

static void accepted(struct frontend *f, struct conn *c)
{
    client_codec->accepted(f, c);
}

static void drain(struct client *c)
{
    client_codec->drain(c);
}

static void end(struct client *c, enum reason why)
{
    client_codec->end(c, why);
}

const struct mode_ops http_mode = {.name = "http", .accepted = accepted, .drain = drain, .end = end};
