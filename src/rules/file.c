/*
 * file.c: reads a file of a list or a map, line by line.
 */
#include "rules/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/functions.h"

struct reader {
    struct conf_load *load;
    struct rules_file *file;
    struct conf_file source;
    uint32_t errors, warnings;
    const char *line; /* that is read */
};

/* ---- what is wrong ---- */

static uint32_t line_number(const struct reader *r, const char *at)
{
    uint32_t n = 1;
    for (const char *p = r->source.bytes; (p = memchr(p, '\n', (size_t)(at - p))); p++)
        n++;
    return n;
}

static uint32_t count_chars(const char *from, size_t len)
{
    uint32_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += (from[i] & 0xc0) != 0x80;
    return n;
}

/* The first of each severity only: a file of another kind has a mistake in each line. */
static void complain(struct reader *r, enum conf_severity severity, struct slice at, const char *hint,
                     const char *what)
{
    uint32_t *count = severity == CONF_ERROR ? &r->errors : &r->warnings;
    if (++*count > RULES_FILE_MISTAKES)
        return;
    struct conf_place place = {&r->source, line_number(r, r->line),
                               1 + count_chars(r->line, (size_t)(at.ptr - r->line)),
                               MAX(count_chars(at.ptr, at.len), 1u)};
    conf_report_add(&r->load->report, severity, &place, hint, "%s", what);
}

/* ---- one line ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Without the comment, and the blanks at both ends. */
static struct slice strip(struct slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] == '#' && (i == 0 || is_blank(line.ptr[i - 1])))
            line.len = i;
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return slice_trim(line);
}

/* Takes the word before the first blank off `*rest`. */
static struct slice take_word(struct slice *rest)
{
    size_t len = 0;
    while (len < rest->len && !is_blank(rest->ptr[len]))
        len++;
    struct slice word = {rest->ptr, len};
    *rest = slice_trim((struct slice){rest->ptr + len, rest->len - len});
    return word;
}

static bool is_clean(struct reader *r, struct slice line)
{
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        if ((c >= 0x20 || c == '\t') && c != 0x7f)
            continue;
        complain(r, CONF_ERROR, (struct slice){line.ptr + i, 1}, "is this a file of text?",
                 arena_printf(&r->load->arena, "the control character 0x%02x is not text", c));
        return false;
    }
    return true;
}

