/*
 * queue.h: attempts that wait for a place: every eligible server of their
 * backend has as many requests in flight as its maxconn allows.
 *
 * Each process has a queue for each backend: first come, first served. It is
 * looked at when an attempt of this process leaves a server (at the end of
 * that round) and every few milliseconds while somebody waits, which finds
 * what no one tells of: places that other processes gave back, servers that
 * went down or came up, and timeout_queue.
 *
 * The limit itself is held over all processes by state_claim(). A process
 * whose own requests follow on each other would starve the others, so it
 * leaves a free place to whichever process has somebody waiting for markedly
 * longer, and takes it only when that one didn't within a few looks: it may
 * be held up, or want another server.
 *
 * An attempt belongs to a client's connection and stands in the queue by a
 * link of its own: nothing is allocated, and maxconn of the frontends bounds
 * the queue.
 */
#ifndef NOXY_UPSTREAM_QUEUE_H
#define NOXY_UPSTREAM_QUEUE_H

#include "base/list.h"
#include "event/loop.h"

struct attempt;
struct backend;
TAILQ_HEAD(attempt_list, attempt);

/* Embedded in its backend, of which each process has its own. */
struct queue {
    struct attempt_list waiting;
    struct task task;      /* looks at the end of the round */
    struct timer poll;     /* looks again while somebody waits */
    uint32_t untried;      /* those who wait and could take any server */
    uint32_t seen_changes; /* of the backend's slot, when it was last looked who has no server left */
    /* Another process is named by the time since which its first has waited. */
    uint64_t left_to, left_until;      /* a free place is left to it until then; 0: none is */
    uint64_t left_in_vain, vain_until; /* it didn't take one: until then it is passed over */
};

void queue_init(struct backend *b);
/* Nobody waits any more. */
void queue_free(struct backend *b);

/* Must an attempt that comes now wait behind others, even if a place should be free? */
bool queue_goes_first(const struct backend *b);
void queue_enter(struct attempt *a);
void queue_leave(struct attempt *a);
/* An attempt of this process has left a server. */
void queue_place_free(struct backend *b);

#endif
