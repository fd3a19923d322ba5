#include "admin/command.h"

#include <string.h>

enum { WORD_MAX = 16 }; /* longer words resemble no command */

const struct command command_table[COMMAND_COUNT] = {
#define X(id, ...) {__VA_ARGS__},
    COMMAND_TABLE(X)
#undef X
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(command_table); i++)
        if (strcmp(command_table[i].name, name) == 0)
            return &command_table[i];
    return NULL;
}

/* Letters to add, drop, change or swap with their neighbour to make `b` of `a`: both at most WORD_MAX long.
 */
static unsigned distance(const char *a, const char *b)
{
    unsigned cost[WORD_MAX + 1][WORD_MAX + 1];
    size_t rows = strlen(a), columns = strlen(b);
    for (size_t i = 0; i <= rows; i++)
        for (size_t j = 0; j <= columns; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = (unsigned)(i + j);
                continue;
            }
            unsigned change = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            unsigned best = MIN(change, MIN(cost[i - 1][j], cost[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, cost[i - 2][j - 2] + 1);
            cost[i][j] = best;
        }
    return cost[rows][columns];
}

const char *command_nearest(const char *word)
{
    const char *nearest = NULL;
    size_t len = strlen(word);
    if (len < 2 || len > WORD_MAX)
        return NULL;
    unsigned least = len <= 4 ? 2 : 3; /* what is no nearer than this isn't meant */
    for (size_t i = 0; i < ARRAY_LEN(command_table); i++) {
        const char *name = command_table[i].name;
        unsigned d = strncmp(name, word, len) == 0 ? 1 : distance(word, name);
        if (d < least) {
            least = d;
            nearest = name;
        }
    }
    return nearest;
}

static int print_syntax(const struct command *c, struct text *out)
{
    size_t before = out->len;
    text_printf(out, "%s%s%s", c->name, *c->arguments ? " " : "", c->arguments);
    return (int)(out->len - before);
}

void command_print_list(struct text *out)
{
    for (size_t i = 0; i < ARRAY_LEN(command_table); i++) {
        text_puts(out, "  ");
        int len = print_syntax(&command_table[i], out);
        text_printf(out, "%*s%s\n", MAX(20 - len, 2), "", command_table[i].summary);
    }
}

void command_print_help(const struct command *c, struct text *out)
{
    print_syntax(c, out);
    text_printf(out, ": %s\n\n%s", c->summary, c->help);
}
