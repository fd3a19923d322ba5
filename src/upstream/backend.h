/*
 * backend.h: backends and their servers as the data path sees them.
 *
 * The structures belong to a generation's configuration (its arena). After
 * the fork each process has its own copy, so what stands under "this process"
 * is private; all that must be shared stands in the slot.
 */
#ifndef NOXY_UPSTREAM_BACKEND_H
#define NOXY_UPSTREAM_BACKEND_H

#include "balance/balance.h"
#include "base/list.h"
#include "event/loop.h"
#include "net/address.h"
#include "net/proxy.h"
#include "state/state.h"
#include "upstream/queue.h"

struct backend;
struct health_part;       /* health/health.h */
struct http_backend_conf; /* http/http.h */
struct session;           /* upstream/session.h */
struct conf_table;
struct tls_conf; /* net/tls_conf.h */
struct tls_context;
TAILQ_HEAD(session_list, session);

struct server {
    const char *addr_port; /* as written */
    const char *name;      /* as written; default: addr_port */
    uint32_t weight;       /* 0 to BALANCE_WEIGHT_MAX */
    uint32_t maxconn;      /* requests in flight at once, over all processes; 0: no limit */
    int send_proxy;        /* enum proxy_version: each connection begins with such a header */

    struct backend *backend;
    uint32_t index;           /* in backend->servers */
    struct endpoint endpoint; /* a literal address, or a name whose address stands in the slot */
    struct tls_conf *ssl;     /* as written; NULL: not */
    struct tls_context *tls;  /* spoken with it; NULL: none is */
    struct slot *slot;

    /* this process */
    struct lane_block *block;
    struct session_list idle;     /* server connections kept open for reuse, the latest first */
    struct session_list settling; /* kept in `settling_round`: not for that round (session.h) */
    uint64_t settling_round;      /* of the loop */
    uint32_t idle_count;          /* in both lists */
    uint64_t said_tls_at;         /* loop_now() of the latest log line about TLS with it; 0: none */
};

enum when_down { WHEN_DOWN_503, WHEN_DOWN_CLOSE };

struct backend {
    const char *name;
    const struct balancer_ops *algorithm;
    struct server **servers;
    uint32_t server_count;
    uint64_t timeout_connect, timeout_server, timeout_tunnel, timeout_queue; /* microseconds */
    uint32_t retries;
    int send_proxy;                 /* enum proxy_version: of servers that say nothing of it */
    int when_down;                  /* enum when_down */
    struct health_part *health;     /* the part of health/ */
    struct http_backend_conf *http; /* the part of http/ */
    uint32_t failures_max; /* failures of traffic in a row that take a server out; 0: never (no check brings
                              it back) */
    struct slot *slot;

    /* this process */
    struct loop *loop;
    struct lane_block *block;
    struct balancer balancer;
    struct balance_view view;
    struct balance_server *eligible; /* server_count of them: what the balancer sees */
    uint32_t seen_changes;           /* of slot->changes */
    bool limited;                    /* a server has a maxconn */
    uint64_t *passed;                /* a bit a server, for picks under limits */
    struct queue queue;              /* those who wait for a place */
    bool started;
};

extern const struct conf_table backend_conf_table; /* the rows of the section `backend` */

/* Finds or makes the slots of a backend and its servers: the master, for each configuration. -1 with `err`.
 */
int backend_bind_state(struct backend *b, struct error *err);
/* Makes what a worker needs; after state_lane_use(). */
void backend_start(struct backend *b, struct loop *l);
void backend_stop(struct backend *b);
/* Learns what changed with the servers since the last call. */
void backend_refresh(struct backend *b);
/* Closes the kept connections of all servers (drain). */
void backend_close_idle(struct backend *b);

/* The address to connect to now; false: a name that isn't resolved. Of every process. */
bool server_address(const struct server *s, struct address *out);
/* "BACKEND:SERVER/ADDRESS", as log lines name a server; returns `out`. */
const char *server_print(const struct server *s, char *out, size_t size);
/* Do its connections begin with a PROXY header? Each is then one client's (upstream/session.h). */
static inline bool server_sends_proxy(const struct server *s)
{
    return s->send_proxy > PROXY_NONE;
}
/* The server of that name; NULL: none. */
struct server *backend_server(const struct backend *b, struct slice name);
/* May it get requests now? With why not in words (for the CLI; `why` may be NULL). */
bool server_eligible(const struct server *s, const char **why);

/*
 * Sets a server's health and logs the change ("Backend [...] is now up" at info, "is now down: REASON" at
 * warn) if it is one. By the manager's checks and by traffic alike.
 */
void server_set_health(struct server *s, enum health h, const char *reason);

#endif
