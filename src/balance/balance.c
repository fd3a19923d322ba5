#include "balance/balance.h"

#include <string.h>

#include "balance/algorithms.h"

const struct balancer_ops *const balance_algorithms[] = {
    &balance_roundrobin,
    &balance_leastconn,
    &balance_source,
    NULL,
};

const struct balancer_ops *balance_find(const char *name)
{
    for (const struct balancer_ops *const *a = balance_algorithms; *a; a++)
        if (strcmp((*a)->name, name) == 0)
            return *a;
    return NULL;
}

void balancer_init(struct balancer *b, const struct balancer_ops *ops, const struct balance_view *view,
                   const struct balance_server *servers, uint32_t count)
{
    *b = (struct balancer){.ops = ops, .view = view, .servers = servers, .count = count};
    ops->init(b);
    ops->changed(b);
}
