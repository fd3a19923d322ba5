/*
 * conn_tls.c: a connection through TLS.
 *
 * OpenSSL reads from the socket through bio_read() and writes through
 * bio_write(), which appends to the connection's queue and so always takes all:
 * only reading ever has to wait. What a call wrote goes out with one system
 * call behind it.
 *
 * Reading. OpenSSL receives as much as its buffer holds, about two records, with
 * one call (read_ahead) and gives the buffer back when it is empty
 * (SSL_MODE_RELEASE_BUFFERS), so an idle connection has none.
 *
 * Writing. Small pieces that are sent together are joined into one record;
 * buffers that are full are a record each, encrypted where they stand.
 */
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/pool.h"
#include "log/log.h"
#include "net/tls_context.h"
#include "net/tls_parts.h"

enum {
    RECORD_MAX = 16384, /* plain bytes of one record (RFC 8446, 5.1) */
    TURNS_MAX = 8,      /* receives for one read, whatever they hold: others have their turn */
    CONTROL_MAX = 16384,
    HANDSHAKE_RECORD = 0x16,
    ENDED = 1,
};

static struct pool tls_pool = POOL_OF(struct tls);
static struct tls_failure failure; /* the latest */

const struct tls_failure *conn_tls_failure(void)
{
    return &failure;
}

/* ---- the socket, as OpenSSL sees it ---- */

/* A client's first byte tells whether it speaks TLS at all. */
static bool looks_like_tls(struct tls *t, unsigned char first)
{
    t->begun = true;
    t->not_tls = first != HANDSHAKE_RECORD;
    t->is_http = first >= 'A' && first <= 'Z';
    return !t->not_tls;
}

static int bio_read(BIO *b, char *out, size_t size, size_t *got)
{
    struct conn *c = BIO_get_data(b);
    struct tls *t = c->tls;
    BIO_clear_retry_flags(b);
    *got = 0;
    if (!t->readable || t->turns == 0) {
        BIO_set_retry_read(b);
        return 0;
    }
    t->turns--;
    ssize_t n = recv(c->watch.fd, out, size, 0);
    if (n > 0) {
        c->active_at = loop_now(c->loop);
        /* As conn_note_read(): the end of the stream may have no edge of its own. */
        t->readable = (size_t)n == size || c->flags & (PEER_CLOSED | BROKEN);
        if (!t->begun && !looks_like_tls(t, (unsigned char)out[0]))
            return 0;
        *got = (size_t)n;
        return 1;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        t->readable = false;
        BIO_set_retry_read(b);
    } else if (n == 0) {
        c->flags |= PEER_CLOSED;
        t->eof = true;
    } else {
        c->error = (int16_t)errno;
        c->flags |= BROKEN;
    }
    return 0;
}

static int bio_write(BIO *b, const char *bytes, size_t len, size_t *written)
{
    struct conn *c = BIO_get_data(b);
    conn_queue_bytes(c, bytes, len);
    c->pushed += len;
    *written = len;
    return 1;
}

static long bio_ctrl(BIO *b, int command, long number, void *pointer)
{
    (void)number, (void)pointer;
    const struct conn *c = BIO_get_data(b);
    if (command == BIO_CTRL_EOF)
        return c && c->tls && c->tls->eof;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static BIO *bio_new(struct conn *c)
{
    static BIO_METHOD *method;
    if (!method) {
        method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "noxy connection");
        if (!method)
            return NULL;
        BIO_meth_set_read_ex(method, bio_read);
        BIO_meth_set_write_ex(method, bio_write);
        BIO_meth_set_ctrl(method, bio_ctrl);
    }
    BIO *b = BIO_new(method);
    if (b) {
        BIO_set_data(b, c);
        BIO_set_init(b, 1);
    }
    return b;
}

/* ---- making it ---- */

int conn_secure(struct conn *c, struct tls_context *context)
{
    SSL *ssl = tls_context_begin(context);
    BIO *b = ssl ? bio_new(c) : NULL;
    if (!b) {
        SSL_free(ssl);
        tls_take_error(failure.words, sizeof failure.words);
        errno = ENOMEM;
        return -1;
    }
    SSL_set_bio(ssl, b, b);
    c->tls = pool_get(&tls_pool);
    *c->tls = (struct tls){
        .ssl = ssl, .context = context, .begun = !SSL_is_server(ssl), .readable = c->flags & READABLE};
    c->flags |= SECURING;
    return 0;
}

void conn_tls_free(struct conn *c)
{
    struct tls *t = c->tls;
    c->tls = NULL;
    /* Without it OpenSSL would take the session for a bad one. */
    SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(t->ssl);
    free(t->info);
    pool_put(&tls_pool, t);
}

