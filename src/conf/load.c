/*
 * load.c: a file, section by section, into objects; then the references
 * between them.
 */
#include <string.h>

#include "conf/engine.h"
#include "conf/parse.h"
#include "conf/source.h"

const char *conf_where(struct conf_load *l, const struct conf_node *other, const struct conf_node *here)
{
    const struct conf_place *at = &other->place;
    if (at->file == here->place.file)
        return arena_printf(&l->arena, "line %u", (unsigned)at->line);
    return arena_printf(&l->arena, "%s:%u", at->file->path, (unsigned)at->line);
}

void conf_report_twice(struct conf_load *l, const char *kind, const struct conf_node *node,
                       const struct conf_node *first, const char *name)
{
    conf_error(l, node, arena_printf(&l->arena, "the first is at %s", conf_where(l, first, node)),
               "two in \"%s\" have the name \"%s\"", kind, name);
}

size_t conf_section_index(const struct conf_load *l, const char *name)
{
    size_t i = 0;
    while (l->sections[i] && strcmp(l->sections[i]->name, name) != 0)
        i++;
    return i;
}

const struct conf_section *conf_find_section(const struct conf_load *l, const char *name)
{
    return l->sections[conf_section_index(l, name)];
}

const struct conf_object *conf_load_objects(const struct conf_load *l, const char *section, uint32_t *count)
{
    size_t i = conf_section_index(l, section);
    *count = 0;
    if (!l->sections[i] || !l->state->objects)
        return NULL;
    *count = l->state->objects[i].count;
    return l->state->objects[i].items;
}

/*
 * Reads what `section` gives to those that inherit from it into structures that nobody uses, so that it is
 * checked even where no object needs it.
 */
static void try_inherited(struct conf_load *l, const struct conf_section *section,
                          const struct conf_node *map)
{
    for (const struct conf_section *const *s = l->sections; *s; s++) {
        if (!(*s)->inherits || strcmp((*s)->inherits, section->name) != 0)
            continue;
        CONF_NODE_FOREACH (child, map) {
            const struct conf_key *key = conf_find_inherited(*s, child->key->text);
            if (!key)
                continue;
            size_t size = 0;
            for (const struct conf_table *const *t = (*s)->tables; *t; t++)
                size = MAX(size, (*t)->size);
            conf_map_set(l, key, child, arena_alloc(&l->arena, size));
        }
    }
}

/* Registers the object under its name, which must be its own. */
static void add_name(struct conf_load *l, const struct conf_section *section, struct conf_objects *objects,
                     struct conf_object *o)
{
    struct conf_object *first = *o->name ? hashmap_add(&objects->names, slice_of(o->name), o) : NULL;
    unsigned table = 0, row = 0;
    const struct conf_key *key;
    while (first && (key = conf_next_key(section->tables, &table, &row)))
        if ((key->flags & (CONF_NAME | CONF_REQUIRED)) == (CONF_NAME | CONF_REQUIRED))
            conf_report_twice(l, section->name, conf_node_get(o->node, key->name),
                              conf_node_get(first->node, key->name), o->name);
}

static void read_object(struct conf_load *l, const struct conf_section *section, const struct conf_node *node,
                        struct conf_objects *objects)
{
    if (conf_node_is_null(node))
        node = conf_empty_map(l, node->place);
    if (node->kind != CONF_MAP) {
        conf_error(l, node, section->list ? conf_hint_missing_section(l, section) : NULL,
                   "%s%s must be a map of keys", section->list ? "each " : "", section->name);
        return;
    }
    const char *name = section->list ? conf_map_name(section->tables, node) : NULL;
    bool has_structure = section->tables && section->tables[0] && !section->only_inherited;
    struct conf_map m = {
        .tables = has_structure ? section->tables : NULL,
        .node = node,
        .section = section,
        .name = name,
        .structure = has_structure ? arena_alloc(&l->arena, section->tables[0]->size) : NULL,
    };
    const struct conf_context here = {.kind = section->name, .name = name};
    l->state->context = &here;
    conf_map_fill(l, &m);
    try_inherited(l, section, node);
    l->state->context = NULL;
    if (section->only_inherited)
        return;
    struct conf_object *o = &objects->items[objects->count++];
    *o = (struct conf_object){name ? name : "", m.structure, node};
    add_name(l, section, objects, o);
}

