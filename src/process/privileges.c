#include "process/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Sanitizers trace their own process at its end, which a process that isn't dumpable refuses. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static const struct passwd *find_user(const char *user, struct error *err)
{
    const struct passwd *found = NULL;
    if (user) {
        found = getpwnam(user);
        if (!found)
            error_set(err, "there is no user \"%s\" on this system", user);
        return found;
    }
    found = getpwnam("noxy");
    if (!found)
        found = getpwnam("nobody");
    if (!found)
        error_set(err,
                  "this system has neither a user \"noxy\" nor \"nobody\": name one with `user` in `global`");
    return found;
}

int privileges_choose(struct credentials *c, const char *user, const char *group, bool *wrong_group,
                      struct error *err)
{
    *c = (struct credentials){.change = geteuid() == 0};
    *wrong_group = false;
    if (user || c->change) {
        const struct passwd *found = find_user(user, err);
        if (!found)
            return -1;
        c->uid = found->pw_uid;
        c->gid = found->pw_gid;
    }
    if (group) {
        const struct group *found = getgrnam(group);
        if (!found) {
            *wrong_group = true;
            return error_set(err, "there is no group \"%s\" on this system", group);
        }
        c->gid = found->gr_gid;
    }
    return 0;
}

static int become(const struct credentials *c, struct error *err)
{
    if (setgroups(1, &c->gid) < 0)
        return error_set_errno(err, "cannot give up the groups of the starter");
    if (setresgid(c->gid, c->gid, c->gid) < 0)
        return error_set_errno(err, "cannot become group %u", (unsigned)c->gid);
    if (setresuid(c->uid, c->uid, c->uid) < 0)
        return error_set_errno(err, "cannot become user %u", (unsigned)c->uid);
    if (c->uid != 0 && setuid(0) == 0)
        return error_set(err, "giving up root's rights had no effect");
    return 0;
}

int privileges_drop(const struct credentials *c, bool debuggable, struct error *err)
{
    if (c->change && become(c, err) < 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_set_errno(err, "cannot give up gaining rights");
    if (prctl(PR_SET_DUMPABLE, debuggable || SANITIZED ? 1 : 0, 0, 0, 0) < 0)
        return error_set_errno(err, "cannot set whether memory may be dumped");
    return 0;
}
