/*
 * check.h: one check of one server, whatever its kind. A kind is one file and one row (struct check_kind); it
 * knows an address and a time limit, nothing of servers or verdicts.
 */
#ifndef NOXY_HEALTH_CHECK_H
#define NOXY_HEALTH_CHECK_H

#include "event/loop.h"
#include "net/address.h"
#include "net/conn.h"
#include "net/proxy.h"
#include "state/reason.h"

/* Belongs to its owner, which embeds it zeroed and sets `loop`, `done` and, where it is needed, `send_proxy`.
 */
struct check {
    struct loop *loop;
    /*
     * Exactly once for each start that isn't stopped, perhaps before start() returns. REASON_NONE: passed.
     * REASON_RESOURCES: this process lacked something, which says nothing about the server. `error` is an
     * errno that tells more, or 0.
     */
    void (*done)(struct check *c, enum reason why, int error);
    enum proxy_version send_proxy; /* the server expects such a header */

    struct tls_context *tls; /* what a server is spoken with; NULL: without TLS */

    /* the kind's own */
    struct watch watch;
    struct timer timer;
    struct conn *conn;
};

struct check_kind {
    const char *name;
    void (*start)(struct check *c, const struct address *to, uint64_t timeout_us);
    /* Ends a check that is under way, without calling back. */
    void (*stop)(struct check *c);
};

/* Passes when the server accepts a TCP connection, which is closed at once. */
extern const struct check_kind check_tcp;
/* Passes when TLS with it can be begun, too: its certificate is valid, if that is asked for. */
extern const struct check_kind check_tls;

#endif
