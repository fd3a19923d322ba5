/*
 * find.c: a text in another, sixteen places at a time. Where libc's memmem()
 * looks for one byte, this looks for the first and the last one together, and
 * for either case of a letter, which libc can't.
 */
#include <stdint.h>

#include "rules/find.h"

enum { WIDTH = 16 };

typedef uint8_t block __attribute__((vector_size(WIDTH)));

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_same(const struct wanted *w, const char *at)
{
    return w->no_case ? strncasecmp(at, w->text.ptr, w->text.len) == 0
                      : memcmp(at, w->text.ptr, w->text.len) == 0;
}

void wanted_set(struct wanted *w, struct slice text, bool no_case)
{
    *w = (struct wanted){.text = text, .no_case = no_case};
    if (!text.len)
        return;
    char first = text.ptr[0], last = text.ptr[text.len - 1];
    w->first_mask = no_case && is_letter(first) ? 0x20 : 0;
    w->last_mask = no_case && is_letter(last) ? 0x20 : 0;
    w->first = (uint8_t)first | w->first_mask;
    w->last = (uint8_t)last | w->last_mask;
}

/* At which of the places from `at` on the first and the last byte are right. */
static inline block look(const struct wanted *w, const char *at)
{
    block first, last;
    memcpy(&first, at, WIDTH);
    memcpy(&last, at + w->text.len - 1, WIDTH);
    return (block)((first | w->first_mask) == w->first) & (block)((last | w->last_mask) == w->last);
}

static inline bool is_empty(block hit)
{
    uint64_t halves[2];
    memcpy(halves, &hit, WIDTH);
    return !(halves[0] | halves[1]);
}

/* Among the places of a block that has some; NULL: at none. */
static const char *confirm(const struct wanted *w, const char *at, block hit)
{
    for (unsigned i = 0; i < WIDTH; i++)
        if (hit[i] && is_same(w, at + i))
            return at + i;
    return NULL;
}

static const char *find_one_by_one(const struct wanted *w, const char *at, const char *end)
{
    for (; at < end; at++)
        if (((uint8_t)*at | w->first_mask) == w->first && is_same(w, at))
            return at;
    return NULL;
}

const char *wanted_find(const struct wanted *w, struct slice in)
{
    if (in.len < w->text.len)
        return NULL;
    if (!w->text.len)
        return in.ptr;
    const char *at = in.ptr, *end = in.ptr + in.len - w->text.len + 1;
    if (end - at < WIDTH)
        return find_one_by_one(w, at, end);
    const char *found = NULL;
    for (; !found && end - at >= 2 * WIDTH; at += 2 * WIDTH) {
        block one = look(w, at), two = look(w, at + WIDTH);
        if (is_empty(one | two))
            continue;
        found = confirm(w, at, one);
        found = found ? found : confirm(w, at + WIDTH, two);
    }
    /* The rest, together with places that were looked at. */
    for (; !found && at < end; at += WIDTH) {
        const char *from = end - at >= WIDTH ? at : end - WIDTH;
        block one = look(w, from);
        if (!is_empty(one))
            found = confirm(w, from, one);
    }
    return found;
}
