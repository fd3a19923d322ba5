/*
 * http2.h: the codecs of HTTP/2 (RFC 9113).
 */
#ifndef NOXY_HTTP2_HTTP2_H
#define NOXY_HTTP2_HTTP2_H

#include "http/codec.h"

extern const struct client_codec http2_client_codec;

#endif
