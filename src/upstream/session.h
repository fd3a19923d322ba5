/*
 * session.h: a connection to a server that a codec speaks on. With HTTP/1.1
 * it carries one exchange at a time and is kept between them; the codec that
 * made it embeds this structure and owns it.
 */
#ifndef NOXY_UPSTREAM_SESSION_H
#define NOXY_UPSTREAM_SESSION_H

#include "net/conn.h"
#include "upstream/backend.h"

struct session_ops {
    const char *name; /* the codec's */
    /* Ends an idle session: it leaves the list and is gone. */
    void (*close)(struct session *s, enum reason why);
};

struct session {
    TAILQ_ENTRY(session) link;
    const struct session_ops *ops;
    struct server *server;
    struct conn *conn;
    bool kept; /* stands in server->idle */
};

enum {
    SESSIONS_KEPT_MAX = 1024,       /* idle ones of a server and process */
    SESSION_IDLE_US = 30 * 1000000, /* then it is closed */
};

/* A kept session of the server, the one used last; NULL: none. It is no longer kept. */
struct session *session_take(struct server *s);
/* Keeps an idle session; false: too many are kept, close it. */
bool session_keep(struct session *s);
/* It ends or is taken: it is no longer kept. */
void session_unkeep(struct session *s);

#endif
