#include "admin/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void answer_fail(struct answer *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(a->reason.text, sizeof a->reason.text, fmt, ap);
    va_end(ap);
    a->failed = true;
}

static void add_escaped(struct text *out, const char *bytes, size_t len, bool lines, bool ascii)
{
    size_t plain = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        bool spared = lines && (c == '\n' || c == '\t');
        if (spared || (c >= ' ' && c != 0x7f && !(ascii && c >= 0x80)))
            continue;
        text_add(out, bytes + plain, i - plain);
        text_printf(out, "\\x%02x", c);
        plain = i + 1;
    }
    text_add(out, bytes + plain, len - plain);
}

void answer_add_printable(struct text *out, const char *bytes, size_t len, bool lines)
{
    add_escaped(out, bytes, len, lines, false);
}

json_t *answer_json_string(const char *text)
{
    json_t *string = json_string(text);
    if (string)
        return string;
    struct text escaped = {0};
    add_escaped(&escaped, text, strlen(text), true, true);
    string = json_string(text_str(&escaped));
    text_free(&escaped);
    return string;
}

json_t *answer_json_lines(const char *text)
{
    json_t *lines = json_array();
    while (*text) {
        size_t len = strcspn(text, "\n");
        struct text line = {0};
        text_add(&line, text, len);
        json_array_append_new(lines, answer_json_string(text_str(&line)));
        text_free(&line);
        text += len + (text[len] == '\n');
    }
    return lines;
}

/* Adds a text in lines, none of them empty. */
static void add_lines(struct text *out, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        if (len)
            answer_add_printable(out, text, len, true);
        else
            text_puts(out, " ");
        text_puts(out, "\n");
        text += len + (text[len] == '\n');
    }
}

static void add_document(struct text *out, json_t *document)
{
    char *dump = json_dumps(document, JSON_INDENT(2));
    text_puts(out, dump ? dump : "null"); /* NULL: a string of ours is no UTF-8, or no memory */
    text_puts(out, "\n");
    free(dump);
}

void answer_finish(struct answer *a, struct text *out)
{
    if (a->failed) {
        text_puts(out, "error: ");
        answer_add_printable(out, a->reason.text, strlen(a->reason.text), false);
        text_puts(out, "\n");
        if (a->json && !a->document)
            a->document = json_object();
        if (a->json)
            json_object_set_new(a->document, "error", answer_json_string(a->reason.text));
    } else {
        text_puts(out, "ok\n");
    }
    if (a->json)
        add_document(out, a->document);
    else
        add_lines(out, text_str(&a->text));
    text_puts(out, "\n");
    text_free(&a->text);
    json_decref(a->document);
    a->document = NULL;
}
