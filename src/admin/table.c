#include "admin/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "admin/answer.h"
#include "base/memory.h"

enum { GAP = 2 };

void table_add(struct table *t, const char *fmt, ...)
{
    struct text raw = {0}, cell = {0};
    va_list ap;
    va_start(ap, fmt);
    text_vprintf(&raw, fmt, ap);
    va_end(ap);
    answer_add_printable(&cell, text_str(&raw), raw.len, false);
    text_free(&raw);
    if (t->cell_count == t->size) {
        t->size = t->size ? t->size * 2 : 64;
        t->cells = memory_realloc(t->cells, t->size * sizeof *t->cells);
    }
    t->cells[t->cell_count++] = cell.data;
}

void table_free(struct table *t)
{
    for (size_t i = 0; i < t->cell_count; i++)
        free(t->cells[i]);
    free(t->cells);
    t->cells = NULL;
    t->cell_count = t->size = 0;
}

/* Characters of UTF-8. */
static unsigned width_of(const char *s)
{
    unsigned n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static bool same_group(const struct table *t, unsigned a, unsigned b)
{
    const char *x = t->columns[a].group, *y = t->columns[b].group;
    return x && y && strcmp(x, y) == 0;
}

/* The column behind the group that begins at `column`. */
static unsigned group_end(const struct table *t, unsigned column)
{
    unsigned end = column + 1;
    while (end < t->shown && same_group(t, column, end))
        end++;
    return end;
}

/* Of the columns of the group that begins at `column`, and the gaps between them. */
static unsigned group_width(const struct table *t, const unsigned *width, unsigned column)
{
    unsigned end = group_end(t, column), sum = GAP * (end - column - 1);
    for (unsigned c = column; c < end; c++)
        sum += width[c];
    return sum;
}

static void measure(const struct table *t, unsigned *width)
{
    for (unsigned c = 0; c < t->column_count; c++)
        width[c] = width_of(t->columns[c].heading);
    for (size_t i = 0; i < t->cell_count; i++)
        width[i % t->column_count] = MAX(width[i % t->column_count], width_of(t->cells[i]));
    for (unsigned c = 0; c < t->shown; c = group_end(t, c)) {
        unsigned sum = group_width(t, width, c);
        if (t->columns[c].group)
            width[c] += MAX(width_of(t->columns[c].group), sum) - sum;
    }
}

static void add_padding(struct text *out, unsigned n)
{
    text_printf(out, "%*s", (int)n, "");
}

/* The blanks before a column; none at the left edge. */
static void add_gap(struct text *out, size_t line)
{
    if (out->len > line)
        add_padding(out, GAP);
}

static void end_line(struct text *out, size_t line)
{
    while (out->len > line && out->data[out->len - 1] == ' ')
        out->len--;
    text_puts(out, "\n");
}

static void add_cell(struct text *out, size_t line, const struct table_column *c, const char *cell,
                     unsigned width)
{
    unsigned blanks = width - width_of(cell);
    add_gap(out, line);
    add_padding(out, c->left ? 0 : blanks);
    text_puts(out, cell);
    add_padding(out, c->left ? blanks : 0);
}

/* A line of the first column and those from `from` up to `to` - 1; `cells` NULL: their headings. */
static void print_line(const struct table *t, const unsigned *width, unsigned from, unsigned to,
                       char *const *cells, struct text *out)
{
    size_t line = out->len;
    for (unsigned c = 0; c < to; c = c == 0 ? from : c + 1)
        add_cell(out, line, &t->columns[c], cells ? cells[c] : t->columns[c].heading, width[c]);
    end_line(out, line);
}

static void add_dashes(struct text *out, unsigned n)
{
    while (n--)
        text_puts(out, "-");
}

/* A group's name, centred over its columns between dashes where there is room for some. */
static void add_group(struct text *out, const char *group, unsigned width)
{
    unsigned rest = width - width_of(group);
    bool dashes = *group && rest >= 4;
    add_dashes(out, dashes ? rest / 2 - 1 : 0);
    text_printf(out, dashes ? " %s " : "%s", group);
    add_dashes(out, dashes ? rest - rest / 2 - 1 : 0);
    add_padding(out, dashes ? 0 : rest);
}

static void print_groups(const struct table *t, const unsigned *width, unsigned from, unsigned to,
                         struct text *out)
{
    size_t line = out->len;
    add_padding(out, width[0]);
    for (unsigned c = from; c < to; c = group_end(t, c)) {
        const char *group = t->columns[c].group;
        add_gap(out, line);
        add_group(out, group ? group : "", group_width(t, width, c));
    }
    end_line(out, line);
}

static bool has_groups(const struct table *t, unsigned from, unsigned to)
{
    for (unsigned c = from; c < to; c++)
        if (t->columns[c].group)
            return true;
    return false;
}

static bool has_headings(const struct table *t)
{
    for (unsigned c = 0; c < t->column_count; c++)
        if (*t->columns[c].heading)
            return true;
    return false;
}

/* The column behind those that fit beside the first, at least one group. */
static unsigned fitting(const struct table *t, const unsigned *width, unsigned from, unsigned limit)
{
    unsigned to = from;
    uint64_t used = width[0];
    while (to < t->shown) {
        used += GAP + group_width(t, width, to);
        if (limit && used > limit && to > from)
            break;
        to = group_end(t, to);
    }
    return to;
}

void table_print(const struct table *t, unsigned width_limit, struct text *out)
{
    unsigned *width = memory_zalloc(t->column_count * sizeof *width);
    measure(t, width);
    for (unsigned from = 1, to; from < t->shown; from = to) {
        to = fitting(t, width, from, width_limit);
        if (from > 1)
            text_puts(out, "\n");
        if (has_groups(t, from, to))
            print_groups(t, width, from, to, out);
        if (has_headings(t))
            print_line(t, width, from, to, NULL, out);
        for (size_t row = 0; row < t->cell_count; row += t->column_count)
            print_line(t, width, from, to, t->cells + row, out);
    }
    free(width);
}
