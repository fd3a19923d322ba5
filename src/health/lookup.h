/*
 * lookup.h: the address of a server that is given by name, looked up again and again and kept in the server's
 * slot.
 */
#ifndef NOXY_HEALTH_LOOKUP_H
#define NOXY_HEALTH_LOOKUP_H

#include "event/loop.h"
#include "net/resolver.h"
#include "upstream/backend.h"

enum lookup_result {
    LOOKUP_FOUND, /* the first address of a server that had none */
    LOOKUP_MOVED, /* another address than before */
    LOOKUP_SAME,
    LOOKUP_FAILED, /* an address found earlier stays in use */
};

/* Belongs to its owner, which embeds it zeroed and sets the first block. */
struct lookup {
    struct loop *loop;
    struct resolver *resolver; /* freed by the owner before the lookup */
    struct server *server;
    uint64_t interval_us, retry_us; /* to the next look-up: after an answer, after a failure */
    /* After each look-up, with the slot up to date. `reason`: of a failure, in words. */
    void (*done)(struct lookup *k, enum lookup_result result, const char *reason);

    struct timer timer;
};

/* Looks up at once, and again until lookup_stop(). */
void lookup_start(struct lookup *k);
/* After the resolver was freed. */
void lookup_stop(struct lookup *k);

/*
 * Of a name's addresses the one to use: the one in use as long as the name has it, so that name servers that
 * shuffle their answers don't move a server about; else the first.
 */
enum lookup_result lookup_take(struct server *s, const struct address *addresses, unsigned count);

/* "cannot resolve "NAME": REASON", as the server's reason; returns `out`. */
const char *lookup_reason(const struct server *s, const char *reason, char *out, size_t size);

#endif
