/*
 * print.c: an explanation for people.
 *
 *   request   GET http://www.example.org/ from 127.0.0.1
 *   frontend  web, bind 0.0.0.0:80
 *
 *   http_condition of frontend web
 *     to-https: held
 *         when      scheme == 'http'
 *         scheme    'http'
 *         redirect  https://www.example.org/
 *     noxy.yaml:12: not reached
 *         when  path =~ '^/api/'
 *
 *   result    redirected to https://www.example.org/ with status 302 by rule to-https
 */
#include <string.h>

#include "explain/explain.h"

enum { LABEL_WIDTH = 10, VALUE_WIDTH_MAX = 32 };

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text ? text : "";
}

static bool is_true(const json_t *o, const char *name)
{
    return json_is_true(json_object_get(o, name));
}

/* UTF-8 with control characters, those of C1 too, as \xNN. */
static void add_printable(struct text *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i], next = i + 1 < len ? (unsigned char)s[i + 1] : 0;
        if (c == 0xc2 && next < 0xa0)
            text_printf(out, "\\xc2\\x%02x", next), i++;
        else if (c < ' ' || c == 0x7f)
            text_printf(out, "\\x%02x", c);
        else
            text_add(out, &s[i], 1);
    }
}

static void add_text(struct text *out, const char *s)
{
    add_printable(out, s, strlen(s));
}

/* A line of a name and what it is, the name `width` wide. */
static void add_label(struct text *out, int indent, const char *label, int width)
{
    size_t before = out->len;
    text_printf(out, "%*s", indent, "");
    add_text(out, label);
    int len = (int)(out->len - before) - indent;
    text_printf(out, "%*s", MAX(width - len, 0) + 2, "");
}

static void add_line(struct text *out, int indent, const char *label, int width, const char *s)
{
    add_label(out, indent, label, width);
    add_text(out, s);
    text_puts(out, "\n");
}

/* ---- rules ---- */

static void add_value(struct text *out, const json_t *v)
{
    size_t i;
    const json_t *item;
    switch (json_typeof(v)) {
    case JSON_STRING:
        text_puts(out, "'");
        add_printable(out, json_string_value(v), json_string_length(v));
        text_puts(out, "'");
        break;
    case JSON_INTEGER:
        text_printf(out, "%lld", (long long)json_integer_value(v));
        break;
    case JSON_ARRAY:
        text_puts(out, "(");
        json_array_foreach(v, i, item)
        {
            text_puts(out, i ? ", " : "");
            add_value(out, item);
        }
        text_puts(out, ")");
        break;
    case JSON_NULL:
        text_puts(out, "none");
        break;
    default:
        text_puts(out, json_is_true(v) ? "true" : "false");
    }
}

/* As wide as the widest name, but for very long ones. */
static int width_of(const json_t *list, const char *name, int width)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        int len = (int)strlen(text_of(item, name));
        width = len <= VALUE_WIDTH_MAX ? MAX(width, len) : width;
    }
    return width;
}

static void add_values(struct text *out, const json_t *values, int width)
{
    size_t i;
    const json_t *v;
    json_array_foreach(values, i, v)
    {
        add_label(out, 6, text_of(v, "what"), width);
        if (strcmp(text_of(v, "type"), "ip") == 0 && json_is_string(json_object_get(v, "value")))
            text_puts(out, text_of(v, "value"));
        else
            add_value(out, json_object_get(v, "value"));
        text_puts(out, "\n");
    }
}

static void add_rule(struct text *out, const json_t *rule)
{
    const json_t *held = json_object_get(rule, "held"), *actions = json_object_get(rule, "actions"), *a;
    const char *when = json_string_value(json_object_get(rule, "when"));
    size_t i;
    text_puts(out, "  ");
    add_text(out, text_of(rule, "rule"));
    if (!is_true(rule, "reached"))
        text_puts(out, ": not reached\n");
    else
        text_puts(out, json_is_true(held)    ? ": held\n"
                       : json_is_false(held) ? ": did not hold\n"
                                             : ": failed\n");
    int width = width_of(json_object_get(rule, "values"), "what", 4);
    width = width_of(actions, "action", width);
    json_array_foreach(actions, i, a) width = width_of(json_object_get(a, "values"), "what", width);
    add_line(out, 6, "when", width, when ? when : "(always)");
    add_values(out, json_object_get(rule, "values"), width);
    json_array_foreach(actions, i, a)
    {
        add_values(out, json_object_get(a, "values"), width);
        const char *what = text_of(a, "what");
        add_line(out, 6, text_of(a, "action"), width, *what ? what : "yes");
    }
    if (json_object_get(rule, "failure"))
        add_line(out, 6, "failure", width, text_of(rule, "failure"));
}

