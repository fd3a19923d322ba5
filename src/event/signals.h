/*
 * signals.h: signals as events of the loop (signalfd(2)), so that no handler
 * runs in the middle of anything.
 */
#ifndef NOXY_EVENT_SIGNALS_H
#define NOXY_EVENT_SIGNALS_H

#include "base/error.h"
#include "event/loop.h"

struct signals {
    struct watch watch;
    struct loop *loop;
    void (*caught)(struct signals *s,
                   int signo); /* standard signals of one kind that come together are one */
};

/* Blocks the signals of the 0-ended list and delivers them to `caught`. -1 with `err`. */
int signals_open(struct signals *s, struct loop *l, const int *list, void (*caught)(struct signals *, int),
                 struct error *err);
void signals_close(struct signals *s);

#endif
