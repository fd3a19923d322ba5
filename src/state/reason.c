#include "state/reason.h"

#include <assert.h>

struct reason_row {
    const char *word, *sentence;
    enum reason_side side;
};

static const struct reason_row rows[REASON_COUNT] = {
#define X(id, word_, side_, sentence_) [REASON_##id] = {.word = word_, .sentence = sentence_, .side = side_},
    REASON_TABLE(X)
#undef X
};

const char *reason_word(enum reason r)
{
    assert(r < REASON_COUNT);
    return rows[r].word;
}

const char *reason_sentence(enum reason r)
{
    assert(r < REASON_COUNT);
    return rows[r].sentence;
}

enum reason_side reason_side(enum reason r)
{
    assert(r < REASON_COUNT);
    return rows[r].side;
}

const char *reason_side_word(enum reason_side side)
{
    static const char *const words[] = {"none", "client", "server", "noxy"};
    assert(side <= SIDE_NOXY);
    return words[side];
}
