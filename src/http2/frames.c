/*
 * frames.c: nghttp2 at work on a client's connection: what it is told to do,
 * and what its callbacks note. None of them acts (client.h).
 */
#include "http/http.h"
#include "http2/client.h"

enum {
    CONTINUATIONS_MAX = 6, /* of a head: frames have 16 KiB, and so has the largest head */
    BLOCK_MAX = 64 << 10,  /* bytes of a head's frames, compressed */
    FRAME_HEAD = H2_FRAME_HEAD,
    FIELD_COST = 32, /* what SETTINGS_MAX_HEADER_LIST_SIZE adds for each field (RFC 9113, 6.5.2) */
};

void h2_fault(struct h2_client *h, enum reason why, uint32_t code)
{
    if (h->fault == REASON_NONE) {
        h->fault = why;
        h->fault_code = code;
    }
    h2_soon(h);
}

static struct h2_stream *stream_of(nghttp2_session *session, int32_t id)
{
    return id > 0 ? nghttp2_session_get_stream_user_data(session, id) : NULL;
}

/* ---- closed streams ---- */

static void remember_closed(struct h2_client *h, int32_t id, bool by_us)
{
    uint32_t i = h->closed_next++ % CLOSED_KEPT;
    h->closed_streams[i].id = id;
    h->closed_streams[i].by_us = by_us;
}

/*
 * A frame for a stream that is gone, or never was though a later one was (RFC 9113, 5.1). Where we reset it
 * the client may not have known. 0, or the error that it is.
 */
static uint32_t closed_error(const struct h2_client *h, int32_t id)
{
    for (uint32_t i = 0; i < CLOSED_KEPT; i++)
        if (h->closed_streams[i].id == id)
            return h->closed_streams[i].by_us ? 0 : NGHTTP2_STREAM_CLOSED;
    /* Too long ago to know, unless all that closed are remembered. */
    return h->closed_next > CLOSED_KEPT ? 0 : NGHTTP2_PROTOCOL_ERROR;
}

/* ---- frames that come ---- */

