/*
 * map.c: one map of the file, read by the rows of its tables.
 */
#include <string.h>

#include "conf/engine.h"
#include "conf/parse.h"
#include "conf/source.h"

enum { NAME_MAX_LEN = 64 };

const struct conf_key *conf_next_key(const struct conf_table *const *tables, unsigned *table, unsigned *row)
{
    for (; tables && tables[*table]; ++*table, *row = 0) {
        const struct conf_key *key = &tables[*table]->keys[*row];
        if (key->name) {
            ++*row;
            return key;
        }
    }
    return NULL;
}

static bool key_is(const struct conf_key *key, const char *name)
{
    return strcmp(key->name, name) == 0 || (key->alias && strcmp(key->alias, name) == 0);
}

const struct conf_key *conf_find_key(const struct conf_table *const *tables, const char *name)
{
    unsigned table = 0, row = 0;
    const struct conf_key *key;
    while ((key = conf_next_key(tables, &table, &row)))
        if (key_is(key, name))
            return key;
    return NULL;
}

const struct conf_key *conf_find_inherited(const struct conf_section *s, const char *name)
{
    const struct conf_key *key = conf_find_key(s->tables, name);
    return key && key->flags & CONF_INHERITED ? key : NULL;
}

static bool is_inheritable(const struct conf_load *l, const struct conf_section *from, const char *name)
{
    for (const struct conf_section *const *s = l->sections; *s; s++)
        if ((*s)->inherits && strcmp((*s)->inherits, from->name) == 0 && conf_find_inherited(*s, name))
            return true;
    return false;
}

const struct conf_node *conf_empty_map(struct conf_load *l, struct conf_place place)
{
    struct conf_node *map = ARENA_NEW(&l->arena, struct conf_node);
    map->kind = CONF_MAP;
    map->place = place;
    return map;
}

static bool is_name(const struct conf_node *node)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-/";
    if (node->kind != CONF_SCALAR)
        return false;
    size_t len = strlen(node->text);
    return len && len <= NAME_MAX_LEN && strspn(node->text, allowed) == len;
}

/* The entry of a row in a map, by its name or its alias. */
static const struct conf_node *find_value(const struct conf_key *key, const struct conf_node *map)
{
    CONF_NODE_FOREACH (child, map)
        if (key_is(key, child->key->text))
            return child;
    return NULL;
}

const char *conf_map_name(const struct conf_table *const *tables, const struct conf_node *map)
{
    unsigned table = 0, row = 0;
    const struct conf_key *key;
    while ((key = conf_next_key(tables, &table, &row))) {
        const struct conf_node *value = key->flags & CONF_NAME ? find_value(key, map) : NULL;
        if (value && is_name(value) && !conf_node_is_null(value))
            return value->text;
    }
    return NULL;
}

void conf_map_set(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                  void *structure)
{
    uint32_t raised = l->report.raised;
    if (conf_node_is_null(node) && key->type != &conf_type_map && key->type != &conf_type_list) {
        conf_error(l, node, conf_hint_missing_key(l, key), "\"%s\" has no value", key->name);
        return;
    }
    if (key->flags & CONF_NAME && node->kind == CONF_SCALAR && !is_name(node)) {
        char shown[CONF_EXCERPT_SIZE];
        conf_error(l, node, "it is 1 to 64 letters, digits and _ . : - /", "\"%s\" can't be a name",
                   conf_excerpt(node->text, shown));
        return;
    }
    struct error err = {""};
    if (key->type->set(l, key, node, (char *)structure + key->offset, &err) == 0)
        return;
    if (err.text[0])
        conf_error(l, node, NULL, "%s", err.text);
    else if (raised == l->report.raised)
        conf_error(l, node, NULL, "this can't be the value of \"%s\"", key->name);
}

