#include "conf/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conf/source.h"

enum {
    KEPT_MAX = 100,  /* messages of a severity */
    TEXT_MAX = 800,  /* bytes of a message or hint before escapes */
    SHOWN_MAX = 100, /* characters of the line that is shown */
    SHOWN_BEFORE = 60,
    EXCERPT_MAX = 60, /* characters */
};

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* A copy without control characters and malformed UTF-8. */
static const char *clean(struct arena *arena, const char *text)
{
    struct text out = {0};
    struct slice rest = {text, strnlen(text, TEXT_MAX)};
    while (rest.len) {
        uint32_t code = 0;
        unsigned len = conf_utf8_char(rest, &code);
        if (!len)
            text_puts(&out, "?");
        else if (code == '\n')
            text_puts(&out, "\\n");
        else if (is_control(code))
            text_printf(&out, "\\x%02x", (unsigned)code);
        else
            text_add(&out, rest.ptr, len);
        rest.ptr += len ? len : 1;
        rest.len -= len ? len : 1;
    }
    const char *copy = arena_strdup(arena, text_str(&out));
    text_free(&out);
    return copy;
}

const char *conf_excerpt(const char *text, char out[static CONF_EXCERPT_SIZE])
{
    struct slice rest = {text, strnlen(text, CONF_EXCERPT_SIZE)};
    size_t used = 0;
    for (unsigned chars = 0; rest.len && chars < EXCERPT_MAX; chars++) {
        uint32_t code;
        unsigned len = conf_utf8_char(rest, &code);
        len = len ? len : 1;
        memcpy(out + used, rest.ptr, len);
        used += len;
        rest.ptr += len;
        rest.len -= len;
    }
    memcpy(out + used, rest.len ? "..." : "", rest.len ? 4 : 1);
    return out;
}

static int compare_places(const struct conf_place *a, const struct conf_place *b)
{
    if (!a->file != !b->file)
        return a->file ? 1 : -1;
    if (a->file && a->file->number != b->file->number)
        return a->file->number < b->file->number ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

/* Is there room for one more of this severity, and does none say the same? */
static bool is_wanted(const struct conf_report *r, const struct conf_message *m, bool *repeated)
{
    unsigned kept = 0;
    *repeated = false;
    for (uint32_t i = 0; i < r->count && !*repeated; i++) {
        const struct conf_message *other = &r->messages[i];
        if (other->severity != m->severity)
            continue;
        kept++;
        *repeated = compare_places(&other->place, &m->place) == 0 && strcmp(other->text, m->text) == 0;
    }
    return !*repeated && kept < KEPT_MAX;
}

static void insert(struct conf_report *r, struct conf_message m)
{
    if (r->count == r->size) {
        uint32_t size = r->size ? r->size * 2 : 8;
        struct conf_message *more = ARENA_ARRAY(r->arena, struct conf_message, size);
        if (r->count)
            memcpy(more, r->messages, r->count * sizeof *more);
        r->messages = more;
        r->size = size;
    }
    uint32_t i = r->count++;
    for (; i && compare_places(&m.place, &r->messages[i - 1].place) < 0; i--)
        r->messages[i] = r->messages[i - 1];
    r->messages[i] = m;
}

void conf_report_add(struct conf_report *r, enum conf_severity severity, const struct conf_place *place,
                     const char *hint, const char *fmt, ...)
{
    char text[TEXT_MAX + 1];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);

    bool repeated;
    bool full = r->errors >= KEPT_MAX && severity == CONF_ERROR;
    struct conf_message m = {.severity = severity, .text = full ? text : clean(r->arena, text)};
    if (place)
        m.place = *place;
    if (is_wanted(r, &m, &repeated)) {
        m.hint = hint ? clean(r->arena, hint) : NULL;
        insert(r, m);
    }
    if (severity == CONF_ERROR) {
        r->raised++;
        r->errors += !repeated;
    }
}

/* The stretch of a line that is shown: whole characters, `column` (from 0) among them. */
struct window {
    uint32_t from, to; /* characters */
    bool cut_before, cut_after;
};

static uint32_t count_chars(struct slice line)
{
    uint32_t chars = 0, code;
    while (line.len) {
        unsigned len = conf_utf8_char(line, &code);
        line.ptr += len ? len : 1;
        line.len -= len ? len : 1;
        chars++;
    }
    return chars;
}

static struct window choose_window(uint32_t chars, uint32_t column)
{
    struct window w = {.to = chars};
    if (chars <= SHOWN_MAX)
        return w;
    w.from = column > SHOWN_BEFORE ? column - SHOWN_BEFORE : 0;
    w.from = MIN(w.from, chars - SHOWN_MAX);
    w.to = w.from + SHOWN_MAX;
    w.cut_before = w.from > 0;
    w.cut_after = w.to < chars;
    return w;
}

/* One column for each character, tabs too, so that the caret stands below the right one. */
static void print_window(struct slice line, const struct window *w, struct text *out)
{
    for (uint32_t i = 0; line.len && i < w->to; i++) {
        uint32_t code = 0;
        unsigned len = conf_utf8_char(line, &code);
        if (i >= w->from) {
            if (len && code == '\t')
                text_puts(out, " ");
            else if (!len || is_control(code))
                text_puts(out, "?");
            else
                text_add(out, line.ptr, len);
        }
        line.ptr += len ? len : 1;
        line.len -= len ? len : 1;
    }
}

static void print_line(const struct conf_place *at, struct text *out)
{
    struct slice line = conf_source_line(at->file, at->line);
    if (!line.ptr)
        return;
    uint32_t chars = count_chars(line), column = at->column - 1;
    struct window w = choose_window(chars, column);
    text_printf(out, "%5u | %s", (unsigned)at->line, w.cut_before ? "..." : "");
    print_window(line, &w, out);
    text_printf(out, "%s\n      | %s", w.cut_after ? "..." : "", w.cut_before ? "   " : "");
    uint32_t start = MIN(column, w.to), end = at->width < w.to - start ? start + at->width : w.to;
    for (uint32_t i = w.from; i < start; i++)
        text_puts(out, " ");
    text_puts(out, "^");
    for (uint32_t i = start + 1; i < end; i++)
        text_puts(out, "~");
    text_puts(out, "\n");
}

static void print_head(const struct conf_message *m, struct text *out)
{
    const struct conf_place *at = &m->place;
    if (at->file)
        text_printf(out, "%s:", at->file->path);
    if (at->file && at->line)
        text_printf(out, "%u:%u:", (unsigned)at->line, (unsigned)at->column);
    text_printf(out, "%s%s", at->file ? " " : "", m->text);
}

void conf_report_print(const struct conf_report *r, enum conf_severity severity, struct text *out)
{
    uint32_t shown = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct conf_message *m = &r->messages[i];
        if (m->severity != severity)
            continue;
        shown++;
        print_head(m, out);
        text_puts(out, "\n");
        if (m->place.file && m->place.line)
            print_line(&m->place, out);
        if (m->hint)
            text_printf(out, "      = %s\n", m->hint);
    }
    if (severity == CONF_ERROR && r->errors > shown)
        text_printf(out, "and %u more errors\n", (unsigned)(r->errors - shown));
}

void conf_message_print_line(const struct conf_message *m, struct text *out)
{
    print_head(m, out);
    if (m->hint)
        text_printf(out, " (%s)", m->hint);
}