/* Counts a frame that costs its sender nothing. */
static int count(struct h2_client *h, enum flood_kind kind)
{
    enum reason why = flood_count(&h->flood, kind, h2_now(h));
    if (why == REASON_NONE)
        return 0;
    h2_fault(h, why, NGHTTP2_ENHANCE_YOUR_CALM);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int begin_head(struct h2_client *h, const nghttp2_frame_hd *hd)
{
    h->continuations = 0;
    h->block_bytes = (uint32_t)hd->length;
    flood_earn(&h->flood, FLOOD_PRIORITIES, 2);
    if (hd->stream_id > h->last_id)
        h->last_id = hd->stream_id;
    return 0;
}

static int begin_continuation(struct h2_client *h, const nghttp2_frame_hd *hd)
{
    h->block_bytes += (uint32_t)hd->length;
    if (++h->continuations <= CONTINUATIONS_MAX && h->block_bytes <= BLOCK_MAX)
        return 0;
    h2_fault(h, REASON_H2_CONTINUATION_FLOOD, NGHTTP2_ENHANCE_YOUR_CALM);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* Of HEADERS and DATA: is its stream one that may get them? */
static int check_stream(struct h2_client *h, const nghttp2_frame_hd *hd)
{
    nghttp2_stream *stream = nghttp2_session_find_stream(h->session, hd->stream_id);
    bool open = stream && nghttp2_stream_get_state(stream) != NGHTTP2_STREAM_STATE_IDLE;
    if (open || hd->stream_id % 2 == 0 || hd->stream_id > h->last_id || h->drain == DRAIN_FINAL)
        return 0; /* it may; or nghttp2 knows */
    uint32_t error = closed_error(h, hd->stream_id);
    if (error == 0)
        return count(h, FLOOD_OTHER);
    h2_fault(h, REASON_H2_PROTOCOL_ERROR, error);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* What nghttp2 would let pass, or would not tell of. 0, or the connection must end. */
static int check_frame(struct h2_client *h, const nghttp2_frame_hd *hd)
{
    nghttp2_session *session = h->session;
    struct h2_stream *s;
    int failed = 0;
    switch (hd->type) {
    case NGHTTP2_DATA:
        h->frame_data = 0;
        return check_stream(h, hd);
    case NGHTTP2_HEADERS:
        failed = check_stream(h, hd);
        return failed ? failed : begin_head(h, hd);
    case NGHTTP2_CONTINUATION:
        return begin_continuation(h, hd);
    case NGHTTP2_RST_STREAM:
        s = stream_of(session, hd->stream_id);
        return count(h, s && s->stream.exchange ? FLOOD_RESETS : FLOOD_OTHER);
    case NGHTTP2_SETTINGS:
        h->queued_before = nghttp2_session_get_outbound_queue_size(session);
        return hd->flags & NGHTTP2_FLAG_ACK ? count(h, FLOOD_OTHER) : count(h, FLOOD_SETTINGS);
    case NGHTTP2_PING:
        return hd->flags & NGHTTP2_FLAG_ACK ? count(h, FLOOD_OTHER) : count(h, FLOOD_PINGS);
    case NGHTTP2_PRIORITY:
        return count(h, FLOOD_PRIORITIES);
    case NGHTTP2_WINDOW_UPDATE:
        return count(h, FLOOD_WINDOWS);
    default:
        return count(h, FLOOD_OTHER);
    }
}

size_t h2_frame_piece(struct h2_client *h, const char *bytes, size_t len)
{
    size_t used = 0;
    if (h->frame_left == 0) {
        const unsigned char *f = h->frame_head;
        used = MIN(len, (size_t)(FRAME_HEAD - h->frame_have));
        memcpy(h->frame_head + h->frame_have, bytes, used);
        h->frame_have += (uint8_t)used;
        if (h->frame_have < FRAME_HEAD)
            return used;
        h->frame_have = 0;
        h->frame_left = (uint32_t)(f[0] << 16 | f[1] << 8 | f[2]);
        uint32_t id = (uint32_t)f[5] << 24 | (uint32_t)f[6] << 16 | (uint32_t)f[7] << 8 | f[8];
        nghttp2_frame_hd hd = {
            .length = h->frame_left, .type = f[3], .flags = f[4], .stream_id = (int32_t)(id & INT32_MAX)};
        check_frame(h, &hd);
    }
    size_t part = MIN(len - used, (size_t)h->frame_left);
    h->frame_left -= (uint32_t)part;
    return used + part;
}

/* ---- what nghttp2 tells ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_client *h = user;
    h->head_at = h2_now(h);
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct h2_stream *s = h2_stream_new(h, frame->hd.stream_id);
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, s);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
    struct h2_client *h = user;
    struct h2_stream *s = stream_of(session, frame->hd.stream_id);
    struct slice n = {(const char *)name, name_len}, v = {(const char *)value, value_len};
    (void)flags;
    if (!s || !s->stream.exchange)
        return 0;
    bool sound = true;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        sound = h2_head_field(s, n, v);
    else
        sound = h2_trailer_field(s, n, v);
    if (sound)
        return 0;
    h2_fault(h, REASON_H2_HEAD_FLOOD, NGHTTP2_ENHANCE_YOUR_CALM);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t len,
                    void *user)
{
    struct h2_client *h = user;
    struct h2_stream *s = stream_of(session, id);
    (void)flags;
    h->frame_data += (uint32_t)len;
    if (!s) {
        nghttp2_session_consume(session, id, len);
        return 0;
    }
    h->chunk.stream = s;
    h->chunk.bytes = (const char *)bytes;
    h->chunk.len = len;
    return NGHTTP2_ERR_PAUSE;
}

/* A head, or a trailer section, is complete. */
static void head_came(struct h2_client *h, struct h2_stream *s, const nghttp2_frame *frame)
{
    bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    s->head_bytes += (uint32_t)frame->hd.length + 9;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        s->ended = ends;
        h2_note(s, EVENT_HEAD);
        return;
    }
    /* Trailers end a stream (RFC 9113, 8.1). */
    s->trailers_bad |= !ends;
    s->ended = true;
    h2_note(s, EVENT_END);
    (void)h;
}

static int data_came(struct h2_client *h, struct h2_stream *s, const nghttp2_frame *frame)
{
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        if (s) {
            s->ended = true;
            h2_note(s, EVENT_END);
        }
        return 0;
    }
    if (h->frame_data == 0)
        return count(h, FLOOD_EMPTY);
    flood_earn(&h->flood, FLOOD_PINGS, 1);
    return 0;
}

/* Where INITIAL_WINDOW_SIZE makes a window too large, nghttp2 resets the stream; but it is the connection's
 * fault (RFC 9113, 6.9.2). It shows in what is to be sent: the acknowledgement, and more. */
static int settings_came(struct h2_client *h, const nghttp2_frame *frame)
{
    h->settled = true;
    if (frame->hd.flags & NGHTTP2_FLAG_ACK ||
        nghttp2_session_get_outbound_queue_size(h->session) <= h->queued_before + 1)
        return 0;
    h2_fault(h, REASON_H2_PROTOCOL_ERROR, NGHTTP2_FLOW_CONTROL_ERROR);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_client *h = user;
    struct h2_stream *s = stream_of(session, frame->hd.stream_id);
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        h->head_at = 0;
        if (s)
            head_came(h, s, frame);
        return 0;
    case NGHTTP2_DATA:
        return data_came(h, s, frame);
    case NGHTTP2_RST_STREAM:
        if (s)
            s->cancelled = true;
        return 0;
    case NGHTTP2_SETTINGS:
        return settings_came(h, frame);
    case NGHTTP2_PING:
        if (frame->hd.flags & NGHTTP2_FLAG_ACK && h->drain == DRAIN_NOTICE)
            h->drain_at = h2_now(h); /* what was under way when we said that we go has come */
        return 0;
    default:
        return 0;
    }
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user)
{
    struct h2_client *h = user;
    (void)session;
    if (error != NGHTTP2_ERR_REFUSED_STREAM)
        return 0;
    remember_closed(h, frame->hd.stream_id, true);
    state_count(h2_frontend(h)->block, (enum counter)(COUNTER_REASON + REASON_H2_STREAM_FLOOD), 1);
    return count(h, FLOOD_STREAMS);
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct h2_client *h = user;
    struct h2_stream *s = stream_of(session, id);
    (void)code;
    if (!s)
        return 0;
    remember_closed(h, id, s->reset);
    s->closed = true;
    h2_note(s, EVENT_CLOSED);
    return 0;
}

