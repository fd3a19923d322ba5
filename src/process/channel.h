/*
 * channel.h: what the master and its children tell each other: small typed
 * messages over a pair of SOCK_SEQPACKET sockets, one pair a child. The end of
 * the channel tells each side that the other has gone.
 *
 * Texts of any length (up to CHANNEL_TEXT_MAX) go along: short ones in the
 * message, longer ones in a sealed memfd. The master takes no descriptor from
 * a child, so whatever an unprivileged process sends is only a short message.
 */
#ifndef NOXY_PROCESS_CHANNEL_H
#define NOXY_PROCESS_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "event/loop.h"

enum { CHANNEL_TEXT_SHORT = 1000, CHANNEL_TEXT_MAX = 1 << 20 };

enum channel_type {
    /* from a child */
    CHANNEL_READY,  /* it serves */
    CHANNEL_FAILED, /* it cannot start, and ends: the text says why */
    CHANNEL_DRAINS, /* the manager answers nobody new any more */
    CHANNEL_RELOAD, /* the manager asks for a reload; value: the request's number */
    /* from the master */
    CHANNEL_DRAIN,         /* value: within so many microseconds */
    CHANNEL_STOP,          /* now */
    CHANNEL_REOPEN,        /* fd: the log, opened anew; value: 0, or which access log (access_logs.h) */
    CHANNEL_RELOAD_DONE,   /* value: the request's number; the text says what changed */
    CHANNEL_RELOAD_FAILED, /* the same; the text holds the errors */
    CHANNEL_TYPE_COUNT
};

struct channel_message {
    enum channel_type type;
    uint64_t value;
    const char *text; /* "" when there is none; valid during the call */
    int fd;           /* -1: none; whoever receives it owns it, or sets it to -1 when it has been given on */
};

/* One end. Belongs to its owner, which embeds it. */
struct channel {
    struct watch watch; /* fd -1: closed */
    struct loop *loop;
    bool takes_fds; /* the child's end */
    void (*received)(struct channel *c, struct channel_message *m);
    void (*ended)(struct channel *c); /* the other side has gone; the owner closes the channel */
};

/* Two connected ends: fds[0] for the master, fds[1] for the child. -1 with `err`. */
int channel_pair(int fds[2], struct error *err);
/* Watches `fd`, which the channel owns from then on, even if this fails. The callbacks are set. -1 with
 * `err`. */
int channel_open(struct channel *c, struct loop *l, int fd, struct error *err);
/* May be called from the callbacks, and again. */
void channel_close(struct channel *c);

/* Never blocks. `text` may be NULL (a text that is too long is cut); `fd` stays the caller's, -1: none. -1
 * with `err`. */
int channel_send(struct channel *c, enum channel_type type, uint64_t value, const char *text, int fd,
                 struct error *err);

#endif
