/*
 * choose.h: which protocol a client speaks. With TLS it is what ALPN agreed
 * on. On a plain bind with `h2c: true` its first bytes tell: a codec's
 * preface, or a request's head (RFC 9113, 3.3). Elsewhere it is the last
 * codec's.
 */
#ifndef NOXY_HTTP_CHOOSE_H
#define NOXY_HTTP_CHOOSE_H

#include "http/codec.h"

/* Ended by NULL (http_set_codecs). */
void choose_set_codecs(const struct client_codec *const *codecs);
void choose_accepted(struct bind *b, struct conn *c);

#endif
