#include "upstream/session.h"

#include "base/macros.h"

/* Those kept in an earlier round may be taken now; they were used last. */
static void settle(struct server *server)
{
    uint64_t round = loop_round(server->backend->loop);
    if (server->settling_round == round)
        return;
    server->settling_round = round;
    TAILQ_CONCAT(&server->settling, &server->idle, link);
    TAILQ_CONCAT(&server->idle, &server->settling, link);
}

struct session *session_take(struct server *server)
{
    struct session *s;
    settle(server);
    while ((s = TAILQ_FIRST(&server->idle))) {
        if (conn_quiet(s->conn)) {
            session_unkeep(s);
            return s;
        }
        s->ops->close(s, REASON_NONE);
    }
    return NULL;
}

struct session *session_take_own(struct session_list *own, const struct server *server, struct ip client)
{
    uint64_t round = loop_round(server->backend->loop);
    struct session *s, *next;
    if (!own)
        return NULL;
    TAILQ_FOREACH_SAFE (s, own, link, next) {
        if (s->server != server || !ip_equal(s->introduced, client) || s->kept_round == round)
            continue;
        if (conn_quiet(s->conn)) {
            session_unkeep(s);
            return s;
        }
        s->ops->close(s, REASON_NONE);
    }
    return NULL;
}

/* A client's few: the oldest goes where there are too many. */
static void make_room(struct session_list *own)
{
    struct session *s;
    unsigned count = 0;
    TAILQ_FOREACH (s, own, link)
        count++;
    if (count < SESSIONS_OWN_MAX)
        return;
    s = TAILQ_LAST(own, session_list);
    s->ops->close(s, REASON_NONE);
}

static bool keep_own(struct session *s)
{
    if (!s->own)
        return false;
    make_room(s->own);
    TAILQ_INSERT_HEAD(s->own, s, link);
    s->kept_round = loop_round(s->server->backend->loop);
    s->kept = true;
    return true;
}

bool session_keep(struct session *s)
{
    struct server *server = s->server;
    if (UNLIKELY(server_sends_proxy(server)))
        return keep_own(s);
    if (server->idle_count >= SESSIONS_KEPT_MAX)
        return false;
    settle(server);
    TAILQ_INSERT_HEAD(&server->settling, s, link);
    server->idle_count++;
    s->kept_round = server->settling_round;
    s->kept = true;
    return true;
}

void session_unkeep(struct session *s)
{
    struct server *server = s->server;
    if (!s->kept)
        return;
    s->kept = false;
    if (UNLIKELY(s->own != NULL)) {
        TAILQ_REMOVE(s->own, s, link);
        return;
    }
    if (s->kept_round == server->settling_round)
        TAILQ_REMOVE(&server->settling, s, link);
    else
        TAILQ_REMOVE(&server->idle, s, link);
    server->idle_count--;
}

void session_close_own(struct session_list *own)
{
    struct session *s;
    while ((s = TAILQ_FIRST(own)))
        s->ops->close(s, REASON_NONE);
}
