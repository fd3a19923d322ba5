/*
 * types.c: the kinds of values that every room's rows may have.
 */
#include <string.h>

#include "conf/engine.h"
#include "conf/units.h"

static const char *kind_of(const struct conf_node *n)
{
    return n->kind == CONF_LIST ? "a list" : n->kind == CONF_MAP ? "a map" : "a single value";
}

const char *conf_read_scalar(const struct conf_key *key, const struct conf_node *node, const char *what,
                             struct error *err)
{
    if (node->kind == CONF_SCALAR)
        return node->text;
    error_set(err, "\"%s\" must be %s, not %s", key->name, what, kind_of(node));
    return NULL;
}

/* Reports a value that can't be read, with the way out apart. */
static int refuse(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                  const struct error *what, const struct error *hint)
{
    conf_error(l, node, hint->text[0] ? hint->text : NULL, "\"%s\": %s", key->name, what->text);
    return -1;
}

static int check_bounds(const struct conf_measure *m, const struct conf_key *key, uint64_t value,
                        uint64_t largest, struct error *err)
{
    char low[CONF_MEASURE_TEXT], high[CONF_MEASURE_TEXT], is[CONF_MEASURE_TEXT];
    uint64_t max = key->max && key->max < largest ? key->max : largest;
    if (value >= key->min && value <= max)
        return 0;
    conf_measure_print(m, value, is);
    conf_measure_print(m, key->min, low);
    conf_measure_print(m, max, high);
    if (max == UINT64_MAX)
        return error_set(err, "\"%s\" must be at least %s, not %s", key->name, low, is);
    return error_set(err, "\"%s\" must be between %s and %s, not %s", key->name, low, high, is);
}

static int read_measure(struct conf_load *l, const struct conf_measure *m, const struct conf_key *key,
                        const struct conf_node *node, uint64_t largest, uint64_t *value, struct error *err)
{
    struct error what, hint;
    const char *text = conf_read_scalar(key, node, m->noun, err);
    if (!text)
        return -1;
    if (conf_measure_read(m, text, value, &what, &hint) < 0)
        return refuse(l, key, node, &what, &hint);
    /* Text with a unit is the same in quotes, a number is not: "10" is text, and a reader may take it for
     * one. */
    if (node->quoted && strspn(text, "0123456789") == strlen(text)) {
        conf_error(l, node, "remove the quotes", "\"%s\" must be a number, and \"%s\" in quotes is text",
                   key->name, text);
        return -1;
    }
    return check_bounds(m, key, *value, largest, err);
}

static int set_number(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                      void *field, struct error *err)
{
    uint64_t value;
    if (read_measure(l, &conf_measure_number, key, node, UINT32_MAX, &value, err) < 0)
        return -1;
    *(uint32_t *)field = (uint32_t)value;
    return 0;
}

static int set_time(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                    void *field, struct error *err)
{
    return read_measure(l, &conf_measure_time, key, node, UINT64_MAX, field, err);
}

static int set_size(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                    void *field, struct error *err)
{
    return read_measure(l, &conf_measure_size, key, node, UINT64_MAX, field, err);
}

static int set_bool(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                    void *field, struct error *err)
{
    struct error what, hint;
    const char *text = conf_read_scalar(key, node, "true or false", err);
    if (!text)
        return -1;
    if (conf_bool_read(text, field, &what, &hint) < 0)
        return refuse(l, key, node, &what, &hint);
    if (node->quoted) {
        conf_error(l, node, "remove the quotes", "\"%s\" must be true or false, and \"%s\" in quotes is text",
                   key->name, text);
        return -1;
    }
    return 0;
}

static int set_string(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                      void *field, struct error *err)
{
    (void)l;
    const char *text = conf_read_scalar(key, node, "text", err);
    if (!text)
        return -1;
    if (!*text)
        return error_set(err, "\"%s\" can't be empty", key->name);
    *(const char **)field = text;
    return 0;
}

const char *conf_path(struct conf_load *l, const struct conf_node *node, const char *path)
{
    const struct conf_file *f = node ? node->place.file : NULL;
    if (*path == '/')
        return path;
    return arena_printf(&l->arena, "%s/%s", f && f->directory ? f->directory : l->directory, path);
}

static int set_path(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                    void *field, struct error *err)
{
    const char *path = NULL;
    if (set_string(l, key, node, &path, err) < 0)
        return -1;
    *(const char **)field = conf_path(l, node, path);
    return 0;
}

static int set_choice(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                      void *field, struct error *err)
{
    const char *text = conf_read_scalar(key, node, "one of its choices", err);
    if (!text)
        return -1;
    for (const struct conf_choice *c = key->choices; c->name; c++) {
        if (strcmp(c->name, text) == 0) {
            *(int *)field = c->value;
            return 0;
        }
    }
    char shown[CONF_EXCERPT_SIZE];
    conf_error(l, node, conf_hint_choice(l, key, text), "\"%s\" can't be \"%s\"", key->name,
               conf_excerpt(text, shown));
    return -1;
}

