/*
 * keep.c: what the rooms keep once a load.
 */
#include <string.h>

#include "conf/table.h"

struct conf_kept {
    struct conf_kept *next;
    const char *name;
    void *thing;
};

void conf_load_keep(struct conf_load *l, const char *name, void *thing)
{
    struct conf_kept *k = ARENA_NEW(&l->arena, struct conf_kept);
    *k = (struct conf_kept){l->kept, arena_strdup(&l->arena, name), thing};
    l->kept = k;
}

void *conf_load_kept(const struct conf_load *l, const char *name)
{
    const struct conf_kept *k = l->kept;
    while (k && strcmp(k->name, name) != 0)
        k = k->next;
    return k ? k->thing : NULL;
}
