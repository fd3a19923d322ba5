/*
 * Slots: found by name through an open-addressed table in the arena, so that
 * every process finds every slot. Only the master writes it.
 */
#include <assert.h>
#include <string.h>
#include <xxhash.h>

#include "state/layout.h"

static uint32_t number_of(const struct slot *s)
{
    return s ? state_slot_number(s) : SLOT_NO_PARENT;
}

static uint32_t hash_of(enum slot_kind kind, uint32_t parent, struct slice name)
{
    return (uint32_t)XXH3_64bits_withSeed(name.ptr, name.len, (uint64_t)parent << 8 | (uint64_t)kind);
}

static bool is_named(const struct slot *s, enum slot_kind kind, uint32_t parent, struct slice name)
{
    return s->kind == kind && s->parent == parent && slice_equal(slice_of(s->name), name);
}

/* The slot, or NULL and the place in the table where it belongs. */
static struct slot *locate(enum slot_kind kind, uint32_t parent, struct slice name, _Atomic uint32_t **place)
{
    uint32_t count = state_slot_count();
    for (uint32_t i = hash_of(kind, parent, name);; i++) {
        *place = &state_map.head->index[i % STATE_INDEX_SIZE];
        uint32_t entry = atomic_load_explicit(*place, memory_order_acquire);
        if (!entry)
            return NULL;
        struct slot *s = &state_map.slots[entry - 1];
        /* An entry above the count is of a master that was killed here: it names whatever gets that number.
         */
        if (entry <= count && is_named(s, kind, parent, name))
            return s;
    }
}

struct slot *state_slot_find(enum slot_kind kind, const struct slot *parent, struct slice name)
{
    _Atomic uint32_t *place;
    return locate(kind, number_of(parent), name, &place);
}

struct slot *state_slot(enum slot_kind kind, const struct slot *parent, struct slice name, struct error *err)
{
    uint32_t parent_number = number_of(parent), count = state_slot_count();
    _Atomic uint32_t *place;
    struct slot *s = locate(kind, parent_number, name, &place);
    if (s)
        return s;
    if (name.len >= SLOT_NAME_MAX || (name.len && memchr(name.ptr, '\0', name.len))) {
        error_set(err, "the name \"%.*s\" is longer than %d bytes or holds a NUL byte", SLICE_ARG(name),
                  SLOT_NAME_MAX - 1);
        return NULL;
    }
    if (count == STATE_SLOTS_MAX) {
        error_set(
            err,
            "no room for the counters of \"%.*s\": %d names of frontends, backends and servers were used "
            "since noxy was started; a restart forgets those no longer used",
            SLICE_ARG(name), STATE_SLOTS_MAX);
        return NULL;
    }
    s = &state_map.slots[count];
    s->kind = kind;
    s->parent = parent_number;
    memset(s->name, 0, sizeof s->name);
    if (name.len)
        memcpy(s->name, name.ptr, name.len);
    atomic_store_explicit(place, count + 1, memory_order_release);
    atomic_store_explicit(&state_map.head->slot_count, count + 1, memory_order_release);
    return s;
}

struct slot *state_parent(const struct slot *s)
{
    return s->parent == SLOT_NO_PARENT ? NULL : &state_map.slots[s->parent];
}

struct slot *state_next(const struct slot *s)
{
    uint32_t next = s ? state_slot_number(s) + 1 : 0;
    return next < state_slot_count() ? &state_map.slots[next] : NULL;
}