void conn_unsecure(struct conn *c)
{
    if (!c->tls)
        return;
    conn_tls_free(c);
    c->flags = (uint16_t)((c->flags & ~SECURING) | READABLE);
}

void conn_push_plain(struct conn *c, const void *bytes, size_t len)
{
    conn_queue_bytes(c, bytes, len);
    c->pushed += len;
}

/* ---- the handshake ---- */

static void fail(enum tls_failure_kind kind, const char *words)
{
    failure.kind = kind;
    snprintf(failure.words, sizeof failure.words, "%s", words);
    ERR_clear_error();
}

/* Why the handshake came to nothing. */
static void judge_failure(const struct conn *c)
{
    const struct tls *t = c->tls;
    unsigned long first = ERR_peek_error();
    int reason = ERR_GET_REASON(first);
    long verdict = SSL_get_verify_result(t->ssl);
    char words[sizeof failure.words];
    if (t->not_tls) {
        fail(t->is_http ? TLS_PLAIN_HTTP : TLS_NOT_TLS,
             t->is_http ? "plain HTTP where TLS is spoken" : "the first byte is none of TLS");
    } else if (c->flags & BROKEN) {
        fail(TLS_CLOSED, strerrordesc_np(c->error));
    } else if (first == 0) {
        fail(TLS_CLOSED, "the peer closed the connection");
    } else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK) {
        fail(TLS_CERTIFICATE, X509_verify_cert_error_string(verdict));
    } else {
        tls_take_error(words, sizeof words);
        fail(reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ? TLS_CERTIFICATE : TLS_FAILED, words);
    }
}

/* What was received behind the handshake can be read now. */
static void note_rest(struct conn *c)
{
    if (c->tls->readable || SSL_has_pending(c->tls->ssl))
        c->flags |= READABLE;
    else
        c->flags &= (uint16_t)~READABLE;
}

static void secured(struct conn *c)
{
    c->flags &= (uint16_t)~SECURING;
    note_rest(c);
    c->handler->writable(c);
    if (!(c->flags & CLOSED) && c->flags & READABLE)
        c->handler->readable(c);
}

static void step(struct conn *c)
{
    struct tls *t = c->tls;
    t->turns = TURNS_MAX;
    int done = SSL_do_handshake(t->ssl);
    bool waits = done != 1 && SSL_get_error(t->ssl, done) == SSL_ERROR_WANT_READ;
    if (done != 1 && !waits)
        judge_failure(c);
    conn_queue_send(c, 0);
    if (done != 1 && !waits)
        c->handler->failed(c, EPROTO);
    else if (done == 1)
        secured(c);
    else if (t->readable)
        conn_read_later(c);
}

void conn_tls_ready(struct conn *c, unsigned events)
{
    if (events & LOOP_WRITABLE) {
        c->flags |= WRITABLE;
        conn_queue_send(c, 0);
    }
    if (events & LOOP_READABLE) {
        c->tls->readable = true;
        if (events & LOOP_BROKEN)
            c->flags |= PEER_CLOSED | HUNG_UP;
    }
    step(c);
}

/* ---- reading ---- */

void conn_tls_note_readable(struct conn *c)
{
    c->tls->readable = true;
}

/* What a read that brought nothing means. */
static void judge_end(struct conn *c, int error)
{
    struct tls *t = c->tls;
    if (error == SSL_ERROR_WANT_READ) {
        if (t->readable) /* it had its turns */
            conn_read_later(c);
        else
            c->flags &= (uint16_t)~READABLE;
        return;
    }
    if (error == SSL_ERROR_ZERO_RETURN) {
        t->truncated = t->eof; /* else the stream was not read to its end */
        t->ended = ENDED;
        c->flags |= PEER_CLOSED;
    } else {
        if (!(c->flags & BROKEN)) {
            tls_take_error(failure.words, sizeof failure.words);
            log_debug("connection %d: TLS: %s", c->watch.fd, failure.words);
            c->error = EPROTO;
            conn_queue_send(c, 0); /* the alert */
        }
        t->ended = CONN_FAILED;
        c->flags |= BROKEN;
    }
    ERR_clear_error();
}

/* What the owner gets when nothing was read. As without TLS, the end is told once. */
static ssize_t tell_end(struct conn *c)
{
    if (!c->tls->ended)
        return CONN_AGAIN;
    c->flags &= (uint16_t)~READABLE;
    return c->tls->ended == ENDED ? CONN_END : CONN_FAILED;
}

/*
 * Answers to what isn't data (a key update, a renegotiation refused) go out. They are few with an honest
 * peer; from another they would fill the queue.
 */
