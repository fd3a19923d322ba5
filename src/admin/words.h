/*
 * words.h: a command's line taken apart. Words stand between spaces or tabs.
 * One in double quotes may hold both, with \" and \\ for the two characters
 * themselves; it is never an option. Options begin with "--" and may stand
 * anywhere behind the command; those that a command has for itself are words.
 */
#ifndef NOXY_ADMIN_WORDS_H
#define NOXY_ADMIN_WORDS_H

#include <stdbool.h>

#include "admin/command.h"
#include "base/error.h"

struct words {
    char *word[COMMAND_WORDS_MAX]; /* without the options; they point into the line */
    unsigned count;
    bool json;        /* --json */
    unsigned columns; /* --columns=N: the width that a text should keep to; 0: any */
};

/* Cuts up `line` in place. -1 with `err`; w->json tells then whether it was seen so far. */
int words_split(struct words *w, char *line, struct error *err);

#endif
