#include "process/admin_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/memory.h"
#include "net/listener.h"

#define DEFAULT_PATH RUNSTATEDIR "/noxy/admin.sock"

const char *admin_socket_path(const struct global_conf *g, bool *preset)
{
    const struct admin_socket_conf *conf = g->admin_socket;
    if (!conf->enabled)
        return NULL;
    *preset = !conf->path;
    return *preset ? DEFAULT_PATH : conf->path;
}

/* The folders of `path` that are not there yet. Whether that worked shows when the socket is made. */
static void make_folders(const char *path)
{
    char folder[sizeof(struct sockaddr_un)];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0755) < 0 && errno != EEXIST)
            return;
        *slash = '/';
    }
}

/* The file is taken by a descriptor first, so that nothing put in its place meanwhile can be given away. */
static int set_file(const char *path, uint32_t mode, uid_t uid, gid_t gid)
{
    char name[64];
    struct stat st;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), result = -1;
    if (fd < 0)
        return -1;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))
        errno = ENOTSOCK;
    else if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == 0 && chmod(name, mode) == 0)
        result = 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return result;
}

int admin_socket_set_owner(const struct admin_socket *a, const struct admin_socket_conf *conf,
                           struct error *err)
{
    if (set_file(a->path, conf->mode, conf->uid, conf->gid) < 0)
        return error_set_errno(err, "cannot set owner and permissions of the admin socket %s", a->path);
    return 0;
}

int admin_socket_open(struct admin_socket *a, const char *path, const struct admin_socket_conf *conf,
                      struct error *err)
{
    struct address address = {.len = sizeof address.un};
    *a = ADMIN_SOCKET_NONE;
    if (strlen(path) >= sizeof address.un.sun_path)
        return error_set(err, "the admin socket's path %s is too long", path);
    address.un.sun_family = AF_UNIX;
    strcpy(address.un.sun_path, path);
    if (!conf->path)
        make_folders(path);
    mode_t before = umask(0777); /* nobody but root, until its owner is set */
    int fd = listener_open(&address, err);
    umask(before);
    if (fd < 0)
        return -1;
    *a = (struct admin_socket){.path = memory_strdup(path), .fd = fd};
    if (admin_socket_set_owner(a, conf, err) == 0)
        return 0;
    admin_socket_remove(a);
    return -1;
}

void admin_socket_close(struct admin_socket *a)
{
    if (!a->path)
        return;
    close(a->fd);
    free(a->path);
    *a = ADMIN_SOCKET_NONE;
}

void admin_socket_remove(struct admin_socket *a)
{
    if (a->path)
        unlink(a->path);
    admin_socket_close(a);
}
