/*
 * status.h: the status codes that noxy itself answers with, and their words.
 */
#ifndef NOXY_HTTP_STATUS_H
#define NOXY_HTTP_STATUS_H

#include <stdint.h>

#include "state/reason.h"

/* The reason phrase (RFC 9110, 15), "Unknown" for codes that noxy has no word for. */
const char *status_phrase(uint16_t status);

/* What a client is told that can't be served for `why`. 0: nothing, since it is gone. */
uint16_t status_of_reason(enum reason why);

/* Why a request is refused with that status before it has become an exchange. */
enum reason reason_of_refusal(uint16_t status);

#endif
