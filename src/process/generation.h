/*
 * generation.h: one loaded configuration and the processes that serve it.
 *
 * A generation is built completely before anything that serves is touched,
 * never changes afterwards, and is freed whole when the last of its processes
 * has ended.
 */
#ifndef NOXY_PROCESS_GENERATION_H
#define NOXY_PROCESS_GENERATION_H

#include "base/list.h"
#include "conf/table.h"
#include "event/loop.h"
#include "frontend/frontend.h"
#include "process/child.h"
#include "process/global_conf.h"
#include "upstream/backend.h"

struct master;

enum phase {
    PHASE_STARTING, /* its processes are not all ready yet */
    PHASE_SERVING,
    PHASE_DRAINING,
    PHASE_STOPPING,
};

struct generation {
    TAILQ_ENTRY(generation) link; /* the draining ones, the oldest first */
    struct master *master;
    uint32_t number;
    enum phase phase;
    bool served;          /* it got as far as that */
    uint64_t started_ms;  /* wall clock */
    uint64_t drain_began; /* monotonic microseconds */
    struct timer end;     /* when what is left is killed */
    bool workers_drained; /* SIGWINCH: its workers are not replaced */

    struct conf_load load;
    const struct global_conf *global;
    struct frontend **frontends;
    uint32_t frontend_count;
    struct backend **backends;
    uint32_t backend_count;
    uint32_t server_count, bind_count;
    uint32_t maxconn; /* as configured, or what the descriptors allow */

    struct access_log **access_logs; /* NULL until they are open */
    uint32_t access_log_count;

    uint32_t worker_count;
    struct child *children; /* the workers, then the manager */
    uint32_t child_count;
};
TAILQ_HEAD(generation_list, generation);

/*
 * Reads the file and checks it, and touches nothing else. What is wrong stands in load.report, which later
 * steps add to; with errors in it the generation is good for nothing but to tell them.
 */
struct generation *generation_load(const char *path, const struct conf_section *const *sections,
                                   enum conf_purpose purpose);
bool generation_valid(const struct generation *g);
/* All that was reported, as people read it. */
void generation_print_report(const struct generation *g, struct text *out);
/* The same to the log, one line each. */
void generation_log_report(const struct generation *g);
/* No process of it is left. */
void generation_free(struct generation *g);

/* The node of a frontend's bind, to report at. */
const struct conf_node *generation_bind_node(const struct generation *g, uint32_t frontend, uint32_t bind);
/* The node of a key of `global`; NULL: it isn't written. */
const struct conf_node *generation_global_node(const struct generation *g, const char *key);

/*
 * Finds or makes the shared state of everything named, and looks the servers' names up (bounded in time). -1
 * after reporting an error.
 */
int generation_bind_state(struct generation *g);

/* Processes of it that are alive. */
uint32_t generation_alive(const struct generation *g);

/* What it serves, and what changed since `old` (NULL: nothing served before), in lines. */
void generation_print_changes(const struct generation *g, const struct generation *old, struct text *out);

#endif
