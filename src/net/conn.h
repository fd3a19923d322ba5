/*
 * conn.h: a non-blocking stream socket, read and written the same way whether
 * its bytes are plain or TLS. It knows nothing of HTTP.
 *
 * Reading. The descriptor is watched once, edge-triggered; what it is ready
 * for is remembered here. handler->readable() tells that bytes, the end or an
 * error may be read; the owner reads until it has enough or conn_read() says
 * CONN_AGAIN. Whoever stops earlier and wants to go on later calls
 * conn_read_later(), or just reads again.
 *
 * Writing. Bytes to be sent are gathered with conn_push() and go out with one
 * system call in conn_flush(); the pushed memory must stay valid until then.
 * What the socket doesn't take is copied to (or, with conn_push_buffer(),
 * moved to) the connection's queue and sent when it can be. The producer asks
 * conn_queued() and stops while it isn't 0, so the queue is bounded by what one
 * call pushes. handler->writable() tells that the queue is empty again.
 *
 * Ending. conn_close() ends it at once, conn_finish() after what is queued was
 * sent. Both take a reason. The handler is not called again; the memory goes
 * after the current round of events.
 *
 * TLS. A connection that is secured is read, written and ended as one that is
 * not. What is queued is encrypted already, so the queue is a little longer than
 * what was pushed. Each direction ends with close_notify.
 *
 * Ownership: the owner holds the conn until it calls one of the two; the conn
 * owns its descriptor and its queued buffers.
 */
#ifndef NOXY_NET_CONN_H
#define NOXY_NET_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "event/loop.h"
#include "net/address.h"
#include "state/reason.h"

struct conn;
struct gather;
struct tls;         /* net/tls.h */
struct tls_context; /* net/tls.h */

struct conn_handler {
    /* Bytes, the end of the stream or an error may be read. */
    void (*readable)(struct conn *c);
    /* The queue is empty again; or the connection was made (conn_connect), or is secured (conn_secure). */
    void (*writable)(struct conn *c);
    /*
     * The connection could not be made or secured: `error` is an errno; EPROTO: TLS failed, and
     * conn_tls_failure() says why. Only for conn_connect() and conn_secure(). The owner closes it.
     */
    void (*failed)(struct conn *c, int error);
    /* The time set by conn_timeout() is over. */
    void (*timeout)(struct conn *c);
};

enum {
    CONN_END = 0,    /* conn_read: the peer has sent all it will */
    CONN_AGAIN = -1, /* nothing now: readable() will tell */
    CONN_FAILED = -2 /* broken: c->error says why */
};

#define CONN_ANY_TIME (UINT64_MAX / 2) /* microseconds: as long as it takes */

/* The peer's or server's address in as few bytes as an idle connection should hold. */
union conn_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* The ends that a proxy in front names (PROXY protocol). */
struct conn_names {
    union conn_address peer, local;
};

struct conn {
    struct watch watch;
    struct loop *loop;
    const struct conn_handler *handler;
    union {
        void *owner;
        uint64_t finish_by; /* after conn_finish(): loop_now() when it is closed at the latest */
    };
    struct timer timer;
    struct task task; /* reading later; freeing */
    struct gather *gather;
    struct tls *tls; /* NULL: the bytes are plain */
    struct buffer_queue queue;
    uint32_t queued;
    union {
        uint64_t pushed;       /* bytes given to it so far */
        uint64_t finish_limit; /* after conn_finish(): microseconds without a byte taken */
    };
    uint64_t active_at; /* loop_now() when it was made, or bytes went either way last */
    uint32_t discard;   /* conn_finish: bytes it will still throw away */
    uint16_t flags;     /* conn.c's own */
    int16_t error;      /* errno of what broke it */
    union conn_address peer;
    struct conn_names *names; /* conn_set_names(); NULL: the socket's own count */
};

/* Takes a connected descriptor over. NULL: not watched (descriptor closed). */
struct conn *conn_adopt(struct loop *l, int fd, const struct sockaddr *peer, const struct conn_handler *h,
                        void *owner);
/* Starts a connection. NULL with errno. */
struct conn *conn_connect(struct loop *l, const struct sockaddr *to, socklen_t len,
                          const struct conn_handler *h, void *owner);

/*
 * Begins TLS on it, as the server of what conn_adopt() took, as the client of what conn_connect() makes
 * (called right behind it). writable() tells that the connection is secured, failed() that it can't be; until
 * then nothing is read or pushed. -1 without memory for it.
 */
