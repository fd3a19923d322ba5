#include "http1/head.h"

#include <endian.h>
#include <http_parser.h>

#include "base/macros.h"
#include "http/chars.h"
#include "http/host.h"

enum { EMPTY_LINES_MAX = 2 };

/* ---- finding the end ---- */

/* It begins or ends with a version: what isn't HTTP at all (or is HTTP/0.9) need not come to its end to be
 * refused. */
static bool is_start_line(const char *line, size_t len)
{
    return len > 9 && (memcmp(line + len - 9, " HTTP/", 6) == 0 || memcmp(line, "HTTP/", 5) == 0);
}

int head_scan(struct head_scan *scan, const char *bytes, size_t len)
{
    const char *lf;
    while (scan->at < len && (lf = memchr(bytes + scan->at, '\n', len - scan->at))) {
        uint32_t end = (uint32_t)(lf - bytes), start = scan->line_start;
        scan->at = scan->line_start = end + 1;
        if (end == start || bytes[end - 1] != '\r')
            return HEAD_BAD;
        if (end - 1 == start) {
            if (scan->lines > 0)
                return (int)end + 1;
            scan->skipped = end + 1;
            if (scan->skipped > 2 * EMPTY_LINES_MAX)
                return HEAD_BAD;
            continue;
        }
        if (scan->lines == 0 && !is_start_line(bytes + start, end - 1 - start))
            return HEAD_BAD;
        if (scan->lines == 0)
            scan->start_line = end + 1 - start;
        /* A folded line, or one that a lenient reader takes for the empty one. */
        if (bytes[start] == ' ' || bytes[start] == '\t' || bytes[start] == '\r')
            return HEAD_BAD;
        if (scan->lines++ > MESSAGE_FIELDS_MAX)
            return HEAD_TOO_MANY;
    }
    scan->at = (uint32_t)len;
    return HEAD_MORE;
}

/* ---- taking it apart ---- */

enum fields { FIELDS_GOOD, FIELDS_BAD, FIELDS_TOO_MANY };

/* One line, its CR LF at `lf - 1`, whose bytes are clean. */
static bool read_field(struct field *f, const char *line, const char *lf)
{
    const char *colon = memchr(line, ':', (size_t)(lf - line));
    if (!colon)
        return false;
    /* Up to the colon there is nothing but the name: no space may stand before it (RFC 9112, 5.1). */
    struct slice name = {line, (size_t)(colon - line)};
    struct slice value = slice_trim((struct slice){colon + 1, (size_t)(lf - 1 - colon - 1)});
    if (name.len == 0 || name.len > UINT16_MAX || value.len > UINT16_MAX || !chars_all(name, CHAR_TOKEN))
        return false;
    *f = (struct field){
        .name = name.ptr,
        .name_len = (uint16_t)name.len,
        .value = value.ptr,
        .value_len = (uint16_t)value.len,
        .id = (uint8_t)field_lookup(name),
        /* A line ends with CR LF, so this can't look past it. A value of blanks alone is sent on as none. */
        .raw = value.ptr[value.len] == '\r' && (value.len > 0 || value.ptr == colon + 1),
    };
    return true;
}

/* The lines up to `end`, behind which the empty line stands. */
static enum fields read_fields(struct message *m, const char *line, const char *end)
{
    while (line < end) {
        const char *lf = memchr(line, '\n', (size_t)(end - line));
        if (m->count >= MESSAGE_FIELDS_MAX)
            return FIELDS_TOO_MANY;
        if (!lf || !read_field(&m->fields[m->count], line, lf))
            return FIELDS_BAD;
        m->count++;
        line = lf + 1;
    }
    return FIELDS_GOOD;
}

static int on_url(http_parser *p, const char *at, size_t len)
{
    struct message *m = p->data;
    m->target = (struct slice){at, len};
    return 0;
}

static int on_status(http_parser *p, const char *at, size_t len)
{
    struct message *m = p->data;
    m->reason = (struct slice){at, len};
    return 0;
}

static int on_head_complete(http_parser *p)
{
    (void)p;
    return 1; /* the body is not http-parser's business */
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_status = on_status,
    .on_headers_complete = on_head_complete,
};

/*
 * Takes the head apart: 0, or the status of the refusal of a request. http-parser reads the start line, as if
 * no field followed: it would judge those that frame a message by rules that are too lenient, and some that
 * are too strict. It knows a fixed list of methods, too, and gets GET whatever the method is: `bytes` begin
 * behind that.
 */
