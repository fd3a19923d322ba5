/*
 * table.h: the engine of the key tables. It knows no key itself: each room
 * brings the rows of the keys that it acts on, main lists the tables, and
 * from the rows come the loader, the "did you mean", the defaults and the
 * manual (`noxy --config-reference`).
 *
 * A row holds everything about its key. A key without a row does not exist.
 */
#ifndef NOXY_CONF_TABLE_H
#define NOXY_CONF_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "conf/node.h"
#include "conf/report.h"

struct conf_load;
struct conf_key;

/* A kind of value. */
struct conf_type {
    const char *name; /* for the manual: "time", "size", "number", ... */
    /*
     * Reads `node` into `field`. -1 with a message in `err`, to which the engine adds the place of `node`; or
     * -1 with an empty `err` after reporting more exact places itself. `node` is never null (`key:` without a
     * value), but for the types map and list, where that is an empty one.
     */
    int (*set)(struct conf_load *l, const struct conf_key *key, const struct conf_node *node, void *field,
               struct error *err);
};

extern const struct conf_type conf_type_number; /* uint32_t; min, max */
extern const struct conf_type conf_type_time;   /* uint64_t, microseconds; min, max in microseconds */
extern const struct conf_type conf_type_size;   /* uint64_t, bytes; min, max */
extern const struct conf_type conf_type_bool;   /* bool */
extern const struct conf_type conf_type_string; /* const char *; not empty */
extern const struct conf_type
    conf_type_path; /* const char *; a relative one starts in the folder of the file where it is written */
extern const struct conf_type conf_type_choice; /* int; the value of one of `choices` */
extern const struct conf_type conf_type_map;    /* `T *`: a structure of its own, with the rows of `table` */
extern const struct conf_type
    conf_type_list; /* struct conf_list: maps with the rows of `table`; a single map is a list of one */
extern const struct conf_type
    conf_type_ref; /* `T *`: the object of section `refers_to` with that name, filled in when all is read */

struct conf_choice {
    const char *name; /* NULL ends the list */
    int value;
    const char *doc;
};

struct conf_list {
    void **items;
    uint32_t count;
};

enum conf_flag {
    CONF_REQUIRED = 1,
    CONF_INHERITED = 2, /* may also stand in the section that this one inherits from (`defaults`) */
    /*
     * Names the object: 1 to 64 characters of letters, digits and _ . : - /. With CONF_REQUIRED unique in its
     * list; without, the room gives the unnamed ones their names and sees to that itself.
     */
    CONF_NAME = 4,
};

struct conf_key {
    const char *name; /* NULL ends the table */
    const struct conf_type *type;
    size_t offset; /* of the field in the table's structure */
    unsigned flags;
    const char *preset; /* the default, as it would be written; NULL: the field stays zero. Of a map "": all
                           its presets */
    const char *doc;    /* one line for the manual; a test fails without it */
    uint64_t min, max;  /* bounds, both included; max 0: no upper one */
    const struct conf_choice *choices;
    const struct conf_table *table;
    const char *refers_to;
    const char *example; /* for the manual; NULL: the preset is one */
    const char *alias;   /* another name of the same key, or NULL */
};

/* The rows that one room has in one section (or in one nested map), and the structure that they fill. */
struct conf_table {
    const char *doc;
    const struct conf_key *keys;
    size_t size;
    /*
     * A section's first table makes the object; each further one makes a structure of its own, to which the
     * object gets a pointer at this offset. One with size 0 makes none: its rows fill fields of the object
     * itself.
     */
    size_t part_offset;
    const char
        *shorthand; /* of a nested map: a bare scalar or list is the value of this key; NULL: not allowed */
    const char
        *toggle; /* of a nested map: a bare true or false is the value of this key; NULL: not allowed */
    /*
     * When all rows of the map were read without an error (other objects may not be complete yet, and
     * references are not resolved): checks what several keys must be together, and sets node and place that
     * the room wants to keep. `node` is always a map: an empty one for what is not written, one with the one
     * key for a shorthand or toggle. Reports with conf_error(). Runs again for a value of `defaults`, on a
     * structure of each inheriting object. May be NULL.
     */
    void (*check)(struct conf_load *l, void *structure, const struct conf_node *node);
};

struct conf_section {
    const char *name;
    bool list; /* a list of named objects; else one map */
    bool required;
    const char *inherits; /* the section whose keys stand in for what is not written here, or NULL */
    bool only_inherited;  /* has no object and perhaps no table: it exists to be inherited from */
    const char *doc;
    const struct conf_table *const *tables; /* NULL-ended */
    /*
     * When all sections were read and references were resolved, as far as they could be: for what names
     * things in the whole file. Of a list with errors in some items, the others are there. May be NULL.
     */
    void (*finish)(struct conf_load *l);
    const char *unused; /* the hint of the warning about a named object that nothing refers to; NULL: none */
};

