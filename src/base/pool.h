/*
 * pool.h: a free list of objects of one size. Those given
 * back are kept for reuse, the latest first, so that the next one is warm in
 * the cache; pool_trim() returns what a burst left behind.
 */
#ifndef NOXY_BASE_POOL_H
#define NOXY_BASE_POOL_H

#include <stddef.h>

struct pool_item {
    struct pool_item *next;
};

struct pool {
    size_t size;            /* of one object, at least a pointer's */
    struct pool_item *free; /* the latest first */
    size_t free_count;
    size_t live_count;
};

#define POOL_OF(type) ((struct pool){.size = sizeof(type)})

/* Not zeroed. Ends the process without memory, like memory_zalloc(). */
void *pool_get(struct pool *p);
void pool_put(struct pool *p, void *object);
/* Frees free objects until at most `keep` are left. */
void pool_trim(struct pool *p, size_t keep);

#endif
