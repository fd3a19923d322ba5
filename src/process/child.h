/*
 * child.h: one process of a generation as the master sees it: started,
 * watched, replaced when it dies.
 */
#ifndef NOXY_PROCESS_CHILD_H
#define NOXY_PROCESS_CHILD_H

#include <sys/types.h>

#include "event/loop.h"
#include "process/channel.h"

struct generation;
struct master;

enum child_role { CHILD_WORKER, CHILD_MANAGER };

/* Belongs to its generation. */
struct child {
    struct generation *generation;
    enum child_role role;
    uint32_t index; /* of a worker */
    pid_t pid;      /* 0: not running */
    int lane;       /* of the shared state; -1: none */
    bool ready;
    bool told_to_end; /* its end is no surprise */
    struct channel channel;
    struct timer again;    /* starts it anew after a pause */
    uint64_t started;      /* monotonic microseconds */
    uint32_t quick_deaths; /* in a row, soon after the start */
};

enum { CHILD_NAME_MAX = 32 };

/* "worker 2", "manager"; returns `out`. */
const char *child_name(const struct child *c, char out[static CHILD_NAME_MAX]);

/* Makes the list of a generation's processes, none of them running. */
void children_prepare(struct generation *g);
/* Forks them. -1 with `err`: those that run already are the caller's to stop. */
int children_start(struct master *m, struct generation *g, struct error *err);
/* Sends a message to those that run; the end of those told to drain or stop is then no surprise. */
void children_tell(struct generation *g, enum child_role role, enum channel_type type, uint64_t value);
/* SIGKILL for those that were told to end and still run. */
void children_kill(struct generation *g);
bool children_all_ready(const struct generation *g);
uint32_t children_alive(const struct generation *g, enum child_role role);

/* Sees to all processes that have ended (SIGCHLD). */
void children_reap(struct master *m);

/* How long to wait before a process is started anew that has died so many times in a row soon after its
 * start. */
uint64_t child_pause_us(uint32_t quick_deaths);

#endif
