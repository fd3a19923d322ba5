#include "upstream/session.h"

struct session *session_take(struct server *server)
{
    struct session *s = TAILQ_FIRST(&server->idle);
    if (s)
        session_unkeep(s);
    return s;
}

bool session_keep(struct session *s)
{
    if (s->server->idle_count >= SESSIONS_KEPT_MAX)
        return false;
    TAILQ_INSERT_HEAD(&s->server->idle, s, link);
    s->server->idle_count++;
    s->kept = true;
    return true;
}

void session_unkeep(struct session *s)
{
    if (!s->kept)
        return;
    TAILQ_REMOVE(&s->server->idle, s, link);
    s->server->idle_count--;
    s->kept = false;
}
