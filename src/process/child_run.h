/*
 * child_run.h: inside a child process: what workers and the manager have in
 * common: giving up rights, the channel to the master, how they end.
 */
#ifndef NOXY_PROCESS_CHILD_RUN_H
#define NOXY_PROCESS_CHILD_RUN_H

#include "event/signals.h"
#include "process/channel.h"
#include "process/generation.h"

struct child_run;

/* A kind of child. */
struct child_ops {
    /* Starts its work. -1 with `err`: it ends. */
    int (*begin)(struct child_run *r, struct error *err);
    /* Once: ends as soon as it can, at the latest after `timeout_us`, with loop_stop(). */
    void (*drain)(struct child_run *r, uint64_t timeout_us);
    /* An answer from the master to what this process asked for. */
    void (*answered)(struct child_run *r, const struct channel_message *m);
    /* Ends what is still going on, and frees. */
    void (*end)(struct child_run *r);
};

/* What the master hands to the process that it forks. */
struct child_run {
    const struct child_ops *ops;
    struct generation *generation;
    int lane;
    int channel_fd;
    int admin_fd; /* of the manager; -1: none */
    pid_t master_pid;
    const char *config_path;
    uint64_t started_ms; /* wall clock: noxy's start */
    struct slot *process;

    /* made by child_run() */
    struct loop *loop;
    struct channel channel;
    struct signals signals;
    struct task last;
    bool draining;
};

extern const struct child_ops worker_ops, manager_ops;

/* Runs the process to its end. What is the master's alone has been closed. */
_Noreturn void child_run(struct child_run *r);

#endif
