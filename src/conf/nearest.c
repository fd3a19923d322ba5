#include <string.h>

#include "conf/report.h"

enum { WORD_MAX = 64, DISTANCE_MAX = 3 };

/* Case never makes two names of the language differ. */
static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours that make `a` of `b`; both at most WORD_MAX long. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b_len; j++) {
        last[j] = (unsigned)j;
        before[j] = 0;
    }
    for (size_t i = 1; i <= a_len; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            char x = fold(a[i - 1]), y = fold(b[j - 1]);
            now[j] = smaller(smaller(last[j], now[j - 1]) + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == fold(b[j - 2]) && y == fold(a[i - 2]))
                now[j] = smaller(now[j], before[j - 2] + 1);
        }
        unsigned *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[b_len];
}

const char *conf_nearest(const char *word, const char *const *candidates)
{
    const char *best = NULL;
    unsigned best_distance = DISTANCE_MAX + 1;
    size_t word_len = strnlen(word, WORD_MAX + 1);
    if (word_len > WORD_MAX)
        return NULL;
    for (; *candidates; candidates++) {
        size_t len = strnlen(*candidates, WORD_MAX + 1);
        size_t longer = MAX(len, word_len);
        unsigned limit = smaller((unsigned)longer / 3, DISTANCE_MAX);
        if (len > WORD_MAX || longer - MIN(len, word_len) > limit)
            continue;
        unsigned d = distance(word, word_len, *candidates, len);
        if (d <= limit && d < best_distance) {
            best = *candidates;
            best_distance = d;
        }
    }
    return best;
}
