/*
 * exchange.h: one request and its response, protocol-neutral.
 *
 * Steps, each a function that chooses the next:
 *
 *   begin ─▶ rules ─▶ pick ─▶ connect ─▶ send ─▶ response ─▶ finish
 *              │        │ ▲       │        │        │
 *              └▶ answer ◀┴───────┴────────┴────────┘   (noxy's own response)
 *
 * The rules (exchange_rules.h) are the frontend's http_condition and that of
 * the backend chosen; those of http_response are part of the step response.
 *
 * Where all servers are full, it waits within pick (upstream/queue.h).
 *
 * A failure before any byte of the response goes back to pick while retries
 * are left and repeating is safe: the connection could not be made, or a kept
 * one ended before an answer and the request may be repeated (RFC 9110,
 * 9.2.2) or no byte of it was sent. Where a fresh connection ended so, it is
 * repeated once.
 *
 * Owner: itself. It is made by the client's codec (exchange_new), which holds
 * it through its stream until done() is called.
 */
#ifndef NOXY_HTTP_EXCHANGE_H
#define NOXY_HTTP_EXCHANGE_H

#include "base/arena.h"
#include "http/codec.h"
#include "http/message.h"
#include "http/pace.h"
#include "net/network.h"

enum side { SIDE_OF_CLIENT, SIDE_OF_SERVER };

enum { EXCHANGE_SCRATCH = 512 };

struct exchange {
    struct stream *client;
    struct stream *server; /* NULL: none yet, or done */
    struct frontend *frontend;
    struct attempt attempt; /* attempt.backend NULL: none chosen */
    const struct conn *client_conn;
    const char *client_scheme; /* "http"; as trusted proxies say */
    struct ip client_ip;       /* whom they name */
    struct slice client_host;  /* the authority that the client asked for, if they say so, else "" */
    bool peer_trusted;         /* the client's connection is a trusted proxy's, and client_ip is set */

    uint64_t begun_at;            /* loop_now() when the head was complete */
    uint64_t head_began_at;       /* when it began, if it came in pieces; 0: it came at once */
    uint64_t connect_at;          /* when the present connection was begun */
    uint64_t sent_at;             /* when the request's head was sent; 0: not yet */
    uint64_t first_byte_at;       /* when the response's head came; 0: not yet */
    uint64_t active_at;           /* when bytes of a body came last, either way */
    struct pace pace;             /* the client's codec watches it */
    uint64_t bytes_in, bytes_out; /* of bodies, counted as they pass */
    uint32_t head_in, head_out;   /* of heads, counted at the end; the client's codec sets them */
    uint16_t status;              /* of the final response; 0: none yet */

    struct session_list *own_sessions; /* the client's; NULL: no server connection is kept for it alone */

    bool request_sending; /* a server stream takes the body */
    bool request_ended;   /* the whole request was received */
    bool body_sent;       /* a byte of the request's body went to a server: it can't be sent again */
    bool response_begun;  /* a final response's head went to the client */
    bool response_ended;  /* the whole response was given to the client's codec */
    bool tunnel;          /* after 101 */
    bool server_ended, client_ended; /* in a tunnel: that side has ended its direction */
    bool reused;                     /* the server's connection was a kept one */
    bool repeated;                   /* a connection made for it broke: it is sent once more, and no more */
    bool prepared;                   /* the request is as it will be sent */
    bool client_close;               /* the client's connection can't be used again after this response */
    enum reason failure;             /* why the latest attempt failed */
    bool last_to_get;                /* its Max-Forwards is used up: noxy itself answers it */
    bool too_large;                  /* the body went beyond max_body */
    bool finished;
    uint8_t busy; /* calls under way that still look at it: freed behind the last */

    struct slice malformed;    /* of a head that is malformed: its first line, for the log */
    struct slice asked_method; /* by the client, where a rule has changed the request's; else "" */
    const char *rule;          /* the rule that decided; NULL: none */
    struct http_var *vars;     /* what set_var set */
    uint64_t unique_id[2];     /* as in struct http_subject */

    char *scratch_next; /* in scratch: text of added fields */
    char scratch[EXCHANGE_SCRATCH];
    struct arena arena;     /* for what scratch can't hold */
    struct message request; /* last: its fields need not be touched */
};

/* ---- the client's codec ---- */

