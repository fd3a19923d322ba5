/*
 * pool.h: a free list of objects of one size. Those given
 * back are kept for reuse, the latest first, so that the next one is warm in
 * the cache; pool_trim_all() returns what a burst left behind.
 */
#ifndef NOXY_BASE_POOL_H
#define NOXY_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool_item {
    struct pool_item *next;
};

struct pool {
    size_t size;            /* of one object, at least a pointer's */
    struct pool_item *free; /* the latest first */
    size_t free_count;
    size_t live_count;
    struct pool *next; /* in the list of all pools that ever held an object */
    bool listed;
};

#define POOL_OF(type) ((struct pool){.size = sizeof(type)})

/* Not zeroed. Ends the process without memory, like memory_zalloc(). */
void *pool_get(struct pool *p);
void pool_put(struct pool *p, void *object);
/* Frees free objects until at most `keep` are left: how many it freed. */
size_t pool_trim(struct pool *p, size_t keep);
/* The same for all pools, and gives the memory back to the system if it is much. Pools live as long as the
 * process. */
void pool_trim_all(size_t keep);

#endif
