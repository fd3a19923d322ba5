/*
 * conn_parts.h: what the files of a connection share: conn.c (its life,
 * events, reading), conn_out.c (writing), conn_finish.c (the end after the
 * last bytes). Nobody else includes it.
 */
#ifndef NOXY_NET_CONN_PARTS_H
#define NOXY_NET_CONN_PARTS_H

#include "net/conn.h"

/* conn.flags */
enum {
    CONNECTING = 1,
    READABLE = 2,
    WRITABLE = 4,
    PEER_CLOSED = 8,
    BROKEN = 16,
    CLOSED = 32,         /* only its memory is left, until the end of the round */
    SHUT_WHEN_SENT = 64, /* conn_shutdown() waits for the queue */
    SHUT = 128,          /* our direction has ended */
    FINISH_LINGER = 256, /* conn_finish(): see there */
    HUNG_UP = 512,       /* an error, or both directions have ended */
};

/* Sends the queue as far as the socket takes it. 0, or CONN_FAILED. */
int conn_queue_send(struct conn *c);
/* Throws away what was pushed and what is queued. */
void conn_out_free(struct conn *c);

/* Is `c` one that conn_finish() has yet to close? It is closed now. */
void conn_finish_closed(const struct conn *c);

#endif