/* Letters, digits, - and _ with single dots between; the file's bytes become small letters. */
static bool read_domain(struct reader *r, struct slice key, struct rules_entry *e)
{
    bool star = key.len > 1 && key.ptr[0] == '*' && key.ptr[1] == '.';
    struct slice rest = {key.ptr + star, key.len - star};
    e->below_only = star;
    e->key = rest.ptr;
    e->key_len = (uint32_t)rest.len;
    bool good = rest.len > 0 && rest.len <= RULES_DOMAIN_MAX && rest.ptr[rest.len - 1] != '.';
    for (size_t i = 0; good && i < rest.len; i++) {
        char *c = (char *)(uintptr_t)&rest.ptr[i]; /* the reader's own bytes */
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
        bool dot = *c == '.' && (i == 0 || rest.ptr[i - 1] != '.');
        good = dot || (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-' || *c == '_';
    }
    if (!good)
        complain(r, CONF_ERROR, key,
                 "write www.example.org, *.example.org for all below, .example.org for both; names of other "
                 "scripts as xn--...",
                 "this is no domain");
    return good;
}

static bool read_path(struct reader *r, struct slice key)
{
    if (key.ptr[0] == '/' && key.len <= RULES_FILE_PATH_MAX)
        return true;
    complain(r, CONF_ERROR, key, NULL,
             key.ptr[0] == '/' ? "the path is longer than 1024 bytes" : "a path begins with /");
    return false;
}

static bool read_key(struct reader *r, struct slice key, struct rules_entry *e)
{
    e->key = key.ptr;
    e->key_len = (uint32_t)key.len;
    if (r->file->keys == RULES_DOMAINS)
        return read_domain(r, key, e);
    return r->file->keys != RULES_PATHS || read_path(r, key);
}

static bool read_value(struct reader *r, struct slice key, struct slice value, struct rules_entry *e)
{
    e->value_len = (uint32_t)value.len & INT32_MAX;
    if (r->file->values == RULES_NO_VALUES && value.len)
        complain(r, CONF_ERROR, value, "a list has one entry a line; comments begin with #",
                 "this stands behind the entry");
    else if (r->file->values != RULES_NO_VALUES && !value.len)
        complain(r, CONF_ERROR, key, "a map has a key, white space and a value in each line",
                 "the key has no value");
    else if (r->file->values == RULES_INT_VALUES && !rules_read_int(value, &e->number))
        complain(r, CONF_ERROR, value, NULL, "the value is no whole number of 64 bits");
    else
        return true;
    return false;
}

/* The same key a second time: that is confusing in a list, and in a map only one value can be meant. */
static void complain_twice(struct reader *r, const struct rules_entry *e, const struct rules_entry *first)
{
    bool same =
        r->file->values == RULES_NO_VALUES ||
        (r->file->values == RULES_INT_VALUES && e->number == first->number) ||
        (r->file->values == RULES_TEXT_VALUES &&
         slice_equal((struct slice){e->text, e->value_len}, (struct slice){first->text, first->value_len}));
    const char *hint =
        r->errors + r->warnings > RULES_FILE_MISTAKES
            ? NULL
            : arena_printf(&r->load->arena, "the first is at line %u", (unsigned)line_number(r, first->key));
    complain(r, same ? CONF_WARNING : CONF_ERROR, (struct slice){e->key, e->key_len}, hint,
             same ? "the entry stands here a second time"
                  : "the key stands here a second time, with another value");
}

static const struct rules_entry *add_network(struct reader *r, const struct rules_entry *e)
{
    struct rules_file *f = r->file;
    struct network n;
    struct error err = {""};
    struct slice key = {e->key, e->key_len};
    if (network_parse(&n, key, &err) < 0) {
        complain(r, CONF_ERROR, key, NULL, err.text);
        return NULL;
    }
    struct rules_entry *kept = &f->entries[f->count];
    const struct rules_entry *first = network_table_add(f->networks, &n, kept);
    if (first)
        return first;
    *kept = *e;
    f->count++;
    return NULL;
}

static void read_line(struct reader *r, struct slice line)
{
    struct rules_entry e = {0};
    line = strip(line);
    if (!line.len || !is_clean(r, line))
        return;
    struct slice rest = line, key = take_word(&rest);
    if (r->file->values == RULES_NO_VALUES && r->file->keys == RULES_TEXTS)
        key = line, rest.len = 0;
    e.text = rest.ptr;
    if (!read_key(r, key, &e) || !read_value(r, key, rest, &e))
        return;
    const struct rules_entry *first =
        r->file->keys == RULES_NETWORKS ? add_network(r, &e) : rules_file_add(r->file, &e);
    if (first)
        complain_twice(r, &e, first);
}

/* ---- the file ---- */

static int read_lines(struct reader *r, struct error *err)
{
    struct rules_file *f = r->file;
    struct slice rest = {r->source.bytes, r->source.len};
    uint32_t lines = line_number(r, rest.ptr + rest.len);
    if (lines > RULES_FILE_LINES)
        return error_set(err, "it has more than %d lines", RULES_FILE_LINES);
    for (f->size = 4; f->size / 3 * 2 < lines;)
        f->size *= 2;
    f->entries = ARENA_ARRAY(&r->load->arena, struct rules_entry, f->size);
    if (f->keys == RULES_NETWORKS)
        f->networks = network_table_new(&r->load->arena);
    if (rest.len >= 3 && memcmp(rest.ptr, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
        rest.ptr += 3, rest.len -= 3;
    while (rest.len) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        struct slice line = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};
        r->line = rest.ptr;
        read_line(r, line);
        rest.ptr += line.len + (end != NULL);
        rest.len -= line.len + (end != NULL);
    }
    return r->errors ? error_set(err, "%u of its lines %s wrong", (unsigned)r->errors,
                                 r->errors == 1 ? "is" : "are")
                     : 0;
}

/* The whole of an open file into the arena; `size` is what it had, it may shrink meanwhile. -1 with errno. */
static int read_bytes(int fd, size_t size, struct arena *a, struct conf_file *out)
{
    char *bytes = arena_alloc(a, size + 1);
    out->bytes = bytes;
    out->len = 0;
    while (out->len < size) {
        ssize_t n = read(fd, bytes + out->len, size - out->len);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return -1;
        out->len += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int read_source(struct reader *r, struct error *err)
{
    /* Not blocking: to open a FIFO nobody writes to must not stop the master. */
    int fd = open(r->source.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_set_errno(err, "it cannot be opened");
    struct stat st;
    int rc;
    if (fstat(fd, &st) < 0)
        rc = error_set_errno(err, "it cannot be examined");
    else if (!S_ISREG(st.st_mode))
        rc = error_set(err, "it is not a regular file");
    else if (st.st_size > RULES_FILE_MAX)
        rc = error_set(err, "it is larger than 64 MiB");
    else if (read_bytes(fd, (size_t)st.st_size, &r->load->arena, &r->source) < 0)
        rc = error_set_errno(err, "it cannot be read");
    else
        rc = 0;
    close(fd);
    return rc;
}

static struct rules_file *read_file(struct conf_load *l, const char *path, enum rules_keys keys,
                                    enum rules_values values)
{
    struct reader *r = ARENA_NEW(&l->arena, struct reader); /* places of messages point into it */
    struct rules_file *f = ARENA_NEW(&l->arena, struct rules_file);
    struct error err = {""};
    f->keys = keys;
    f->values = values;
    *r = (struct reader){.load = l, .file = f, .source = {.path = path}};
    f->source = &r->source;
    if (read_source(r, &err) < 0 || read_lines(r, &err) < 0)
        f->failure = arena_strdup(&l->arena, err.text);
    return f;
}

const struct rules_file *rules_file_load(struct conf_load *l, struct slice path, enum rules_keys keys,
                                         enum rules_values values, struct error *err)
{
    if (!path.len || memchr(path.ptr, '\0', path.len)) {
        error_set(err, "this is no file's name");
        return NULL;
    }
    const char *full = path.ptr[0] == '/' ? arena_copy(&l->arena, path.ptr, path.len)
                                          : arena_printf(&l->arena, "%s/%.*s", l->directory, SLICE_ARG(path));
    const char *name = arena_printf(&l->arena, "file %d %d %s", keys, values, full);
    struct rules_file *f = conf_load_kept(l, name);
    if (!f) {
        f = read_file(l, full, keys, values);
        conf_load_keep(l, name, f);
    }
    if (f->failure)
        error_set(err, "the file %s can't be used: %s", full, f->failure);
    return f->failure ? NULL : f;
}
