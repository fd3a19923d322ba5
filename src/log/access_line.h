/*
 * access_line.h: the log room's own: an entry of the access log as a line.
 */
#ifndef NOXY_LOG_ACCESS_LINE_H
#define NOXY_LOG_ACCESS_LINE_H

#include "log/access.h"

/* Write one line with its newline to `out`, which has room for LINE_MAX_BYTES; its length. */
size_t access_line_text(char *out, const struct access_entry *e);
size_t access_line_json(char *out, const struct access_entry *e);

#endif
