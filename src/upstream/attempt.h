/*
 * attempt.h: finding a server for one request, or one connection in mode tcp:
 * which is chosen, which were tried, how often it may be tried again, and
 * what is counted on the way.
 *
 * An attempt belongs to its exchange or relay, which embeds it.
 */
#ifndef NOXY_UPSTREAM_ATTEMPT_H
#define NOXY_UPSTREAM_ATTEMPT_H

#include "upstream/backend.h"

struct attempt;
/* A wait is over: REASON_NONE, a->server is chosen; else why there is none. */
typedef void attempt_woken(struct attempt *a, enum reason none);

struct attempt {
    struct backend *backend;
    struct server *server;    /* the one under way; NULL: none */
    struct server *last;      /* the one that was chosen last, for the log; NULL: none */
    struct server *preferred; /* chosen rather than the balancer's, while it is eligible; NULL: none */
    struct balance_key key;
    uint64_t *tried; /* a bit a server; NULL until one failed */
    uint32_t retries_left;
    uint32_t retries;  /* made so far */
    uint64_t begun_at; /* loop_now() of attempt_begin() */

    attempt_woken *woken; /* NULL: it doesn't wait */
    TAILQ_ENTRY(attempt) waiting;
    uint64_t waits_since; /* loop_now() */
    uint64_t waited_us;   /* in the queue, all waits that are over together */
};

/* `client`'s IP is the key of algorithms that want one. */
void attempt_begin(struct attempt *a, struct backend *b, const struct address *client);

/*
 * Chooses a server that was not tried yet and counts the request as in flight there (a->server). REASON_NONE,
 * or why there is none: REASON_NO_SERVER; or REASON_MAXCONN when all that may be chosen are full, for which
 * attempt_wait() waits.
 */
enum reason attempt_pick(struct attempt *a);
/*
 * Waits in the backend's queue: `woken` is called, later, with a server chosen as by attempt_pick(); or with
 * REASON_QUEUE_TIMEOUT; or with REASON_NO_SERVER when all went down. attempt_end() ends the wait, too.
 */
void attempt_wait(struct attempt *a, attempt_woken *woken);

/*
 * The server under way failed for `why`: counted, and taken out when that happens too often in a row. True:
 * it may be tried again with attempt_pick(). False: retries are used up.
 */
bool attempt_failed(struct attempt *a, enum reason why);

/*
 * The request is sent again to the same server on a fresh connection, since a kept one had ended: the server
 * is not to blame, and no retry is used up.
 */
void attempt_repeat(struct attempt *a);

/* The server took the connection: its failures in a row are forgotten. */
void attempt_connected(struct attempt *a, uint64_t connect_us);

/* Ends it: what was in flight is so no more. `why` is counted at server and backend unless REASON_NONE. */
void attempt_end(struct attempt *a, enum reason why);

/* ---- within the room ---- */

/* attempt_pick() of one whose turn it is. */
enum reason attempt_claim(struct attempt *a);
/* Is there a server that it could have, if a place is free? */
bool attempt_has_server(const struct attempt *a);
/* Records how long it waited. */
void attempt_record_wait(struct attempt *a);

#endif
