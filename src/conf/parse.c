#include "conf/parse.h"

#include <string.h>

#include "base/hashmap.h"
#include "conf/source.h"

struct parser {
    struct conf_report *report;
    const struct conf_file *file;
    yaml_parser_t yaml;
    struct hashmap anchors; /* name to struct anchor */
    struct hashmap keys;    /* number of the map and key to the key's node */
    struct text key;        /* of `keys`, while it is made */
    uint32_t maps, nodes, alias_nodes;
    struct conf_origin cursor; /* where the latest scalar is written */
    bool may_be_empty;
    bool incomplete; /* an error took something out of the tree */
};

struct anchor {
    struct conf_node *node;
    bool open; /* the parser is still inside of it */
};

/* For parse_value() where no collection can end: the root and a map's value. */
static const yaml_event_type_t no_end = YAML_NO_EVENT;

static struct conf_place place_of(const struct parser *p, const yaml_event_t *e)
{
    const yaml_mark_t *from = &e->start_mark, *to = &e->end_mark;
    struct conf_place at = {p->file, (uint32_t)from->line + 1, (uint32_t)from->column + 1, 1};
    if (to->line > from->line)
        at.width = e->type == YAML_SCALAR_EVENT ? UINT32_MAX : 1;
    else if (e->type != YAML_MAPPING_START_EVENT && e->type != YAML_SEQUENCE_START_EVENT)
        at.width = to->column > from->column ? (uint32_t)(to->column - from->column) : 1;
    return at;
}

static void complain(struct parser *p, const struct conf_place *at, const char *hint, const char *text)
{
    conf_report_add(p->report, CONF_ERROR, at, hint, "%s", text);
}

static bool next_event(struct parser *p, yaml_event_t *e)
{
    if (yaml_parser_parse(&p->yaml, e))
        return true;
    conf_syntax_report(p->report, p->file, &p->yaml);
    return false;
}

/* NULL: too many, or too deep in each other; reported. */
static struct conf_node *new_node(struct parser *p, enum conf_kind kind, struct conf_place at, unsigned depth)
{
    if (depth > CONF_DEPTH_MAX) {
        complain(p, &at, NULL, "more than 64 maps and lists stand in each other here");
        return NULL;
    }
    if (++p->nodes > CONF_NODES_MAX) {
        complain(p, &at, NULL, "the file has more than a million values");
        return NULL;
    }
    struct conf_node *n = ARENA_NEW(p->report->arena, struct conf_node);
    n->kind = kind;
    n->place = at;
    return n;
}

static void refuse_tag(struct parser *p, const struct conf_place *at, const yaml_char_t *tag)
{
    static const char standard[] = "tag:yaml.org,2002:"; /* what "!!" stands for */
    char shown[CONF_EXCERPT_SIZE];
    if (!tag)
        return;
    const char *name = (const char *)tag;
    bool is_standard = strncmp(name, standard, sizeof standard - 1) == 0;
    conf_report_add(p->report, CONF_ERROR, at, "remove it", "a tag can't be used here: \"%s%s\"",
                    is_standard ? "!!" : "",
                    conf_excerpt(is_standard ? name + sizeof standard - 1 : name, shown));
}

/* Remembers `n` under its anchor, if it has one. */
static struct anchor *open_anchor(struct parser *p, const yaml_char_t *name, struct conf_node *n)
{
    if (!name)
        return NULL;
    struct anchor *a = ARENA_NEW(p->report->arena, struct anchor);
    *a = (struct anchor){n, true};
    struct anchor *first = hashmap_add(&p->anchors, slice_of((const char *)name), a);
    if (first) {
        char shown[CONF_EXCERPT_SIZE];
        const char *hint =
            arena_printf(p->report->arena, "the first is at line %u", (unsigned)first->node->place.line);
        conf_report_add(p->report, CONF_ERROR, &n->place, hint, "the anchor \"%s\" is set twice",
                        conf_excerpt((const char *)name, shown));
    }
    return a;
}

/* A copy of what an alias stands for, bounded: an alias of aliases of aliases can grow without an end. */
static struct conf_node *copy_node(struct parser *p, const struct conf_node *from,
                                   const struct conf_place *at, unsigned depth)
{
    if (++p->alias_nodes > CONF_ALIAS_NODES_MAX) {
        complain(p, at, "write less with aliases",
                 "the aliases of the file stand for more than 100000 values");
        return NULL;
    }
    struct conf_node *n = new_node(p, from->kind, from->place, depth);
    if (!n)
        return NULL;
    n->key = from->key;
    n->count = from->count;
    n->text = from->text;
    n->quoted = from->quoted;
    n->origin = from->origin;
    struct conf_node **tail = &n->first;
    CONF_NODE_FOREACH (child, from) {
        *tail = copy_node(p, child, at, depth + 1);
        if (!*tail)
            return NULL;
        tail = &(*tail)->next;
    }
    return n;
}

