#include "state/counter.h"

#include <assert.h>

struct counter_row {
    const char *name, *unit, *doc;
};

static const struct counter_row rows[COUNTER_NAMED_COUNT] = {
#define X(id, name_, unit_, doc_) [COUNTER_##id] = {.name = name_, .unit = unit_, .doc = doc_},
    COUNTER_TABLE(X)
#undef X
};

const char *counter_name(enum counter c)
{
    assert(c < COUNTER_NAMED_COUNT);
    return rows[c].name;
}

const char *counter_unit(enum counter c)
{
    assert(c < COUNTER_NAMED_COUNT);
    return rows[c].unit;
}

const char *counter_doc(enum counter c)
{
    assert(c < COUNTER_NAMED_COUNT);
    return rows[c].doc;
}
