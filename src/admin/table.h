/*
 * table.h: a text in columns, each as wide as its widest cell. Columns next to
 * each other with the same group stand under one heading. A table wider than
 * asked for is folded: the columns that don't fit follow below, with the first
 * column repeated; a group is never torn apart.
 */
#ifndef NOXY_ADMIN_TABLE_H
#define NOXY_ADMIN_TABLE_H

#include <stdbool.h>

#include "base/macros.h"
#include "base/text.h"

struct table_column {
    const char *group;   /* NULL: none */
    const char *heading; /* "" in all columns and no group: the table has no head */
    bool left;           /* its cells stand at the left */
};

struct table {
    const struct table_column *columns;
    unsigned column_count;
    unsigned shown; /* print only the first so many columns */
    char **cells;   /* row after row; owned */
    size_t cell_count, size;
};

#define TABLE_OF(list)                                                                                       \
    ((struct table){.columns = (list), .column_count = ARRAY_LEN(list), .shown = ARRAY_LEN(list)})

/* The next cell, left to right, row after row. */
void table_add(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
static inline bool table_empty(const struct table *t)
{
    return t->cell_count == 0;
}
/* Appends the table, within `width` characters where it can be done (0: any). */
void table_print(const struct table *t, unsigned width, struct text *out);
void table_free(struct table *t);

#endif
