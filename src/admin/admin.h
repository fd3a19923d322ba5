/*
 * admin.h: the admin socket's server, in the manager.
 *
 * A Unix stream socket, opened by the master: one command a line, the answer
 * ends with an empty line. The first line of an answer is "ok" or
 * "error: REASON"; then the answer's text, or with the word --json at the end
 * of the command one JSON document. A line of the answer is never empty, so
 * the end is unmistakable. Several commands may follow each other on one
 * connection.
 *
 * The commands are rows of one table (admin/command.h): noxyctl's help, the
 * manual and shell completion come from it.
 */
#ifndef NOXY_ADMIN_ADMIN_H
#define NOXY_ADMIN_ADMIN_H

#include "event/loop.h"
#include "frontend/frontend.h"
#include "health/health.h"

struct admin;
struct admin_session;

/* What the admin socket tells about and acts upon; belongs to the manager. */
struct admin_host {
    struct frontend *const *frontends;
    uint32_t frontend_count;
    struct backend *const *backends;
    uint32_t backend_count;
    const char *config_path;
    uint32_t generation;
    uint32_t workers;
    uint32_t maxconn;
    int master_pid;
    uint64_t started_ms;            /* wall clock: when the first generation started */
    uint64_t generation_started_ms; /* wall clock: when this one did */
    struct slot *process;           /* SLOT_PROCESS */
    void *context;
    /*
     * Asks the master for a reload. Answered later, exactly once, by admin_reload_done() with the same session. -1: it
     * can't be asked now (err says why).
     */
    int (*reload)(void *context, struct admin_session *s, struct error *err);
};

/* Serves the listening socket `fd`, which stays the caller's. NULL with `err`. */
struct admin *admin_start(struct loop *l, int fd, const struct admin_host *host, struct error *err);
/* The reload that `s` asked for has ended: `text` is what changed, or the errors; it may have many lines. */
void admin_reload_done(struct admin_session *s, bool ok, const char *text);
/* Stops accepting; sessions with a command under way are answered first. */
void admin_drain(struct admin *a);
bool admin_idle(const struct admin *a); /* no session has a command under way */
void admin_free(struct admin *a);

#endif
