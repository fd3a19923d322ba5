/*
 * client.h: the http2 room's own: a client's connection and its streams.
 *
 * nghttp2 keeps the state of the protocol: frames, HPACK, the streams' states
 * and windows. It is told to leave HTTP's own rules to noxy (request.c), so
 * that they are as strict as HTTP/1.1's and one table's.
 *
 * nghttp2 may not be called from its callbacks but for submitting, and the
 * exchange may do anything. So callbacks only note what happened (events of
 * streams, a piece of a body), and client.c acts on it when nghttp2 has
 * returned. nghttp2 stops behind each piece of a body (NGHTTP2_ERR_PAUSE), so
 * pieces go up in the memory that they were read into.
 *
 * Memory. Of a request's body, what the exchange doesn't take yet is kept in
 * the stream; the client may send no more than the windows let it, and they
 * grow only by what the exchange took. Of a response's body, a stream takes
 * what fits the client's windows (room()), so little is ever kept. What the
 * socket doesn't take holds up all streams.
 *
 * Ownership. A stream belongs to its connection, and lives as long as nghttp2
 * knows it or it has an exchange. Streams and connections are freed at the end
 * of a round.
 */
#ifndef NOXY_HTTP2_CLIENT_H
#define NOXY_HTTP2_CLIENT_H

#include <nghttp2/nghttp2.h>

#include "http/exchange.h"
#include "http2/flood.h"
#include "net/conn.h"

enum {
    STREAMS_MAX = 128,             /* at once (SETTINGS_MAX_CONCURRENT_STREAMS) */
    STREAM_WINDOW = 128 << 10,     /* bytes of a request's body that may be on their way or kept */
    CONNECTION_WINDOW = 512 << 10, /* and of all requests' together */
    HEAD_INLINE = 1024,            /* a head as long stands in its stream */
    H2_FRAME_HEAD = 9,
    CLOSED_KEPT = 64, /* streams whose end is remembered */
};

struct h2_client;

/* Bytes of a response on their way: of a buffer, or (until the end of flush()) of somebody else's memory. */
struct h2_piece {
    TAILQ_ENTRY(h2_piece) link;
    struct buffer *owner; /* which the piece owns; NULL: lent */
    const char *bytes;
    size_t len;
};
TAILQ_HEAD(h2_pieces, h2_piece);

/* What nghttp2 told of a stream and is yet to be acted on, in this order. */
enum h2_event {
    EVENT_HEAD = 1,   /* the request's head is complete */
    EVENT_BODY = 2,   /* a piece of its body came */
    EVENT_END = 4,    /* its end */
    EVENT_CLOSED = 8, /* the stream is gone */
};

/* A request's head while it comes (request.c). */
struct h2_head {
    char *text;            /* what the message's slices point into: small, or buffer->data */
    struct buffer *buffer; /* NULL: it fits `small` */
    uint32_t len;
    uint32_t received; /* bytes of names and values in all, kept or not */
    uint32_t lines;    /* fields */
    uint8_t pseudo;    /* a bit a pseudo field that came */
    bool regular;      /* a field that isn't one came */
    bool malformed;    /* RFC 9113, 8.1.1 */
    bool too_large;    /* max_header; no more of it is kept */
    bool long_line;    /* the request line alone is too long */
    bool bad;          /* well-formed, but not what noxy serves: 400 */
    bool websocket;    /* :protocol (RFC 8441) */
    bool other_protocol;
    bool te_trailers;
    bool length_given;
    uint64_t length;
    char small[HEAD_INLINE];
};

struct h2_stream {
    struct stream stream; /* first: stream_ops get a pointer to it */
    struct h2_client *client;
    int32_t id;
    TAILQ_ENTRY(h2_stream) link;     /* client->streams, later client->dead */
    TAILQ_ENTRY(h2_stream) noted;    /* client->noted, while there are events */
    TAILQ_ENTRY(h2_stream) starving; /* client->starving, while is_starving */
    uint8_t events;                  /* enum h2_event */
    bool is_starving;                /* room() said that there is none */
    bool closed;                     /* nghttp2 knows it no more */
    bool reset;                      /* RST_STREAM was submitted */
    bool cancelled;                  /* the client has reset it */
    bool begun;                      /* its head is complete: the exchange is no longer dropped */
    bool dead;

    /* the request */
    bool ended;             /* END_STREAM has come */
    bool body;              /* its body is the exchange's: there is one, or it is a tunnel */
    bool end_told;          /* and its end was told */
    uint32_t head_bytes;    /* of its frames */
    uint64_t received;      /* bytes of the body */
    struct buffer_queue in; /* those that the exchange has yet to take */
    uint32_t in_len;
    struct buffer *trailers_in; /* lines "name: value CRLF"; NULL: none */
    bool trailers_bad;

    /* the response */
    bool head_given, end_given; /* by the exchange */
    bool end_sent;              /* END_STREAM */
    bool deferred;              /* nghttp2 waits for nghttp2_session_resume_data() */
    bool mute;                  /* it has no body here: END_STREAM stands on its head */
    bool tunnel;
    bool interrupts; /* it is complete before the request is, which is no longer wanted */
    struct h2_pieces out;
    size_t out_len;
    size_t kept; /* of it, since the last flush: then nothing more is taken */
    struct buffer *trailers_out;
    uint64_t sent;      /* bytes of DATA */
    uint64_t active_at; /* loop_now() when a byte of a body moved last */
    uint64_t send_by;   /* the exchange is over: when the client must have taken the rest */

    struct h2_head head; /* last: its text need not be touched */
};
TAILQ_HEAD(h2_streams, h2_stream);