static uint16_t take_apart(struct message *m, http_parser *parser, enum http_parser_type type,
                           const char *bytes, size_t len)
{
    const char *lf = memchr(bytes, '\n', len);
    if (!lf)
        return 400;
    size_t line_len = (size_t)(lf + 1 - bytes), used = 0;
    message_init(m);
    http_parser_init(parser, type);
    parser->data = m;
    if (type == HTTP_REQUEST)
        http_parser_execute(parser, &settings, "GET", 3);
    used = http_parser_execute(parser, &settings, bytes, line_len);
    used += http_parser_execute(parser, &settings, "\r\n", 2);
    enum http_errno error = HTTP_PARSER_ERRNO(parser);
    if ((error != HPE_OK && error != HPE_PAUSED) || used < line_len + 2 || parser->http_major != 1)
        return 400;
    m->version = parser->http_minor > 0 ? HTTP_1_1 : HTTP_1_0;
    static const uint16_t refusals[] = {[FIELDS_GOOD] = 0, [FIELDS_BAD] = 400, [FIELDS_TOO_MANY] = 431};
    return refusals[read_fields(m, lf + 1, bytes + len - 2)];
}

/* ---- fields that frame or steer ---- */

/* The members of a list field over all its lines: does `option` stand among them? */
static bool list_has(struct slice value, struct slice option)
{
    struct slice item;
    while (slice_next_item(&value, &item))
        if (slice_equal_nocase(item, option))
            return true;
    return false;
}

enum coding { CODING_BAD, CODING_UNKNOWN, CODING_CHUNKED };

/* What a Transfer-Encoding says. Bad: not a list of codings, or chunked is in it but not once and last (RFC
 * 9112, 6.1 and 6.3). */
static enum coding read_codings(struct slice list)
{
    struct slice item;
    bool chunked = false;
    if (slice_equal_nocase(list, SLICE("chunked")))
        return CODING_CHUNKED;
    while (slice_next_item(&list, &item)) {
        if (chunked || item.len == 0 || !chars_all(item, CHAR_TOKEN))
            return CODING_BAD;
        chunked = slice_equal_nocase(item, SLICE("chunked"));
    }
    return CODING_UNKNOWN;
}

struct framing {
    unsigned lengths, codings; /* field lines */
    uint64_t seen;             /* a bit an enum field_id that may not be repeated */
    bool repeated;             /* one was */
    uint64_t length;
    enum coding coding;
    bool bad_length, connection_close, connection_keep, connection_upgrade, upgrade, upgrade_http2;
};

/* What an Upgrade offers. HTTP/2 (h2c, its drafts, "HTTP/2.0") is never passed on: its bytes would not be
 * HTTP/1.1 for us, but be for the server. */
static void note_upgrade(struct framing *fr, struct slice list)
{
    struct slice item;
    while (slice_next_item(&list, &item)) {
        fr->upgrade |= item.len > 0;
        fr->upgrade_http2 |=
            slice_begins_nocase(item, SLICE("h2")) || slice_begins_nocase(item, SLICE("http/2"));
    }
}

/* A sound length as it is sent on: without leading zeros, behind one space. Others may read it otherwise. */
static void write_length_plainly(struct field *f)
{
    while (f->value_len > 1 && f->value[0] == '0') {
        f->value++;
        f->value_len--;
    }
    if (f->value != f->name + f->name_len + 2 || f->value[-1] != ' ')
        f->raw = false;
}

static void note_once(struct framing *fr, enum field_id id)
{
    uint64_t bit = (uint64_t)1 << id;
    fr->repeated |= (fr->seen & bit) != 0;
    fr->seen |= bit;
}

static void note_field(struct framing *fr, struct field *f)
{
    struct slice v = field_value(f);
    if (field_flags(f->id) & FIELD_ONCE)
        note_once(fr, f->id);
    switch (f->id) {
    case FIELD_CONTENT_LENGTH:
        fr->lengths++;
        if (field_read_length(v, &fr->length))
            write_length_plainly(f);
        else
            fr->bad_length = true;
        break;
    case FIELD_TRANSFER_ENCODING:
        fr->codings++;
        fr->coding = read_codings(v);
        break;
    case FIELD_CONNECTION:
        fr->connection_close |= list_has(v, SLICE("close"));
        fr->connection_keep |= list_has(v, SLICE("keep-alive"));
        fr->connection_upgrade |= list_has(v, SLICE("upgrade"));
        break;
    case FIELD_UPGRADE:
        note_upgrade(fr, v);
        break;
    default:
        break;
    }
}

static struct framing read_framing(struct message *m)
{
    struct framing fr = {0};
    for (unsigned i = 0; i < m->count; i++)
        if (m->fields[i].id != FIELD_OTHER)
            note_field(&fr, &m->fields[i]);
    m->close = fr.connection_close || (m->version == HTTP_1_0 && !fr.connection_keep);
    m->upgrade = m->version > HTTP_1_0 && fr.connection_upgrade && fr.upgrade && !fr.upgrade_http2;
    return fr;
}

