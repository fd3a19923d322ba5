#include "upstream/session.h"

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

bool session_keep(struct session *s)
{
    struct server *server = s->server;
    if (server->idle_count >= SESSIONS_KEPT_MAX || server_sends_proxy(server))
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
    if (s->kept_round == server->settling_round)
        TAILQ_REMOVE(&server->settling, s, link);
    else
        TAILQ_REMOVE(&server->idle, s, link);
    server->idle_count--;
    s->kept = false;
}
