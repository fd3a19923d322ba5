/*
 * request.c: the head of a request: fields as HPACK decoded them become a
 * message that can be written as HTTP/1.1 without anybody reading it
 * otherwise (RFC 9113, 8.2, 8.3, 10.3).
 *
 * What is malformed (8.1.1) is no request: its stream is reset. What is
 * well-formed but beyond limits, or nothing that noxy serves, is answered.
 *
 * Each field is written down as a line of HTTP/1.1, :authority as Host, one
 * behind the other, so that the whole head goes to a server as one piece.
 */
#include <sys/random.h>

#include "http/chars.h"
#include "http/host.h"
#include "http/http.h"
#include "http/status.h"
#include "http2/client.h"

enum {
    LINES_MAX = 8 * MESSAGE_FIELDS_MAX, /* fields, kept or not */
    RECEIVED_MAX = 8 * BUFFER_SIZE,     /* bytes of them */
    KEY_BYTES = 16,                     /* of Sec-WebSocket-Key (RFC 6455, 4.1) */
};

/* ---- the text ---- */

static void move(const char **at, ptrdiff_t by)
{
    if (*at)
        *at = (const char *)((uintptr_t)*at + (uintptr_t)by);
}

/* The head doesn't fit its stream: it goes on in a buffer. */
static void move_to_buffer(struct h2_stream *s)
{
    struct h2_head *head = &s->head;
    struct message *m = &s->stream.exchange->request;
    head->buffer = buffer_get();
    memcpy(head->buffer->data, head->text, head->len);
    ptrdiff_t by = (ptrdiff_t)((uintptr_t)head->buffer->data - (uintptr_t)head->text);
    for (unsigned i = 0; i < m->count; i++) {
        move(&m->fields[i].name, by);
        move(&m->fields[i].value, by);
    }
    struct slice *const slices[] = {&m->method, &m->path, &m->host};
    for (size_t i = 0; i < ARRAY_LEN(slices); i++)
        if (slices[i]->len > 0)
            move(&slices[i]->ptr, by);
    head->text = head->buffer->data;
}

/* Room for `len` bytes at the text's end; NULL: the head is too large. */
static char *make_room(struct h2_stream *s, size_t len)
{
    struct h2_head *head = &s->head;
    size_t limit = MIN(h2_frontend(s->client)->http->max_header, (uint64_t)BUFFER_SIZE);
    if (head->too_large || head->len + len > limit) {
        head->too_large = true;
        return NULL;
    }
    if (!head->buffer && head->len + len > HEAD_INLINE)
        move_to_buffer(s);
    char *at = head->text + head->len;
    head->len += (uint32_t)len;
    return at;
}

static char *put(char *at, struct slice s)
{
    memcpy(at, s.ptr, s.len);
    return at + s.len;
}

static struct slice keep(struct h2_stream *s, struct slice value)
{
    char *at = make_room(s, value.len);
    if (!at)
        return SLICE("");
    put(at, value);
    return (struct slice){at, value.len};
}

/* A line "name: value CRLF" of the message. */
static void add_line(struct h2_stream *s, enum field_id id, struct slice name, struct slice value)
{
    struct message *m = &s->stream.exchange->request;
    char *line = m->count < MESSAGE_FIELDS_MAX ? make_room(s, name.len + value.len + 4) : NULL;
    if (!line) {
        s->head.too_large = true;
        return;
    }
    put(put(put(put(line, name), SLICE(": ")), value), SLICE("\r\n"));
    message_add_raw(m, id, line, name.len, value.len);
}

/* ---- pseudo fields ---- */

static void take_method(struct h2_stream *s, struct slice value)
{
    s->head.malformed |= value.len == 0 || !chars_all(value, CHAR_TOKEN);
    s->stream.exchange->request.method = keep(s, value);
}

/* It tells nothing that the connection doesn't; but a scheme it must be. */
static void take_scheme(struct h2_stream *s, struct slice value)
{
    s->head.malformed |= value.len == 0 || !chars_all(value, CHAR_TOKEN);
    s->head.bad |= !slice_equal_nocase(value, SLICE("http")) && !slice_equal_nocase(value, SLICE("https"));
}

static void take_path(struct h2_stream *s, struct slice value)
{
    bool asterisk = slice_equal(value, SLICE("*"));
    s->head.malformed |=
        value.len == 0 || !chars_all(value, CHAR_TARGET) || (value.ptr[0] != '/' && !asterisk);
    s->head.long_line |= value.len > h2_frontend(s->client)->http->max_header;
    s->stream.exchange->request.path = keep(s, value);
}

