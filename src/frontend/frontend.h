/*
 * frontend.h: where clients arrive: binds, limits, and the mode that handles
 * their connections.
 */
#ifndef NOXY_FRONTEND_FRONTEND_H
#define NOXY_FRONTEND_FRONTEND_H

#include "log/access.h"
#include "net/conn.h"
#include "state/state.h"
#include "upstream/attempt.h"
#include "upstream/backend.h"

struct frontend;
struct http_conf;  /* http/http.h */
struct relay_conf; /* relay/relay.h */
struct conf_node;
struct conf_table;
struct tls_conf; /* net/tls_conf.h */
struct tls_context;

enum mode { MODE_TCP, MODE_HTTP, MODE_COUNT };
enum overflow { OVERFLOW_CLOSE, OVERFLOW_WAIT };
enum access_format { ACCESS_FORMAT_OF_LOG, ACCESS_FORMAT_TEXT, ACCESS_FORMAT_JSON };

/* The access log as configured. */
struct access_conf {
    bool enabled;
    const char *path;             /* NULL: where the process's log goes */
    int format;                   /* enum access_format */
    const struct conf_node *node; /* to report at */
};

struct bind {
    const char *addr_port; /* as written */
    struct address address;
    int fd; /* of the listening socket, which the master keeps; -1: none yet */
    struct frontend *frontend;
    struct tls_conf *ssl; /* as written here; NULL: not */
    struct tls_context
        *tls;            /* spoken with its clients; NULL: none is, or nobody is served (CONF_TO_EXPLAIN) */
    bool secured;        /* TLS is to be spoken with its clients */
    bool proxy_protocol; /* each connection begins with a PROXY header */
    bool h2c;            /* HTTP/2 is spoken without TLS, too, with clients that begin with it */

    /* this process */
    struct watch watch;
    uint32_t batch;     /* connections to take at once, as many as there were lately */
    uint64_t filled_in; /* the round in which there were as many */
};

struct client;

/* What is asked of whoever serves a client's connection. */
struct client_ops {
    /* The worker drains from now on: end it as soon as the client won't notice. */
    void (*drain)(struct client *c);
    /* End it now. */
    void (*end)(struct client *c, enum reason why);
};

/* A client's connection, whatever the mode; who serves it embeds it in its own structure. */
struct client {
    TAILQ_ENTRY(client) link; /* worker->clients */
    struct frontend *frontend;
    struct session_list sessions; /* server connections that are kept for it alone (upstream/session.h) */
    const struct client_ops *ops;
};
TAILQ_HEAD(client_list, client);

/* What a mode does with clients' connections. Rows: mode tcp (relay/), mode http (http/). */
struct mode_ops {
    const char *name;
    /* Takes an accepted connection over, under TLS if it is to be: sets its owner and calls client_open(). */
    void (*accepted)(struct bind *b, struct conn *c);
    const char *const *protocols; /* that ALPN may offer, the best first, NULL-ended; NULL: any */
    const char *not_tls;          /* told to a client that speaks HTTP where TLS is spoken; NULL: nothing */
};

struct frontend {
    const char *name;
    int mode; /* enum mode */
    struct bind **binds;
    uint32_t bind_count;
    uint32_t maxconn;
    int overflow;
    uint64_t timeout_client, timeout_http_request, timeout_keepalive; /* microseconds */
    uint64_t timeout_server;                                          /* 0: the backend's */
    struct backend *use_backend;                                      /* NULL: none */
    struct http_conf *http;                                           /* the part of http/ */
    struct relay_conf *relay;                                         /* the part of relay/ */
    struct tls_conf *ssl;          /* of the binds that have none of their own; NULL: not written */
    struct access_conf *access;    /* never NULL */
    struct access_log *access_log; /* the generation's, which frontends may share; NULL: none */
    struct slot *slot;

    /* this process */
    struct worker *worker;
    struct lane_block *block;
    struct timer resume; /* accepting goes on after a pause */
    bool accepting;
    uint64_t said_full_at;  /* loop_now() of the latest log line that said so; 0: none */
    uint64_t said_proxy_at; /* the same of connections without a PROXY header */
    uint64_t unsaid_proxy;  /* those since then */
};

/* The data plane of one process. */
struct worker {
    struct loop *loop;
    struct frontend **frontends;
    uint32_t frontend_count;
    struct backend **backends;
    uint32_t backend_count;
    uint32_t generation;
    uint32_t maxconn;     /* of noxy as a whole */
    struct slot *process; /* noxy's own slot: connections over all frontends */
    struct lane_block *process_block;
    bool draining;
    uint64_t drain_until; /* loop_now() at which what is left is ended */
    struct client_list clients;
    uint32_t open; /* their number */
    struct timer drain_end;
    struct timer housekeeping; /* gives memory that a burst took back to the system */
    uint64_t log_dropped;      /* of log_dropped(), what was counted */
    struct timer access_flush; /* writes the lines of the access logs */
    uint64_t wall_offset_us;   /* from loop_now() to the wall clock, as of the first line not yet written */
    bool out_of_descriptors;   /* said so in the log; until one was accepted again */
};

/* How long a server may be silent towards what came through the frontend. */
static inline uint64_t frontend_timeout_server(const struct frontend *f, const struct backend *b)
{
    return f->timeout_server ? f->timeout_server : b->timeout_server;
}

/* The scheme of the URLs that reach it in mode http. */
static inline const char *bind_scheme(const struct bind *b)
{
    return b->secured ? "https" : "http";
}

extern const struct conf_table frontend_conf_table; /* the rows of the section `frontend` */

/* The modes, given by main before any worker starts: modes[MODE_TCP], modes[MODE_HTTP]. */
void frontend_set_modes(const struct mode_ops *const modes[static MODE_COUNT]);

/* Finds or makes the slot: the master, for each configuration. -1 with `err`. */
int frontend_bind_state(struct frontend *f, struct error *err);

/*
 * Starts the backends and frontends of `w` in this process; after state_lane_use(). The caller has set loop,
 * the two lists, generation, maxconn and process. -1 with `err`.
 */
int worker_start(struct worker *w, struct error *err);
/*
 * Stops accepting; connections end as soon as they can without a client noticing, at the latest after
 * `timeout_us`. worker_drained() becomes true when none is left.
 */
void worker_drain(struct worker *w, uint64_t timeout_us);
bool worker_drained(const struct worker *w);
/* Ends everything at once and frees what worker_start() took. */
void worker_stop(struct worker *w);

/* ---- for modes ---- */

/* The mode has taken an accepted connection; it is counted until client_closed(). */
void client_open(struct client *c, struct frontend *f, const struct client_ops *ops);
/* Takes it off the worker's list; its place goes over to who takes the connection. */
void client_leave(struct client *c);
/*
 * The mode has ended the connection (with conn_close or conn_finish): its place is given back. `why` is
 * counted unless it is REASON_NONE.
 */
void client_closed(struct client *c, enum reason why);
/*
 * A line of f->access_log, which is not NULL, for what has ended for `why`: the mode has filled in the times,
 * bytes, status and request, and the rest is filled in here (the client's address unless it is there
 * already). Before attempt_end().
 */
void frontend_log_access(struct frontend *f, const struct conn *client, struct access_entry *e,
                         const struct attempt *a, enum reason why);

#endif
