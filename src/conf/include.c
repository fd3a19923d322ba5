/*
 * include.c: the key `include`: other files in the place where it stands.
 *
 * Where a map's only key is `include`, the map is what the files hold: their
 * items where they are lists, their keys where they are maps. In a list, and
 * where the rows say that a list belongs, each file that is a map is an item.
 * Beside other keys, the files' keys are added to the map's. At the top, lists
 * of objects (frontends, backends) are appended to those of the same name.
 *
 * All of it is done on the nodes, before they are read: no room knows of
 * files. A node keeps the file where it was written in its place.
 */
#include <errno.h>
#include <glob.h>
#include <string.h>

#include "conf/engine.h"
#include "conf/parse.h"
#include "conf/source.h"

enum {
    FILES_MAX = 1000, /* read by one load; one that is included twice counts twice */
    CHAIN_MAX = 16,   /* that include each other */
};

/* A file whose nodes are looked at. */
struct reader {
    struct conf_load *l;
    struct conf_includes *all;
    const struct conf_file *file;
    const struct reader *by; /* that included it; NULL: the main file */
};

/* Nodes in a row, as they get into a list or a map. */
struct row {
    struct conf_node *first, **tail;
    uint32_t count;
};

/* What belongs where a node stands, as far as the rows tell. */
struct spot {
    bool is_top;                        /* the sections */
    bool is_list;                       /* a list, and what follows is for its items */
    const struct conf_section *section; /* an object of it; or */
    const struct conf_table *table;     /* a map with its keys; NULL: unknown */
};

static void expand(const struct reader *r, struct conf_node *n, struct spot spot);

static const struct conf_key *find_inherited(const struct conf_load *l, const struct conf_section *from,
                                             const char *name)
{
    const struct conf_key *key = NULL;
    for (const struct conf_section *const *s = l->sections; *s && !key; s++)
        if ((*s)->inherits && strcmp((*s)->inherits, from->name) == 0)
            key = conf_find_inherited(*s, name);
    return key;
}

/* What belongs behind a key of the map at `spot`. */
static struct spot spot_behind(const struct conf_load *l, struct spot spot, const char *name)
{
    const struct conf_table *tables[] = {spot.table, NULL};
    if (spot.is_top) {
        const struct conf_section *s = conf_find_section(l, name);
        return (struct spot){.is_list = s && s->list, .section = s};
    }
    const struct conf_key *key = conf_find_key(spot.section ? spot.section->tables : tables, name);
    if (!key && spot.section)
        key = find_inherited(l, spot.section, name);
    if (!key)
        return (struct spot){.is_top = false};
    return (struct spot){.is_list = key->type == &conf_type_list, .table = key->table};
}

static void row_add(struct row *row, struct conf_node *n)
{
    n->next = NULL;
    *(row->count++ ? row->tail : &row->first) = n;
    row->tail = &n->next;
}

/* The items that a value is in a list: its own, none, or itself. */
static void row_add_items(struct row *row, struct conf_node *value)
{
    if (conf_node_is_null(value))
        return;
    value->key = NULL;
    if (value->kind != CONF_LIST) {
        row_add(row, value);
        return;
    }
    for (struct conf_node *item = value->first, *next; item; item = next) {
        next = item->next;
        row_add(row, item);
    }
}

static void become(struct conf_node *n, enum conf_kind kind, const struct row *row)
{
    n->kind = kind;
    n->first = row->count ? row->first : NULL;
    n->count = row->count;
}

static bool is_include(const struct conf_node *entry)
{
    return entry->key && !entry->key->quoted && strcmp(entry->key->text, "include") == 0;
}

static bool has_include(const struct conf_node *map)
{
    CONF_NODE_FOREACH (child, map)
        if (is_include(child))
            return true;
    return false;
}

static void refuse(const struct reader *r, const struct conf_node *at, const char *hint, const char *why)
{
    r->all->failed = true;
    conf_error(r->l, at, hint, "%s", why);
}

/* ---- the files ---- */

/* "conf.yaml includes a.yaml includes conf.yaml". */
static const char *describe_chain(const struct reader *r, const char *last)
{
    const char *chain = last;
    for (; r; r = r->by)
        chain = arena_printf(&r->l->arena, "%s includes %s", r->file->path, chain);
    return chain;
}

static bool is_same_file(const struct conf_file *a, const struct conf_file *b)
{
    return a == b || (a->inode && a->inode == b->inode && a->device == b->device);
}

/* May the file be read here? Reports why not. */
static bool accept_file(const struct reader *r, const struct conf_node *at, const struct conf_file *f)
{
    unsigned chain = 1;
    for (const struct reader *up = r; up; up = up->by, chain++)
        if (is_same_file(up->file, f)) {
            refuse(r, at, describe_chain(r, f->path), "this includes a file that includes this one");
            return false;
        }
    if (chain <= CHAIN_MAX)
        return true;
    refuse(r, at, NULL, "more than 16 files include each other here");
    return false;
}