/* As Host, at whose place HTTP/1.1 looks. */
static void take_authority(struct h2_stream *s, struct slice value)
{
    struct message *m = &s->stream.exchange->request;
    s->head.malformed |= value.len == 0 || !host_is_valid(value);
    add_line(s, FIELD_HOST, SLICE("host"), value);
    if (!s->head.too_large)
        m->host = field_value(&m->fields[m->count - 1]);
}

static void take_protocol(struct h2_stream *s, struct slice value)
{
    s->head.malformed |= value.len == 0 || !chars_all(value, CHAR_TOKEN);
    s->head.websocket = slice_equal_nocase(value, SLICE("websocket"));
    s->head.other_protocol = !s->head.websocket;
}

enum { METHOD = 1, SCHEME = 2, PATH = 4, AUTHORITY = 8, PROTOCOL = 16 };

static const struct {
    struct slice name;
    uint8_t bit;
    void (*take)(struct h2_stream *s, struct slice value);
} pseudo_fields[] = {
    {{":method", 7}, METHOD, take_method},
    {{":scheme", 7}, SCHEME, take_scheme},
    {{":path", 5}, PATH, take_path},
    {{":authority", 10}, AUTHORITY, take_authority},
    {{":protocol", 9}, PROTOCOL, take_protocol},
};

static void take_pseudo(struct h2_stream *s, struct slice name, struct slice value)
{
    for (size_t i = 0; i < ARRAY_LEN(pseudo_fields); i++) {
        if (!slice_equal(name, pseudo_fields[i].name))
            continue;
        s->head.malformed |= s->head.regular || s->head.pseudo & pseudo_fields[i].bit;
        s->head.pseudo |= pseudo_fields[i].bit;
        pseudo_fields[i].take(s, value);
        return;
    }
    s->head.malformed = true;
}

/* ---- fields ---- */

/* A token without capitals (RFC 9113, 8.2.1). */
static bool name_is_valid(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!(char_classes[(unsigned char)name.ptr[i]] & CHAR_TOKEN) ||
            (name.ptr[i] >= 'A' && name.ptr[i] <= 'Z'))
            return false;
    return name.len > 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static bool value_is_valid(struct slice v)
{
    return v.len == 0 || (!is_space(v.ptr[0]) && !is_space(v.ptr[v.len - 1]) && chars_all(v, CHAR_VALUE));
}

/* Pieces of Cookie are one field to HTTP/1.1 (RFC 9113, 8.2.3). True: it went behind the piece before it. */
static bool join_cookie(struct h2_stream *s, struct slice value)
{
    struct message *m = &s->stream.exchange->request;
    struct field *last = m->count > 0 ? &m->fields[m->count - 1] : NULL;
    if (!last || last->id != FIELD_COOKIE || last->value_len + value.len + 2 > UINT16_MAX)
        return false;
    char *at = make_room(s, value.len + 2);
    if (!at)
        return true;
    last->value_len += (uint16_t)(value.len + 2);
    put(put(put(at - 2, SLICE("; ")), value), SLICE("\r\n"));
    return true;
}

/* Sent on without leading zeros: others may read them otherwise. */
static void take_length(struct h2_stream *s, struct slice name, struct slice value)
{
    struct h2_head *head = &s->head;
    head->malformed |= head->length_given || !field_read_length(value, &head->length);
    head->length_given = true;
    while (value.len > 1 && value.ptr[0] == '0') {
        value.ptr++;
        value.len--;
    }
    add_line(s, FIELD_CONTENT_LENGTH, name, value);
}

/* What concerns a connection of HTTP/1.1 (RFC 9113, 8.2.2). */
static bool is_of_connection(enum field_id id)
{
    return id == FIELD_CONNECTION || id == FIELD_KEEP_ALIVE || id == FIELD_PROXY_CONNECTION ||
           id == FIELD_TRANSFER_ENCODING || id == FIELD_UPGRADE;
}