static void read_section(struct conf_load *l, const struct conf_section *section,
                         struct conf_objects *objects)
{
    const struct conf_node *node = conf_node_get(l->state->root, section->name);
    const struct conf_place start = {l->state->root->place.file, 1, 1, 1};
    bool is_empty = !node || conf_node_is_null(node) || (node->kind == CONF_LIST && !node->count);
    if (is_empty && section->required) {
        conf_report_add(&l->report, CONF_ERROR, node ? &node->key->place : &start,
                        conf_hint_missing_section(l, section),
                        node ? "\"%s\" is empty" : "there is no \"%s\"", section->name);
        return;
    }
    if (!node)
        node = conf_empty_map(l, start);
    bool is_list = section->list && node->kind == CONF_LIST;
    objects->items = ARENA_ARRAY(&l->arena, struct conf_object, is_list ? node->count : 1);
    if (is_list) {
        CONF_NODE_FOREACH (child, node)
            read_object(l, section, child, objects);
    } else if (!section->list || !is_empty) {
        read_object(l, section, node, objects);
    }
}

static void report_unknown_sections(struct conf_load *l)
{
    char shown[CONF_EXCERPT_SIZE];
    CONF_NODE_FOREACH (child, l->state->root)
        if (!conf_find_section(l, child->key->text))
            conf_error(l, child->key, conf_hint_unknown_section(l, child->key->text),
                       "unknown section \"%s\"", conf_excerpt(child->key->text, shown));
}

static int load_file(struct conf_load *l, const struct conf_file *f)
{
    struct conf_node *root = f ? conf_parse(&l->report, f) : NULL;
    if (!root || conf_include(l, root) < 0)
        return -1;
    if (root->kind != CONF_MAP) {
        conf_error(l, root, "it starts with a line like \"frontend:\"",
                   "a configuration must be a map of sections");
        return -1;
    }
    size_t count = 0;
    while (l->sections[count])
        count++;
    l->state->root = root;
    l->state->objects = ARENA_ARRAY(&l->arena, struct conf_objects, count);
    report_unknown_sections(l);
    for (size_t i = 0; i < count; i++)
        read_section(l, l->sections[i], &l->state->objects[i]);
    conf_resolve_references(l);
    for (size_t i = 0; i < count; i++)
        if (l->sections[i]->finish)
            l->sections[i]->finish(l);
    return l->report.errors ? -1 : 0;
}

static void init(struct conf_load *l, const char *path, const struct conf_section *const *sections)
{
    *l = (struct conf_load){.sections = sections};
    arena_init(&l->arena);
    l->report.arena = &l->arena;
    l->state = ARENA_NEW(&l->arena, struct conf_load_state);
    const char *slash = strrchr(path, '/');
    l->directory = !slash ? "." : slash == path ? "/" : arena_copy(&l->arena, path, (size_t)(slash - path));
}

int conf_load_file(struct conf_load *l, const char *path, const struct conf_section *const *sections)
{
    return conf_load_file_for(l, path, sections, CONF_TO_SERVE);
}

int conf_load_file_for(struct conf_load *l, const char *path, const struct conf_section *const *sections,
                       enum conf_purpose purpose)
{
    init(l, path, sections);
    l->purpose = purpose;
    return load_file(l, conf_source_read(&l->report, path, NULL));
}

int conf_load_bytes(struct conf_load *l, const char *path, const char *bytes, size_t len,
                    const struct conf_section *const *sections)
{
    init(l, path, sections);
    return load_file(l, conf_source_copy(&l->report, path, bytes, len));
}

void conf_load_free(struct conf_load *l)
{
    for (size_t i = 0; l->state->objects && l->sections[i]; i++)
        conf_objects_free(&l->state->objects[i]);
    arena_free(&l->arena);
    *l = (struct conf_load){0};
}
