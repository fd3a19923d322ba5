/*
 * tickets.h: the master makes the keys of TLS sessions (state/ticket.h): the
 * first at its start, unless another master left one, then one every 12 hours.
 */
#ifndef NOXY_PROCESS_TICKETS_H
#define NOXY_PROCESS_TICKETS_H

#include "event/loop.h"

struct tickets {
    struct loop *loop;
    struct timer rotate;
};

/* -1 with `err`: there are no random bytes. */
int tickets_start(struct tickets *t, struct loop *l, struct error *err);

#endif
