/*
 * http1.h: the codecs of HTTP/1.1, towards clients and towards servers.
 */
#ifndef NOXY_HTTP1_HTTP1_H
#define NOXY_HTTP1_HTTP1_H

#include "http/codec.h"

extern const struct client_codec http1_client_codec;
extern const struct server_codec http1_server_codec;

#endif
