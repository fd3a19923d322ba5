/*
 * hint.c: the way out of an error: the key that was probably meant, where a
 * key belongs, how something that is missing is written.
 */
#include <string.h>

#include "conf/engine.h"

enum {
    NESTING_MAX = 4,     /* maps in maps that are searched or shown */
    PLACES_MAX = 3,      /* that one hint names */
    CANDIDATES_MAX = 500 /* names that a word is compared with */
};

struct candidates {
    const char *names[CANDIDATES_MAX + 1];
    unsigned count;
};

static void add_candidate(struct candidates *c, const char *name)
{
    if (name && c->count < CANDIDATES_MAX)
        c->names[c->count++] = name;
}

/* Nobody reads a hint of an error that isn't kept. */
static bool is_wanted(const struct conf_load *l)
{
    return l->report.errors < 100;
}

static const char *did_you_mean(struct conf_load *l, const char *word, const struct candidates *c)
{
    const char *nearest = conf_nearest(word, c->names);
    if (nearest && strcmp(nearest, word) == 0)
        return "remove its quotes"; /* only what is no row differs by them: include */
    return nearest ? arena_printf(&l->arena, "did you mean \"%s\"?", nearest) : NULL;
}

static const char *from_text(struct conf_load *l, struct text *t)
{
    const char *hint = t->len ? arena_strdup(&l->arena, text_str(t)) : NULL;
    text_free(t);
    return hint;
}

const char *conf_describe(struct conf_load *l, const struct conf_context *context)
{
    if (!is_wanted(l))
        return context->kind;
    if (context->up && context->name)
        return arena_printf(&l->arena, "\"%s\" \"%s\" of %s", context->kind, context->name,
                            conf_describe(l, context->up));
    if (context->up)
        return arena_printf(&l->arena, "\"%s\" of %s", context->kind, conf_describe(l, context->up));
    if (context->name)
        return arena_printf(&l->arena, "%s \"%s\"", context->kind, context->name);
    return context->kind;
}

/* Adds the maps of a section, at most NESTING_MAX deep, that have the key `word`. */
static void find_places(const struct conf_table *const *tables, const char *path, unsigned depth,
                        const char *word, struct text *out, unsigned *found)
{
    if (conf_find_key(tables, word) && ++*found <= PLACES_MAX)
        text_printf(out, "%s%s", *found == 1 ? "" : ", ", path);
    unsigned table = 0, row = 0;
    const struct conf_key *key;
    while (depth < NESTING_MAX && (key = conf_next_key(tables, &table, &row))) {
        if (!key->table)
            continue;
        const struct conf_table *nested[] = {key->table, NULL};
        struct text deeper = {0};
        text_printf(&deeper, "\"%s\" of %s", key->name, path);
        find_places(nested, text_str(&deeper), depth + 1, word, out, found);
        text_free(&deeper);
    }
}

/* "\"bind\" is a key of frontend"; NULL: of nothing. */
static const char *belongs_to(struct conf_load *l, const char *word)
{
    struct text places = {0};
    unsigned found = 0;
    for (const struct conf_section *const *s = l->sections; *s; s++)
        find_places((*s)->tables, (*s)->name, 0, word, &places, &found);
    if (!found) {
        text_free(&places);
        return NULL;
    }
    struct text hint = {0};
    text_printf(&hint, "\"%s\" is a key of %s%s", word, text_str(&places),
                found > PLACES_MAX ? " and others" : "");
    text_free(&places);
    return from_text(l, &hint);
}

static void add_keys(struct candidates *c, const struct conf_table *const *tables, bool inherited_only)
{
    unsigned table = 0, row = 0;
    const struct conf_key *key;
    while ((key = conf_next_key(tables, &table, &row))) {
        if (inherited_only && !(key->flags & CONF_INHERITED))
            continue;
        add_candidate(c, key->name);
        add_candidate(c, key->alias);
    }
}

