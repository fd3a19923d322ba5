/*
 * session.h: a connection to a server that a codec speaks on. With HTTP/1.1
 * it carries one exchange at a time and is kept between them; the codec that
 * made it embeds this structure and owns it.
 *
 * A server may close a kept connection at any time, or send on it what nobody
 * asked for, which must not be taken for the answer to the next request. So a
 * session is taken only if nothing is known to have come on it, and never in
 * the round of the loop in which it was kept: between the two the loop has
 * asked the kernel for news of it, at no further cost. A race remains, which
 * HTTP/1.1 can't close: what arrives after the round's epoll_wait(2) is seen
 * no sooner than the next request is on its way. There a request may be lost
 * with the connection (and be repeated if it is idempotent, RFC 9112, 9.3.1),
 * and a whole response that a server sent without being asked would be taken
 * for an answer.
 *
 * Where the server gets a PROXY header, the connection is that client's whom
 * the header names. So it is kept for the client's connection alone, and ends
 * with that at the latest.
 */
#ifndef NOXY_UPSTREAM_SESSION_H
#define NOXY_UPSTREAM_SESSION_H

#include "net/conn.h"
#include "net/network.h"
#include "upstream/backend.h"

struct session_ops {
    const char *name; /* the codec's */
    /* Ends an idle session: it leaves the list and is gone. */
    void (*close)(struct session *s, enum reason why);
};

struct session {
    TAILQ_ENTRY(session) link;
    uint64_t kept_round; /* of the loop, in which it was kept */
    const struct session_ops *ops;
    struct server *server;
    struct conn *conn;
    bool kept; /* stands in server->settling or, from the next round on, server->idle; or in `own` */

    /* Of a server with send_proxy: the client's list, whose connection outlives every use of this one (NULL:
     * it isn't kept), and whom the header names: through one trusted proxy several come. */
    struct session_list *own;
    struct ip introduced;
};

enum {
    SESSIONS_KEPT_MAX = 1024,       /* idle ones of a server and process */
    SESSIONS_OWN_MAX = 8,           /* idle ones of a client's connection */
    SESSION_IDLE_US = 30 * 1000000, /* then it is closed */
};

/*
 * A kept session of the server, the one used last, on which nothing is pending; NULL: none. It is no longer
 * kept. Those on which something is are closed.
 */
struct session *session_take(struct server *s);
/* The same of a server with send_proxy, among a client's own ones (may be NULL). */
struct session *session_take_own(struct session_list *own, const struct server *s, struct ip client);
/* Keeps an idle session; false: too many are kept, close it. Of a client's own ones the oldest goes. */
bool session_keep(struct session *s);
/* The client's connection ends: closes what is kept for it. */
void session_close_own(struct session_list *own);
/* It ends or is taken: it is no longer kept. */
void session_unkeep(struct session *s);

#endif
