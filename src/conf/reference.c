/*
 * reference.c: the manual of the configuration language, from the rows that
 * load it.
 */
#include <string.h>

#include "conf/table.h"
#include "conf/units.h"

enum { NESTING_MAX = 8 };

static const char several_files[] =
    "## `include`: several files\n\n"
    "`include` may stand wherever a list or a map of keys may stand. Its value is a file, a pattern such as "
    "`conf.d/*.yaml`, or a list of them:\n\n"
    "```yaml\n"
    "include: conf.d/*.yaml        # at the top: further sections\n"
    "defaults:\n"
    "  include: timeouts.yaml      # beside other keys, or instead of them\n"
    "  mode: http\n"
    "backend:\n"
    "  - include: backends/*.yaml  # in a list: further items\n"
    "  - name: own\n"
    "    servers:\n"
    "      include: servers.yaml   # instead of a list\n"
    "```\n\n"
    "- At the top, the file is a map of sections. The frontends and backends of all files are one list each, "
    "in the order in which they are read; any other section stands in one file only.\n"
    "- In a list, a file that is a list stands for its items, a file that is a map for one item.\n"
    "- In a map, the file is a map, and its keys are added. A key may be written once.\n"
    "- Instead of a list (`servers: { include: FILE }`), the same as in one.\n"
    "- A pattern (`*`, `?`, `[...]`) stands for the files that are like it, sorted by name, without those "
    "whose "
    "name starts with a dot. One that no file is like is told in a notice. A file without a pattern must "
    "be there.\n"
    "- A relative path starts in the folder of the file where it is written. That is so for `include` and "
    "for "
    "all other keys that are paths.\n"
    "- An included file may include others, but not itself: at most 16 in each other, 1000 in all, 16 MiB "
    "together. An anchor is known in its own file only. In quotes, `\"include\"` is a key like any other.\n"
    "- A file that is empty adds nothing. Every reload reads all files anew.\n\n";

/* Where a key is described. */
struct chapter {
    const struct conf_section *section;
    const char *path; /* "frontend.bind" */
    unsigned depth;   /* maps in each other, from 0 */
};

static const struct conf_measure *measure_of(const struct conf_type *type)
{
    return type == &conf_type_time   ? &conf_measure_time
           : type == &conf_type_size ? &conf_measure_size
                                     : &conf_measure_number;
}

static void print_type(const struct conf_key *key, struct text *out)
{
    char low[CONF_MEASURE_TEXT], high[CONF_MEASURE_TEXT];
    const struct conf_measure *m = measure_of(key->type);
    conf_measure_print(m, key->min, low);
    conf_measure_print(m, key->max, high);
    text_printf(out, "- Type: ");
    if (key->refers_to)
        text_printf(out, "the name of a `%s`", key->refers_to);
    else if (key->type == &conf_type_list)
        text_puts(out, "list of maps; one alone needs no list");
    else
        text_puts(out, key->type->name);
    if (key->min && key->max)
        text_printf(out, ", %s to %s", low, high);
    else if (key->max)
        text_printf(out, ", at most %s", high);
    else if (key->min)
        text_printf(out, ", at least %s", low);
    text_puts(out, "\n");
    for (const struct conf_choice *c = key->choices; c && c->name; c++)
        text_printf(out, "  - `%s`: %s\n", c->name, c->doc);
    if (key->table && key->table->shorthand)
        text_printf(out, "- A single value stands for its `%s`\n", key->table->shorthand);
    if (key->table && key->table->toggle)
        text_printf(out, "- `true` or `false` alone stands for its `%s`\n", key->table->toggle);
}

static void print_default(const struct conf_key *key, struct text *out)
{
    if (key->flags & CONF_REQUIRED)
        text_puts(out, "- Required\n");
    else if (key->preset && *key->preset)
        text_printf(out, "- Default: `%s`\n", key->preset);
    else if (key->preset)
        text_puts(out, "- Default: the defaults of its keys\n");
    else
        text_puts(out, "- Default: none\n");
    if (key->example)
        text_printf(out, "- Example: `%s: %s`\n", key->name, key->example);
}

static void print_keys(const struct conf_table *table, const struct chapter *c, struct text *out);

static void print_key(const struct conf_key *key, const struct chapter *c, struct text *out)
{
    unsigned level = MIN(c->depth + 3, 6u);
    text_printf(out, "%.*s `%s.%s`\n\n%s\n\n", (int)level, "######", c->path, key->name, key->doc);
    print_type(key, out);
    print_default(key, out);
    if (key->alias)
        text_printf(out, "- Other name: `%s`\n", key->alias);
    if (key->flags & CONF_NAME)
        text_puts(out, "- A name: 1 to 64 letters, digits and `_ . : - /`\n");
    if (key->flags & CONF_INHERITED && c->section->inherits)
        text_printf(out, "- May stand in: `%s`, `%s`\n", c->section->name, c->section->inherits);
    text_puts(out, "\n");
    if (!key->table || c->depth >= NESTING_MAX)
        return;
    struct text path = {0};
    text_printf(&path, "%s.%s", c->path, key->name);
    const struct chapter deeper = {c->section, text_str(&path), c->depth + 1};
    print_keys(key->table, &deeper, out);
    text_free(&path);
}

static void print_keys(const struct conf_table *table, const struct chapter *c, struct text *out)
{
    if (table->doc)
        text_printf(out, "%s\n\n", table->doc);
    for (const struct conf_key *key = table->keys; key->name; key++)
        print_key(key, c, out);
}

/* The keys that a section gives to others, each with those that take it. */
static void print_inherited(const struct conf_section *const *sections, const struct conf_section *from,
                            struct text *out)
{
    for (const struct conf_section *const *s = sections; *s; s++) {
        if (!(*s)->inherits || strcmp((*s)->inherits, from->name) != 0)
            continue;
        text_printf(out, "For each `%s`:", (*s)->name);
        unsigned shown = 0;
        for (const struct conf_table *const *t = (*s)->tables; t && *t; t++)
            for (const struct conf_key *key = (*t)->keys; key->name; key++)
                if (key->flags & CONF_INHERITED)
                    text_printf(out, "%s `%s`", shown++ ? "," : "", key->name);
        text_puts(out, ".\n\n");
    }
}

static void print_section(const struct conf_section *const *sections, const struct conf_section *s,
                          struct text *out)
{
    const struct chapter c = {.section = s, .path = s->name};
    text_printf(out, "## `%s`\n\n%s\n\n", s->name, s->doc);
    text_printf(out, "%s; %s.", s->list ? "A list of maps" : "One map",
                s->required ? "required" : "may be left out");
    if (s->inherits)
        text_printf(out, " What is not written here may stand in `%s`.", s->inherits);
    text_puts(out, "\n\n");
    print_inherited(sections, s, out);
    for (const struct conf_table *const *t = s->tables; t && *t; t++)
        print_keys(*t, &c, out);
}

void conf_reference_print(const struct conf_section *const *sections, struct text *out)
{
    text_puts(
        out,
        "# The configuration\n\n"
        "A YAML file. A time is in milliseconds, or has a unit: `500ms`, `10s`, `5m`, `1h`, `1d`. A size is "
        "in bytes, or has a unit: `16k`, `4m`, `1g` (`1k` is 1024 bytes). True and false are `true` and "
        "`false`, also `yes`, `no`, `on`, `off`. Anchors and aliases may be used, tags and merge keys "
        "not.\n\n");
    text_puts(out, several_files);
    for (const struct conf_section *const *s = sections; *s; s++)
        print_section(sections, *s, out);
}
