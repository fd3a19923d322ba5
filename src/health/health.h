/*
 * health.h: the check engine, in the manager.
 *
 * Each server of a backend with checks is checked every interval, the first
 * time at once; checks of many servers are spread over the interval. One file
 * a kind of check (check_tcp.c); each ends in one verdict call with a reason.
 * `fall` failures in a row take a server down, `rise` passes bring it up; the
 * first verdict counts at once. A server that traffic took out is brought back
 * by `rise` passes, one second or less apart.
 *
 * Servers given by name are looked up here again and again, and their
 * addresses kept in the shared state for the workers; one that doesn't resolve
 * is down with that reason.
 */
#ifndef NOXY_HEALTH_HEALTH_H
#define NOXY_HEALTH_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "conf/table.h"
#include "event/loop.h"
#include "upstream/backend.h"

struct health_conf {
    bool enabled;
    uint64_t interval, timeout; /* microseconds; as written 0: not written */
    uint32_t rise, fall;
};

/* What health/ has in a backend. */
struct health_part {
    struct health_conf *written; /* `health_check` (a number: the interval; false: none); NULL: not written */
    struct health_conf effect;   /* what holds, complete, after health_apply_default() */
};

extern const struct conf_table health_conf_table; /* the rows of the section `backend` */

/*
 * Completes what is written, once a file is loaded: the interval is `interval_us` (global's `health_check`)
 * where the backend sets none, and checks are on where nothing is written. Sets b->failures_max: `fall`, 0
 * without checks.
 */
void health_apply_default(struct backend *b, uint64_t interval_us);

/*
 * Resolves the names of all servers that have no address yet, blocking and within `limit_us`: in the master
 * at a load, after backend_bind_state(). One that doesn't resolve is down, with a warning.
 */
void health_resolve_all(struct backend *const *backends, uint32_t count, uint64_t limit_us);

struct health_engine;

/* Starts the checks and look-ups of all servers; after state_lane_use(). NULL with `err`. */
struct health_engine *health_start(struct loop *l, struct backend *const *backends, uint32_t count,
                                   struct error *err);
/* Ends them; what is under way stays without a verdict. NULL is allowed. */
void health_free(struct health_engine *h);

#endif
