/*
 * method.h: what noxy knows about methods.
 */
#ifndef NOXY_HTTP_METHOD_H
#define NOXY_HTTP_METHOD_H

#include "base/slice.h"

/* Sending it twice has the effect of sending it once (RFC 9110, 9.2.2). Unknown methods: no. */
bool method_is_idempotent(struct slice method);

#endif
