#include "http1/body.h"

#include "base/macros.h"
#include "http/chars.h"

/* Of the chunked coding. */
enum { SIZE, SIZE_SPACE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILERS };

void body_begin(struct body *b, enum body_kind kind, uint64_t length)
{
    *b = (struct body){.kind = (uint8_t)kind, .left = kind == BODY_LENGTH ? length : 0};
    b->ended = kind == BODY_NONE;
}

void body_free(struct body *b)
{
    if (b->trailers)
        buffer_put(b->trailers);
    b->trailers = NULL;
}

struct slice body_trailers(const struct body *b)
{
    if (!b->trailers)
        return SLICE("");
    return (struct slice){b->trailers->data, b->trailers->end};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A byte of a chunk's size line. False: malformed. */
static bool size_byte(struct body *b, char c)
{
    int digit = b->state == SIZE ? hex_digit(c) : -1;
    if (digit >= 0) {
        if (++b->digits > CHUNK_DIGITS_MAX || b->left >> 59)
            return false;
        b->left = b->left << 4 | (unsigned)digit;
        return true;
    }
    if (b->digits == 0)
        return false;
    if (c == '\r' && b->state != SIZE_SPACE) {
        b->state = SIZE_LF;
        return true;
    }
    /* An extension begins with ";", and spaces and tabs may stand before that alone; it is not passed on. */
    if (b->state != EXTENSION) {
        if (c != ';' && c != ' ' && c != '\t')
            return false;
        b->state = c == ';' ? EXTENSION : SIZE_SPACE;
    }
    return char_classes[(unsigned char)c] & CHAR_VALUE && ++b->extensions <= CHUNK_EXTENSIONS_MAX;
}

/* A byte of the trailer section. */
static enum body_event trailer_byte(struct body *b, char c)
{
    if (!b->trailers)
        b->trailers = buffer_get();
    struct buffer *t = b->trailers;
    if (t->end == TRAILERS_MAX)
        return BODY_BAD;
    bool after_cr = t->end > 0 && t->data[t->end - 1] == '\r';
    t->data[t->end++] = c;
    if (after_cr != (c == '\n'))
        return BODY_BAD;
    if (c != '\n')
        return BODY_MORE;
    if (t->end > 2 && t->data[t->end - 3] != '\n')
        return BODY_MORE;
    b->ended = true;
    return BODY_ENDED;
}

/* A byte of the framing. */
static enum body_event frame_byte(struct body *b, char c)
{
    switch (b->state) {
    case SIZE:
    case SIZE_SPACE:
    case EXTENSION:
        return size_byte(b, c) ? BODY_MORE : BODY_BAD;
    case SIZE_LF:
        b->state = b->left > 0 ? DATA : TRAILERS;
        return c == '\n' ? BODY_MORE : BODY_BAD;
    case DATA_CR:
        b->state = DATA_LF;
        return c == '\r' ? BODY_MORE : BODY_BAD;
    case DATA_LF:
        b->state = SIZE;
        b->digits = 0;
        return c == '\n' ? BODY_MORE : BODY_BAD;
    default:
        return trailer_byte(b, c);
    }
}

/* The next piece of a length or a chunk. */
static enum body_event take_data(struct body *b, const char *bytes, uint32_t *at, uint32_t len,
                                 struct slice *data)
{
    uint32_t part = (uint32_t)MIN((uint64_t)(len - *at), b->left);
    *data = (struct slice){bytes + *at, part};
    *at += part;
    b->left -= part;
    return BODY_DATA;
}

enum body_event body_next(struct body *b, const char *bytes, uint32_t *at, uint32_t len, struct slice *data)
{
    if (b->kind == BODY_LENGTH && b->left == 0)
        b->ended = true;
    if (b->ended)
        return BODY_ENDED;
    if (*at == len)
        return BODY_MORE;
    if (b->kind == BODY_LENGTH)
        return take_data(b, bytes, at, len, data);
    if (b->kind != BODY_STREAM) {
        *data = (struct slice){bytes + *at, len - *at};
        *at = len;
        return BODY_DATA;
    }
    while (*at < len) {
        if (b->state == DATA) {
            enum body_event event = take_data(b, bytes, at, len, data);
            if (b->left == 0)
                b->state = DATA_CR;
            return event;
        }
        enum body_event event = frame_byte(b, bytes[(*at)++]);
        if (event != BODY_MORE)
            return event;
    }
    return BODY_MORE;
}
