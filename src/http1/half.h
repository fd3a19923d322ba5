/*
 * half.h: what the two sides of HTTP/1.1 have in common. A half is one
 * connection as one exchange uses it: bytes of the message that it receives
 * go up to the exchange, bytes of the message that it sends come down from
 * there. Client and server codec embed it.
 */
#ifndef NOXY_HTTP1_HALF_H
#define NOXY_HTTP1_HALF_H

#include "http/exchange.h"
#include "http1/body.h"
#include "http1/head.h"
#include "net/conn.h"

struct half {
    struct stream stream; /* first: stream_ops get a pointer to it */
    struct conn *conn;
    struct buffer *in;   /* bytes received and not yet used; NULL: none */
    struct buffer *head; /* holds the head whose slices are in use; may be the same as `in`; NULL: none */
    struct head_scan scan;
    struct body body; /* of the message received */
    uint8_t side;     /* enum side */
    uint8_t out;      /* enum body_kind: how the message sent is framed */
    uint8_t burst;    /* buffers to read next: grows while they are filled */
    bool closing;     /* the connection can't be used again after this exchange */
};

enum pump {
    PUMP_AGAIN,  /* nothing more now, or the other side is full */
    PUMP_ENDED,  /* the body is complete and was delivered; the exchange may be over */
    PUMP_CLOSED, /* the connection ended in the middle */
    PUMP_FAILED, /* it broke */
    PUMP_BAD,    /* the framing is malformed */
    PUMP_GONE,   /* the exchange is over */
};

/* Delivers body bytes while the exchange wants them. */
enum pump half_pump(struct half *h);

/*
 * Sends the start line's rest, being the fields that aren't dropped, what h->out and an upgrade ask for,
 * `extra` (whole lines, or empty), and the empty line.
 */
void half_push_fields(struct half *h, const struct message *m, struct slice extra);

/* For stream_ops of both sides. */
void half_body(struct stream *s, const char *bytes, size_t len);
void half_body_buffer(struct stream *s, struct buffer *b);
void half_end(struct stream *s, const struct message *trailers);
void half_flush(struct stream *s);
size_t half_room(struct stream *s);

/* The buffer to receive a head in. */
struct buffer *half_in(struct half *h);
/* Gives `in` back if it holds nothing. */
void half_drop_in(struct half *h);
/* A complete head of `len` bytes stands at the begin of `in`: takes it off and keeps its memory until
 * half_unpin(). */
const char *half_pin_head(struct half *h, size_t len);
void half_unpin(struct half *h);
/* Gives back all that the half holds but its connection. */
void half_free(struct half *h);

#endif