static void add_lists(struct text *out, const json_t *lists)
{
    size_t i, n;
    const json_t *list, *rule;
    json_array_foreach(lists, i, list)
    {
        text_printf(out, "\n%s of %s ", text_of(list, "list"), text_of(list, "of"));
        add_text(out, text_of(list, "name"));
        text_puts(out, "\n");
        json_array_foreach(json_object_get(list, "rules"), n, rule) add_rule(out, rule);
    }
}

/* ---- the rest ---- */

static void add_head(struct text *out, const json_t *e)
{
    const json_t *request = json_object_get(e, "request"), *bind;
    size_t i;
    add_label(out, 0, "request", LABEL_WIDTH);
    add_text(out, text_of(request, "method"));
    text_puts(out, " ");
    add_text(out, text_of(request, "url"));
    text_printf(out, " from %s", text_of(request, "src"));
    if (strcmp(text_of(request, "src"), text_of(request, "peer")) != 0)
        text_printf(out, ", as the trusted proxy %s says", text_of(request, "peer"));
    text_puts(out, "\n");
    add_label(out, 0, "frontend", LABEL_WIDTH);
    add_text(out, text_of(e, "frontend"));
    text_puts(out, ", bind ");
    add_text(out, text_of(e, "bind"));
    text_puts(out, strcmp(text_of(e, "mode"), "tcp") == 0 ? ", mode tcp\n" : "\n");
    json_array_foreach(json_object_get(e, "other_binds"), i, bind)
    {
        add_label(out, 0, i ? "" : "or", LABEL_WIDTH);
        add_text(out, text_of(bind, "frontend"));
        text_puts(out, ", bind ");
        add_text(out, text_of(bind, "bind"));
        text_puts(out, ": the first that fits was taken, --frontend takes another\n");
    }
}

static void add_server(struct text *out, const json_t *s, int width)
{
    const char *why = json_string_value(json_object_get(s, "why_not"));
    const char *address = json_string_value(json_object_get(s, "address"));
    add_label(out, 2, text_of(s, "name"), width);
    if (is_true(s, "next"))
        text_puts(out, "next");
    else
        text_puts(out, why ? "no" : "eligible");
    if (why) {
        text_puts(out, ": ");
        add_text(out, why);
    }
    if (!address)
        text_puts(out, " (its name is not looked up)");
    else if (strcmp(address, text_of(s, "name")) != 0)
        text_printf(out, " (%s)", address);
    text_puts(out, "\n");
}

static void add_backend(struct text *out, const json_t *e, const json_t *b)
{
    const json_t *servers = json_object_get(b, "servers"), *s;
    const char *preferred = json_string_value(json_object_get(b, "preferred"));
    size_t i;
    text_puts(out, "\nservers of backend ");
    add_text(out, text_of(b, "name"));
    if (!is_true(e, "running"))
        text_puts(out, ", as noxy starts");
    text_puts(out, "\n");
    int width = width_of(servers, "name", 7);
    add_label(out, 2, "balance", width);
    text_printf(out, "%s: %s\n", text_of(b, "balance"), text_of(b, "balance_in_words"));
    if (preferred)
        add_line(out, 2, "use_server", width, preferred);
    json_array_foreach(servers, i, s) add_server(out, s, width);
}

/* What the server gets, and which rules its response passes: unless noxy answers. */
static void add_sent(struct text *out, const json_t *e)
{
    const json_t *sent = json_object_get(e, "sent"), *list;
    size_t i;
    if (!sent || !json_is_null(json_object_get(json_object_get(e, "result"), "status")))
        return;
    add_label(out, 0, "sent as", LABEL_WIDTH);
    add_text(out, text_of(sent, "method"));
    text_puts(out, " ");
    add_text(out, text_of(sent, "target"));
    text_puts(out, "\n");
    json_array_foreach(json_object_get(e, "http_response"), i, list)
    {
        add_label(out, 0, "then", LABEL_WIDTH);
        text_printf(out, "http_response of %s ", text_of(list, "of"));
        add_text(out, text_of(list, "name"));
        text_printf(out, " (%lld)\n", (long long)json_integer_value(json_object_get(list, "rules")));
    }
}

void explain_print(const json_t *e, struct text *out)
{
    const json_t *backend = json_object_get(e, "backend");
    add_head(out, e);
    add_lists(out, json_object_get(e, "lists"));
    if (backend)
        add_backend(out, e, backend);
    text_puts(out, "\n");
    add_line(out, 0, "result", LABEL_WIDTH, text_of(json_object_get(e, "result"), "words"));
    add_sent(out, e);
}
