/*
 * sockets.h: the listening sockets that the master keeps, by address, for as
 * long as a generation names them. A reload takes those that are there and
 * opens only what is new, so there is no moment with nobody listening.
 */
#ifndef NOXY_PROCESS_SOCKETS_H
#define NOXY_PROCESS_SOCKETS_H

#include "base/list.h"
#include "net/address.h"
#include "process/generation.h"

struct kept_socket {
    TAILQ_ENTRY(kept_socket) link;
    struct address address;
    int fd;
};

/* Belongs to the master. */
struct sockets {
    TAILQ_HEAD(, kept_socket) list;
};

void sockets_init(struct sockets *s);
/* Gives each bind of `g` its socket. -1 after reporting each that can't be had; then call sockets_keep(). */
int sockets_open(struct sockets *s, struct generation *g);
/* Closes what neither of the two names (each may be NULL); a Unix socket's file is removed. */
void sockets_keep(struct sockets *s, const struct generation *a, const struct generation *b);
/* In a child: closes those that `g` doesn't name, or all (NULL). */
void sockets_forget(struct sockets *s, const struct generation *g);

#endif
