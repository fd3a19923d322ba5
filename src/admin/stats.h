/*
 * stats.h: what is known of one frontend, backend or server now, gathered for
 * the text and the JSON of `stats` alike.
 */
#ifndef NOXY_ADMIN_STATS_H
#define NOXY_ADMIN_STATS_H

#include <jansson.h>

#include "admin/rates.h"
#include "admin/status.h"

struct stats {
    enum slot_kind kind;
    const char *name;
    const char *backend;         /* of a server: its backend's name; else NULL */
    uint32_t sessions, requests; /* open now */
    uint32_t queued;             /* of a backend: requests that wait for a place at a server */
    struct rate rate;
    struct status status;
    struct slot_totals totals;
};

void stats_of_frontend(struct stats *st, const struct frontend *f, const struct rates *r);
void stats_of_backend(struct stats *st, const struct backend *b, const struct rates *r);
void stats_of_server(struct stats *st, const struct server *s, const struct rates *r);

/* A reason that ended something as it should, so that it is no error: "ok", idle for timeout_keepalive ... */
bool stats_is_normal(enum reason r);

/* The names are stable: scripts depend on them (docs/man/noxyctl.1). */
json_t *stats_json(const struct stats *st);

#endif
