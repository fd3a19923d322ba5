/*
 * global_conf.h: the section `global`: what concerns noxy as a whole.
 */
#ifndef NOXY_PROCESS_GLOBAL_CONF_H
#define NOXY_PROCESS_GLOBAL_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/table.h"
#include "log/log.h"
#include "process/privileges.h"
#include "state/state.h"

enum {
    /* Two generations of workers with their managers, and the master, need a lane each. */
    WORKERS_MAX = (STATE_LANES_MAX - 1) / 2 - 1,
};

struct admin_socket_conf {
    bool enabled;
    const char *path; /* NULL: the default */
    uint32_t mode;
    const char *user, *group; /* who owns it; NULL: the master's */
    uid_t uid;                /* (uid_t)-1: as it is */
    gid_t gid;
};

struct global_conf {
    uint32_t threads;      /* workers; 0: one a CPU */
    uint32_t maxconn;      /* client connections at once, over all workers */
    uint64_t health_check; /* microseconds: between checks, where a backend says nothing else */
    const char *user, *group;
    struct credentials credentials;         /* what the two come to */
    const char *pid_file;                   /* NULL: none */
    struct admin_socket_conf *admin_socket; /* never NULL */
    struct log_conf *log;                   /* never NULL */
    uint64_t drain_timeout;                 /* microseconds */
};

extern const struct conf_table global_conf_table;

/* How many workers that comes to on this machine. */
uint32_t global_conf_workers(const struct global_conf *g);

#endif
