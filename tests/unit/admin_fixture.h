/*
 * admin_fixture.h: an admin server with a made-up noxy around it, and clients
 * that talk to it. All in one process and one thread: a client's call runs
 * the server's loop until it has what it waits for.
 */
#ifndef NOXY_TESTS_ADMIN_FIXTURE_H
#define NOXY_TESTS_ADMIN_FIXTURE_H

#include <check.h>
#include <jansson.h>

#include "admin/admin.h"
#include "admin/session.h"

struct fixture {
    struct loop *loop;
    struct admin *admin;
    struct admin_host host;
    char folder[64], path[96];
    int listener;

    struct frontend web, api;
    struct backend site, empty;
    struct server a, b, c; /* of site */

    /* what the host was asked, and how it answers */
    struct admin_session *asked[4];
    unsigned asked_count;
    bool refuse_reload, answer_at_once;
};
extern struct fixture fx;

void fixture_setup(void);
void fixture_teardown(void);

/* Runs the loop for a while. */
void run_for(unsigned ms);

int peer_open(void);
void peer_send(int fd, const char *bytes, size_t len);
/* The next whole answer, without the empty line; fails the test after 5 s. The caller frees it. */
char *peer_answer(int fd);
/* Sends one line and returns its answer. */
char *peer_command(int fd, const char *line);
/* Asks on a connection of its own: the text behind "ok\n". */
char *ask(const char *line);
/* The reason of a command's refusal. */
char *ask_refused(const char *line);
/* Asks on a connection of its own, with --json: the document. */
json_t *ask_json(const char *line);
/* Runs the loop until the server has closed the connection; fails after 5 s. */
void peer_await_end(int fd);

#endif