/* The file, which is read once, however often it is included. NULL: reported. */
static const struct conf_file *open_file(const struct reader *r, const struct conf_node *at, const char *path)
{
    struct conf_includes *all = r->all;
    struct conf_file *f = hashmap_find(&all->files, slice_of(path));
    if (f)
        return f;
    f = conf_source_read(&r->l->report, path, at);
    if (!f) {
        all->failed = true;
        return NULL;
    }
    const char *slash = strrchr(path, '/');
    f->directory = !slash ? r->l->directory : arena_copy(&r->l->arena, path, MAX((size_t)(slash - path), 1u));
    f->number = ++all->numbers;
    all->bytes += f->len;
    hashmap_add(&all->files, slice_of(path), f);
    if (all->bytes <= CONF_FILE_MAX)
        return f;
    refuse(r, at, NULL, "with this file the configuration is larger than 16 MiB, the most that it may have");
    return NULL;
}

/* Adds the file's root, its own includes done, to `roots`; that of an empty file not. */
static void read_file(const struct reader *r, const struct conf_node *at, const char *path, struct spot spot,
                      struct row *roots)
{
    if (r->all->is_full)
        return;
    if (++r->all->count > FILES_MAX) {
        r->all->is_full = true;
        refuse(r, at, NULL, "more than 1000 files are included");
        return;
    }
    const struct conf_file *f = open_file(r, at, path);
    if (!f || !accept_file(r, at, f))
        return;
    struct conf_node *root;
    if (conf_parse_included(&r->l->report, f, &root) < 0) {
        r->all->failed = true;
        return;
    }
    if (!root || conf_node_is_null(root))
        return;
    if (root->kind == CONF_SCALAR || (spot.is_top && root->kind == CONF_LIST)) {
        refuse(r, root, arena_printf(&r->l->arena, "it is included at %s", conf_where(r->l, at, root)),
               spot.is_top ? "a file that is included here must be a map of sections"
                           : "a file that is included must be a list or a map");
        return;
    }
    const struct reader inner = {r->l, r->all, f, r};
    expand(&inner, root, spot);
    if (!conf_node_is_null(root))
        row_add(roots, root);
}

/* The path, from the folder of the file where it is written. `is_pattern`: what is special there stands for
 * itself. */
static const char *join_path(const struct reader *r, const char *path, bool is_pattern)
{
    const char *slash = strrchr(r->file->path, '/');
    struct text whole = {0};
    for (const char *c = r->file->path; *path != '/' && slash && c <= slash; c++)
        text_printf(&whole, "%s%c", is_pattern && strchr("*?[\\", *c) ? "\\" : "", *c);
    text_puts(&whole, path);
    path = arena_strdup(&r->l->arena, text_str(&whole));
    text_free(&whole);
    return path;
}

/* For glob(3): a folder that isn't there has no files, one that can't be read is an error. */
static int stop_at_error(const char *path, int error)
{
    (void)path;
    return error != ENOENT && error != ENOTDIR;
}

static void read_pattern(const struct reader *r, const struct conf_node *at, struct spot spot,
                         struct row *roots)
{
    glob_t found = {0};
    char shown[CONF_EXCERPT_SIZE];
    switch (glob(join_path(r, at->text, true), 0, stop_at_error, &found)) {
    case 0:
        for (size_t i = 0; i < found.gl_pathc; i++)
            read_file(r, at, found.gl_pathv[i], spot, roots);
        break;
    case GLOB_NOMATCH:
        conf_notice(r->l, at, NULL, "no file is like \"%s\": nothing is included",
                    conf_excerpt(at->text, shown));
        break;
    case GLOB_NOSPACE:
        refuse(r, at, NULL, "there is no memory for the files that are like this");
        break;
    default:
        refuse(r, at, NULL, "a folder of this pattern can't be read");
    }
    globfree(&found);
}

/* Reads the files that the value of an `include` names. */
static void read_files(const struct reader *r, const struct conf_node *value, struct spot spot,
                       struct row *roots)
{
    if (value->kind == CONF_LIST) {
        CONF_NODE_FOREACH (item, value)
            if (item->kind == CONF_LIST)
                refuse(r, item, "write - FILE", "this can't be a file to include");
            else
                read_files(r, item, spot, roots);
    } else if (value->kind == CONF_MAP || !*value->text || conf_node_is_null(value)) {
        refuse(r, value, "write include: FILE, a pattern such as conf.d/*.yaml, or a list of them",
               "this can't be a file to include");
    } else if (strpbrk(value->text, "*?[")) {
        read_pattern(r, value, spot, roots);
    } else {
        read_file(r, value, join_path(r, value->text, false), spot, roots);
    }
}

/* ---- what stands in their place ---- */

/* A map while entries of several files get into it. */
struct merge {
    const struct reader *r;
    bool is_top;
    struct row entries;
    struct hashmap names;
};

static bool is_appended(const struct merge *m, const char *name)
{
    const struct conf_section *s = m->is_top ? conf_find_section(m->r->l, name) : NULL;
    return s && s->list;
}

