/*
 * names.c: references from one object to another by name, and the objects
 * that nothing refers to.
 */
#include "conf/engine.h"

static struct conf_objects *objects_of(const struct conf_load *l, const char *section)
{
    size_t i = conf_section_index(l, section);
    return l->sections[i] && l->state->objects ? &l->state->objects[i] : NULL;
}

const struct conf_object *conf_object_find(const struct conf_load *l, const char *section, const char *name)
{
    const struct conf_objects *objects = objects_of(l, section);
    return objects ? hashmap_find(&objects->names, slice_of(name)) : NULL;
}

void conf_refer(struct conf_load *l, const char *section, const char *name, struct conf_place at,
                void **field)
{
    struct conf_reference *r = ARENA_NEW(&l->arena, struct conf_reference);
    *r = (struct conf_reference){l->state->references, section, name, at, field};
    l->state->references = r;
}

void conf_resolve_references(struct conf_load *l)
{
    char shown[CONF_EXCERPT_SIZE];
    for (const struct conf_reference *r = l->state->references; r; r = r->next) {
        const struct conf_object *o = conf_object_find(l, r->section, r->name);
        if (!o)
            conf_error_at(l, r->place, conf_hint_unknown_object(l, r->section, r->name),
                          "there is no %s \"%s\"", r->section, conf_excerpt(r->name, shown));
        else if (r->field)
            *r->field = o->structure;
        conf_object_used(l, r->section, r->name);
    }
}

void conf_object_used(struct conf_load *l, const char *section, const char *name)
{
    struct conf_objects *objects = objects_of(l, section);
    if (objects && name)
        hashmap_add(&objects->used, slice_of(name), objects);
    else if (objects)
        objects->all_used = true;
}

static bool is_used(const struct conf_objects *objects, const struct conf_object *o)
{
    return objects->all_used || !*o->name || hashmap_find(&objects->used, slice_of(o->name));
}

void conf_warn_unused(struct conf_load *l)
{
    for (const struct conf_section *const *s = l->sections; *s; s++) {
        const struct conf_objects *objects = objects_of(l, (*s)->name);
        for (uint32_t i = 0; (*s)->unused && objects && i < objects->count; i++) {
            const struct conf_object *o = &objects->items[i];
            if (!is_used(objects, o))
                conf_warning(l, o->node, (*s)->unused, "nothing uses %s \"%s\"", (*s)->name, o->name);
        }
    }
}

void conf_objects_free(struct conf_objects *objects)
{
    hashmap_free(&objects->names);
    hashmap_free(&objects->used);
}
