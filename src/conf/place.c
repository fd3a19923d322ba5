/*
 * place.c: where in the file a part of a scalar's text stands. The scalar is
 * read a second time, from its bytes in the file, as YAML 1.1 has it (5.7
 * escapes, 9 scalar styles), and each piece that is read is one or more
 * bytes of the text. That costs something only where an error is reported.
 */
#include <string.h>

#include "conf/node.h"
#include "conf/source.h"

struct walk {
    const struct conf_file *file;
    enum conf_style style;
    size_t at;          /* in the file: what is read next */
    size_t text;        /* bytes of the text that were read */
    size_t offset, end; /* the bytes of the text that are asked for */
    size_t from, to;    /* where they stand in the file */
    size_t behind;      /* where the latest character ends that is no end of a line */
};

static bool is_done(const struct walk *w)
{
    return w->text >= w->end || w->at >= w->file->len;
}

static bool has(const struct walk *w, size_t at, char c)
{
    return at < w->file->len && w->file->bytes[at] == c;
}

static bool is_blank(const struct walk *w, size_t at)
{
    return has(w, at, ' ') || has(w, at, '\t');
}

/* The file's bytes from..to are the next `len` bytes of the text. */
static void read_piece(struct walk *w, size_t from, size_t to, size_t len)
{
    if (w->text <= w->offset && w->offset < w->text + len)
        w->from = from;
    if (w->text < w->end)
        w->to = to;
    w->text += len;
}

static void read_char(struct walk *w)
{
    uint32_t code;
    size_t left = w->file->len - w->at;
    unsigned len = conf_utf8_char((struct slice){w->file->bytes + w->at, left}, &code);
    len = len ? len : 1;
    read_piece(w, w->at, w->at + len, len);
    w->behind = w->at += len;
}

/* LS and PS stay what they are in the text; the other ends of a line become one LF. */
static bool is_kept(const struct walk *w, size_t at)
{
    return conf_source_line_end(w->file, at) == 3;
}

static void read_line_end(struct walk *w)
{
    unsigned len = conf_source_line_end(w->file, w->at);
    read_piece(w, w->at, w->at + len, len == 3 ? 3 : 1);
    w->at += len;
}

static size_t skip_blanks(const struct walk *w, size_t at)
{
    while (is_blank(w, at))
        at++;
    return at;
}

/* Empty lines; what is blank in them, and at the start of the line behind them, is not read. */
static void read_empty_lines(struct walk *w)
{
    for (w->at = skip_blanks(w, w->at); conf_source_line_end(w->file, w->at); w->at = skip_blanks(w, w->at))
        read_line_end(w);
}

/* Blanks in a line, or the end of one: a single one is a space, further ones are ends of a line. */
static void read_gap(struct walk *w)
{
    size_t start = w->at, end = skip_blanks(w, start);
    unsigned len = conf_source_line_end(w->file, end);
    if (!len) {
        while (w->at < end)
            read_char(w);
        return;
    }
    w->at = end + len;
    if (is_kept(w, end))
        read_piece(w, end, w->at, len);
    else if (!conf_source_line_end(w->file, skip_blanks(w, w->at)))
        read_piece(w, start, w->at, 1);
    read_empty_lines(w);
}

