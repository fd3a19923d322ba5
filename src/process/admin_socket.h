/*
 * admin_socket.h: the socket that noxyctl talks to. The master opens it, with
 * its owner and permissions, and keeps it for as long as the configuration
 * names it; the managers answer it.
 */
#ifndef NOXY_PROCESS_ADMIN_SOCKET_H
#define NOXY_PROCESS_ADMIN_SOCKET_H

#include "base/error.h"
#include "process/global_conf.h"

struct admin_socket {
    char *path; /* NULL: none */
    int fd;
};

#define ADMIN_SOCKET_NONE ((struct admin_socket){.path = NULL, .fd = -1})

/* The path that a configuration means, or NULL: none. `*preset` tells that it is the default one. */
const char *admin_socket_path(const struct global_conf *g, bool *preset);
/*
 * Opens the socket at `path`. Nobody can connect before owner and permissions are those of `conf`. -1 with
 * `err`.
 */
int admin_socket_open(struct admin_socket *a, const char *path, const struct admin_socket_conf *conf,
                      struct error *err);
/* Sets owner and permissions anew on a socket that is kept. -1 with `err`. */
int admin_socket_set_owner(const struct admin_socket *a, const struct admin_socket_conf *conf,
                           struct error *err);
/* Closes it; its file has been replaced. */
void admin_socket_close(struct admin_socket *a);
/* Closes it and removes its file. Nothing happens if there is none. */
void admin_socket_remove(struct admin_socket *a);

#endif
