/*
 * codec.h: what an exchange and the codecs on its two sides ask of each
 * other. A codec turns bytes into messages and body pieces and back; the
 * exchange stands between any two of them and knows no protocol.
 *
 * A stream is one side's part of one exchange: an HTTP/1.1 connection's
 * present request, or a stream of HTTP/2. The codec embeds it.
 *
 * Downhill, exchange to codec (stream_ops): head, body pieces, end, then one
 * flush. Pieces must stay valid until that flush and no longer.
 *
 * Uphill, codec to exchange (exchange.h): the request's or response's head,
 * body pieces, end; that all is sent; that the stream broke.
 *
 * Back-pressure: a codec delivers body bytes only while exchange_wants_body()
 * says so; later the exchange calls resume().
 *
 * The end: the exchange calls done() once on each stream, after which neither
 * knows the other.
 */
#ifndef NOXY_HTTP_CODEC_H
#define NOXY_HTTP_CODEC_H

#include "base/buffer.h"
#include "frontend/frontend.h"
#include "http/message.h"
#include "state/reason.h"
#include "upstream/attempt.h"

struct exchange;
struct stream;

struct stream_ops {
    const char *name;
    /* Towards a client: a response, interim ones included. Towards a server: the request. m->body tells what
     * follows. */
    void (*head)(struct stream *s, const struct message *m);
    void (*body)(struct stream *s, const char *bytes, size_t len);
    /* As body(), with the buffer's bytes; the buffer is given away. */
    void (*body_buffer)(struct stream *s, struct buffer *b);
    /* The body's end (also of one that was empty); `trailers` may be NULL. */
    void (*end)(struct stream *s, const struct message *trailers);
    /* Sends what was given since the last flush. That the peer is gone is told by exchange_broke(), later. */
    void (*flush)(struct stream *s);
    /* Bytes of the body that it takes now; 0: none until exchange_sent(). */
    size_t (*room)(struct stream *s);
    /* Go on delivering body bytes. May deliver before it returns. */
    void (*resume)(struct stream *s);
    /*
     * The exchange is over for this stream. `complete`: it went as it should (to a client: the whole response
     * was given; to a server: the whole response was received); else the codec breaks it off visibly.
     */
    void (*done)(struct stream *s, enum reason why, bool complete);
};

struct stream {
    const struct stream_ops *ops;
    struct exchange *exchange; /* NULL: none */
};

/* A protocol spoken with clients. */
struct client_codec {
    const char *name;     /* as ALPN calls it (RFC 7301): "http/1.1", "h2" */
    struct slice preface; /* what a client that speaks it without TLS begins with; empty: anything else */
    /* Takes the connection over: sets its owner and calls client_open(). `received`: what has come on it
     * already, given away; NULL: nothing. */
    void (*accepted)(struct frontend *f, struct conn *c, struct buffer *received);
};

/* A protocol spoken with servers. */
struct server_codec {
    const char *name;
    /*
     * Finds a kept connection to the server (unless `fresh`) or begins to make one. `*ready`: the request can
     * be sent now; else exchange_server_ready() or exchange_server_failed() follows. NULL: it failed at once
     * for `*why`.
     */
    struct stream *(*open)(struct exchange *x, struct server *s, bool fresh, bool *ready, enum reason *why);
};

/*
 * Given by main: the codecs of mode http. Those for clients end with NULL; ALPN offers them in this order,
 * and the last is spoken with clients that choose none.
 */
void http_set_codecs(const struct client_codec *const *clients, const struct server_codec *server);

extern const struct mode_ops http_mode;

#endif