/* How a body is framed: 0, 400 where it is ambiguous, 501 for a coding that noxy doesn't know (RFC
 * 9112, 6.1, 6.3). */
static uint16_t frame_body(struct message *m, const struct framing *fr)
{
    if (fr->bad_length || fr->lengths > 1 || (fr->lengths && fr->codings) || fr->codings > 1)
        return 400;
    if (fr->codings) {
        if (m->version == HTTP_1_0 || fr->coding == CODING_BAD)
            return 400;
        if (fr->coding == CODING_UNKNOWN)
            return 501;
        m->body = BODY_STREAM;
        return 0;
    }
    m->body = fr->lengths && fr->length > 0 ? BODY_LENGTH : BODY_NONE;
    m->body_length = fr->length;
    return 0;
}

/* ---- requests ---- */

/* An absolute target: scheme "://" authority path. Its authority replaces Host (RFC 9112, 3.2.2). */
static bool split_absolute(struct message *m)
{
    struct slice t = m->target;
    size_t scheme_len = 0;
    if (t.len > 7 && strncasecmp(t.ptr, "http://", 7) == 0)
        scheme_len = 4;
    else if (t.len > 8 && strncasecmp(t.ptr, "https://", 8) == 0)
        scheme_len = 5;
    else
        return false;
    m->scheme = (struct slice){t.ptr, scheme_len};
    struct slice rest = {t.ptr + scheme_len + 3, t.len - scheme_len - 3};
    size_t host_len = 0;
    while (host_len < rest.len && rest.ptr[host_len] != '/' && rest.ptr[host_len] != '?')
        host_len++;
    m->host = (struct slice){rest.ptr, host_len};
    m->path = (struct slice){rest.ptr + host_len, rest.len - host_len};
    /* "OPTIONS http://host" asks for what "OPTIONS *" does (RFC 9112, 3.2.4). */
    if (m->path.len == 0 && slice_equal(m->method, SLICE("OPTIONS")))
        m->path = SLICE("*");
    return host_len > 0 && host_is_valid(m->host);
}

/* The target's form and the host that it or Host names: 0 or a status. */
static uint16_t read_target(struct message *m)
{
    struct field *host = NULL;
    for (unsigned i = 0; i < m->count; i++) {
        if (m->fields[i].id == FIELD_HOST)
            host = &m->fields[i];
    }
    if (host ? !host_is_valid(field_value(host)) : m->version > HTTP_1_0)
        return 400;
    if (!chars_all(m->target, CHAR_TARGET) || m->target.len == 0)
        return 400;
    m->host = host ? field_value(host) : SLICE("");
    if (host && m->host.len == 0 && m->version == HTTP_1_0)
        host->dropped = true; /* as if there were none */
    m->path = m->target;
    if (m->target.ptr[0] == '/')
        return 0;
    if (slice_equal(m->target, SLICE("*")))
        return slice_equal(m->method, SLICE("OPTIONS")) ? 0 : 400;
    if (host)
        host->dropped = true;
    return split_absolute(m) ? 0 : 400;
}

/* "METHOD target HTTP/1.1 CRLF", with single spaces: what http-parser takes more loosely is refused. */
static bool line_is_exact(struct message *m, const char *bytes, size_t len)
{
    const char *version = m->target.ptr + m->target.len;
    if (m->target.ptr != bytes + m->method.len + 1 || (size_t)(bytes + len - version) < 11)
        return false;
    if (memcmp(version, " HTTP/1.", 8) != 0 || memcmp(version + 9, "\r\n", 2) != 0)
        return false;
    if (m->version > HTTP_1_0 && version[8] == '1' && m->target.ptr[0] != 'h' && m->target.ptr[0] != 'H')
        m->raw_line = (struct slice){bytes, (size_t)(version + 11 - bytes)};
    return true;
}

/* A start line that names another version, well formed: what 505 is for. */
static bool names_other_version(const char *bytes, size_t len)
{
    const char *lf = memchr(bytes, '\n', len);
    if (!lf || lf - bytes < 11)
        return false;
    const char *v = lf - 10; /* " HTTP/x.y\r" */
    return memcmp(v, " HTTP/", 6) == 0 && v[6] >= '0' && v[6] <= '9' && v[6] != '1' && v[7] == '.' &&
           v[8] >= '0' && v[8] <= '9' && v[9] == '\r';
}

