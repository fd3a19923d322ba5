#include "http/field.h"

#include <assert.h>

#include "base/macros.h"

static const struct {
    struct slice name; /* in small letters */
    unsigned flags;
} rows[FIELD_ID_COUNT] = {
#define X(id, name, flags) [FIELD_##id] = {{name, sizeof(name) - 1}, flags},
    FIELD_TABLE(X)
#undef X
};

enum { NAME_MAX_LEN = 31 };
_Static_assert(FIELD_ID_COUNT <= 64, "a row is a bit");

/* Which rows have names of that length. */
static uint64_t rows_of_len[NAME_MAX_LEN + 1];

static __attribute__((constructor)) void sort_by_len(void)
{
    for (unsigned id = 1; id < FIELD_ID_COUNT; id++) {
        assert(rows[id].name.len <= NAME_MAX_LEN);
        rows_of_len[rows[id].name.len] |= UINT64_C(1) << id;
    }
}

enum field_id field_lookup(struct slice name)
{
    /* Length and first letter leave at most one or two rows to compare. */
    if (name.len == 0 || name.len > NAME_MAX_LEN)
        return FIELD_OTHER;
    for (uint64_t left = rows_of_len[name.len]; left; left &= left - 1) {
        unsigned id = (unsigned)__builtin_ctzll(left);
        if (rows[id].name.ptr[0] == (name.ptr[0] | 0x20) && slice_equal_nocase(rows[id].name, name))
            return (enum field_id)id;
    }
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

bool field_read_length(struct slice value, uint64_t *length)
{
    uint64_t n = 0;
    if (value.len == 0 || value.len > 19)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(value.ptr[i] - '0');
    }
    *length = n;
    return n <= INT64_MAX;
}
