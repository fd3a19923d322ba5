/*
 * client.h: one command asked of the admin socket, and its answer.
 */
#ifndef NOXY_CTL_CLIENT_H
#define NOXY_CTL_CLIENT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

struct reply {
    bool ok;
    const char *reason; /* when not ok */
    const char *body;   /* lines, each ended by a newline */
    struct text bytes;  /* what was received; the two above point into it */
};

/*
 * Sends `line` (without a newline) to the socket at `path` and waits for the whole answer, `patience_s`
 * seconds at most. -1: nobody answers, with what to do in `err`. Free r->bytes either way.
 */
int client_ask(const char *path, const char *line, unsigned patience_s, struct reply *r, struct error *err);

#endif