static bool follow_alias(struct parser *p, const yaml_event_t *e, unsigned depth, struct conf_node **out)
{
    const char *name = (const char *)e->data.alias.anchor;
    struct conf_place at = place_of(p, e);
    const struct anchor *a = hashmap_find(&p->anchors, slice_of(name));
    if (!a || a->open) {
        char shown[CONF_EXCERPT_SIZE];
        conf_excerpt(name, shown);
        if (a)
            conf_report_add(p->report, CONF_ERROR, &at, NULL,
                            "the alias \"%s\" stands inside of what it stands for", shown);
        else
            conf_report_add(p->report, CONF_ERROR, &at, "an anchor stands before its aliases",
                            "there is no anchor \"%s\"", shown);
        p->incomplete = true;
        return true;
    }
    *out = copy_node(p, a->node, &at, depth);
    if (!*out)
        return false;
    (*out)->place = at;
    (*out)->key = NULL;
    return true;
}

/* Passes over a scalar's anchor, which libyaml counts to it, and over what is between the two. */
static void skip_properties(const struct conf_file *f, size_t *offset, uint32_t *line, uint32_t *column)
{
    while (*offset < f->len && strchr("&! \t\r\n#", f->bytes[*offset])) {
        bool is_comment = f->bytes[*offset] == '#', is_word = !strchr(" \t\r\n", f->bytes[*offset]);
        do
            conf_source_step(f, offset, line, column);
        while (is_word && *offset < f->len && !conf_source_line_end(f, *offset) &&
               (is_comment || !strchr(" \t", f->bytes[*offset])));
    }
}

/*
 * Where a scalar is written, in bytes: libyaml's marks count characters. Scalars come in the order of the
 * file, so that it is walked through once.
 */
static struct conf_origin find_origin(struct parser *p, const yaml_event_t *e)
{
    static const enum conf_style styles[] = {
        [YAML_PLAIN_SCALAR_STYLE] = CONF_PLAIN,
        [YAML_SINGLE_QUOTED_SCALAR_STYLE] = CONF_SINGLE_QUOTED,
        [YAML_DOUBLE_QUOTED_SCALAR_STYLE] = CONF_DOUBLE_QUOTED,
        [YAML_LITERAL_SCALAR_STYLE] = CONF_LITERAL,
        [YAML_FOLDED_SCALAR_STYLE] = CONF_FOLDED,
    };
    uint32_t line = (uint32_t)e->start_mark.line + 1, column = (uint32_t)e->start_mark.column + 1;
    struct conf_origin *c = &p->cursor;
    size_t offset = c->offset;
    while (offset < p->file->len && (c->line < line || (c->line == line && c->column < column)))
        conf_source_step(p->file, &offset, &c->line, &c->column);
    bool is_found = c->line == line && c->column == column;
    if (e->data.scalar.anchor || e->data.scalar.tag)
        skip_properties(p->file, &offset, &c->line, &c->column);
    c->offset = (uint32_t)offset;
    c->style = styles[e->data.scalar.style];
    return is_found ? *c : (struct conf_origin){0};
}

static bool parse_scalar(struct parser *p, const yaml_event_t *e, unsigned depth, struct conf_node **out)
{
    const char *text = (const char *)e->data.scalar.value;
    size_t len = e->data.scalar.length;
    struct conf_node *n = new_node(p, CONF_SCALAR, place_of(p, e), depth);
    if (!n)
        return false;
    refuse_tag(p, &n->place, e->data.scalar.tag);
    if (memchr(text, '\0', len)) {
        complain(p, &n->place, NULL, "a value can't contain a NUL");
        p->incomplete = true;
        return true;
    }
    n->text = arena_copy(p->report->arena, text, len);
    n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    /* libyaml's place of nothing is behind the '-' or ':' that announces it. */
    if (!n->quoted && !len)
        n->place.column -= n->place.column > 1;
    else
        n->origin = find_origin(p, e);
    struct anchor *a = open_anchor(p, e->data.scalar.anchor, n);
    if (a)
        a->open = false;
    *out = n;
    return true;
}

static bool parse_value(struct parser *p, yaml_event_type_t end, unsigned depth, struct conf_node **out,
                        bool *ended);

static bool parse_list(struct parser *p, struct conf_node *list, unsigned depth)
{
    struct conf_node **tail = &list->first;
    for (;;) {
        struct conf_node *item = NULL;
        bool ended;
        if (!parse_value(p, YAML_SEQUENCE_END_EVENT, depth + 1, &item, &ended))
            return false;
        if (ended)
            return true;
        if (!item)
            continue;
        *tail = item;
        tail = &item->next;
        list->count++;
    }
}

/* May `key` name an entry of the map with the number `id`? Reports why not. */
static bool accept_key(struct parser *p, uint32_t id, struct conf_node *key)
{
    if (key->kind != CONF_SCALAR || conf_node_is_null(key)) {
        complain(p, &key->place, "write KEY: VALUE", "this can't be a key");
        return false;
    }
    if (!key->quoted && strcmp(key->text, "<<") == 0) {
        complain(p, &key->place, "what several share can stand in \"defaults\"",
                 "maps can't be merged with \"<<\"");
        return false;
    }
    p->key.len = 0;
    text_add(&p->key, (const char *)&id, sizeof id);
    text_puts(&p->key, key->text);
    const struct conf_node *first = hashmap_add(&p->keys, (struct slice){p->key.data, p->key.len}, key);
    if (!first)
        return true;
    char shown[CONF_EXCERPT_SIZE];
    conf_report_add(p->report, CONF_ERROR, &key->place,
                    arena_printf(p->report->arena, "the first is at line %u", (unsigned)first->place.line),
                    "the key \"%s\" is written twice", conf_excerpt(key->text, shown));
    return false;
}

