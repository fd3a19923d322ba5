/*
 * changes.h: what a reload changed, told by names.
 */
#ifndef NOXY_PROCESS_CHANGES_H
#define NOXY_PROCESS_CHANGES_H

#include <stdint.h>

#include "base/text.h"

/* Names of one kind. Belongs to the caller. */
struct names {
    const char **items;
    uint32_t count;
};

/*
 * For each name that only `now` has a line "added KIND NAME", for each that only `before` has "removed KIND
 * NAME". Returns how many.
 */
uint32_t changes_print(const char *kind, struct names before, struct names now, struct text *out);

#endif
