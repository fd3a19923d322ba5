/*
 * syntax.c: what is wrong with a file that is no YAML. libyaml names the rule
 * of its grammar that failed; here stands what the writer probably did.
 */
#include <string.h>

#include "conf/parse.h"
#include "conf/source.h"

struct syntax {
    const char *problem; /* libyaml's */
    const char *text;
    const char *hint;
    bool at_start; /* it is better shown where the broken thing starts */
};

static const struct syntax known[] = {
    {"did not find expected key", "a key of the map is expected here",
     "the keys of a map stand below each other, in the same column", false},
    {"did not find expected '-' indicator", "an item of the list is expected here",
     "the items of a list start with \"- \", in the same column", false},
    {"mapping values are not allowed in this context", "a ':' can't stand here",
     "is the line indented too far? a value with \": \" in it needs quotes", false},
    {"could not find expected ':'", "a ':' is missing behind this key", "write KEY: VALUE", true},
    {"block sequence entries are not allowed in this context", "a list can't start here",
     "put the first \"- \" on a line of its own, below the key", false},
    {"mapping keys are not allowed in this context", "a key can't stand here", NULL, false},
    {"found unexpected end of stream", "this quote is never closed", "add the closing quote", true},
    {"found unexpected document indicator", "this quote is never closed", "add the closing quote", true},
    {"found unknown escape character", "this is no escape sequence",
     "in double quotes a backslash starts an escape: write \\\\, or use single quotes", false},
    {"did not find expected ',' or ']'", "a list in [ ] needs ',' or ']' here", NULL, false},
    {"did not find expected ',' or '}'", "a map in { } needs ',' or '}' here", NULL, false},
    {"did not find expected node content", "a value is expected here", NULL, false},
    {"did not find expected <document start>", "nothing can follow here",
     "a file is one map of sections: is this line indented as the sections are?", false},
    {"found a tab character where an indentation space is expected", "a tab can't indent",
     "indent with spaces", false},
    {"found a tab character that violates indentation", "a tab can't indent", "indent with spaces", false},
};

static const struct syntax start_with_tab = {NULL, "a tab can't indent", "indent with spaces", false};
static const struct syntax start_with_other = {NULL, "a value can't start with this character",
                                               "put it in quotes", false};

static const struct syntax *find(const struct conf_file *f, const yaml_parser_t *yaml)
{
    if (strcmp(yaml->problem, "found character that cannot start any token") == 0) {
        struct slice line = conf_source_line(f, (uint32_t)yaml->problem_mark.line + 1);
        /* Only characters before the mark count, and those are spaces and tabs where a tab is to blame. */
        bool tab = yaml->problem_mark.column < line.len && line.ptr[yaml->problem_mark.column] == '\t';
        return tab ? &start_with_tab : &start_with_other;
    }
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(yaml->problem, known[i].problem) == 0)
            return &known[i];
    return NULL;
}

static struct conf_place place_of(const struct conf_file *f, const yaml_mark_t *mark)
{
    return (struct conf_place){f, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1, 1};
}

void conf_syntax_report(struct conf_report *r, const struct conf_file *f, const yaml_parser_t *yaml)
{
    struct conf_place at = {f, 1, 1, 1};
    if (yaml->error == YAML_READER_ERROR)
        at = conf_source_place(f, yaml->problem_offset);
    else if (yaml->error != YAML_MEMORY_ERROR)
        at = place_of(f, &yaml->problem_mark);
    if (!yaml->problem) {
        conf_report_add(r, CONF_ERROR, &at, NULL, "the file needs more memory to be read than there is");
        return;
    }
    const struct syntax *s = yaml->error == YAML_READER_ERROR ? NULL : find(f, yaml);
    if (!s) {
        conf_report_add(r, CONF_ERROR, &at, NULL, "this is not YAML: %s", yaml->problem);
        return;
    }
    const char *hint = s->hint;
    bool has_start = yaml->context && yaml->context_mark.line != yaml->problem_mark.line;
    if (has_start && !s->at_start)
        hint = arena_printf(r->arena, "%s%sit belongs to what starts at line %u", hint ? hint : "",
                            hint ? "; " : "", (unsigned)yaml->context_mark.line + 1);
    if (s->at_start && yaml->context)
        at = place_of(f, &yaml->context_mark);
    conf_report_add(r, CONF_ERROR, &at, hint, "%s", s->text);
}