/* Of eight bytes, a bit in the first that is a control character, and perhaps in those behind it. */
static inline uint64_t control_in(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    uint64_t low = (word - ones * 0x20) & ~word, deleted = word ^ ones * 0x7f;
    return (low | ((deleted - ones) & ~deleted)) & high;
}

/* No CR but before LF, no NUL, no other control character but the tab. */
static bool bytes_are_clean(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint64_t word;
        if (len - i >= sizeof word) {
            memcpy(&word, bytes + i, sizeof word);
            uint64_t found = control_in(le64toh(word));
            if (!found) {
                i += sizeof word;
                continue;
            }
            i += (size_t)__builtin_ctzll(found) / 8;
        }
        if (char_classes[(unsigned char)bytes[i]] & CHAR_VALUE)
            i++;
        else if (bytes[i] == '\r' && i + 1 < len && bytes[i + 1] == '\n')
            i += 2;
        else
            return false;
    }
    return true;
}

/* A token and a space begin the line: the token's length, else 0. */
static size_t method_length(const char *bytes, size_t len)
{
    size_t n = 0;
    while (n < len && char_classes[(unsigned char)bytes[n]] & CHAR_TOKEN)
        n++;
    return n < len && bytes[n] == ' ' ? n : 0;
}

uint16_t head_parse_request(struct message *m, const char *bytes, size_t len)
{
    http_parser parser;
    message_init(m);
    if (!bytes_are_clean(bytes, len))
        return 400;
    size_t method_len = method_length(bytes, len);
    if (method_len == 0)
        return 400;
    uint16_t refused = take_apart(m, &parser, HTTP_REQUEST, bytes + method_len, len - method_len);
    m->method = (struct slice){bytes, method_len};
    if (slice_equal(m->method, SLICE("CONNECT")))
        return 405;
    if (refused)
        return names_other_version(bytes, len) ? 505 : refused;
    if (!line_is_exact(m, bytes, len))
        return 400;
    m->head_method = slice_equal(m->method, SLICE("HEAD"));
    refused = read_target(m);
    struct framing fr = read_framing(m);
    if (fr.repeated)
        refused = 400;
    if (!refused)
        refused = frame_body(m, &fr);
    /* An answer 101 would come in the middle of the body: such a request is a plain exchange. */
    if (m->body != BODY_NONE)
        m->upgrade = false;
    if (m->version == HTTP_1_0)
        message_drop(m, FIELD_EXPECT); /* RFC 9110, 10.1.1 */
    return refused;
}

/* ---- responses ---- */

/* 1xx, 204, 304 and answers to HEAD have no body whatever they say (RFC 9112, 6.3). */
static uint16_t frame_response(struct message *m, bool to_head)
{
    struct framing fr = read_framing(m);
    bool no_length = m->status < 200 || m->status == 204; /* none may stand there (RFC 9110, 8.6) */
    if (no_length || m->status == 304 || to_head) {
        if (fr.lengths && (no_length || fr.lengths > 1 || fr.bad_length || fr.codings))
            message_drop(m, FIELD_CONTENT_LENGTH);
        return 0;
    }
    if (frame_body(m, &fr) != 0)
        return 502;
    if (!fr.lengths && !fr.codings) {
        m->body = BODY_CLOSE;
        m->close = true;
    }
    return 0;
}

uint16_t head_parse_response(struct message *m, const char *bytes, size_t len, bool to_head)
{
    http_parser parser;
    message_init(m);
    if (len < 12 || memcmp(bytes, "HTTP/1.", 7) != 0 || bytes[8] != ' ' || !bytes_are_clean(bytes, len) ||
        take_apart(m, &parser, HTTP_RESPONSE, bytes, len) != 0)
        return 502;
    m->status = (uint16_t)parser.status_code;
    const char *lf = memchr(bytes, '\n', len);
    if (m->status < 100 || m->status > 599 || (bytes[12] != ' ' && bytes[12] != '\r'))
        return 502;
    /* Where the space behind the status is missing (RFC 9112, 4), the line is written anew. */
    if (bytes[7] == '1' && bytes[12] == ' ')
        m->raw_line = (struct slice){bytes, (size_t)(lf + 1 - bytes)};
    return frame_response(m, to_head);
}

/* ---- trailers ---- */

bool head_parse_trailers(struct message *m, const char *bytes, size_t len)
{
    message_init(m);
    if (!bytes_are_clean(bytes, len) || read_fields(m, bytes, bytes + len - 2) != FIELDS_GOOD)
        return false;
    for (struct field *f = m->fields; f < m->fields + m->count; f++)
        f->dropped = !field_may_trail(field_name(f), (enum field_id)f->id);
    return true;
}
