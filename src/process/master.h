/*
 * master.h: the process that holds everything together: it parses, binds,
 * forks and watches, and touches no traffic. Internal to the room.
 *
 * There is one way to bring up a generation, for the start and for a reload
 * alike (transition.c): build it completely, wait until all its processes are
 * ready, then switch; or throw it away and leave what serves as it was.
 */
#ifndef NOXY_PROCESS_MASTER_H
#define NOXY_PROCESS_MASTER_H

#include "base/list.h"
#include "base/text.h"
#include "event/signals.h"
#include "process/admin_socket.h"
#include "process/generation.h"
#include "process/log_switch.h"
#include "process/pid_file.h"
#include "process/process.h"
#include "process/sockets.h"
#include "process/tickets.h"

/* Somebody at the admin socket waits for a reload's end. */
struct reload_request {
    TAILQ_ENTRY(reload_request) link;
    struct child *manager;
    pid_t pid; /* the manager's, when it asked: its successor knows nothing of it */
    uint64_t number;
    bool begun; /* the reload under way read the file after this was asked */
};

struct master {
    const struct process_options *options;
    char *config_path; /* absolute when in the background */
    pid_t pid;
    struct loop *loop;
    struct signals signals;
    uint64_t started_ms;
    struct slot *process;
    int report_fd; /* to the command that started a daemon; -1 once it has been told, and in the foreground */

    struct sockets sockets;
    struct log_switch log;
    struct tickets tickets;
    struct admin_socket admin;
    struct pid_file pid_file;

    struct generation *current; /* serves; NULL before the first does */
    struct generation_list old; /* drain */
    uint32_t last_number;

    /* the transition under way */
    struct generation *next; /* NULL: none */
    struct text messages;    /* what there is to say about it */
    struct admin_socket next_admin;
    struct pid_file next_pid_file;
    struct timer ready_limit;
    TAILQ_HEAD(, reload_request) requests;
    bool reload_wanted; /* as soon as that is possible */
    /*
     * Served until the switch. The new one is told of when this one's manager answers nobody new any more, so
     * that whoever hears of it and asks gets the new one's answers. NULL: nothing to tell.
     */
    struct generation *leaving;
    struct text changes; /* what there is to tell */

    bool stopping;
    int status; /* exit */
};

/* ---- transition.c ---- */

/* Begins a reload as soon as none is under way. */
void transition_want(struct master *m);
/* Loads the file and forks the next generation. -1: it failed, everybody has been told. */
int transition_begin(struct master *m);
/* A process of m->next is ready: switches when all are. */
void transition_ready(struct master *m);
/* The manager of m->leaving answers nobody new any more, or has ended: tells of the switch. */
void transition_announce(struct master *m);
/* m->next is thrown away; `why` is added to the messages, NULL: they say it. */
void transition_fail(struct master *m, const char *why);
/* All that the master has of a generation is given up when its last process has ended. */
void transition_generation_ended(struct master *m, struct generation *g);

/* ---- requests.c ---- */

/* The manager `c` asks for a reload. */
void requests_add(struct master *m, struct child *c, uint64_t number);
/* Those that wait now are answered by the reload that begins. */
void requests_begin(struct master *m);
/* Answers those that the reload was begun for, or all. */
void requests_answer(struct master *m, bool all, bool ok, const char *text);
/* The manager of that number has ended. */
void requests_forget(struct master *m, pid_t pid);

/* ---- master.c ---- */

/* A channel's message, or the loss of a process, as it concerns noxy as a whole. */
void master_received(struct master *m, struct child *c, const struct channel_message *msg);
void master_child_ended(struct master *m, struct child *c);
/* In a new child: closes what is the master's alone. `g` is the child's generation. */
void master_leave(struct master *m, const struct generation *g);
/* Tells a generation to drain: its manager at once, or when its workers have ended. */
void master_drain(struct master *m, struct generation *g, bool with_manager);
void master_stop_generation(struct master *m, struct generation *g);

#endif
