/*
 * loop.h: the event loop of one process.
 *
 * A process has one loop and one thread. Descriptors are watched edge-
 * triggered from loop_watch() to loop_forget(), with one epoll_ctl(2) each:
 * whoever owns one remembers what it is ready for, tries its reads and writes
 * first, and learns here only that something changed. Nothing outside this
 * room knows of epoll.
 *
 * A round: wait, read the clock once, note all events in their watches, hand
 * them out one by one, fire timers, run the work put off to the round's end
 * (where memory is freed that events of the same round could still name).
 */
#ifndef NOXY_EVENT_LOOP_H
#define NOXY_EVENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "event/timer.h"

enum loop_event {
    LOOP_READABLE = 1,    /* bytes, a connection to accept, or the end of the stream */
    LOOP_WRITABLE = 2,    /* room to write, or a connection attempt that ended */
    LOOP_PEER_CLOSED = 4, /* the peer ended its direction (FIN) */
    LOOP_BROKEN = 8,      /* an error, or both directions ended */
};

/* A watched descriptor. Belongs to its owner, which embeds it. */
struct watch {
    int fd;
    unsigned pending;                                /* events of this round that are yet to be handed out */
    void (*ready)(struct watch *w, unsigned events); /* events: of enum loop_event */
};

/* Work for the end of the round. Belongs to its owner, which embeds it. */
struct task {
    TAILQ_ENTRY(task) link;
    void (*run)(struct task *t);
    bool queued;
};

struct loop;

/* NULL without descriptors or memory, with the reason in `err`. Make it after fork(2): it is never shared. */
struct loop *loop_new(struct error *err);
void loop_free(struct loop *l);

/* Runs rounds until loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* Microseconds of the monotonic clock, read once a round. */
uint64_t loop_now(const struct loop *l);

/* Counts the rounds. */
uint64_t loop_round(const struct loop *l);

/* Watches w->fd for everything, edge-triggered. -1 with errno: not watched. */
int loop_watch(struct loop *l, struct watch *w);

/*
 * Watches a listening socket that other processes watch too: level-triggered,
 * and a new connection wakes only one of them (EPOLLEXCLUSIVE).
 */
int loop_watch_listener(struct loop *l, struct watch *w);

/*
 * Ends the watch; events of this round that were already taken are not delivered. Call before close(2).
 * An owner that is the only holder of the descriptor, frees its watch no earlier than in a task and ignores
 * events until then may spare the call: close(2) takes the descriptor out of the poll set.
 */
void loop_forget(struct loop *l, struct watch *w);

/* Puts `t` off to the end of this round, or of the next if called there. Once, however often it is called. */
void loop_defer(struct loop *l, struct task *t);
/* Takes it back; nothing happens if it isn't queued. */
void loop_undefer(struct loop *l, struct task *t);

/*
 * Timers: see timer.h. Sets `t` to fire `delay_us` after loop_now(), rounded up to a millisecond. Setting it
 * again later than before costs nothing until the earlier time has come.
 */
void loop_timer_set(struct loop *l, struct timer *t, uint64_t delay_us);
void loop_timer_stop(struct loop *l, struct timer *t);

#endif
