/*
 * find.h: a text that is looked for in others. Internal to rules/.
 */
#ifndef NOXY_RULES_FIND_H
#define NOXY_RULES_FIND_H

#include <stdint.h>

#include "base/macros.h"
#include "base/slice.h"

/*
 * memcmp() == 0 without a call for up to sixteen bytes, and for most longer ones that differ: hosts and paths
 * begin or end with another byte.
 */
static inline bool bytes_equal(const char *a, const char *b, size_t len)
{
    uint64_t a8, b8, a8_end, b8_end;
    uint32_t a4, b4, a4_end, b4_end;
    if (len >= sizeof a8) {
        memcpy(&a8, a, sizeof a8);
        memcpy(&b8, b, sizeof b8);
        memcpy(&a8_end, a + len - sizeof a8, sizeof a8);
        memcpy(&b8_end, b + len - sizeof b8, sizeof b8);
        return !((a8 ^ b8) | (a8_end ^ b8_end)) && (len <= 2 * sizeof a8 || memcmp(a, b, len) == 0);
    }
    if (len >= sizeof a4) {
        memcpy(&a4, a, sizeof a4);
        memcpy(&b4, b, sizeof b4);
        memcpy(&a4_end, a + len - sizeof a4, sizeof a4);
        memcpy(&b4_end, b + len - sizeof b4, sizeof b4);
        return !((a4 ^ b4) | (a4_end ^ b4_end));
    }
    return !len || (a[0] == b[0] && a[len / 2] == b[len / 2] && a[len - 1] == b[len - 1]);
}

struct wanted {
    struct slice text; /* without a NUL where case does not matter */
    bool no_case;      /* letters of ASCII match in either case */
    uint8_t first, last, first_mask, last_mask;
};

void wanted_set(struct wanted *w, struct slice text, bool no_case);
/* Where it is first; NULL: nowhere. `in.ptr` is not NULL. */
const char *wanted_find(const struct wanted *w, struct slice in);

#endif
