/*
 * host.h: what may stand in Host, and in the authority of a request's target.
 */
#ifndef NOXY_HTTP_HOST_H
#define NOXY_HTTP_HOST_H

#include <stdbool.h>

#include "base/slice.h"

/* host [":" port] (RFC 3986, 3.2.2), or nothing. No userinfo. */
bool host_is_valid(struct slice h);

#endif
