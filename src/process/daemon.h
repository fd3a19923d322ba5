/*
 * daemon.h: running in the background. The command that the operator typed
 * ends only when noxy serves, or with the reason why it doesn't: so its exit
 * status is true.
 */
#ifndef NOXY_PROCESS_DAEMON_H
#define NOXY_PROCESS_DAEMON_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Returns in the new process, which has a session of its own, "/" as its directory and /dev/null as standard
 * input, output and error. The descriptor is for daemon_report(). The process that called waits for the
 * report and exits. -1 with `err`: nothing was forked.
 */
int daemon_start(struct error *err);

/* Tells the waiting process that noxy serves or can't, with what it shall print on standard error; closes
 * `fd`. */
void daemon_report(int fd, bool serves, const char *text);

#endif
