/*
 * rule_reference.c: the manual's tables of actions, variables and functions.
 */
#include "http/action.h"

struct place {
    const char *name;
    const struct conf_table *table;
};

static const struct place places[] = {
    {"http_condition of a frontend", &rule_frontend_request_table},
    {"http_condition of a backend", &rule_backend_request_table},
    {"http_response", &rule_response_table},
    {"tcp_condition", &rule_connection_table},
};

/* In a cell, where "|" would end it. */
static void print_example(const struct conf_key *key, struct text *out)
{
    text_printf(out, "`%s: ", key->name);
    for (const char *c = key->example; *c; c++)
        text_printf(out, "%s%c", *c == '|' ? "\\" : "", *c);
    text_puts(out, "` |\n");
}

static void print_actions(const struct place *place, struct text *out)
{
    text_printf(out,
                "### In `%s`\n\n| action | what it does | example |\n"
                "|---|---|---|\n",
                place->name);
    for (const struct conf_key *key = place->table->keys; key->name; key++)
        if (key->type->set == action_set) {
            text_printf(out, "| `%s` | %s | ", key->name, key->doc);
            print_example(key, out);
        }
    text_puts(out, "\n");
}

void rule_reference_print(struct text *out)
{
    text_puts(out, "# Conditions\n\n"
                   "What expressions may name, and what rules may do. \"Where\": `http` is `http_condition` "
                   "and `http_response`, "
                   "`everywhere` is `tcp_condition`, too.\n\n## Actions\n\n");
    for (unsigned i = 0; i < ARRAY_LEN(places); i++)
        print_actions(&places[i], out);
    rules_reference_print(&http_language, out);
}
