#include "base/hashmap.h"

#include <stdint.h>
#include <xxhash.h>

#include "base/memory.h"

struct hashmap_entry {
    char *key;
    size_t key_len;
    void *value; /* NULL: free */
};

/* The entry of `key`, or the free one where it belongs. The table is never full. */
static struct hashmap_entry *locate(const struct hashmap *m, struct slice key)
{
    size_t i = (size_t)XXH3_64bits(key.ptr, key.len);
    for (;; i++) {
        struct hashmap_entry *e = &m->entries[i & (m->size - 1)];
        if (!e->value || slice_equal(key, (struct slice){e->key, e->key_len}))
            return e;
    }
}

static void grow(struct hashmap *m)
{
    struct hashmap old = *m;
    m->size = old.size ? old.size * 2 : 16;
    m->entries = memory_zalloc(m->size * sizeof *m->entries);
    for (size_t i = 0; i < old.size; i++) {
        struct hashmap_entry *e = &old.entries[i];
        if (e->value)
            *locate(m, (struct slice){e->key, e->key_len}) = *e;
    }
    free(old.entries);
}

void *hashmap_add(struct hashmap *m, struct slice key, void *value)
{
    if (m->count * 2 >= m->size)
        grow(m);
    struct hashmap_entry *e = locate(m, key);
    if (e->value)
        return e->value;
    e->key = memory_zalloc(key.len + 1);
    memcpy(e->key, key.ptr, key.len);
    e->key_len = key.len;
    e->value = value;
    m->count++;
    return NULL;
}

void *hashmap_find(const struct hashmap *m, struct slice key)
{
    return m->count ? locate(m, key)->value : NULL;
}

void hashmap_free(struct hashmap *m)
{
    for (size_t i = 0; i < m->size; i++)
        free(m->entries[i].key);
    free(m->entries);
    *m = (struct hashmap){0};
}
