/*
 * cookie.h: the pairs of Cookie, and the one that begins a Set-Cookie (RFC
 * 6265, 4.1.1 and 4.2.1), read as servers do: spaces around names and values
 * are left out, quotes are left where they stand, and what has no "=" is no cookie.
 */
#ifndef NOXY_HTTP_COOKIE_H
#define NOXY_HTTP_COOKIE_H

#include "base/slice.h"

/* Takes the next pair off `*rest`, the value of a field; false at the end. Names have case. */
bool cookie_next(struct slice *rest, struct slice *name, struct slice *value);

#endif
