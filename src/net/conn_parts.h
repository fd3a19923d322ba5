/*
 * conn_parts.h: what the files of a connection share: conn.c (its life,
 * events, reading), conn_out.c (writing), conn_tls.c (both through TLS),
 * conn_finish.c (the end after the last bytes). Nobody else includes it.
 */
#ifndef NOXY_NET_CONN_PARTS_H
#define NOXY_NET_CONN_PARTS_H

#include <sys/uio.h>

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
    SECURING = 1024,     /* a TLS handshake is under way, perhaps once the connection is made */
    RESET = 2048,        /* conn_reset(): no proper end */
};

/* ---- conn_out.c ---- */

/* Appends a copy of the bytes to the queue. */
void conn_queue_bytes(struct conn *c, const char *bytes, size_t len);

/* Sends the queue as far as the socket takes it. 0, or CONN_FAILED. */
int conn_queue_send(struct conn *c, int flags);
/* Throws away what was pushed and what is queued. */
void conn_out_free(struct conn *c);

/* ---- conn_tls.c: only for connections with `tls` ---- */

/* Events while the handshake is under way. */
void conn_tls_ready(struct conn *c, unsigned events);
/* As conn_read(). */
ssize_t conn_tls_read(struct conn *c, char *bytes, size_t size);
ssize_t conn_tls_read_buffers(struct conn *c, struct buffer **buffers, unsigned count);
/* More may be read from the socket. */
void conn_tls_note_readable(struct conn *c);
/* Encrypts pieces into the queue; the `last` ones with close_notify behind them. */
void conn_tls_encrypt(struct conn *c, const struct iovec *pieces, unsigned count, bool last);
/* Puts close_notify behind what was sent, if the peer still awaits one, and sends it as far as that goes. */
void conn_tls_end(struct conn *c, int flags);
void conn_tls_free(struct conn *c);

/* ---- conn_finish.c ---- */

/* Is `c` one that conn_finish() has yet to close? It is closed now. */
void conn_finish_closed(const struct conn *c);

#endif
