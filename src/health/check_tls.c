#include <errno.h>

#include "base/macros.h"
#include "health/check.h"
#include "net/tls.h"

static void end(struct check *c, enum reason why, int error)
{
    struct conn *conn = c->conn;
    c->conn = NULL;
    conn_close(conn, why);
    c->done(c, why, error);
}

static void made(struct conn *conn)
{
    end(conn->owner, REASON_NONE, 0);
}

static enum reason reason_of(int error)
{
    switch (error) {
    case EPROTO:
        return conn_tls_failure()->kind == TLS_CERTIFICATE ? REASON_SERVER_CERTIFICATE : REASON_SERVER_TLS;
    case ECONNREFUSED:
    case ENOENT: /* of a Unix socket */
        return REASON_SERVER_REFUSED;
    case ECONNRESET:
        return REASON_SERVER_RESET;
    case ETIMEDOUT:
        return REASON_SERVER_CONNECT_TIMEOUT;
    default:
        return REASON_SERVER_UNREACHABLE;
    }
}

static void failed(struct conn *conn, int error)
{
    end(conn->owner, reason_of(error), error);
}

static void timed_out(struct conn *conn)
{
    end(conn->owner, REASON_SERVER_CONNECT_TIMEOUT, ETIMEDOUT);
}

static void nothing(struct conn *conn)
{
    (void)conn;
}

static const struct conn_handler handler = {
    .readable = nothing, .writable = made, .failed = failed, .timeout = timed_out};

static void tls_start(struct check *c, const struct address *to, uint64_t timeout_us)
{
    char header[PROXY_WRITE_MAX];
    c->conn = conn_connect(c->loop, &to->any, to->len, &handler, c);
    if (!c->conn) {
        c->done(c, errno == ECONNREFUSED || errno == ENOENT ? REASON_SERVER_REFUSED : REASON_RESOURCES,
                errno);
        return;
    }
    conn_timeout(c->conn, timeout_us);
    if (conn_secure(c->conn, c->tls) < 0)
        end(c, REASON_RESOURCES, errno);
    else if (c->send_proxy > PROXY_NONE)
        conn_push_plain(c->conn, header, proxy_write(c->send_proxy, NULL, NULL, header));
}

static void tls_stop(struct check *c)
{
    conn_close(c->conn, REASON_NONE);
    c->conn = NULL;
}

const struct check_kind check_tls = {.name = "tls", .start = tls_start, .stop = tls_stop};
