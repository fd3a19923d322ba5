/*
 * session.h: one client of the admin socket. Internal to the room.
 *
 * A session does one thing at a time: it reads up to a newline, runs that
 * command, and reads on only when the answer is sent and nothing is awaited.
 * So it holds at most one line and one answer, whatever its client does. Each
 * step is put off to the end of a round: nobody keeps the manager from its
 * other work.
 *
 * The server owns its sessions. One whose client has left is freed at the end
 * of the round; if it waits for the host's answer, only when that has come.
 */
#ifndef NOXY_ADMIN_SESSION_H
#define NOXY_ADMIN_SESSION_H

#include "admin/admin.h"
#include "admin/command.h"
#include "base/text.h"

struct rates;

enum {
    ADMIN_SESSIONS_MAX = 64,
    ADMIN_QUEUED_MAX = 64 << 20, /* bytes of answers not yet taken, over all sessions */
    ADMIN_IDLE_S = 300,          /* without a command */
    ADMIN_STALL_S = 30,          /* without taking a byte of the answer */
    ADMIN_GRACE_S = 1,           /* at a drain, for a client that has just come */
};

struct admin_session {
    struct admin *admin;
    struct watch watch; /* fd -1: the client has left */
    struct timer timer;
    struct task task;                /* the next step, or the end */
    TAILQ_ENTRY(admin_session) link; /* the longest inactive first */

    bool readable; /* a read may find something */
    bool ended;    /* the client has sent all it will */
    bool served;   /* a command has come */
    bool skipping; /* to the end of a line that is too long */
    bool waiting;  /* for the host's answer */
    bool json;     /* of the answer waited for */

    uint32_t used; /* of `line` */
    char line[COMMAND_LINE_MAX + 1];
    struct text out;
    size_t sent; /* of `out` */
};
TAILQ_HEAD(admin_session_list, admin_session);

struct admin {
    struct loop *loop;
    const struct admin_host *host;
    struct watch listener;
    struct timer retry; /* accepting goes on after a pause */
    bool listening, draining;
    struct admin_session_list sessions; /* connected */
    struct admin_session_list left;     /* no longer: to be freed */
    uint32_t count;                     /* of `sessions` */
    uint32_t waiting;                   /* sessions, of both lists, that wait for the host */
    size_t queued;                      /* bytes of answers not yet taken */
    size_t queued_max;
    struct rates *rates;
};

/* Takes a connected non-blocking descriptor over. -1 with errno: closed. */
int admin_session_open(struct admin *a, int fd);
void admin_session_close(struct admin_session *s);
/* Ends a connected session or one that has left, at once. */
void admin_session_free(struct admin_session *s);
/* Looks at it again at the end of the round: something it depends on has changed. */
void admin_session_wake(struct admin_session *s);
/* Appends what `s` waited for. */
void admin_session_answer(struct admin_session *s, const char *bytes, size_t len);
/* A command is under way, or may be. */
bool admin_session_busy(const struct admin_session *s);

#endif
