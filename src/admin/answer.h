/*
 * answer.h: what a command answers, and its form on the wire:
 *
 *   ok                              error: REASON
 *   TEXT or JSON, in lines          further lines, or a JSON object with the reason as "error"
 *   (an empty line)                 (an empty line)
 *
 * No other line is empty: an empty line of a text is sent as a single space.
 * Control characters of a text are sent as \xNN.
 */
#ifndef NOXY_ADMIN_ANSWER_H
#define NOXY_ADMIN_ANSWER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

struct answer {
    bool json;        /* wanted: the document, not the text */
    unsigned columns; /* the width that the text should keep to; 0: any */
    bool later;       /* nothing to send yet */
    bool failed;
    struct error reason; /* when failed */
    struct text text;
    json_t *document;
};

void answer_fail(struct answer *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Appends the answer's wire form to `out` and frees what it holds. */
void answer_finish(struct answer *a, struct text *out);

/* Appends bytes with control characters as \xNN; tabs and newlines are spared with `lines`. */
void answer_add_printable(struct text *out, const char *bytes, size_t len, bool lines);
/* A JSON string of any bytes: those that are no UTF-8 are given as \xNN. */
json_t *answer_json_string(const char *text);
/* A text's lines as a JSON array. */
json_t *answer_json_lines(const char *text);

#endif
