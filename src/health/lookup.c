#include "health/lookup.h"

#include <stdio.h>

#include "base/macros.h"

const char *lookup_reason(const struct server *s, const char *reason, char *out, size_t size)
{
    snprintf(out, size, "cannot resolve \"%s\": %s", s->endpoint.host, reason);
    return out;
}

enum lookup_result lookup_take(struct server *s, const struct address *addresses, unsigned count)
{
    struct address now;
    bool known = server_address(s, &now);
    for (unsigned i = 0; known && i < count; i++)
        if (address_equal(&now, &addresses[i]))
            return LOOKUP_SAME;
    state_set_address(s->slot, &addresses[0].any, addresses[0].len);
    return known ? LOOKUP_MOVED : LOOKUP_FOUND;
}

static void answered(void *context, const struct address *addresses, unsigned count, const char *reason)
{
    struct lookup *k = context;
    loop_timer_set(k->loop, &k->timer, count > 0 ? k->interval_us : k->retry_us);
    k->done(k, count > 0 ? lookup_take(k->server, addresses, count) : LOOKUP_FAILED, reason);
}

static void look_up(struct timer *t)
{
    struct lookup *k = CONTAINER_OF(t, struct lookup, timer);
    resolver_ask(k->resolver, k->server->endpoint.host, k->server->endpoint.port, answered, k);
}

void lookup_start(struct lookup *k)
{
    k->timer.fire = look_up;
    look_up(&k->timer);
}

void lookup_stop(struct lookup *k)
{
    loop_timer_stop(k->loop, &k->timer);
}