static void take_field(struct h2_stream *s, struct slice name, struct slice value)
{
    struct message *m = &s->stream.exchange->request;
    enum field_id id = field_lookup(name);
    s->head.malformed |= is_of_connection(id);
    switch (id) {
    case FIELD_TE:
        s->head.te_trailers = slice_equal_nocase(value, SLICE("trailers"));
        s->head.malformed |= !s->head.te_trailers;
        return;
    case FIELD_CONTENT_LENGTH:
        take_length(s, name, value);
        return;
    case FIELD_HOST:
        /* It must say what :authority does, and isn't needed then. */
        s->head.malformed |= value.len == 0 || !host_is_valid(value);
        if (m->host.len > 0) {
            s->head.malformed |= !slice_equal_nocase(m->host, value);
            return;
        }
        add_line(s, id, name, value);
        if (!s->head.too_large)
            m->host = field_value(&m->fields[m->count - 1]);
        return;
    case FIELD_COOKIE:
        if (join_cookie(s, value))
            return;
        break;
    default:
        s->head.bad |= field_flags(id) & FIELD_ONCE && message_find(m, id);
    }
    add_line(s, id, name, value);
}

/* False: more than any head has. HPACK makes much out of few bytes. */
static bool count_field(struct h2_head *head, struct slice name, struct slice value)
{
    head->received += (uint32_t)(name.len + value.len);
    return ++head->lines <= LINES_MAX && head->received <= RECEIVED_MAX;
}

bool h2_head_field(struct h2_stream *s, struct slice name, struct slice value)
{
    struct h2_head *head = &s->head;
    if (!count_field(head, name, value))
        return false;
    if (head->malformed || name.len > UINT16_MAX || value.len > UINT16_MAX)
        return true;
    if (name.len > 0 && name.ptr[0] == ':') {
        take_pseudo(s, name, value);
        return true;
    }
    head->regular = true;
    if (!name_is_valid(name) || !value_is_valid(value))
        head->malformed = true;
    else
        take_field(s, name, value);
    return true;
}

/* ---- the complete head ---- */

/* Pieces of Cookie that other fields stood between. */
static void join_cookies(struct exchange *x)
{
    static const struct slice name = SLICE("cookie");
    struct message *m = &x->request;
    size_t len = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < m->count; i++) {
        if (m->fields[i].id != FIELD_COOKIE)
            continue;
        len += m->fields[i].value_len + 2u;
        count++;
    }
    if (count < 2 || len > UINT16_MAX)
        return;
    char *line = exchange_alloc(x, name.len + 2 + len), *at = put(put(line, name), SLICE(": "));
    for (unsigned i = 0; i < m->count; i++)
        if (m->fields[i].id == FIELD_COOKIE)
            at = put(put(at, field_value(&m->fields[i])), SLICE("; "));
    message_drop(m, FIELD_COOKIE);
    memcpy(at - 2, "\r\n", 2);
    message_add_raw(m, FIELD_COOKIE, line, name.len, len - 2);
}

/* Are the pseudo fields there that must be, and no others (RFC 9113, 8.3.1, 8.5; RFC 8441, 4)? */
static bool pseudo_is_complete(const struct h2_stream *s, const struct message *m)
{
    uint8_t given = s->head.pseudo;
    bool connect = slice_equal(m->method, SLICE("CONNECT"));
    if (connect && !(given & PROTOCOL))
        return given == (METHOD | AUTHORITY);
    if ((given & (METHOD | SCHEME | PATH)) != (METHOD | SCHEME | PATH))
        return false;
    if (given & PROTOCOL && (!connect || !(given & AUTHORITY)))
        return false;
    if (slice_equal(m->path, SLICE("*")) && !slice_equal(m->method, SLICE("OPTIONS")))
        return false;
    return m->host.len > 0;
}

static void set_body(struct h2_stream *s, struct message *m)
{
    const struct h2_head *head = &s->head;
    m->body_length = head->length;
    if (s->ended || (head->length_given && head->length == 0))
        m->body = BODY_NONE;
    else
        m->body = head->length_given ? BODY_LENGTH : BODY_STREAM;
    s->body = m->body != BODY_NONE;
}

static char *put_base64(char *at, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        unsigned long n = (unsigned long)bytes[i] << 16;
        n |= i + 1 < len ? (unsigned long)bytes[i + 1] << 8 : 0;
        n |= i + 2 < len ? (unsigned long)bytes[i + 2] : 0;
        *at++ = digits[n >> 18 & 63];
        *at++ = digits[n >> 12 & 63];
        *at++ = i + 1 < len ? digits[n >> 6 & 63] : '=';
        *at++ = i + 2 < len ? digits[n & 63] : '=';
    }
    return at;
}