/* A map with one entry: what a shorthand or a toggle stands for. */
static const struct conf_node *wrap(struct conf_load *l, const char *name, const struct conf_node *node)
{
    struct conf_node *key = ARENA_NEW(&l->arena, struct conf_node);
    struct conf_node *value = ARENA_NEW(&l->arena, struct conf_node);
    struct conf_node *map = ARENA_NEW(&l->arena, struct conf_node);
    *key = (struct conf_node){.kind = CONF_SCALAR, .place = node->place, .text = name};
    *value = *node;
    value->key = key;
    value->next = NULL;
    *map = (struct conf_node){
        .kind = CONF_MAP, .place = node->place, .key = node->key, .first = value, .count = 1};
    return map;
}

/* `node` as the map that it is or stands for; NULL with `err`. */
static const struct conf_node *as_map(struct conf_load *l, const struct conf_key *key,
                                      const struct conf_node *node, struct error *err)
{
    bool ignored;
    const struct conf_table *t = key->table;
    if (node->kind == CONF_MAP)
        return node;
    if (conf_node_is_null(node))
        return conf_empty_map(l, node->place);
    if (t->toggle && node->kind == CONF_SCALAR && !node->quoted &&
        conf_read_bool(node->text, &ignored, NULL) == 0)
        return wrap(l, t->toggle, node);
    if (t->shorthand)
        return wrap(l, t->shorthand, node);
    error_set(err, "\"%s\" must be a map of keys%s, not %s", key->name, t->toggle ? ", true or false" : "",
              kind_of(node));
    return NULL;
}

/* Makes a structure of the row's table and reads `node` into it. NULL: reported, or `err` is set. */
static void *read_map(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                      struct error *err)
{
    const struct conf_table *tables[] = {key->table, NULL};
    uint32_t raised = l->report.raised;
    const struct conf_node *map = as_map(l, key, node, err);
    if (!map)
        return NULL;
    const struct conf_context here = {l->state->context, key->name, conf_map_name(tables, map)};
    struct conf_map m = {
        .tables = tables, .node = map, .structure = arena_alloc(&l->arena, key->table->size)};
    l->state->context = &here;
    conf_map_fill(l, &m);
    l->state->context = here.up;
    return raised == l->report.raised ? m.structure : NULL;
}

static int set_map(struct conf_load *l, const struct conf_key *key, const struct conf_node *node, void *field,
                   struct error *err)
{
    void *structure = read_map(l, key, node, err);
    if (!structure)
        return -1;
    memcpy(field, &structure, sizeof structure);
    return 0;
}

/* Reports an item whose name another one of the list has. */
static void check_unique(struct conf_load *l, const struct conf_key *key, struct hashmap *names,
                         const struct conf_node *item)
{
    const struct conf_table *tables[] = {key->table, NULL};
    for (const struct conf_key *k = key->table->keys; k->name; k++) {
        if ((k->flags & (CONF_NAME | CONF_REQUIRED)) != (CONF_NAME | CONF_REQUIRED) || item->kind != CONF_MAP)
            continue;
        const char *name = conf_map_name(tables, item);
        const struct conf_node *first = name ? hashmap_add(names, slice_of(name), (void *)item) : NULL;
        if (first)
            conf_report_twice(l, key->name, conf_node_get(item, k->name), conf_node_get(first, k->name),
                              name);
    }
}

static int set_list(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                    void *field, struct error *err)
{
    struct conf_list *list = field;
    uint32_t raised = l->report.raised;
    struct hashmap names = {0};
    bool is_list = node->kind == CONF_LIST, is_empty = conf_node_is_null(node);
    uint32_t count = is_list ? node->count : !is_empty;
    list->items = ARENA_ARRAY(&l->arena, void *, count);
    list->count = 0;
    for (const struct conf_node *item = is_list ? node->first : node; count--; item = item->next) {
        struct error wrong = {""};
        void *structure = read_map(l, key, item, &wrong);
        if (structure)
            list->items[list->count++] = structure;
        else if (wrong.text[0])
            conf_error(l, item, NULL, "%s", wrong.text);
        check_unique(l, key, &names, item);
    }
    hashmap_free(&names);
    if (raised != l->report.raised)
        return -1;
    if (!list->count && key->flags & CONF_REQUIRED)
        return error_set(err, "\"%s\" must not be empty", key->name);
    return 0;
}

static int set_ref(struct conf_load *l, const struct conf_key *key, const struct conf_node *node, void *field,
                   struct error *err)
{
    const char *text = conf_read_scalar(key, node, "a name", err);
    if (!text)
        return -1;
    conf_refer(l, key->refers_to, text, node->place, field);
    return 0;
}

const struct conf_type conf_type_number = {"number", set_number};
const struct conf_type conf_type_time = {"time", set_time};
const struct conf_type conf_type_size = {"size", set_size};
const struct conf_type conf_type_bool = {"true or false", set_bool};
const struct conf_type conf_type_string = {"text", set_string};
const struct conf_type conf_type_path = {"path", set_path};
const struct conf_type conf_type_choice = {"choice", set_choice};
const struct conf_type conf_type_map = {"map", set_map};
const struct conf_type conf_type_list = {"list", set_list};
const struct conf_type conf_type_ref = {"name", set_ref};
