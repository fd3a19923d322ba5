#include "base/pool.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/macros.h"
#include "base/memory.h"

enum { MUCH = 1 << 20 }; /* bytes freed: less isn't worth the search for whole pages */

static struct pool *all;

static void *pool_grow(struct pool *p)
{
    if (!p->listed) {
        p->listed = true;
        p->next = all;
        all = p;
    }
    return memory_realloc(NULL, MAX(p->size, sizeof(struct pool_item)));
}

void *pool_get(struct pool *p)
{
    p->live_count++;
    struct pool_item *item = p->free;
    if (LIKELY(item)) {
        p->free = item->next;
        p->free_count--;
        return item;
    }
    return pool_grow(p);
}

void pool_put(struct pool *p, void *object)
{
    struct pool_item *item = object;
    item->next = p->free;
    p->free = item;
    p->free_count++;
    p->live_count--;
}

size_t pool_trim(struct pool *p, size_t keep)
{
    size_t before = p->free_count;
    while (p->free_count > keep) {
        struct pool_item *item = p->free;
        p->free = item->next;
        p->free_count--;
        free(item);
    }
    return before - p->free_count;
}

void pool_trim_all(size_t keep)
{
    size_t freed = 0;
    for (struct pool *p = all; p; p = p->next)
        freed += pool_trim(p, keep) * p->size;
    /* Between objects still in use lie pages that free() alone does not give back. */
    if (freed >= MUCH)
        malloc_trim(0);
}
