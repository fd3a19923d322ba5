#include "http/field.h"

#include "base/macros.h"

static const struct {
    struct slice name; /* in small letters */
    unsigned flags;
} rows[FIELD_ID_COUNT] = {
#define X(id, name, flags) [FIELD_##id] = {{name, sizeof(name) - 1}, flags},
    FIELD_TABLE(X)
#undef X
};

enum field_id field_lookup(struct slice name)
{
    /* Length and first letter leave at most one or two rows to compare. */
    char first = name.len ? (char)(name.ptr[0] | 0x20) : 0;
    for (unsigned id = 1; id < FIELD_ID_COUNT; id++)
        if (rows[id].name.len == name.len && rows[id].name.ptr[0] == first &&
            slice_equal_nocase(rows[id].name, name))
            return (enum field_id)id;
    return FIELD_OTHER;
}

unsigned field_flags(enum field_id id)
{
    return rows[id].flags;
}

bool field_may_trail(struct slice name, enum field_id id)
{
    static const struct {
        struct slice text;
        bool whole;
    } barred[] = {
#define NAME(text)      {{text, sizeof(text) - 1}, true},
#define BEGINNING(text) {{text, sizeof(text) - 1}, false},
        FIELD_NO_TRAILER_TABLE(NAME, BEGINNING)
#undef NAME
#undef BEGINNING
    };
    if (field_flags(id) & FIELD_NO_TRAILER)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(barred); i++)
        if (slice_begins_nocase(name, barred[i].text) && (!barred[i].whole || name.len == barred[i].text.len))
            return false;
    return true;
}
