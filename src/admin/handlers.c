#include "admin/handlers.h"

#include <string.h>

#include "admin/words.h"

static command_run *const handlers[COMMAND_COUNT] = {
#define X(id, ...) [COMMAND_##id] = admin_run_##id,
    COMMAND_TABLE(X)
#undef X
};

static void run(struct admin_session *s, struct words *w, struct answer *a)
{
    const struct command *c = command_find(w->word[0]);
    if (!c) {
        const char *nearest = command_nearest(w->word[0]);
        answer_fail(a, "unknown command \"%.64s\"%s%s%s; \"help\" lists the commands", w->word[0],
                    nearest ? ", did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
        return;
    }
    if (w->count - 1 > c->arguments_max) {
        answer_fail(a, "too many arguments: \"%s%s%s\" is all it takes", c->name, *c->arguments ? " " : "",
                    c->arguments);
        return;
    }
    handlers[c - command_table](s, w->word + 1, w->count - 1, a);
}

static bool has_control_character(const char *line)
{
    for (; *line; line++)
        if (((unsigned char)*line < ' ' && *line != '\t') || *line == 0x7f)
            return true;
    return false;
}

void admin_run_line(struct admin_session *s, char *line, struct text *out)
{
    struct words w = {0};
    struct answer a = {0};
    struct error err;
    if (has_control_character(line))
        answer_fail(&a, "the line has a control character");
    else if (words_split(&w, line, &err) < 0)
        answer_fail(&a, "%s", err.text);
    else if (w.count == 0 && !w.json && !w.columns)
        return;
    else if (w.count == 0)
        answer_fail(&a, "no command");
    a.json = w.json;
    a.columns = w.columns;
    if (!a.failed)
        run(s, &w, &a);
    if (!a.later)
        answer_finish(&a, out);
}
