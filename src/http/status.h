/*
 * status.h: the status codes that noxy itself answers with, and their words.
 */
#ifndef NOXY_HTTP_STATUS_H
#define NOXY_HTTP_STATUS_H

#include <stdint.h>

/* The reason phrase (RFC 9110, 15), "Unknown" for codes that noxy has no word for. */
const char *status_phrase(uint16_t status);

#endif