const char *conf_hint_unknown_key(struct conf_load *l, const struct conf_table *const *tables,
                                  const struct conf_section *section, const char *word)
{
    struct candidates c = {.count = 0};
    if (!is_wanted(l))
        return NULL;
    const char *hint = belongs_to(l, word);
    if (hint)
        return hint;
    add_keys(&c, tables, false);
    for (const struct conf_section *const *s = l->sections; section && *s; s++)
        if ((*s)->inherits && strcmp((*s)->inherits, section->name) == 0)
            add_keys(&c, (*s)->tables, true);
    add_candidate(&c, "include");
    return did_you_mean(l, word, &c);
}

const char *conf_hint_unknown_section(struct conf_load *l, const char *word)
{
    struct candidates c = {.count = 0};
    if (!is_wanted(l))
        return NULL;
    for (const struct conf_section *const *s = l->sections; *s; s++)
        add_candidate(&c, (*s)->name);
    add_candidate(&c, "include");
    const char *hint = did_you_mean(l, word, &c);
    return hint ? hint : belongs_to(l, word);
}

/* "the choices are tcp, http" or, of a few names, "there is web, api". */
static const char *list_names(struct conf_load *l, const char *head, const struct candidates *c)
{
    struct text out = {0};
    for (unsigned i = 0; i < c->count; i++)
        text_printf(&out, "%s%s", i ? ", " : head, c->names[i]);
    return from_text(l, &out);
}

const char *conf_hint_choice(struct conf_load *l, const struct conf_key *key, const char *word)
{
    struct candidates c = {.count = 0};
    if (!is_wanted(l))
        return NULL;
    for (const struct conf_choice *choice = key->choices; choice->name; choice++)
        add_candidate(&c, choice->name);
    const char *hint = did_you_mean(l, word, &c);
    return hint ? hint : list_names(l, "the choices are ", &c);
}

const char *conf_hint_unknown_object(struct conf_load *l, const char *section, const char *word)
{
    struct candidates c = {.count = 0};
    uint32_t count;
    if (!is_wanted(l))
        return NULL;
    const struct conf_object *objects = conf_load_objects(l, section, &count);
    for (uint32_t i = 0; i < count; i++)
        if (*objects[i].name)
            add_candidate(&c, objects[i].name);
    const char *hint = did_you_mean(l, word, &c);
    return hint || c.count > 8 ? hint : list_names(l, "there is ", &c);
}

static void example_value(const struct conf_key *key, unsigned depth, struct text *out);

/* The keys that a map can't be without, as a flow map without its braces. */
static void example_keys(const struct conf_table *const *tables, unsigned depth, struct text *out)
{
    unsigned table = 0, row = 0, shown = 0;
    const struct conf_key *key;
    while ((key = conf_next_key(tables, &table, &row))) {
        if (!(key->flags & CONF_REQUIRED))
            continue;
        text_printf(out, "%s%s: ", shown++ ? ", " : "", key->name);
        example_value(key, depth, out);
    }
}

static void example_value(const struct conf_key *key, unsigned depth, struct text *out)
{
    if (key->example || (key->preset && *key->preset)) {
        text_puts(out, key->example ? key->example : key->preset);
    } else if (key->choices) {
        text_puts(out, key->choices->name);
    } else if (key->table && depth < NESTING_MAX) {
        const struct conf_table *tables[] = {key->table, NULL};
        bool is_list = key->type == &conf_type_list;
        text_puts(out, is_list ? "[{ " : "{ ");
        example_keys(tables, depth + 1, out);
        text_puts(out, is_list ? " }]" : " }");
    } else {
        text_puts(out, "...");
    }
}

const char *conf_hint_missing_key(struct conf_load *l, const struct conf_key *key)
{
    struct text out = {0};
    if (!is_wanted(l))
        return NULL;
    text_printf(&out, "for example: %s: ", key->name);
    example_value(key, 0, &out);
    return from_text(l, &out);
}

const char *conf_hint_missing_section(struct conf_load *l, const struct conf_section *s)
{
    struct text out = {0};
    text_printf(&out, "for example: %s: %s", s->name, s->list ? "[{ " : "{ ");
    example_keys(s->tables, 0, &out);
    text_puts(&out, s->list ? " }]" : " }");
    return from_text(l, &out);
}
