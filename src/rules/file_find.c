/*
 * file_find.c: the table of a file's entries, and how each kind of key is
 * looked up in it.
 */
#include <xxhash.h>

#include "rules/file.h"

/* The entry of a key, or the free place where it belongs. The table is never full. */
static struct rules_entry *locate(const struct rules_file *f, struct slice key, uint64_t hash)
{
    for (uint64_t i = hash;; i++) {
        struct rules_entry *e = &f->entries[i & (f->size - 1)];
        if (!e->key || (e->hash == hash && slice_equal(key, (struct slice){e->key, e->key_len})))
            return e;
    }
}

const struct rules_entry *rules_file_add(struct rules_file *f, const struct rules_entry *e)
{
    uint64_t hash = XXH3_64bits(e->key, e->key_len);
    struct rules_entry *place = locate(f, (struct slice){e->key, e->key_len}, hash);
    if (place->key)
        return place;
    *place = *e;
    place->hash = hash;
    f->longest = MAX(f->longest, e->key_len);
    f->count++;
    return NULL;
}

static const struct rules_entry *find(const struct rules_file *f, struct slice key)
{
    if (!key.len || key.len > f->longest)
        return NULL;
    const struct rules_entry *e = locate(f, key, XXH3_64bits(key.ptr, key.len));
    return e->key ? e : NULL;
}

/* `name` with a dot before it and in small letters; 0: it is too long for one. */
static size_t write_domain(struct slice name, char out[static RULES_DOMAIN_MAX + 1])
{
    if (!name.len || name.len > RULES_DOMAIN_MAX)
        return 0;
    out[0] = '.';
    for (size_t i = 0; i < name.len; i++)
        out[i + 1] = (char)((unsigned char)(name.ptr[i] - 'A') < 26 ? name.ptr[i] | 0x20 : name.ptr[i]);
    return name.len + 1;
}

/* What is of all below a domain has a key that begins with a dot. */
static const struct rules_entry *find_domain(const struct rules_file *f, struct slice name)
{
    char text[RULES_DOMAIN_MAX + 1];
    size_t len = write_domain(name, text);
    if (!len)
        return NULL;
    const struct rules_entry *e = find(f, (struct slice){text + 1, len - 1});
    if (!e) {
        e = find(f, (struct slice){text, len});
        e = e && !e->below_only ? e : NULL;
    }
    for (size_t i = 1; !e && i < len; i++)
        if (text[i] == '.')
            e = find(f, (struct slice){text + i, len - i});
    return e;
}

/* From the whole path on, each time without what is behind the last slash, then without that. */
static const struct rules_entry *find_path(const struct rules_file *f, struct slice path)
{
    const struct rules_entry *e = find(f, path);
    if (path.len > f->longest + 1)
        path.len = f->longest + 1;
    for (size_t i = path.len; !e && i-- > 0;) {
        if (path.ptr[i] != '/')
            continue;
        e = find(f, (struct slice){path.ptr, i + 1});
        if (!e)
            e = find(f, (struct slice){path.ptr, i});
    }
    return e;
}

const struct rules_entry *rules_file_find(const struct rules_file *f, struct slice key)
{
    switch (f->keys) {
    case RULES_DOMAINS:
        return find_domain(f, key);
    case RULES_PATHS:
        return find_path(f, key);
    default:
        return find(f, key);
    }
}

const struct rules_entry *rules_file_find_ip(const struct rules_file *f, struct ip ip)
{
    return network_table_find(f->networks, ip);
}
