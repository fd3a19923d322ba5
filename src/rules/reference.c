/*
 * reference.c: the manual's tables of variables and functions.
 */
#include "rules/rules.h"

static const char *where(unsigned stages)
{
    switch (stages) {
    case RULES_ANYWHERE:
        return "everywhere";
    case RULES_WITH_REQUEST:
        return "http";
    case RULES_AT_RESPONSE:
        return "http_response";
    case RULES_AT_REQUEST:
        return "http_condition";
    default:
        return "tcp_condition";
    }
}

/* A cell: "|" would end it. */
static void print_cell(const char *before, const char *text, const char *behind, struct text *out)
{
    text_puts(out, before);
    for (; text && *text; text++)
        text_printf(out, "%s%c", *text == '|' ? "\\" : "", *text);
    text_puts(out, behind);
}

static void print_row(const char *name, enum rules_type type, unsigned stages, const char *const more[3],
                      struct text *out)
{
    print_cell("| `", name, "` | ", out);
    text_printf(out, "%s | %s | ", rules_type_name(type), where(stages));
    print_cell("", more[0], " | ", out);
    print_cell("`", more[1], "` | ", out);
    print_cell("", more[2], " |\n", out);
}

static void print_head(const char *title, const char *what, struct text *out)
{
    text_printf(out,
                "## %s\n\n| %s | type | where | what it is | example | source |\n"
                "|---|---|---|---|---|---|\n",
                title, what);
}

void rules_reference_print(const struct rules_language *language, struct text *out)
{
    print_head("Variables", "variable", out);
    for (const struct rules_variable *const *t = language->variables; t && *t; t++)
        for (const struct rules_variable *v = *t; v->name; v++)
            print_row(v->name, v->type, v->stages, (const char *const[]){v->doc, v->example, v->source}, out);
    text_puts(out, "\n");
    print_head("Functions", "function", out);
    for (const struct rules_function *const *t = language->functions; t && *t; t++)
        for (const struct rules_function *f = *t; f->name; f++) {
            struct text name = {0};
            rules_print_signature(f, &name);
            print_row(text_str(&name), f->result, f->stages,
                      (const char *const[]){f->doc, f->example, f->source}, out);
            text_free(&name);
        }
}
