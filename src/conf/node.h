/*
 * node.h: a configuration file as a tree of nodes that know their place.
 * Made by conf_parse() from YAML (this room is the only user of libyaml);
 * lives in the load's arena.
 *
 * Anchors and aliases are followed (an alias is a copy of its node with the
 * alias's place, bounded in depth and number; what is inside keeps the place
 * where it was written); tags, merge keys, several documents in one file, and
 * duplicate keys of a map are errors.
 */
#ifndef NOXY_CONF_NODE_H
#define NOXY_CONF_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* A file that was read: kept whole, so that an error can show its line. */
struct conf_file {
    const char *path; /* as given */
    const char *bytes;
    size_t len;
    const char *directory;  /* of a file that another one includes; NULL: that of the load */
    uint32_t number;        /* 0: the main file; messages come in the order in which the others are read */
    uint64_t device, inode; /* inode 0: not read from a file */
};

/* A stretch of a line. Lines and columns count from 1; columns count characters (UTF-8), not bytes. */
struct conf_place {
    const struct conf_file *file; /* NULL: no place (a missing section) */
    uint32_t line, column;        /* line 0: the file as a whole */
    uint32_t width; /* characters to underline, at least 1; what goes past the line's end is cut there */
};

enum conf_kind { CONF_SCALAR, CONF_LIST, CONF_MAP };

/* How a scalar is written. */
enum conf_style {
    CONF_UNWRITTEN, /* made by noxy, such as a default */
    CONF_PLAIN,
    CONF_SINGLE_QUOTED,
    CONF_DOUBLE_QUOTED,
    CONF_LITERAL, /* | */
    CONF_FOLDED,  /* > */
};

/* Where a scalar is written: with its opening quote or indicator. */
struct conf_origin {
    enum conf_style style;
    uint32_t offset; /* in the file's bytes */
    uint32_t line, column;
};

struct conf_node {
    enum conf_kind kind;
    struct conf_place place;
    struct conf_node *next;      /* the next sibling */
    const struct conf_node *key; /* of a map's entry: the scalar that names it; else NULL */
    struct conf_node *first;     /* of a list or a map */
    uint32_t count;              /* children */
    const char *text;            /* of a scalar: ended by a NUL, which it does not contain otherwise */
    bool quoted;                 /* of a scalar: written in quotes, so never null, a bool or a number */
    struct conf_origin origin;   /* of a scalar; of an alias, that of what it stands for */
};

#define CONF_NODE_FOREACH(child, parent)                                                                     \
    for (const struct conf_node *child = (parent)->first; child; child = child->next)

/* The entry of a map by name; NULL: none, or `map` is NULL. */
const struct conf_node *conf_node_get(const struct conf_node *map, const char *name);

/* An unquoted scalar that is empty, ~ or null. */
bool conf_node_is_null(const struct conf_node *n);

/*
 * The place in the file of the bytes offset..offset+width of a scalar's text, however it is written (escapes,
 * folded lines, indented blocks); of an alias, in what it stands for. At the text's end: behind its last
 * character. What is no text in a file (a list, a default) has the node's own place.
 */
struct conf_place conf_node_place(const struct conf_node *n, size_t offset, size_t width);

#endif
