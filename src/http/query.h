/*
 * query.h: the arguments of a query, "name=value&name=value", as forms write
 * them: "+" is a space, %XX is a byte (WHATWG URL, 5.1). A "%" that no two
 * hexadecimal digits follow stands for itself, and every byte may come out,
 * NUL too.
 */
#ifndef NOXY_HTTP_QUERY_H
#define NOXY_HTTP_QUERY_H

#include "base/slice.h"

/* Takes the query up to the next argument of that name, which is plain text, off `*rest`: its value as it
 * stands, "" without "=". False: there is none. */
bool query_next(struct slice *rest, struct slice name, struct slice *value);

/* Is it the same decoded? */
bool query_is_plain(struct slice encoded);
/* Decodes into `out`, which has encoded.len bytes (and may be where `encoded` is); returns the length. */
size_t query_decode(struct slice encoded, char *out);

#endif