static size_t utf8_len(uint32_t code)
{
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

static uint32_t read_hex(const struct walk *w, size_t at, size_t digits)
{
    static const char hex[] = "0123456789abcdef0123456789ABCDEF";
    uint32_t code = 0;
    for (; digits && at < w->file->len; at++, digits--) {
        const char *digit = strchr(hex, w->file->bytes[at]);
        code = code << 4 | (digit ? (uint32_t)(digit - hex) & 0xf : 0);
    }
    return code;
}

static void read_escape(struct walk *w)
{
    size_t start = w->at++, digits = 0, len = 1;
    unsigned line_end = conf_source_line_end(w->file, w->at);
    if (line_end) {
        w->at += line_end;
        read_empty_lines(w);
        return;
    }
    switch (w->at < w->file->len ? w->file->bytes[w->at] : '\0') {
    case 'x':
        digits = 2;
        break;
    case 'u':
        digits = 4;
        break;
    case 'U':
        digits = 8;
        break;
    case 'N':
    case '_':
        len = 2;
        break;
    case 'L':
    case 'P':
        len = 3;
        break;
    default:
        break;
    }
    w->at++;
    if (digits)
        len = utf8_len(read_hex(w, w->at, digits));
    w->at += digits;
    read_piece(w, start, w->at, len);
    w->behind = w->at;
}

/* Plain, or in quotes. */
static void walk_flow(struct walk *w)
{
    char quote = w->style == CONF_SINGLE_QUOTED ? '\'' : w->style == CONF_DOUBLE_QUOTED ? '"' : '\0';
    if (quote)
        w->behind = ++w->at;
    while (!is_done(w)) {
        if (is_blank(w, w->at) || conf_source_line_end(w->file, w->at)) {
            read_gap(w);
        } else if (quote == '"' && has(w, w->at, '\\')) {
            read_escape(w);
        } else if (quote == '\'' && has(w, w->at, quote) && has(w, w->at + 1, quote)) {
            read_piece(w, w->at, w->at + 2, 1);
            w->behind = w->at += 2;
        } else {
            read_char(w);
        }
    }
}

static void skip_line(struct walk *w)
{
    unsigned len = 0;
    while (w->at < w->file->len && !(len = conf_source_line_end(w->file, w->at)))
        w->at++;
    w->at += len;
}

/*
 * How far the lines of a block are indented: the first line that isn't empty tells, compared with the text.
 * What the indicator says would count from the indentation of the map or list around it.
 */
static size_t find_indent(struct walk w, const char *text)
{
    size_t indent = 0;
    const struct conf_file as_file = {.bytes = text, .len = strlen(text)};
    size_t i = 0;
    for (unsigned len; (len = conf_source_line_end(&as_file, i)); i += len)
        skip_line(&w);
    if (!text[i])
        return SIZE_MAX; /* only empty lines */
    while (has(&w, w.at + indent, ' '))
        indent++;
    size_t own = strspn(text + i, " ");
    return indent > own ? indent - own : 0;
}

/* Where the line's content starts, behind at most `indent` spaces. */
static size_t skip_indent(const struct walk *w, size_t at, size_t indent)
{
    while (indent && has(w, at, ' '))
        at++, indent--;
    return at;
}

/* What the block's line at `at` is. */
enum line { LINE_NONE, LINE_EMPTY, LINE_TEXT, LINE_INDENTED };

static enum line look_at_line(const struct walk *w, size_t at, size_t indent)
{
    size_t start = skip_indent(w, at, indent);
    if (conf_source_line_end(w->file, start))
        return LINE_EMPTY;
    if (start >= w->file->len || start - at < indent)
        return LINE_NONE;
    return is_blank(w, start) ? LINE_INDENTED : LINE_TEXT;
}

/* In a folded block, the end of a line between two that are not indented further is a space, or nothing where
 * empty lines follow. */
static bool is_folded(const struct walk *w, enum line line, size_t indent, bool *is_space)
{
    size_t at = w->at + conf_source_line_end(w->file, w->at);
    enum line next;
    *is_space = look_at_line(w, at, indent) != LINE_EMPTY;
    while ((next = look_at_line(w, at, indent)) == LINE_EMPTY) {
        at = skip_indent(w, at, indent);
        at += conf_source_line_end(w->file, at);
    }
    return w->style == CONF_FOLDED && line == LINE_TEXT && next == LINE_TEXT && !is_kept(w, w->at);
}

static void walk_block(struct walk *w, const char *text)
{
    skip_line(w);
    size_t indent = find_indent(*w, text);
    while (!is_done(w)) {
        enum line line = look_at_line(w, w->at, indent);
        bool is_space;
        if (line == LINE_NONE)
            return;
        w->at = skip_indent(w, w->at, indent);
        while (w->at < w->file->len && !conf_source_line_end(w->file, w->at))
            read_char(w);
        if (line == LINE_EMPTY || !is_folded(w, line, indent, &is_space)) {
            read_line_end(w);
        } else {
            size_t start = w->at;
            w->at += conf_source_line_end(w->file, start);
            if (is_space)
                read_piece(w, start, w->at, 1);
        }
    }
}

struct conf_place conf_node_place(const struct conf_node *n, size_t offset, size_t width)
{
    if (n->kind != CONF_SCALAR || n->origin.style == CONF_UNWRITTEN)
        return n->place;
    size_t len = strlen(n->text);
    offset = MIN(offset, len);
    struct walk w = {.file = n->place.file, .style = n->origin.style, .at = n->origin.offset};
    w.offset = offset;
    w.end = offset + MIN(width, len - offset);
    w.end = MIN(MAX(w.end, offset + 1), len);
    w.behind = w.at;
    if (w.style == CONF_LITERAL || w.style == CONF_FOLDED)
        walk_block(&w, n->text);
    else
        walk_flow(&w);
    if (offset == len)
        w.from = w.to = w.behind;

    struct conf_place at = {w.file, n->origin.line, n->origin.column, 0};
    size_t i = n->origin.offset;
    while (i < w.from)
        conf_source_step(w.file, &i, &at.line, &at.column);
    struct conf_place end = at;
    while (i < w.to && !conf_source_line_end(w.file, i)) {
        at.width++;
        conf_source_step(w.file, &i, &end.line, &end.column);
    }
    at.width = MAX(at.width, 1u);
    return at;
}
