/*
 * engine.h: what the files of the table engine share. Internal to conf/.
 *
 * include.c puts the files together, load.c reads their sections into
 * objects, map.c one map by the rows of its tables, types.c one value by its row, hint.c says what a wrong
 * key or a missing one should be.
 */
#ifndef NOXY_CONF_ENGINE_H
#define NOXY_CONF_ENGINE_H

#include "base/hashmap.h"
#include "conf/table.h"

/* Where the engine is: a section's object or a map in it. */
struct conf_context {
    const struct conf_context *up; /* NULL: a section */
    const char *kind;              /* the name of the section or of the map's key */
    const char *name;              /* of an object; NULL: it has none */
};

/* A reference to fill in when all objects are read. */
struct conf_reference {
    struct conf_reference *next;
    const char *section, *name;
    struct conf_place place;
    void **field; /* may be NULL */
};

/* The files of one load, while they are put together. */
struct conf_includes {
    struct hashmap files; /* path to struct conf_file */
    uint32_t count, numbers, nodes;
    size_t bytes;
    bool is_full; /* a bound is reached: no more is read */
    bool failed;  /* something is missing in the tree */
};

/* The objects of one section. */
struct conf_objects {
    struct conf_object *items;
    uint32_t count;
    struct hashmap names; /* to struct conf_object */
    struct hashmap used;  /* the names that something refers to */
    bool all_used;        /* any of them may be chosen at run time */
};

struct conf_load_state {
    const struct conf_node *root;
    struct conf_objects *objects; /* one for each section */
    const struct conf_context *context;
    struct conf_reference *references; /* the latest first */
};

/* One map to read. */
struct conf_map {
    const struct conf_table *const *tables; /* NULL-ended; NULL: none */
    const struct conf_node *node;           /* a map */
    const struct conf_section *section;     /* whose object it is; NULL: a map in another */
    const char *name;                       /* of the object, or NULL */
    void *structure;                        /* of the first table */
};

/*
 * Reads the map into its structure and those of the further tables, and runs their checks if nothing was
 * wrong. The context is the map's.
 */
void conf_map_fill(struct conf_load *l, const struct conf_map *m);
/* Sets the field of one row from a value that was written. */
void conf_map_set(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                  void *structure);
/* The rows of all tables, one after the other: NULL behind the last. */
const struct conf_key *conf_next_key(const struct conf_table *const *tables, unsigned *table, unsigned *row);
/* The row of that name or alias in the tables; NULL: none. */
const struct conf_key *conf_find_key(const struct conf_table *const *tables, const char *name);
/* The row of `s` that may be written in the section it inherits from; NULL: none. */
const struct conf_key *conf_find_inherited(const struct conf_section *s, const char *name);
/* The text of the CONF_NAME row in a map, if it is a possible name. */
const char *conf_map_name(const struct conf_table *const *tables, const struct conf_node *map);
/* A map without entries that stands where `place` is. */
const struct conf_node *conf_empty_map(struct conf_load *l, struct conf_place place);

/* Fills in the references of the file; reports those that lead nowhere. */
void conf_resolve_references(struct conf_load *l);
/* What the section's maps of names hold. */
void conf_objects_free(struct conf_objects *objects);
/* The index of a section; of an unknown one, that of the list's end. */
size_t conf_section_index(const struct conf_load *l, const char *name);
const struct conf_section *conf_find_section(const struct conf_load *l, const char *name);
/* Reports a name that the other one, at `first`, has already. */
void conf_report_twice(struct conf_load *l, const char *kind, const struct conf_node *node,
                       const struct conf_node *first, const char *name);

/*
 * Replaces each `include` in the tree by what its files hold. -1: reported, and the tree lacks something.
 * What else was reported leaves a tree that is worth reading further (a key that is written twice).
 */
int conf_include(struct conf_load *l, struct conf_node *root);
/* Where `other` is, told at `here`: "line 5", or "FILE:5" of another file. */
const char *conf_where(struct conf_load *l, const struct conf_node *other, const struct conf_node *here);

/* "frontend "web"", ""bind" of frontend "web"". */
const char *conf_describe(struct conf_load *l, const struct conf_context *context);
/* The hint for a key that a map does not have; NULL: none. `section` as in struct conf_map. */
const char *conf_hint_unknown_key(struct conf_load *l, const struct conf_table *const *tables,
                                  const struct conf_section *section, const char *word);
const char *conf_hint_unknown_section(struct conf_load *l, const char *word);
const char *conf_hint_choice(struct conf_load *l, const struct conf_key *key, const char *word);
const char *conf_hint_unknown_object(struct conf_load *l, const char *section, const char *word);
/* How a key or a section that is missing is written. */
const char *conf_hint_missing_key(struct conf_load *l, const struct conf_key *key);
const char *conf_hint_missing_section(struct conf_load *l, const struct conf_section *s);

#endif
