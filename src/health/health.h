/*
 * health.h: the check engine, in the manager.
 *
 * Each server of a backend with checks is checked every interval, the first
 * time at once; checks of many servers are spread over the interval. One file
 * a kind of check (check_tcp.c); each ends in one verdict call with a reason.
 * `fall` failures in a row take a server down, `rise` passes bring it up; the
 * first verdict counts at once. A server that traffic took out is brought back
 * by `rise` passes.
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
#include "event/loop.h"
#include "upstream/backend.h"

/* As configured: `health_check` of a backend (a number: the interval; false: none). */
struct health_conf {
    bool enabled;
    uint64_t interval, timeout; /* microseconds; interval 0: global's */
    uint32_t rise, fall;
};

struct health;

/* Resolves the names of all servers, for the first time and within `limit_us`, blocking: in the master at a load. */
void health_resolve_all(struct backend *const *backends, uint32_t count, uint64_t limit_us);

/* Starts the checks and look-ups of all servers. NULL with `err`. */
struct health *health_start(struct loop *l, struct backend *const *backends, uint32_t count, struct error *err);
void health_free(struct health *h);

#endif
