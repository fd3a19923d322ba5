/*
 * privileges.h: who the children are. The master keeps the rights it was
 * started with, to bind and to open; workers and the manager, which meet
 * strangers' bytes, give theirs up for good.
 */
#ifndef NOXY_PROCESS_PRIVILEGES_H
#define NOXY_PROCESS_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct credentials {
    bool change; /* false: the children stay who the master is */
    uid_t uid;
    gid_t gid;
};

/*
 * Who the children shall be. `user` NULL: noxy where that user exists, else nobody; `group` NULL: the user's
 * primary group. Started without root's rights, `change` is false; the names are looked up all the same.
 * -1 with `err`: no such user or group; `*wrong_group` tells which of the two.
 */
int privileges_choose(struct credentials *c, const char *user, const char *group, bool *wrong_group,
                      struct error *err);

/*
 * Becomes that user for good, with no way back (NO_NEW_PRIVS). Unless `debuggable`, nobody but root may then
 * trace the process or make it dump its memory. -1 with `err`.
 */
int privileges_drop(const struct credentials *c, bool debuggable, struct error *err);

#endif
