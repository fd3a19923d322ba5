#include "conf/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

unsigned conf_utf8_char(struct slice bytes, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (!bytes.len)
        return 0;
    unsigned char lead = (unsigned char)bytes.ptr[0];
    unsigned len = lead < 0x80             ? 1
                   : (lead & 0xe0) == 0xc0 ? 2
                   : (lead & 0xf0) == 0xe0 ? 3
                   : (lead & 0xf8) == 0xf0 ? 4
                                           : 0;
    if (!len || len > bytes.len)
        return 0;
    uint32_t value = len == 1 ? lead : lead & (0x7fu >> len);
    for (unsigned i = 1; i < len; i++) {
        unsigned char next = (unsigned char)bytes.ptr[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (next & 0x3f);
    }
    if (value < smallest[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code = value;
    return len;
}

unsigned conf_source_line_end(const struct conf_file *f, size_t offset)
{
    const unsigned char *p = (const unsigned char *)f->bytes + offset;
    size_t left = offset < f->len ? f->len - offset : 0;
    if (!left)
        return 0;
    if (p[0] == '\n')
        return 1;
    if (p[0] == '\r')
        return left > 1 && p[1] == '\n' ? 2 : 1;
    if (p[0] == 0xc2 && left > 1 && p[1] == 0x85)
        return 2;
    if (p[0] == 0xe2 && left > 2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9))
        return 3;
    return 0;
}

struct slice conf_source_line(const struct conf_file *f, uint32_t line)
{
    size_t start = 0;
    uint32_t now = 1;
    for (size_t i = 0; i < f->len;) {
        unsigned end = conf_source_line_end(f, i);
        if (!end) {
            i++;
            continue;
        }
        if (now == line)
            return (struct slice){f->bytes + start, i - start};
        now++;
        i += end;
        start = i;
    }
    return now == line ? (struct slice){f->bytes + start, f->len - start} : (struct slice){NULL, 0};
}

void conf_source_step(const struct conf_file *f, size_t *offset, uint32_t *line, uint32_t *column)
{
    unsigned end = conf_source_line_end(f, *offset);
    if (end) {
        ++*line;
        *column = 1;
        *offset += end;
    } else if (*offset < f->len) {
        uint32_t code;
        unsigned len = conf_utf8_char((struct slice){f->bytes + *offset, f->len - *offset}, &code);
        *offset += len ? len : 1;
        ++*column;
    }
}

struct conf_place conf_source_place(const struct conf_file *f, size_t offset)
{
    struct conf_place at = {f, 1, 1, 1};
    for (size_t i = 0; i < offset && i < f->len;)
        conf_source_step(f, &i, &at.line, &at.column);
    return at;
}

/* What YAML allows in a file: no control characters but tab and the ends of lines. */
static bool is_text(uint32_t code)
{
    if (code < 0x20)
        return code == '\t' || code == '\n' || code == '\r';
    if (code >= 0x7f && code < 0xa0)
        return code == 0x85;
    return code != 0xfffe && code != 0xffff;
}

static bool check_bytes(struct conf_report *r, const struct conf_file *f)
{
    for (size_t i = 0; i < f->len;) {
        uint32_t code;
        unsigned len = conf_utf8_char((struct slice){f->bytes + i, f->len - i}, &code);
        if (len && is_text(code)) {
            i += len;
            continue;
        }
        struct conf_place at = conf_source_place(f, i);
        if (!len)
            conf_report_add(r, CONF_ERROR, &at, "save the file as UTF-8", "the byte 0x%02x is not UTF-8 text",
                            (unsigned char)f->bytes[i]);
        else if (!code)
            conf_report_add(r, CONF_ERROR, &at, "is this a configuration file?", "a NUL byte is not text");
        else
            conf_report_add(r, CONF_ERROR, &at, "remove it; in double quotes it may be written as \\xNN",
                            "the control character 0x%02x is not text", (unsigned)code);
        return false;
    }
    return true;
}

/* An error of the file as a whole. */
static void refuse(struct conf_report *r, const char *path, const struct conf_node *by, const char *hint,
                   const char *why)
{
    if (by) {
        char shown[CONF_EXCERPT_SIZE];
        conf_report_add(r, CONF_ERROR, &by->place, hint, "\"%s\" %s", conf_excerpt(path, shown), why);
        return;
    }
    struct conf_file *f = ARENA_NEW(r->arena, struct conf_file);
    f->path = arena_strdup(r->arena, path);
    f->bytes = "";
    struct conf_place whole = {.file = f};
    conf_report_add(r, CONF_ERROR, &whole, hint, "%s", why);
}

static struct conf_file *copy_file(struct conf_report *r, const char *path, const struct conf_node *by,
                                   const char *bytes, size_t len)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    if (len > CONF_FILE_MAX) {
        refuse(r, path, by, NULL, "is larger than 16 MiB, the most that a configuration may have");
        return NULL;
    }
    if (len >= 3 && memcmp(bytes, byte_order_mark, 3) == 0)
        bytes += 3, len -= 3;
    struct conf_file *f = ARENA_NEW(r->arena, struct conf_file);
    f->path = arena_strdup(r->arena, path);
    f->bytes = arena_copy(r->arena, bytes, len);
    f->len = len;
    return check_bytes(r, f) ? f : NULL;
}

const struct conf_file *conf_source_copy(struct conf_report *r, const char *path, const char *bytes,
                                         size_t len)
{
    return copy_file(r, path, NULL, bytes, len);
}

/* At most one byte more than a configuration may have. -1 with errno. */
static int read_all(int fd, struct text *bytes)
{
    char piece[65536];
    while (bytes->len <= CONF_FILE_MAX) {
        ssize_t n = read(fd, piece, MIN(sizeof piece, (size_t)CONF_FILE_MAX + 1 - bytes->len));
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            text_add(bytes, piece, (size_t)n);
    }
    return 0;
}

struct conf_file *conf_source_read(struct conf_report *r, const char *path, const struct conf_node *by)
{
    /* Not blocking: to open a FIFO nobody writes to must not stop the master. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        const char *hint = by ? "a relative path starts in the folder of the file where it is written"
                              : "name the configuration file with -c FILE";
        refuse(r, path, by, errno == ENOENT ? hint : NULL,
               arena_printf(r->arena, "cannot be opened: %s", strerror(errno)));
        return NULL;
    }
    struct stat st;
    struct text bytes = {0};
    struct conf_file *f = NULL;
    if (fstat(fd, &st) < 0)
        refuse(r, path, by, NULL, arena_printf(r->arena, "cannot be examined: %s", strerror(errno)));
    else if (S_ISDIR(st.st_mode))
        refuse(r, path, by, "name the file in it", "is a directory, not a configuration file");
    else if (!S_ISREG(st.st_mode))
        refuse(r, path, by, "noxy reads its configuration again at a reload", "is not a regular file");
    else if (read_all(fd, &bytes) < 0)
        refuse(r, path, by, NULL, arena_printf(r->arena, "cannot be read: %s", strerror(errno)));
    else if ((f = copy_file(r, path, by, text_str(&bytes), bytes.len)))
        f->device = st.st_dev, f->inode = st.st_ino;
    text_free(&bytes);
    close(fd);
    return f;
}
