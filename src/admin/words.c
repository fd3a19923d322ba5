#include "admin/words.h"

#include <string.h>

enum { COLUMNS_MIN = 40, COLUMNS_MAX = 10000 };

/* Takes the quotes off a word at `p`, in place. The place behind it, NULL with `err`. */
static char *unquote(char *p, struct error *err)
{
    char *out = p++;
    for (; *p != '"'; p++) {
        if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
            p++;
        if (!*p) {
            error_set(err, "a quoted word has no end");
            return NULL;
        }
        *out++ = *p;
    }
    *out = '\0';
    if (p[1] && p[1] != ' ' && p[1] != '\t') {
        error_set(err, "a quoted word is followed by something else than a space");
        return NULL;
    }
    return p + 1;
}

static int take_columns(struct words *w, const char *digits, struct error *err)
{
    unsigned n = 0;
    size_t len = strspn(digits, "0123456789");
    if (len == 0 || len > 5 || digits[len])
        return error_set(err, "--columns wants a number");
    for (size_t i = 0; i < len; i++)
        n = n * 10 + (unsigned)(digits[i] - '0');
    w->columns = MIN(MAX(n, COLUMNS_MIN), COLUMNS_MAX);
    return 0;
}

/* 1: it is none of ours, but may be one of the command's own. */
static int take_option(struct words *w, const char *word, struct error *err)
{
    static const char columns[] = "--columns=";
    if (strcmp(word, "--json") == 0) {
        w->json = true;
        return 0;
    }
    if (strncmp(word, columns, sizeof columns - 1) == 0)
        return take_columns(w, word + sizeof columns - 1, err);
    const struct command *c = w->count ? command_find(w->word[0]) : NULL;
    return c && c->has_options ? 1 : error_set(err, "unknown option \"%.64s\"", word);
}

int words_split(struct words *w, char *line, struct error *err)
{
    *w = (struct words){0};
    char *p = line + strspn(line, " \t");
    while (*p) {
        char *word = p;
        bool quoted = *p == '"';
        p = quoted ? unquote(p, err) : p + strcspn(p, " \t");
        if (!p)
            return -1;
        if (*p)
            *p++ = '\0';
        p += strspn(p, " \t");
        int taken = quoted || strncmp(word, "--", 2) != 0 ? 1 : take_option(w, word, err);
        if (taken < 0)
            return -1;
        if (taken == 0)
            continue;
        if (w->count == COMMAND_WORDS_MAX)
            return error_set(err, "more than %d words", COMMAND_WORDS_MAX);
        w->word[w->count++] = word;
    }
    return 0;
}