/* The objects of `more` behind those of `first`, however the two are written. */
static void append(struct conf_load *l, struct conf_node *first, struct conf_node *more)
{
    struct row items = {0};
    struct conf_node *own = ARENA_NEW(&l->arena, struct conf_node);
    *own = *first;
    row_add_items(&items, own);
    row_add_items(&items, more);
    become(first, CONF_LIST, &items);
}

static void merge_entry(struct merge *m, struct conf_node *entry)
{
    char shown[CONF_EXCERPT_SIZE];
    const char *name = entry->key->text;
    struct conf_node *first = hashmap_add(&m->names, slice_of(name), entry);
    if (!first)
        row_add(&m->entries, entry);
    else if (is_appended(m, name))
        append(m->r->l, first, entry);
    else
        conf_error(
            m->r->l, entry->key,
            arena_printf(&m->r->l->arena, "the first is at %s", conf_where(m->r->l, first->key, entry->key)),
            "the key \"%s\" is written twice", conf_excerpt(name, shown));
}

static void merge_root(struct merge *m, struct conf_node *root, const struct conf_node *at)
{
    if (root->kind == CONF_LIST) {
        refuse(m->r, root,
               arena_printf(&m->r->l->arena, "it is included at %s, beside other keys",
                            conf_where(m->r->l, at, root)),
               "a list can't stand here, only the keys of a map");
        return;
    }
    for (struct conf_node *entry = root->first, *next; entry; entry = next) {
        next = entry->next;
        merge_entry(m, entry);
    }
}

/* A map with an `include` beside other keys, or one whose files are maps. */
static void merge_map(const struct reader *r, struct conf_node *map, struct spot spot)
{
    struct merge m = {.r = r, .is_top = spot.is_top};
    spot.is_list = false;
    for (struct conf_node *child = map->first, *next; child; child = next) {
        next = child->next;
        if (!is_include(child)) {
            expand(r, child, spot_behind(r->l, spot, child->key->text));
            merge_entry(&m, child);
            continue;
        }
        struct row roots = {0};
        read_files(r, child, spot, &roots);
        for (struct conf_node *root = roots.first, *after; root; root = after) {
            after = root->next;
            merge_root(&m, root, child);
        }
    }
    hashmap_free(&m.names);
    become(map, CONF_MAP, &m.entries);
}

/* A map whose only key is `include`, where a list may stand as well. */
static void replace_map(const struct reader *r, struct conf_node *map, struct spot spot)
{
    struct row roots = {0}, items = {0};
    struct merge m = {.r = r};
    const struct conf_node *at = map->first;
    read_files(r, at, spot, &roots);
    bool is_list = spot.is_list;
    for (const struct conf_node *root = roots.first; root; root = root->next)
        is_list |= root->kind == CONF_LIST;
    for (struct conf_node *root = roots.first, *next; root; root = next) {
        next = root->next;
        if (is_list)
            row_add_items(&items, root);
        else
            merge_root(&m, root, at);
    }
    hashmap_free(&m.names);
    become(map, is_list ? CONF_LIST : CONF_MAP, is_list ? &items : &m.entries);
    if (!roots.count) { /* as if nothing was written */
        map->kind = CONF_SCALAR;
        map->text = "";
    }
}

static void expand_list(const struct reader *r, struct conf_node *list, struct spot spot)
{
    struct row items = {0};
    spot.is_list = false;
    for (struct conf_node *child = list->first, *next; child; child = next) {
        next = child->next;
        if (child->kind == CONF_MAP && child->count == 1 && is_include(child->first)) {
            struct row roots = {0};
            read_files(r, child->first, spot, &roots);
            for (struct conf_node *root = roots.first, *after; root; root = after) {
                after = root->next;
                row_add_items(&items, root);
            }
        } else {
            expand(r, child, spot);
            row_add(&items, child);
        }
    }
    become(list, CONF_LIST, &items);
}

/* Does the includes in a node. */
static void expand(const struct reader *r, struct conf_node *n, struct spot spot)
{
    if (r->all->is_full)
        return;
    if (++r->all->nodes > CONF_NODES_MAX) {
        r->all->is_full = true;
        refuse(r, n, NULL, "with this file the configuration has more than a million values");
    } else if (n->kind == CONF_LIST) {
        expand_list(r, n, spot);
    } else if (n->kind == CONF_MAP && n->count == 1 && !spot.is_top && is_include(n->first)) {
        replace_map(r, n, spot);
    } else if (n->kind == CONF_MAP && has_include(n)) {
        merge_map(r, n, spot);
    } else if (n->kind == CONF_MAP) {
        for (struct conf_node *child = n->first; child; child = child->next)
            expand(r, child, spot_behind(r->l, spot, child->key->text));
    }
}

int conf_include(struct conf_load *l, struct conf_node *root)
{
    struct conf_includes all = {0};
    const struct reader main_file = {.l = l, .all = &all, .file = root->place.file};
    expand(&main_file, root, (struct spot){.is_top = true});
    hashmap_free(&all.files);
    return all.failed ? -1 : 0;
}