/* ---- frames that go ---- */

static ssize_t on_send(nghttp2_session *session, const uint8_t *bytes, size_t len, int flags, void *user)
{
    (void)session, (void)flags;
    h2_push(user, bytes, len);
    return (ssize_t)len;
}

static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t len,
                        nghttp2_data_source *source, void *user)
{
    struct h2_client *h = user;
    struct h2_stream *s = source->ptr;
    (void)session, (void)frame;
    h2_push(h, head, 9);
    h2_out_push(s, len);
    s->active_at = h2_now(h);
    flood_earn(&h->flood, FLOOD_WINDOWS, 4);
    flood_earn(&h->flood, FLOOD_PINGS, 1);
    return 0;
}

/* END_STREAM has gone. */
static void end_sent(struct h2_stream *s)
{
    s->end_sent = true;
    if (s->interrupts)
        h2_stream_reset(s, NGHTTP2_NO_ERROR); /* RFC 9113, 8.1 */
}

/* A reset that the client's faults made us send costs as one of its own. */
static int reset_sent(struct h2_client *h, uint32_t code)
{
    bool fault = code == NGHTTP2_PROTOCOL_ERROR || code == NGHTTP2_FLOW_CONTROL_ERROR ||
                 code == NGHTTP2_STREAM_CLOSED || code == NGHTTP2_FRAME_SIZE_ERROR;
    return fault ? count(h, FLOOD_RESETS) : 0;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_client *h = user;
    struct h2_stream *s = stream_of(session, frame->hd.stream_id);
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        flood_earn(&h->flood, FLOOD_PINGS, 1);
        if (s && s->stream.exchange)
            s->stream.exchange->head_out += (uint32_t)frame->hd.length + 9;
        /* fall through */
    case NGHTTP2_DATA:
        if (s && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
            end_sent(s);
        return 0;
    case NGHTTP2_RST_STREAM:
        return reset_sent(h, frame->rst_stream.error_code);
    case NGHTTP2_GOAWAY:
        if (frame->goaway.error_code != NGHTTP2_NO_ERROR) {
            h->goaway_sent = true;
            h2_fault(h, REASON_H2_PROTOCOL_ERROR, frame->goaway.error_code);
        }
        return 0;
    default:
        return 0;
    }
}

/* The head of a response that can't be sent, such as one too long: the client must not wait for it. */
static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user)
{
    struct h2_stream *s = stream_of(session, frame->hd.stream_id);
    (void)error, (void)user;
    if (s && frame->hd.type == NGHTTP2_HEADERS)
        h2_stream_reset(s, NGHTTP2_INTERNAL_ERROR);
    return 0;
}

/* ---- the session ---- */

static nghttp2_session_callbacks *make_callbacks(void)
{
    nghttp2_session_callbacks *c;
    if (nghttp2_session_callbacks_new(&c) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(c, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame_recv);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
    nghttp2_session_callbacks_set_send_callback(c, on_send);
    nghttp2_session_callbacks_set_send_data_callback(c, on_send_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(c, on_not_sent);
    return c;
}

static nghttp2_option *make_options(void)
{
    nghttp2_option *o;
    if (nghttp2_option_new(&o) != 0)
        return NULL;
    nghttp2_option_set_no_auto_window_update(o, 1);
    nghttp2_option_set_no_http_messaging(o, 1);
    nghttp2_option_set_no_closed_streams(o, 1);
    return o;
}

static bool submit_settings(struct h2_client *h)
{
    const struct http_conf *conf = h2_frontend(h)->http;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
         (uint32_t)conf->max_header + FIELD_COST * (uint32_t)conf->max_headers},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
    };
    return nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings)) == 0 &&
           nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW) == 0;
}

bool h2_session_new(struct h2_client *h)
{
    static nghttp2_session_callbacks *callbacks;
    static nghttp2_option *options;
    if (!callbacks)
        callbacks = make_callbacks();
    if (!options)
        options = make_options();
    if (!callbacks || !options || nghttp2_session_server_new2(&h->session, callbacks, h, options) != 0)
        return false;
    return submit_settings(h);
}
