/*
 * balance.h: choosing a server.
 *
 * An algorithm sees only what is here: servers with their weights, whether
 * each is eligible, how many requests each has in flight, and the request's
 * key. It does no I/O, takes no lock and allocates nothing in pick(). One
 * file an algorithm, one row in balance_algorithms, no switch anywhere.
 *
 * The balancer belongs to one process; what all processes must agree on (the
 * rotation, the load) is reached through the callbacks of balance_view, so
 * the choice is exact over all workers and a unit test needs no shared memory.
 */
#ifndef NOXY_BALANCE_BALANCE_H
#define NOXY_BALANCE_BALANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { BALANCE_WEIGHT_MAX = 256 };

/* A server as an algorithm sees it. */
struct balance_server {
    const char *name; /* stable over reloads: consistent hashing stands on it */
    uint32_t weight;  /* 0: no new requests; at most BALANCE_WEIGHT_MAX */
    bool eligible;
};

/* What a choice may depend on. */
struct balance_key {
    uint64_t hash; /* of what the algorithm wants hashed: for `source` the client's address */
};

/* The servers tried already for this request: bit i of words[i / 64]. */
struct balance_tried {
    const uint64_t *words; /* NULL: none */
};

static inline bool balance_was_tried(struct balance_tried tried, uint32_t i)
{
    return tried.words && (tried.words[i / 64] >> (i % 64) & 1);
}

/* The world outside; belongs to the caller and outlives the balancer. */
struct balance_view {
    void *context;
    /* The rotation shared by all processes: returns its value and counts it up by one. */
    uint64_t (*rotate)(void *context);
    /* Requests in flight at server i, over all processes. */
    uint32_t (*load)(void *context, uint32_t i);
};

struct balancer {
    const struct balancer_ops *ops;
    const struct balance_view *view;
    const struct balance_server *servers; /* the caller's, `count` of them */
    uint32_t count;
    void *data; /* the algorithm's own */
};

struct balancer_ops {
    const char *name;    /* as written after `balance:` */
    const char *summary; /* one line for the manual */
    bool needs_key;      /* pick() reads the key */
    /* Makes b->data; servers, count and view are set. */
    void (*init)(struct balancer *b);
    /* The index of the chosen server, or -1 when none is eligible and not tried. */
    int (*pick)(struct balancer *b, const struct balance_key *key, struct balance_tried tried);
    /* The eligible set or a weight changed: b->servers has the new values. */
    void (*changed)(struct balancer *b);
    void (*free)(struct balancer *b);
};

/* All algorithms, ended by NULL; the first is the default. */
extern const struct balancer_ops *const balance_algorithms[];

/* NULL: no algorithm of that name. */
const struct balancer_ops *balance_find(const char *name);

/* Sets all fields, calls init() and changed(). */
void balancer_init(struct balancer *b, const struct balancer_ops *ops, const struct balance_view *view,
                   const struct balance_server *servers, uint32_t count);

#endif