enum h2_drain { DRAIN_NO, DRAIN_SOON, DRAIN_NOTICE, DRAIN_FINAL };

struct h2_client {
    struct client client;
    struct conn *conn;
    nghttp2_session *session;
    struct task task; /* the round's end: sends, frees */
    struct h2_streams streams, dead, noted, starving;
    uint32_t stream_count, starving_count;
    struct buffer *received; /* that came before the connection was ours; NULL: none */
    struct buffer *out;      /* frames and small pieces gathered for the next flush; NULL: none */
    uint64_t flushed_at;     /* conn_pushed() of the last flush */
    bool lent;               /* what was pushed isn't all ours: flush before anybody touches it */
    bool closed;
    bool settled;        /* the client's preface and SETTINGS have come */
    bool sending;        /* within nghttp2_session_send() */
    bool in_task, again; /* the round's end is under way; there is more to do */
    uint8_t drain;       /* enum h2_drain */
    uint64_t drain_at;
    uint64_t head_at;                    /* loop_now() when the head under way began; 0: none is */
    uint64_t idle_at;                    /* loop_now() when the last stream ended */
    uint32_t continuations, block_bytes; /* of the head under way */
    uint32_t frame_data;                 /* bytes of data of the DATA frame under way */
    unsigned char frame_head[H2_FRAME_HEAD];
    uint8_t preface_left; /* bytes of the preface that are still to come */
    uint8_t frame_have;   /* bytes of it that came */
    uint32_t frame_left;  /* bytes of the frame under way that are still to come */
    size_t queued_before; /* frames that were to be sent when the SETTINGS under way came */
    struct flood flood;
    struct pace pace;

    struct {
        struct h2_stream *stream; /* NULL: none */
        const char *bytes;
        size_t len;
    } chunk; /* the piece of a body that nghttp2 stopped behind */

    enum reason fault;   /* the connection must end for it; REASON_NONE: it need not */
    uint32_t fault_code; /* GOAWAY's */
    bool goaway_sent;    /* nghttp2 has sent it */

    int32_t last_id; /* the highest stream that came */
    uint32_t closed_next;
    struct {
        int32_t id;
        bool by_us; /* we reset it: more may be on its way */
    } closed_streams[CLOSED_KEPT];
};

/* ---- frames.c ---- */

/* Makes the session and submits what it begins with. False: no memory. */
bool h2_session_new(struct h2_client *h);
/* How many of the bytes received nghttp2 may get at once: up to a frame's end. Looks at the frame first. */
size_t h2_frame_piece(struct h2_client *h, const char *bytes, size_t len);
/* The connection must end for `why`, told to the client with GOAWAY(code); the first fault counts. */
void h2_fault(struct h2_client *h, enum reason why, uint32_t code);

/* ---- client.c ---- */

static inline struct frontend *h2_frontend(const struct h2_client *h)
{
    return h->client.frontend;
}

static inline uint64_t h2_now(const struct h2_client *h)
{
    return loop_now(h->conn->loop);
}

/* Something of the stream is to be acted on. */
void h2_note(struct h2_stream *s, enum h2_event e);
/* Has the rest done at the end of the round: sending, waking, freeing. */
void h2_soon(struct h2_client *h);

/* ---- stream.c ---- */

extern const struct stream_ops h2_client_stream_ops;

struct h2_stream *h2_stream_new(struct h2_client *h, int32_t id);
/* Frees it at the end of the round, if neither nghttp2 nor an exchange knows it. */
void h2_stream_let_go(struct h2_stream *s);
void h2_stream_free(struct h2_stream *s);
void h2_stream_reset(struct h2_stream *s, uint32_t code);
/* A piece of the request's body came; the exchange gets it now or later. */
void h2_stream_chunk(struct h2_stream *s, const char *bytes, size_t len);
/* Gives the exchange what it takes of what was kept. */
void h2_stream_deliver(struct h2_stream *s);
/* Looks whether the client keeps pace. When to look again. */
uint64_t h2_stream_look(struct h2_stream *s);

/* ---- request.c ---- */

/* A field of the head, as it was decoded. False: more than a head may ever have (H2_HEAD_FLOOD). */
bool h2_head_field(struct h2_stream *s, struct slice name, struct slice value);
bool h2_trailer_field(struct h2_stream *s, struct slice name, struct slice value);
/* The head is complete: the exchange begins, or is refused. */
void h2_head_end(struct h2_stream *s);
/* The trailer section, as a message; NULL: none. */
const struct message *h2_trailers(const struct h2_stream *s);
void h2_head_free(struct h2_stream *s);

/* ---- response.c ---- */

void h2_submit_head(struct h2_stream *s, const struct message *m);
/* Keeps them until the body has gone. */
void h2_keep_trailers(struct h2_stream *s, const struct message *m);
void h2_submit_trailers(struct h2_stream *s);

/* ---- out.c ---- */

void h2_out_lend(struct h2_stream *s, const char *bytes, size_t len);
void h2_out_give(struct h2_stream *s, struct buffer *b);
/* What is lent and was not sent is copied: its memory goes. */
void h2_out_settle(struct h2_stream *s);
void h2_out_free(struct h2_stream *s);
/* Pushes the next `len` bytes to the connection. */
void h2_out_push(struct h2_stream *s, size_t len);
/* Pushes a copy. */
void h2_push(struct h2_client *h, const void *bytes, size_t len);
/* Has nghttp2 send what can be sent now. */
void h2_send(struct h2_client *h);
void h2_flush(struct h2_client *h);
/* Sends a GOAWAY without nghttp2, behind all that was sent. */
void h2_push_goaway(struct h2_client *h, uint32_t code, struct slice debug);

#endif