static bool parse_map(struct parser *p, struct conf_node *map, unsigned depth)
{
    uint32_t id = p->maps++;
    struct conf_node **tail = &map->first;
    for (;;) {
        struct conf_node *key = NULL, *value = NULL;
        bool ended;
        if (!parse_value(p, YAML_MAPPING_END_EVENT, depth + 1, &key, &ended))
            return false;
        if (ended)
            return true;
        if (!parse_value(p, no_end, depth + 1, &value, &ended))
            return false;
        /* A map that starts with its first key is shown by it. */
        if (key && !map->count && key->place.line == map->place.line &&
            key->place.column == map->place.column)
            map->place.width = key->place.width;
        if (!key || !value || !accept_key(p, id, key))
            continue;
        if (conf_node_is_null(value) && !*value->text)
            value->place = key->place;
        value->key = key;
        *tail = value;
        tail = &value->next;
        map->count++;
    }
}

static bool parse_collection(struct parser *p, const yaml_event_t *e, unsigned depth, struct conf_node **out)
{
    bool is_map = e->type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *name = is_map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor;
    struct conf_node *n = new_node(p, is_map ? CONF_MAP : CONF_LIST, place_of(p, e), depth);
    if (!n)
        return false;
    refuse_tag(p, &n->place, is_map ? e->data.mapping_start.tag : e->data.sequence_start.tag);
    struct anchor *a = open_anchor(p, name, n);
    if (!(is_map ? parse_map(p, n, depth) : parse_list(p, n, depth)))
        return false;
    if (a)
        a->open = false;
    *out = n;
    return true;
}

/*
 * The next value, or `*ended` where the event `end` comes instead. `*out` stays NULL for one that was
 * reported and left out. False: nothing more can be read.
 */
static bool parse_value(struct parser *p, yaml_event_type_t end, unsigned depth, struct conf_node **out,
                        bool *ended)
{
    yaml_event_t e;
    if (!next_event(p, &e))
        return false;
    bool good = true;
    *ended = e.type == end;
    if (e.type == YAML_ALIAS_EVENT)
        good = follow_alias(p, &e, depth, out);
    else if (e.type == YAML_SCALAR_EVENT)
        good = parse_scalar(p, &e, depth, out);
    else if (e.type == YAML_MAPPING_START_EVENT || e.type == YAML_SEQUENCE_START_EVENT)
        good = parse_collection(p, &e, depth, out);
    yaml_event_delete(&e);
    return good;
}

/* Passes over an event; tells its type and place. */
static bool skip_event(struct parser *p, yaml_event_type_t *type, struct conf_place *at)
{
    yaml_event_t e;
    if (!next_event(p, &e))
        return false;
    *type = e.type;
    *at = place_of(p, &e);
    yaml_event_delete(&e);
    return true;
}

static bool parse_stream(struct parser *p, struct conf_node **root)
{
    yaml_event_type_t type;
    struct conf_place at;
    bool ended;
    if (!skip_event(p, &type, &at) || !skip_event(p, &type, &at))
        return false;
    if (type == YAML_STREAM_END_EVENT && p->may_be_empty)
        return true;
    if (type == YAML_STREAM_END_EVENT) {
        at = (struct conf_place){p->file, 1, 1, 1};
        complain(p, &at, NULL, "the file is empty: there is no configuration in it");
        return false;
    }
    if (!parse_value(p, no_end, 1, root, &ended) || !skip_event(p, &type, &at) || !skip_event(p, &type, &at))
        return false;
    if (type == YAML_DOCUMENT_START_EVENT)
        complain(p, &at, "put all of it into one", "a second YAML document starts here");
    return true;
}

static int parse_file(struct conf_report *r, const struct conf_file *f, bool may_be_empty,
                      struct conf_node **root)
{
    struct parser p = {
        .report = r, .file = f, .cursor = {.line = 1, .column = 1}, .may_be_empty = may_be_empty};
    *root = NULL;
    if (!yaml_parser_initialize(&p.yaml)) {
        conf_syntax_report(r, f, &p.yaml);
        return -1;
    }
    yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p.yaml, (const unsigned char *)f->bytes, f->len);
    bool good = parse_stream(&p, root);
    yaml_parser_delete(&p.yaml);
    hashmap_free(&p.anchors);
    hashmap_free(&p.keys);
    text_free(&p.key);
    return good && !p.incomplete ? 0 : -1;
}

struct conf_node *conf_parse(struct conf_report *r, const struct conf_file *f)
{
    struct conf_node *root;
    return parse_file(r, f, false, &root) == 0 ? root : NULL;
}

int conf_parse_included(struct conf_report *r, const struct conf_file *f, struct conf_node **root)
{
    return parse_file(r, f, true, root);
}
