/*
 * set.c: the items of a list as a hash table, and values that are equal.
 */
#define XXH_INLINE_ALL /* the call would cost more than the hash of a short text */
#include <xxhash.h>

#include "rules/scope.h"

struct set {
    enum rules_type of;
    uint32_t mask;
    /* Of strings, what most others fail at: a bit for each length, and for each first byte, modulo 64. */
    uint64_t lengths, firsts;
    const struct rules_value *items;
    uint32_t places[]; /* an item's number and 1; 0: free. At least half of them are */
};

bool value_equal(enum rules_type t, const struct rules_value *a, const struct rules_value *b)
{
    switch (t) {
    case RULES_STRING:
        return slice_equal(a->string, b->string);
    case RULES_INT:
        return a->number == b->number;
    case RULES_BOOL:
        return a->boolean == b->boolean;
    default:
        return ip_equal(a->ip, b->ip);
    }
}

static uint64_t hash(enum rules_type t, const struct rules_value *v)
{
    switch (t) {
    case RULES_STRING:
        return XXH3_64bits(v->string.ptr, v->string.len);
    case RULES_INT:
        return XXH3_64bits(&v->number, sizeof v->number);
    case RULES_BOOL:
        return v->boolean;
    default:
        return XXH3_64bits(&v->ip, sizeof v->ip);
    }
}

/* The place of the value, or the free one where it belongs. */
static const uint32_t *locate(const struct set *s, const struct rules_value *v)
{
    for (uint64_t i = hash(s->of, v);; i++) {
        const uint32_t *place = &s->places[i & s->mask];
        if (!*place || value_equal(s->of, &s->items[*place - 1], v))
            return place;
    }
}

static void add_signs(struct set *s, struct slice text)
{
    s->lengths |= UINT64_C(1) << (text.len & 63);
    s->firsts |= UINT64_C(1) << (text.len ? *text.ptr & 63 : 0);
}

static inline bool may_have(const struct set *s, struct slice text)
{
    return s->lengths >> (text.len & 63) & 1 && s->firsts >> (text.len ? *text.ptr & 63 : 0) & 1;
}

const struct set *set_new(struct arena *a, const struct rules_list *list)
{
    uint32_t size = 4;
    while (size < list->count * 2)
        size *= 2;
    struct set *s = arena_alloc(a, sizeof *s + size * sizeof s->places[0]);
    s->of = list->of;
    s->mask = size - 1;
    s->items = list->items;
    for (uint32_t i = 0; i < list->count; i++) {
        *(uint32_t *)locate(s, &list->items[i]) = i + 1;
        if (s->of == RULES_STRING)
            add_signs(s, list->items[i].string);
    }
    return s;
}

bool set_has(const struct set *s, const struct rules_value *v)
{
    if (s->of == RULES_STRING && !may_have(s, v->string))
        return false;
    return *locate(s, v) != 0;
}
