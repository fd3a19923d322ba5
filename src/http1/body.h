/*
 * body.h: where a body ends, byte by byte: by its length, by chunks (RFC
 * 9112, 7.1), or with the connection.
 */
#ifndef NOXY_HTTP1_BODY_H
#define NOXY_HTTP1_BODY_H

#include "base/buffer.h"
#include "http/message.h"

enum {
    CHUNK_DIGITS_MAX = 16,       /* of a chunk's size, leading zeros included */
    CHUNK_EXTENSIONS_MAX = 4096, /* bytes of all chunk extensions of a body */
    TRAILERS_MAX = 8192,         /* bytes of the trailer section */
};

struct body {
    uint8_t kind;  /* enum body_kind */
    uint8_t state; /* of the chunked coding */
    uint8_t digits;
    bool ended;
    uint16_t extensions;     /* bytes so far */
    uint64_t left;           /* of the length or of the chunk */
    struct buffer *trailers; /* the trailer section so far; NULL: none yet */
};

enum body_event {
    BODY_MORE, /* all bytes are used up; it goes on */
    BODY_DATA, /* `data` is the next piece */
    BODY_ENDED,
    BODY_BAD,
};

void body_begin(struct body *b, enum body_kind kind, uint64_t length);
void body_free(struct body *b);

/* Takes the next piece off bytes[*at .. len). */
enum body_event body_next(struct body *b, const char *bytes, uint32_t *at, uint32_t len, struct slice *data);

/* After BODY_ENDED: the trailer section with its empty line, or empty. */
struct slice body_trailers(const struct body *b);

#endif