/* CONNECT with :protocol becomes what HTTP/1.1 knows: GET with Upgrade (RFC 8441, 5). */
static void make_upgrade(struct h2_stream *s, struct exchange *x)
{
    static const char upgrade[] = "Upgrade: websocket\r\n";
    static const struct slice name = SLICE("Sec-WebSocket-Key");
    struct message *m = &x->request;
    unsigned char key[KEY_BYTES];
    char *line = exchange_alloc(x, name.len + 2 + (KEY_BYTES + 2) / 3 * 4 + 2);
    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
        memset(key, 0, sizeof key); /* it is no secret: it only tells answers apart */
    char *at = put_base64(put(put(line, name), SLICE(": ")), key, sizeof key);
    size_t len = (size_t)(at - line) - name.len - 2;
    put(at, SLICE("\r\n"));
    x->asked_method = m->method;
    m->method = SLICE("GET");
    m->upgrade = true;
    m->body = BODY_NONE;
    s->body = true;
    message_add_raw(m, FIELD_UPGRADE, upgrade, 7, sizeof upgrade - 1 - 11);
    message_add_raw(m, FIELD_OTHER, line, name.len, len);
}

/* 0, or the status of the refusal. */
static uint16_t check_request(struct h2_stream *s, struct message *m)
{
    const struct http_conf *conf = h2_frontend(s->client)->http;
    size_t head_len = s->head.too_large ? SIZE_MAX : s->head.len;
    uint16_t refused = s->head.long_line ? 414 : http_check_limits(conf, m, head_len);
    if (refused)
        return refused;
    if (s->head.bad || (s->head.websocket && s->ended))
        return 400;
    if (s->head.other_protocol)
        return 501;
    return slice_equal(m->method, SLICE("CONNECT")) && !s->head.websocket ? 405 : 0;
}

static void refuse(struct h2_stream *s, struct exchange *x, uint16_t status)
{
    s->body = false;
    exchange_refuse(x, status, reason_of_refusal(status));
}

void h2_head_end(struct h2_stream *s)
{
    struct exchange *x = s->stream.exchange;
    struct message *m = &x->request;
    const struct h2_head *head = &s->head;
    m->version = HTTP_2;
    m->target = m->path;
    x->head_in = s->head_bytes;
    bool complete = head->too_large || pseudo_is_complete(s, m);
    if (head->malformed || !complete || (s->ended && head->length > 0)) {
        x->malformed = m->path;
        h2_stream_reset(s, NGHTTP2_PROTOCOL_ERROR);
        refuse(s, x, 0);
        return;
    }
    m->head_method = slice_equal(m->method, SLICE("HEAD"));
    set_body(s, m);
    uint16_t refused = check_request(s, m);
    if (refused) {
        if (head->too_large)
            x->malformed = m->path;
        refuse(s, x, refused);
        return;
    }
    join_cookies(x);
    if (head->websocket)
        make_upgrade(s, x);
    s->active_at = h2_now(s->client);
    pace_begin(&x->pace, x->frontend, 0);
    exchange_begin(x);
}

void h2_head_free(struct h2_stream *s)
{
    if (s->head.buffer)
        buffer_put(s->head.buffer);
    s->head.buffer = NULL;
    if (s->trailers_in)
        buffer_put(s->trailers_in);
    s->trailers_in = NULL;
}

/* ---- trailers ---- */

bool h2_trailer_field(struct h2_stream *s, struct slice name, struct slice value)
{
    struct buffer *b = s->trailers_in;
    size_t need = name.len + value.len + 4;
    if (!count_field(&s->head, name, value))
        return false;
    if (!name_is_valid(name) || !value_is_valid(value) || is_of_connection(field_lookup(name)))
        s->trailers_bad = true;
    if (s->trailers_bad)
        return true;
    if (!b)
        b = s->trailers_in = buffer_get();
    if (buffer_room(b) < need) {
        s->trailers_bad = true;
        return true;
    }
    put(put(put(put(b->data + b->end, name), SLICE(": ")), value), SLICE("\r\n"));
    b->end += (uint32_t)need;
    return true;
}

const struct message *h2_trailers(const struct h2_stream *s)
{
    static struct message m;
    if (!s->trailers_in)
        return NULL;
    message_init(&m);
    const char *at = s->trailers_in->data, *end = at + s->trailers_in->end;
    while (at < end && m.count < MESSAGE_FIELDS_MAX) {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        const char *lf = memchr(colon, '\n', (size_t)(end - colon));
        struct slice name = {at, (size_t)(colon - at)};
        enum field_id id = field_lookup(name);
        message_add_raw(&m, id, at, name.len, (size_t)(lf - colon) - 3);
        m.fields[m.count - 1].dropped = !field_may_trail(name, id);
        at = lf + 1;
    }
    return &m;
}