static void send_answers(struct conn *c, uint32_t answered)
{
    struct tls *t = c->tls;
    t->control += answered;
    if (t->control > CONTROL_MAX) {
        c->error = EPROTO;
        c->flags |= BROKEN;
        t->ended = CONN_FAILED;
    }
    conn_queue_send(c, 0);
}

ssize_t conn_tls_read(struct conn *c, char *bytes, size_t size)
{
    struct tls *t = c->tls;
    size_t total = 0, got;
    uint32_t queued = c->queued;
    if (t->ended)
        return tell_end(c);
    t->turns = TURNS_MAX;
    while (total < size) {
        if (SSL_read_ex(t->ssl, bytes + total, size - total, &got) != 1) {
            judge_end(c, SSL_get_error(t->ssl, 0));
            if (c->queued > queued && !(c->flags & BROKEN))
                send_answers(c, c->queued - queued);
            if (total > 0)
                break;
            return tell_end(c);
        }
        total += got;
        if (!t->readable && !SSL_has_pending(t->ssl)) {
            c->flags &= (uint16_t)~READABLE;
            break;
        }
    }
    t->control = 0;
    if (UNLIKELY(c->queued > queued))
        conn_queue_send(c, 0);
    return (ssize_t)total;
}

ssize_t conn_tls_read_buffers(struct conn *c, struct buffer **buffers, unsigned count)
{
    ssize_t total = 0;
    for (unsigned i = 0; i < count && c->flags & READABLE; i++) {
        size_t room = buffer_room(buffers[i]);
        ssize_t got = conn_tls_read(c, buffers[i]->data + buffers[i]->end, room);
        if (got <= 0)
            return total > 0 ? total : got;
        buffers[i]->end += (uint32_t)got;
        total += got;
        if ((size_t)got < room)
            break;
    }
    return total;
}

bool conn_truncated(const struct conn *c)
{
    return c->tls && c->tls->truncated;
}

/* ---- writing ---- */

static void encrypt(struct conn *c, const char *bytes, size_t len)
{
    size_t done;
    c->pushed -= len; /* bio_write() counts what goes out instead */
    while (len > 0 && !(c->flags & BROKEN)) {
        if (SSL_write_ex(c->tls->ssl, bytes, MIN(len, (size_t)RECORD_MAX), &done) != 1) {
            tls_take_error(failure.words, sizeof failure.words);
            log_debug("connection %d: TLS: %s", c->watch.fd, failure.words);
            c->error = EPROTO;
            c->flags |= BROKEN;
            return;
        }
        bytes += done;
        len -= done;
    }
}

static void end_direction(struct conn *c)
{
    struct tls *t = c->tls;
    if (t->notified || t->ended == CONN_FAILED || c->flags & (BROKEN | RESET | SECURING | CLOSED))
        return;
    t->notified = true;
    if (SSL_shutdown(t->ssl) < 0)
        ERR_clear_error();
}

void conn_tls_encrypt(struct conn *c, const struct iovec *pieces, unsigned count, bool last)
{
    static char joined[RECORD_MAX];
    size_t held = 0;
    for (unsigned i = 0; i < count; i++) {
        const char *bytes = pieces[i].iov_base;
        size_t len = pieces[i].iov_len;
        while (len > 0 && (held > 0 || (len < RECORD_MAX && i + 1 < count))) {
            size_t part = MIN(len, RECORD_MAX - held);
            memcpy(joined + held, bytes, part);
            held += part;
            bytes += part;
            len -= part;
            if (held < RECORD_MAX)
                break;
            encrypt(c, joined, held);
            held = 0;
        }
        if (len > 0)
            encrypt(c, bytes, len);
    }
    if (held > 0)
        encrypt(c, joined, held);
    if (last)
        end_direction(c);
}

void conn_tls_end(struct conn *c, int flags)
{
    end_direction(c);
    conn_queue_send(c, flags);
}

/* ---- about one ---- */

const struct tls_info *conn_tls_info(const struct conn *c)
{
    if (!c->tls)
        return NULL;
    if (!c->tls->info)
        c->tls->info = tls_info_make(c->tls->ssl);
    return c->tls->info;
}

struct slice conn_tls_alpn(const struct conn *c)
{
    const unsigned char *name = NULL;
    unsigned len = 0;
    if (c->tls)
        SSL_get0_alpn_selected(c->tls->ssl, &name, &len);
    return (struct slice){len ? (const char *)name : "", len};
}

void conn_tls_words(const struct conn *c, struct slice *version, struct slice *cipher)
{
    const char *name = c->tls ? SSL_get_cipher_name(c->tls->ssl) : NULL;
    *version = c->tls ? slice_of(SSL_get_version(c->tls->ssl)) : SLICE("");
    *cipher = name ? slice_of(name) : SLICE("");
}
