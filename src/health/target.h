/*
 * target.h: what the engine knows of each server, for the files of this room.
 */
#ifndef NOXY_HEALTH_TARGET_H
#define NOXY_HEALTH_TARGET_H

#include "base/list.h"
#include "health/check.h"
#include "health/health.h"
#include "health/lookup.h"

struct target {
    struct server *server;
    const struct health_conf *conf;
    struct health_engine *engine;
    struct lane_block *block;

    struct lookup lookup; /* of a server given by name */
    bool lookup_failing;

    struct check check;
    struct timer timer; /* to the next check; not armed while one is due or under way */
    TAILQ_ENTRY(target) link;
    bool due;        /* waits in the engine's queue */
    bool under_way;  /* the check */
    bool was_judged; /* by this engine, at least once */
    uint64_t began;  /* the last check */

    /* verdict.c's own */
    enum health seen;        /* the slot's health at the last look */
    uint32_t passes, fails;  /* in a row */
    bool first_counts;       /* the next verdict counts at once: a new address */
    enum reason down_reason; /* why the slot says down, REASON_NONE: another than the engine said so */
};

/*
 * The one end of every check: counts, and sets the server's health when enough agree. REASON_NONE: it passed.
 * REASON_RESOURCES is no verdict.
 */
void verdict(struct target *t, enum reason why, int error);

/* The server's name does not resolve, and it never did. */
void verdict_unresolved(struct target *t, const char *reason);

/* Looks at the slot. True: somebody else took the server down, or another process up, since the last look. */
bool verdict_noticed(struct target *t);

#endif
