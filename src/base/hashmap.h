/*
 * hashmap.h: names to pointers, for what is looked up by name at load time
 * (backends, servers, keys) and by address at run time. Keys are copied.
 */
#ifndef NOXY_BASE_HASHMAP_H
#define NOXY_BASE_HASHMAP_H

#include <stddef.h>

#include "base/slice.h"

struct hashmap_entry;

struct hashmap {
    struct hashmap_entry *entries;
    size_t count, size; /* size is a power of two, or 0 */
};

/* Stores `value` (not NULL) under `key`. Returns the value that was there before, which is kept; NULL:
 * stored. */
void *hashmap_add(struct hashmap *m, struct slice key, void *value);
/* NULL: none. */
void *hashmap_find(const struct hashmap *m, struct slice key);
void hashmap_free(struct hashmap *m);

#endif
