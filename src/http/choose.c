#include "http/choose.h"

#include "base/pool.h"
#include "net/tls.h"

/* A connection whose first bytes have yet to tell what it speaks. */
struct undecided {
    struct client client;
    struct conn *conn;
    struct buffer *in; /* what has come; NULL: nothing */
    struct task task;  /* frees it */
};

static struct pool pool = POOL_OF(struct undecided);
static const struct client_codec *const *codecs;

void choose_set_codecs(const struct client_codec *const *list)
{
    codecs = list;
}

static void free_undecided(struct task *t)
{
    pool_put(&pool, CONTAINER_OF(t, struct undecided, task));
}

static void end_undecided(struct undecided *u, enum reason why)
{
    if (u->in)
        buffer_put(u->in);
    client_closed(&u->client, why);
    conn_close(u->conn, why);
    loop_defer(u->client.frontend->worker->loop, &u->task);
}

static void hand_on(struct undecided *u, const struct client_codec *codec)
{
    client_leave(&u->client);
    loop_defer(u->conn->loop, &u->task);
    codec->accepted(u->client.frontend, u->conn, u->in);
}

/* The codec of the protocol that ALPN chose; of none: the last. */
static const struct client_codec *codec_by_alpn(struct slice chosen)
{
    const struct client_codec *const *codec = codecs;
    while (codec[1] && !slice_equal(slice_of(codec[0]->name), chosen))
        codec++;
    return *codec;
}

/* Whose preface the bytes are; NULL: more must come to tell. */
static const struct client_codec *codec_by_preface(const char *bytes, size_t len)
{
    const struct client_codec *const *codec = codecs;
    for (; codec[1]; codec++) {
        struct slice p = codec[0]->preface;
        if (p.len > 0 && memcmp(bytes, p.ptr, MIN(len, p.len)) == 0)
            return len < p.len ? NULL : *codec;
    }
    return *codec;
}

static void on_readable(struct conn *c)
{
    struct undecided *u = c->owner;
    const struct client_codec *codec = NULL;
    while (!codec && conn_may_read(c)) {
        if (!u->in)
            u->in = buffer_get();
        ssize_t got = conn_read(c, u->in->data + u->in->end, buffer_room(u->in));
        if (got == CONN_AGAIN)
            break;
        if (got < 0 || got == CONN_END) {
            bool any = buffer_len(u->in) > 0;
            end_undecided(u, got == CONN_FAILED ? REASON_CLIENT_RESET
                             : any              ? REASON_CLIENT_CLOSED
                                                : REASON_NONE);
            return;
        }
        u->in->end += (uint32_t)got;
        codec = codec_by_preface(u->in->data, buffer_len(u->in));
    }
    if (codec) {
        hand_on(u, codec);
    } else if (u->in && buffer_len(u->in) == 0) {
        buffer_put(u->in);
        u->in = NULL;
    }
}

static void on_timeout(struct conn *c)
{
    end_undecided(c->owner, REASON_CLIENT_HEAD_TIMEOUT);
}

static void on_writable(struct conn *c)
{
    (void)c; /* nothing was sent */
}

static const struct conn_handler handler = {
    .readable = on_readable, .writable = on_writable, .timeout = on_timeout};

static void drain(struct client *client)
{
    (void)client; /* its request is on its way, or timeout_http_request ends it */
}

static void end(struct client *client, enum reason why)
{
    end_undecided(CONTAINER_OF(client, struct undecided, client), why);
}

static const struct client_ops client_ops = {.drain = drain, .end = end};

void choose_accepted(struct bind *b, struct conn *c)
{
    struct frontend *f = b->frontend;
    if (LIKELY(!b->h2c)) {
        codec_by_alpn(conn_tls_alpn(c))->accepted(f, c, NULL);
        return;
    }
    struct undecided *u = pool_get(&pool);
    *u = (struct undecided){.conn = c, .task.run = free_undecided};
    client_open(&u->client, f, &client_ops);
    conn_set_owner(c, &handler, u);
    conn_timeout(c, f->timeout_http_request);
}