int conn_secure(struct conn *c, struct tls_context *t);
/* Right behind conn_secure() on what conn_connect() makes: bytes that go out before TLS begins. */
void conn_push_plain(struct conn *c, const void *bytes, size_t len);
/* After failed(): the connection is plain again, so that who doesn't speak TLS can be told so. */
void conn_unsecure(struct conn *c);

/* A new owner, with its handler. */
void conn_set_owner(struct conn *c, const struct conn_handler *h, void *owner);

/* Up to `size` bytes: their number, or CONN_END, CONN_AGAIN, CONN_FAILED. */
ssize_t conn_read(struct conn *c, void *bytes, size_t size);
/* The same into several buffers' room, in order; their ends are moved. */
ssize_t conn_read_buffers(struct conn *c, struct buffer **buffers, unsigned count);
/* As conn_read(), but the bytes stay to be read: CONN_AGAIN only where there are none. readable() tells of
 * further ones. */
ssize_t conn_peek(struct conn *c, void *bytes, size_t size);
/* A read would not be known to find nothing. */
bool conn_may_read(const struct conn *c);
/* Calls readable() at the end of this round: for owners that stop to let others have their turn. */
void conn_read_later(struct conn *c);
/* The peer has ended its direction (perhaps behind bytes not yet read), or the connection is broken. */
bool conn_peer_closed(const struct conn *c);
/* Nothing can reach the peer any more; there may still be bytes to read. */
bool conn_broken(const struct conn *c);
bool conn_connected(const struct conn *c);
/* It is under TLS. */
static inline bool conn_secured(const struct conn *c)
{
    return c->tls;
}
/* Its CONN_END was no proper end: the peer, or somebody between, cut TLS off (RFC 8446, 6.1). */
bool conn_truncated(const struct conn *c);
/* Nothing has come from the peer that wasn't read, neither bytes nor an end; nor will this round tell of any.
 */
bool conn_quiet(const struct conn *c);

void conn_push(struct conn *c, const void *bytes, size_t len);
/* Pushes b's bytes and gives b away: it is put back, or queued without a copy. */
void conn_push_buffer(struct conn *c, struct buffer *b);
/* 0, or CONN_FAILED. Never call back. */
int conn_flush(struct conn *c);
/*
 * The same for the last bytes: the end of our direction must follow in this round (conn_finish, conn_close,
 * conn_shutdown), with which the kernel sends them in one segment.
 */
int conn_flush_last(struct conn *c);
/* Bytes not yet taken by the socket. */
static inline size_t conn_queued(const struct conn *c)
{
    return c->queued;
}
/* Bytes given to it since it was made. */
static inline uint64_t conn_pushed(const struct conn *c)
{
    return c->pushed;
}
/* Ends our direction (FIN) when the queue has been sent. */
void conn_shutdown(struct conn *c);

/* Microseconds without a byte read or taken by the socket. */
static inline uint64_t conn_silence(const struct conn *c)
{
    return loop_now(c->loop) - c->active_at;
}

/* One deadline a connection; 0 takes it away. Setting it later than before costs a store. */
void conn_timeout(struct conn *c, uint64_t delay_us);

/* Its close will be a reset, which the peer can't take for a proper end. */
void conn_reset(struct conn *c);
void conn_close(struct conn *c, enum reason why);
/*
 * Sends the queue, then closes; not waiting longer than `limit_us` for the peer to take another byte, nor
 * longer than `total_us` for it to take all. With `linger` it ends only its own direction first and throws
 * away what the peer still sends, until that is silent for 2 s (at most 64 MiB and 30 s), so that the peer
 * gets the last bytes rather than a reset.
 */
void conn_finish(struct conn *c, enum reason why, bool linger, uint64_t limit_us, uint64_t total_us);

/* Connections of this process that conn_finish() has yet to close. */
size_t conn_finishing(void);
/* From now on these are its ends, but for conn_real_peer(). */
void conn_set_names(struct conn *c, const struct address *peer, const struct address *local);
/* The peer's address as a struct address. */
void conn_peer(const struct conn *c, struct address *out);
/* The address of our end (getsockname, or conn_set_names). */
void conn_local(const struct conn *c, struct address *out);
/* Who is connected to the socket, whatever conn_set_names() said. */
void conn_real_peer(const struct conn *c, struct address *out);

#endif
