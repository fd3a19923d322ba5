/*
 * head.h: the heads of HTTP/1.1 messages (RFC 9112), read strictly.
 *
 * http-parser takes a complete head apart; before and behind it stand checks
 * of our own for all that it is lenient about. What is ambiguous is refused.
 */
#ifndef NOXY_HTTP1_HEAD_H
#define NOXY_HTTP1_HEAD_H

#include "http/message.h"

/* Where the search for a head's end has come; zero it for each head. */
struct head_scan {
    uint32_t at;         /* bytes looked at */
    uint32_t line_start; /* of the line under way */
    uint32_t lines;      /* complete ones */
    uint32_t start_line; /* the start line's length, once it is complete */
    uint32_t skipped;    /* bytes of empty lines before the start line */
};

enum { HEAD_MORE = 0, HEAD_BAD = -1, HEAD_TOO_MANY = -2 };

/*
 * Looks for the empty line that ends the head in bytes[0..len). The head's length (the skipped empty lines
 * included), HEAD_MORE, HEAD_BAD (a bare LF, a folded line, more than two empty lines in front), or
 * HEAD_TOO_MANY lines. Looks at each byte once over all calls.
 */
int head_scan(struct head_scan *scan, const char *bytes, size_t len);

/*
 * Reads a complete head, without empty lines in front, into `m` (emptied before). 0, or the status of the
 * refusal: 400, 414, 431, 501, 505, 405. m's slices point into the bytes.
 */
uint16_t head_parse_request(struct message *m, const char *bytes, size_t len);

/* As head_parse_request(), for a response to a request with that method: 0, or 502. */
uint16_t head_parse_response(struct message *m, const char *bytes, size_t len, bool to_head);

/* The field lines of a trailer section, up to and with its empty line. False: refuse it. */
bool head_parse_trailers(struct message *m, const char *bytes, size_t len);

#endif
