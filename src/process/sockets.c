#include "process/sockets.h"

#include <unistd.h>

#include "base/memory.h"
#include "net/listener.h"

void sockets_init(struct sockets *s)
{
    TAILQ_INIT(&s->list);
}

static struct kept_socket *find(struct sockets *s, const struct address *a)
{
    struct kept_socket *k;
    TAILQ_FOREACH (k, &s->list, link)
        if (address_equal(&k->address, a))
            return k;
    return NULL;
}

/* Noxy itself may be what is in the way: an address that overlaps with one that it listens on now. */
static const char *hint(struct sockets *s, const struct address *a)
{
    struct kept_socket *k;
    if (a->any.sa_family == AF_UNIX)
        return NULL;
    TAILQ_FOREACH (k, &s->list, link)
        if (k->address.any.sa_family != AF_UNIX && address_port(&k->address) == address_port(a))
            return "noxy listens on this port at another address: changing one for the other needs a restart";
    return NULL;
}

static int open_bind(struct sockets *s, struct generation *g, uint32_t frontend, uint32_t bind)
{
    struct bind *b = g->frontends[frontend]->binds[bind];
    struct kept_socket *k = find(s, &b->address);
    struct error err;
    if (k) {
        b->fd = k->fd;
        return 0;
    }
    b->fd = listener_open(&b->address, &err);
    if (b->fd < 0) {
        conf_error(&g->load, generation_bind_node(g, frontend, bind), hint(s, &b->address), "%s", err.text);
        return -1;
    }
    k = memory_zalloc(sizeof *k);
    k->address = b->address;
    k->fd = b->fd;
    TAILQ_INSERT_TAIL(&s->list, k, link);
    return 0;
}

int sockets_open(struct sockets *s, struct generation *g)
{
    int result = 0;
    for (uint32_t i = 0; i < g->frontend_count; i++)
        for (uint32_t j = 0; j < g->frontends[i]->bind_count; j++)
            if (open_bind(s, g, i, j) < 0)
                result = -1;
    return result;
}

static bool names(const struct generation *g, const struct kept_socket *k)
{
    for (uint32_t i = 0; g && i < g->frontend_count; i++)
        for (uint32_t j = 0; j < g->frontends[i]->bind_count; j++)
            if (g->frontends[i]->binds[j]->fd == k->fd)
                return true;
    return false;
}

static void drop(struct sockets *s, struct kept_socket *k)
{
    TAILQ_REMOVE(&s->list, k, link);
    close(k->fd);
    free(k);
}

void sockets_keep(struct sockets *s, const struct generation *a, const struct generation *b)
{
    struct kept_socket *k, *next;
    TAILQ_FOREACH_SAFE (k, &s->list, link, next) {
        if (names(a, k) || names(b, k))
            continue;
        if (k->address.any.sa_family == AF_UNIX && k->address.un.sun_path[0])
            unlink(k->address.un.sun_path);
        drop(s, k);
    }
}

void sockets_forget(struct sockets *s, const struct generation *g)
{
    struct kept_socket *k, *next;
    TAILQ_FOREACH_SAFE (k, &s->list, link, next)
        if (!names(g, k))
            drop(s, k);
}
