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

struct attempt {
    struct backend *backend;
    struct server *server; /* the one under way; NULL: none */
    struct balance_key key;
    uint64_t *tried; /* a bit a server; NULL until one failed */
    uint32_t retries_left;
    uint32_t retries;  /* made so far */
    uint64_t begun_at; /* loop_now() of attempt_begin() */
};

/* `client`'s IP is the key of algorithms that want one. */
void attempt_begin(struct attempt *a, struct backend *b, const struct address *client);

/*
 * Chooses a server that was not tried yet and counts the request as in flight there (a->server). REASON_NONE,
 * or why there is none.
 */
enum reason attempt_pick(struct attempt *a);

/*
 * The server under way failed for `why`: counted, and taken out when that happens too often in a row. True:
 * it may be tried again with attempt_pick(). False: retries are used up.
 */
bool attempt_failed(struct attempt *a, enum reason why);

/* As attempt_failed(), but the server is not to blame and may be chosen again (a kept connection that had
 * ended). */
bool attempt_repeat(struct attempt *a);

/* The server took the connection: its failures in a row are forgotten. */
void attempt_connected(struct attempt *a, uint64_t connect_us);

/* Ends it: what was in flight is so no more. `why` is counted at server and backend unless REASON_NONE. */
void attempt_end(struct attempt *a, enum reason why);

#endif
