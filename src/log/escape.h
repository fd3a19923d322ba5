/*
 * escape.h: the log room's own: bytes of any kind as text and as JSON. Each
 * function takes off `in` what it wrote; what is left did not fit. Nothing is
 * cut in the middle of a character or an escape.
 */
#ifndef NOXY_LOG_ESCAPE_H
#define NOXY_LOG_ESCAPE_H

#include <stddef.h>

#include "base/slice.h"

/* Printable UTF-8 as it is, but for the characters of `also`; all else becomes \xNN, byte by byte. */
size_t escape_text(char *out, size_t size, struct slice *in, const char *also);

/* The inside of a JSON string, always valid: what is not UTF-8 becomes U+FFFD. */
size_t escape_json(char *out, size_t size, struct slice *in);

#endif
