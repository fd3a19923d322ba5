/*
 * frontend.h: where clients arrive: binds, limits, and the mode that handles
 * their connections.
 */
#ifndef NOXY_FRONTEND_FRONTEND_H
#define NOXY_FRONTEND_FRONTEND_H

#include "net/conn.h"
#include "state/state.h"
#include "upstream/backend.h"

struct frontend;
struct http_conf; /* http/http.h */

enum overflow { OVERFLOW_CLOSE, OVERFLOW_WAIT };

struct bind {
    const char *addr_port; /* as written */
    struct address address;
    int fd; /* of the listening socket, which the master keeps; -1: none yet */
    struct frontend *frontend;

    /* this process */
    struct watch watch;
};

/* What a mode does with a client's connection. Rows: mode tcp (relay/), mode http (http/). */
struct mode_ops {
    const char *name;
    const char *summary;
    /* Takes the connection over. It is counted (GAUGE_SESSIONS) until frontend_release(). */
    void (*accepted)(struct frontend *f, struct conn *c);
};

struct frontend {
    const char *name;
    int mode; /* index in the list that frontend_set_modes() was given */
    struct bind **binds;
    uint32_t bind_count;
    uint32_t maxconn;
    int overflow;
    uint64_t timeout_client, timeout_http_request, timeout_keepalive; /* microseconds */
    struct backend *use_backend; /* NULL: none */
    struct http_conf *http;      /* the part of http/ */
    struct slot *slot;

    /* this process */
    struct worker *worker;
    struct lane_block *block;
    struct timer retry; /* accepting goes on after a pause */
    bool paused;
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
    uint32_t open;        /* client connections of this process */
};

int frontend_bind_state(struct frontend *f, struct error *err);

/* Starts the frontends and backends of `w` in this process; after state_lane_use(). -1 with `err`. */
int worker_start(struct worker *w, struct error *err);
/*
 * Stops accepting; connections end as soon as they can without a client noticing, at the latest after `timeout_us`.
 * worker_drained() becomes true when none is left.
 */
void worker_drain(struct worker *w, uint64_t timeout_us);
bool worker_drained(const struct worker *w);

/* A mode has ended a client's connection (it calls conn_close or conn_finish itself): gives its place back. */
void frontend_release(struct frontend *f, enum reason why);

#endif
