/*
 * access_logs.h: the access logs of a generation: one for each file and
 * format that its frontends name, and those that go to the process's log. The
 * master opens them before it forks, and keeps them for workers that have to
 * be replaced, as long as the generation lasts.
 */
#ifndef NOXY_PROCESS_ACCESS_LOGS_H
#define NOXY_PROCESS_ACCESS_LOGS_H

#include "process/generation.h"

/* Opens those that the frontends of `g` want. -1 after reporting what can't be opened. */
int access_logs_open(struct generation *g);
/* In the master, the manager, and children of other generations; more than once does no harm. */
void access_logs_close(struct generation *g);
/* Opens the files anew (USR1) and hands them to the workers. The number that was opened. */
uint32_t access_logs_reopen(struct generation *g);
/* In a worker: goes on with a descriptor that the master has sent; `number` is that of the message. */
void access_logs_adopt(struct generation *g, uint64_t number, int fd);

/* Descriptors that they need. */
uint32_t access_logs_files(const struct generation *g);

#endif