/* The stream's exchange, whose request the codec fills in. */
struct exchange *exchange_new(struct stream *client, struct frontend *f, const struct conn *c);
/* Nothing came of it: the request was never complete. Not after exchange_begin(). */
void exchange_drop(struct exchange *x);
/* x->request is complete. */
void exchange_begin(struct exchange *x);
/* The request can't be served: answers `status` (0: nothing) for `why` without rules and servers. Instead of
 * exchange_begin(). */
void exchange_refuse(struct exchange *x, uint16_t status, enum reason why);

/* ---- the server's codec ---- */

/* The connection was made: sends the request. */
void exchange_server_ready(struct exchange *x);
/* It could not be made. The stream is gone. */
void exchange_server_failed(struct exchange *x, enum reason why);
/* Who asks: the connection's peer, or whom trusted proxies name. */
struct ip exchange_client_ip(const struct exchange *x);
/* The same with its port, which of one that trusted proxies name is not known (0). */
void exchange_client_address(const struct exchange *x, struct address *out);
/* A response's head; `m` is the codec's and valid during the call. */
void exchange_response(struct exchange *x, struct message *m);

/* ---- both codecs ---- */

/* Does it wait for a place at a server? */
static inline bool exchange_waits(const struct exchange *x)
{
    return x->attempt.woken != NULL;
}
/* May bytes that this side sends be delivered now? */
bool exchange_wants_body(const struct exchange *x, enum side from);
/* How many, if they can be had in one piece: what is beyond must be kept until there is room again. */
size_t exchange_room(const struct exchange *x, enum side from);
void exchange_body(struct exchange *x, enum side from, const char *bytes, size_t len);
/* The same with a buffer, which is given away. */
void exchange_body_buffer(struct exchange *x, enum side from, struct buffer *b);
/* Sends the pieces delivered since the last flush; call after each batch of them. */
void exchange_flush(struct exchange *x, enum side from);
/* The body's end. The exchange may be over (and its streams done) when it returns. */
void exchange_body_end(struct exchange *x, enum side from, const struct message *trailers);
/* This side took all that was pending. */
void exchange_sent(struct exchange *x, enum side to);
/*
 * A look at a tunnel, by either side's timer. True: in how many microseconds to look again. False: it was
 * silent for timeout_tunnel, and the exchange is over.
 */
bool exchange_tunnel_look(struct exchange *x, uint64_t *next_us);
/* This side's stream broke off for `why`. The exchange is over, or tried again, when it returns. */
void exchange_broke(struct exchange *x, enum side which, enum reason why);

/* ---- within the room ---- */

/* Memory for `len` bytes of text that lives as long as the exchange. */
char *exchange_alloc(struct exchange *x, size_t len);
/* Learns from a trusted proxy who the client is, and drops fields that name another; the frontend has
 * trusted_proxies. Before the rules, whose own fields stay. */
void exchange_find_client(struct exchange *x);
struct ip exchange_peer_ip(const struct exchange *x);
/* Makes the request what the server shall get: hop-by-hop fields out, X-Forwarded-* in. Once. */
void exchange_prepare_request(struct exchange *x);
/* Makes a server's response what the public side shall see: names of servers out, public names in. */
void exchange_prepare_response(struct exchange *x, struct message *m);
/* Honours Max-Forwards, before the rules: one fewer for the next, or noxy is the last to get the request, and
 * x->last_to_get. False: it was refused. */
bool exchange_count_forwards(struct exchange *x);
/* Answers such a request, which the frontend's rules let pass. */
void exchange_answer_last(struct exchange *x);
/* noxy's own response (answer.c). Ends the exchange. */
struct answer {
    uint16_t status;
    struct slice content_type;
    struct slice body;
    const struct field *fields; /* further lines, raw */
    unsigned field_count;
};
void exchange_answer(struct exchange *x, const struct answer *a, enum reason why);
/* Does the client ask for JSON rather than a page (accept.c)? */
bool exchange_wants_json(const struct message *request);
/* The standard page of a status. */
void exchange_answer_status(struct exchange *x, uint16_t status, enum reason why);
/* It can't be served: the status that says so, or nothing where the response has begun or `status` is 0. Ends
 * the exchange. */
void exchange_fail(struct exchange *x, uint16_t status, enum reason why);
/* A line of the access log, which there is; before attempt_end(). */
void exchange_log(const struct exchange *x, enum reason why);
/* Ends the exchange: counts, logs, lets go of both streams. */
void exchange_finish(struct exchange *x, enum reason why);

#endif
