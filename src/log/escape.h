/*
 * escape.h: the log room's own: bytes of any kind as text and as JSON.
 */
#ifndef NOXY_LOG_ESCAPE_H
#define NOXY_LOG_ESCAPE_H

#include <stddef.h>

/* The bytes of the well-formed, printable UTF-8 character that `bytes` (len > 0) begins with; 0: none. ASCII
 * is 1. */
size_t escape_utf8_len(const char *bytes, size_t len);

/* The inside of a JSON string, always valid: what is not UTF-8 becomes U+FFFD. Cut at `size`, between
 * characters. */
size_t escape_json(char *out, size_t size, const char *bytes, size_t len);

#endif
