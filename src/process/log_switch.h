/*
 * log_switch.h: which log the master has open. A generation brings its own
 * settings; the log is opened anew only when they differ, and what is in use
 * outlives the generation that named it.
 */
#ifndef NOXY_PROCESS_LOG_SWITCH_H
#define NOXY_PROCESS_LOG_SWITCH_H

#include "log/log.h"

/* Belongs to the master. */
struct log_switch {
    struct log_conf *conf; /* a copy; NULL: none is open yet */
};

bool log_conf_equal(const struct log_conf *a, const struct log_conf *b);

/* Opens what `conf` names, unless it is open already. -1 with `err`: the one before goes on. */
int log_switch_to(struct log_switch *s, const struct log_conf *conf, struct error *err);
void log_switch_close(struct log_switch *s);

#endif
