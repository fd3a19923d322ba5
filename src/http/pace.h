/*
 * pace.h: does a client keep pace? It is late when we wait for its body, or
 * for it to take the response, and no byte moves for timeout_client; and it
 * is slow when fewer than min_body_rate bytes a second of bodies and responses
 * move in two windows of five seconds in a row; what only frames a body, such
 * as chunk extensions and trailers, doesn't count. While we wait for the
 * server, that is the server's time.
 *
 * Looks are made by the connection's timer, so the bytes themselves cost a
 * store. A codec looks at each exchange (with HTTP/1.1 that is the connection,
 * too), with HTTP/2 also at the connection as a whole.
 */
#ifndef NOXY_HTTP_PACE_H
#define NOXY_HTTP_PACE_H

#include "frontend/frontend.h"

struct pace {
    uint64_t awaited_at; /* loop_now() since when the client is waited for */
    uint64_t window_at;  /* loop_now() when the present window began */
    uint64_t bytes;      /* moved before that */
    uint8_t slow;        /* windows in a row in which too few more did */
};

/* What a look sees. */
struct pace_view {
    bool awaited;       /* we wait for the client, and not for the server */
    uint64_t moved;     /* bytes that the client has sent or taken so far */
    uint64_t active_at; /* loop_now() when one moved last */
};

/* The client is waited for from now on. In how many microseconds to look. */
uint64_t pace_begin(struct pace *p, const struct frontend *f, uint64_t moved);

/* REASON_NONE and when to look again, or why the client is ended. */
enum reason pace_look(struct pace *p, const struct frontend *f, const struct pace_view *v, uint64_t *next_us);

/* In how many microseconds a client must have taken the last `bytes` of a response. */
uint64_t pace_of_rest(const struct frontend *f, size_t bytes);

#endif