/* The default, as it stands in the row, read like a value that was written where the map is. */
static void set_preset(struct conf_load *l, const struct conf_key *key, const struct conf_map *m,
                       void *structure)
{
    if (key->type == &conf_type_map && !*key->preset) {
        conf_map_set(l, key, conf_empty_map(l, m->node->place), structure);
        return;
    }
    if (strchr("[{\"'", *key->preset)) {
        const struct conf_file *f = conf_source_copy(&l->report, key->name, key->preset, strlen(key->preset));
        const struct conf_node *value = f ? conf_parse(&l->report, f) : NULL;
        if (value)
            conf_map_set(l, key, value, structure);
        return;
    }
    struct conf_node *value = ARENA_NEW(&l->arena, struct conf_node);
    value->place = m->node->place;
    value->text = key->preset;
    conf_map_set(l, key, value, structure);
}

/* The value of a row in its own map; reports one that is written under two names. */
static const struct conf_node *own_value(struct conf_load *l, const struct conf_key *key,
                                         const struct conf_node *map)
{
    const struct conf_node *value = find_value(key, map);
    for (const struct conf_node *n = value && key->alias ? value->next : NULL; n; n = n->next)
        if (key_is(key, n->key->text))
            conf_error(l, n->key,
                       arena_printf(&l->arena, "\"%s\" at %s is the same key: keep one of them",
                                    value->key->text, conf_where(l, value, n)),
                       "\"%s\" is set twice", key->name);
    return value;
}

/* Sets a row from the section that the map's inherits from. False: it isn't written there. */
static bool inherit(struct conf_load *l, const struct conf_key *key, const struct conf_map *m,
                    void *structure)
{
    if (!(key->flags & CONF_INHERITED) || !m->section || !m->section->inherits)
        return false;
    const struct conf_node *from = conf_node_get(l->state->root, m->section->inherits);
    if (!from || from->kind != CONF_MAP)
        return false;
    const struct conf_node *value = find_value(key, from);
    if (!value)
        return false;
    /* Its errors are those of the other section: reported once, whoever inherits. */
    const struct conf_context *own = l->state->context;
    const struct conf_context there = {.kind = m->section->inherits};
    l->state->context = &there;
    conf_map_set(l, key, value, structure);
    l->state->context = own;
    return true;
}

static void fill_row(struct conf_load *l, const struct conf_key *key, const struct conf_map *m,
                     void *structure)
{
    const struct conf_node *value = own_value(l, key, m->node);
    if (value)
        conf_map_set(l, key, value, structure);
    else if (inherit(l, key, m, structure))
        return;
    else if (key->preset)
        set_preset(l, key, m, structure);
    else if (key->flags & CONF_REQUIRED)
        conf_error(l, m->node, conf_hint_missing_key(l, key), "%s needs \"%s\"",
                   conf_describe(l, l->state->context), key->name);
}

static void report_unknown(struct conf_load *l, const struct conf_map *m)
{
    CONF_NODE_FOREACH (child, m->node) {
        const char *name = child->key->text;
        if (conf_find_key(m->tables, name) || (m->section && is_inheritable(l, m->section, name)))
            continue;
        char shown[CONF_EXCERPT_SIZE];
        conf_error(l, child->key, conf_hint_unknown_key(l, m->tables, m->section, name),
                   "unknown key \"%s\" in %s", conf_excerpt(name, shown),
                   conf_describe(l, l->state->context));
    }
}

/* The structure of a table: the first's is there, each further one is made and hung into it. */
static void *table_structure(struct conf_load *l, const struct conf_map *m, unsigned table)
{
    const struct conf_table *t = m->tables[table];
    if (!table || !t->size)
        return m->structure;
    void *part = arena_alloc(&l->arena, t->size);
    memcpy((char *)m->structure + t->part_offset, &part, sizeof part);
    return part;
}

void conf_map_fill(struct conf_load *l, const struct conf_map *m)
{
    uint32_t raised = l->report.raised;
    unsigned count = 0;
    while (m->tables && m->tables[count])
        count++;
    void **structures = ARENA_ARRAY(&l->arena, void *, count);
    report_unknown(l, m);
    for (unsigned i = 0; i < count; i++) {
        structures[i] = table_structure(l, m, i);
        for (const struct conf_key *key = m->tables[i]->keys; key->name; key++)
            fill_row(l, key, m, structures[i]);
    }
    for (unsigned i = 0; i < count && raised == l->report.raised; i++)
        if (m->tables[i]->check)
            m->tables[i]->check(l, structures[i], m->node);
}