/* An object that was read. */
struct conf_object {
    const char *name; /* "" where the section has no names */
    void *structure;  /* of the section's first table */
    const struct conf_node
        *node; /* a map; an empty one at the file's first line for a section that is not written */
};

/* What a file is read for. */
enum conf_purpose {
    CONF_TO_SERVE,
    /*
     * To tell what would be done with a request, perhaps on another machine than the one it is written for:
     * files that don't decide where a request goes (certificates, keys) need not be there nor be readable.
     */
    CONF_TO_EXPLAIN,
};

/* One load. Everything in it lives in its arena. */
struct conf_load {
    enum conf_purpose purpose;
    struct arena arena;
    struct conf_report report;
    const char *directory;                      /* of the main file: relative paths in it start there */
    const struct conf_section *const *sections; /* NULL-ended */
    struct conf_load_state *state;              /* the engine's own */
    struct conf_kept *kept;                     /* see conf_load_keep() */
};

/*
 * Reads the file and fills the objects. 0: valid so far (l->report may hold warnings); -1: l->report says why
 * not. Either way conf_load_free() ends it.
 */
int conf_load_file(struct conf_load *l, const char *path, const struct conf_section *const *sections);
/* The same for another purpose than to serve. */
int conf_load_file_for(struct conf_load *l, const char *path, const struct conf_section *const *sections,
                       enum conf_purpose purpose);
/* The same from memory; `path` is shown in messages, and its directory is where relative paths start. */
int conf_load_bytes(struct conf_load *l, const char *path, const char *bytes, size_t len,
                    const struct conf_section *const *sections);
void conf_load_free(struct conf_load *l);

/*
 * What a room makes once a load however often it is named, such as a file that several values use: `thing`
 * (not NULL) is found again by the same name. Nothing is freed: it lives in the arena.
 */
void conf_load_keep(struct conf_load *l, const char *name, void *thing);
/* NULL: nothing is kept by that name. */
void *conf_load_kept(const struct conf_load *l, const char *name);

/* The objects of a section in the order of the file; a section that is one map has one, written or not. */
const struct conf_object *conf_load_objects(const struct conf_load *l, const char *section, uint32_t *count);

/* The object of that name; NULL: none. For when the load is done: objects may follow until then. */
const struct conf_object *conf_object_find(const struct conf_load *l, const char *section, const char *name);
/*
 * As conf_type_ref does, for a name that stands at `at`, such as in an expression: when all is read, `*field`
 * (NULL: it is only checked) gets the object's structure, or the error is reported there. `name` is kept.
 */
void conf_refer(struct conf_load *l, const char *section, const char *name, struct conf_place at,
                void **field);
/*
 * Something refers to the object of that name, which need not be read yet. NULL: to one that is chosen at run
 * time, which may be any of them. What is referred to by conf_type_ref and conf_refer() is used without it.
 */
void conf_object_used(struct conf_load *l, const char *section, const char *name);
/* Warns of the objects that nothing uses, in the sections that have a hint for that. When all rooms had their
 * say. */
void conf_warn_unused(struct conf_load *l);

/* Reports at a node's place; for checks and setters. `hint` may be NULL. */
void conf_error(struct conf_load *l, const struct conf_node *at, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void conf_warning(struct conf_load *l, const struct conf_node *at, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void conf_notice(struct conf_load *l, const struct conf_node *at, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* The same at a place inside of a node: conf_node_place(). */
void conf_error_at(struct conf_load *l, struct conf_place at, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void conf_warning_at(struct conf_load *l, struct conf_place at, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void conf_notice_at(struct conf_load *l, struct conf_place at, const char *hint, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* The text of a scalar for setters of a room's own types; NULL with `err`: "\"KEY\" must be WHAT, not a
 * list". */
const char *conf_read_scalar(const struct conf_key *key, const struct conf_node *node, const char *what,
                             struct error *err);
/* `path`, which is written in `node`: a relative one starts in the folder of the node's file. */
const char *conf_path(struct conf_load *l, const struct conf_node *node, const char *path);
/* Its value in its unit. -1 with `err`. */
int conf_read_time(const char *text, uint64_t *us, struct error *err);
int conf_read_size(const char *text, uint64_t *bytes, struct error *err);
int conf_read_number(const char *text, uint64_t *value, struct error *err);
int conf_read_bool(const char *text, bool *value, struct error *err);

/* The manual, in Markdown, from the rows. */
void conf_reference_print(const struct conf_section *const *sections, struct text *out);

#endif
