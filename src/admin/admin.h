/*
 * admin.h: the admin socket's server, in the manager.
 *
 * A Unix stream socket, opened by the master: one command a line, the answer
 * ends with an empty line. The first line of an answer is "ok" or
 * "error: REASON"; then the answer's text, or with the word --json one JSON
 * document (answer.h). A line of the answer is never empty, so the end is
 * unmistakable. Several commands may follow each other on one connection; a
 * client that has ended its own direction is still answered.
 *
 * The commands are rows of one table (command.h): noxyctl's help, the manual
 * and shell completion come from it.
 *
 * Clients are bounded (session.h): the length of a line, the number of
 * sessions, the time they may be idle or leave an answer unread, the bytes
 * that wait for them. None can block the manager.
 */
#ifndef NOXY_ADMIN_ADMIN_H
#define NOXY_ADMIN_ADMIN_H

#include "event/loop.h"
#include "frontend/frontend.h"

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
     * Asks the master for a reload. Answered later, exactly once, by admin_reload_done() with the same
     * session. -1: it can't be asked now (err says why).
     */
    int (*reload)(void *context, struct admin_session *s, struct error *err);
};

/*
 * Serves the listening socket `fd` (non-blocking), which stays the caller's. `host` and all it points to
 * outlive the server; its numbers may change. NULL with `err`.
 */
struct admin *admin_start(struct loop *l, int fd, const struct admin_host *host, struct error *err);
/*
 * The reload that `s` asked for has ended: `text` is what changed, or why it failed: the reason in its first
 * line, the errors in those behind. `s` is valid until then, even when its client has left, but not after
 * admin_free(). May be called within host->reload().
 */
void admin_reload_done(struct admin_session *s, bool ok, const char *text);
/*
 * Stops accepting. Commands that have arrived or are under way are answered, idle sessions closed; a client
 * that has connected and not said anything yet has a second to do so.
 */
void admin_drain(struct admin *a);
/* No session has a command under way. */
bool admin_idle(const struct admin *a);
/* Closes all sessions. What the host still owes an answer is forgotten. */
void admin_free(struct admin *a);

#endif
