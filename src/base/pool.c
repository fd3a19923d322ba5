#include "base/pool.h"

#include <stdlib.h>

#include "base/macros.h"
#include "base/memory.h"

void *pool_get(struct pool *p)
{
    p->live_count++;
    struct pool_item *item = p->free;
    if (LIKELY(item)) {
        p->free = item->next;
        p->free_count--;
        return item;
    }
    return memory_realloc(NULL, MAX(p->size, sizeof(struct pool_item)));
}

void pool_put(struct pool *p, void *object)
{
    struct pool_item *item = object;
    item->next = p->free;
    p->free = item;
    p->free_count++;
    p->live_count--;
}

void pool_trim(struct pool *p, size_t keep)
{
    while (p->free_count > keep) {
        struct pool_item *item = p->free;
        p->free = item->next;
        p->free_count--;
        free(item);
    }
}
