/*
 * response.c: the head and the trailers of a response, as nghttp2 takes them.
 */
#include "http2/client.h"

static nghttp2_nv pair(struct slice name, struct slice value)
{
    /* The value is read when the frame is made, which is before its memory goes; of names nghttp2 makes a
     * copy in small letters. */
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name.ptr, (uint8_t *)(uintptr_t)value.ptr, name.len, value.len,
                        NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

static size_t put_fields(nghttp2_nv *to, const struct message *m)
{
    size_t count = 0;
    for (unsigned i = 0; i < m->count; i++) {
        const struct field *f = &m->fields[i];
        if (!f->dropped && !(field_flags(f->id) & FIELD_HOP))
            to[count++] = pair((struct slice){f->name, f->name_len}, field_value(f));
    }
    return count;
}

static ssize_t read_data(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t size, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    struct h2_stream *s = source->ptr;
    size_t len = MIN(size, s->out_len);
    (void)session, (void)id, (void)buffer, (void)user;
    bool last = len == s->out_len && s->end_given;
    /* What the socket hasn't taken yet holds up all streams alike. */
    if ((len == 0 && !last) || (len > 0 && conn_queued(s->client->conn) > 0)) {
        s->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    *flags = NGHTTP2_DATA_FLAG_NO_COPY;
    if (last)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (last && s->trailers_out) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        h2_submit_trailers(s);
    }
    return (ssize_t)len;
}

/* A 101 is the 200 that opens a tunnel. Any other success would open one that isn't there (RFC 8441, 4). */
static uint16_t status_for(struct h2_stream *s, const struct message *m)
{
    if (m->status == 101)
        return 200;
    if (!s->head.websocket || m->status / 100 != 2)
        return m->status;
    s->mute = true;
    return 502;
}

void h2_submit_head(struct h2_stream *s, const struct message *m)
{
    static nghttp2_nv pairs[1 + ARRAY_LEN(m->fields)];
    char status[3];
    nghttp2_session *session = s->client->session;
    bool interim = m->status < 200 && m->status != 101;
    s->mute = !interim && m->body == BODY_NONE;
    uint16_t code = status_for(s, m);
    for (int i = 2; i >= 0; i--, code /= 10)
        status[i] = (char)('0' + code % 10);
    pairs[0] = pair(SLICE(":status"), (struct slice){status, sizeof status});
    pairs[0].flags = NGHTTP2_NV_FLAG_NONE;
    size_t count = 1 + put_fields(pairs + 1, m);
    nghttp2_data_provider provider = {.source.ptr = s, .read_callback = read_data};
    int failed = interim ? nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, s->id, NULL, pairs, count, NULL)
                         : nghttp2_submit_response(session, s->id, pairs, count, s->mute ? NULL : &provider);
    if (failed != 0 && nghttp2_is_fatal(failed))
        h2_fault(s->client, REASON_RESOURCES, NGHTTP2_INTERNAL_ERROR);
}

void h2_keep_trailers(struct h2_stream *s, const struct message *m)
{
    for (unsigned i = 0; m && i < m->count; i++) {
        const struct field *f = &m->fields[i];
        struct buffer *b = s->trailers_out;
        size_t need = sizeof(uint16_t) * 2 + f->name_len + f->value_len;
        if (f->dropped || field_flags(f->id) & FIELD_HOP)
            continue;
        if (!b)
            b = s->trailers_out = buffer_get();
        if (buffer_room(b) < need)
            return; /* the server's codec takes no more of them than fit */
        char *at = b->data + b->end;
        memcpy(at, &f->name_len, sizeof f->name_len);
        memcpy(at + 2, &f->value_len, sizeof f->value_len);
        memcpy(at + 4, f->name, f->name_len);
        memcpy(at + 4 + f->name_len, f->value, f->value_len);
        b->end += (uint32_t)need;
    }
}

/* Called when the body has gone: nghttp2 sends it next. */
void h2_submit_trailers(struct h2_stream *s)
{
    nghttp2_nv pairs[MESSAGE_FIELDS_MAX];
    size_t count = 0;
    struct buffer *b = s->trailers_out;
    for (const char *at = b->data; at < b->data + b->end && count < ARRAY_LEN(pairs);) {
        uint16_t name_len, value_len;
        memcpy(&name_len, at, sizeof name_len);
        memcpy(&value_len, at + 2, sizeof value_len);
        pairs[count++] = pair((struct slice){at + 4, name_len}, (struct slice){at + 4 + name_len, value_len});
        at += 4 + name_len + value_len;
    }
    if (nghttp2_submit_trailer(s->client->session, s->id, pairs, count) != 0)
        h2_fault(s->client, REASON_RESOURCES, NGHTTP2_INTERNAL_ERROR);
}
