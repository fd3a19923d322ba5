#include "upstream/backend.h"

#include <stdio.h>

#include "base/memory.h"
#include "log/log.h"
#include "upstream/session.h"

static uint64_t view_rotate(void *context)
{
    struct backend *b = context;
    return atomic_fetch_add_explicit(&b->slot->rotation, 1, memory_order_relaxed);
}

static uint32_t view_load(void *context, uint32_t i)
{
    struct backend *b = context;
    return state_gauge(b->servers[i]->slot, GAUGE_REQUESTS);
}

int backend_bind_state(struct backend *b, struct error *err)
{
    b->slot = state_slot(SLOT_BACKEND, NULL, slice_of(b->name), err);
    if (!b->slot)
        return -1;
    for (uint32_t i = 0; i < b->server_count; i++) {
        struct server *s = b->servers[i];
        s->slot = state_slot(SLOT_SERVER, b->slot, slice_of(s->name), err);
        if (!s->slot)
            return -1;
    }
    return 0;
}

void backend_start(struct backend *b, struct loop *l)
{
    b->loop = l;
    b->block = state_block(b->slot);
    b->view = (struct balance_view){.context = b, .rotate = view_rotate, .load = view_load};
    b->eligible = memory_zalloc(b->server_count * sizeof *b->eligible);
    b->seen_changes = atomic_load_explicit(&b->slot->changes, memory_order_acquire);
    for (uint32_t i = 0; i < b->server_count; i++) {
        struct server *s = b->servers[i];
        s->block = state_block(s->slot);
        b->limited = b->limited || s->maxconn > 0;
        TAILQ_INIT(&s->idle);
        TAILQ_INIT(&s->settling);
        b->eligible[i] = (struct balance_server){s->name, s->weight, server_eligible(s, NULL)};
    }
    balancer_init(&b->balancer, b->algorithm, &b->view, b->eligible, b->server_count);
    b->passed = memory_zalloc((b->server_count + 63) / 64 * sizeof *b->passed);
    queue_init(b);
    b->started = true;
}

void backend_refresh(struct backend *b)
{
    uint32_t changes = atomic_load_explicit(&b->slot->changes, memory_order_acquire);
    if (changes == b->seen_changes)
        return;
    b->seen_changes = changes;
    for (uint32_t i = 0; i < b->server_count; i++) {
        b->eligible[i].weight = b->servers[i]->weight;
        b->eligible[i].eligible = server_eligible(b->servers[i], NULL);
    }
    b->balancer.ops->changed(&b->balancer);
}

void backend_stop(struct backend *b)
{
    if (!b->started)
        return;
    backend_close_idle(b);
    queue_free(b);
    b->balancer.ops->free(&b->balancer);
    free(b->eligible);
    free(b->passed);
    b->started = false;
}

void backend_close_idle(struct backend *b)
{
    for (uint32_t i = 0; i < b->server_count; i++) {
        struct server *server = b->servers[i];
        struct session *s;
        while ((s = TAILQ_FIRST(&server->settling)) || (s = TAILQ_FIRST(&server->idle)))
            s->ops->close(s, REASON_DRAIN);
    }
}

struct server *backend_server(const struct backend *b, struct slice name)
{
    for (uint32_t i = 0; i < b->server_count; i++)
        if (slice_equal(slice_of(b->servers[i]->name), name))
            return b->servers[i];
    return NULL;
}

bool server_address(const struct server *s, struct address *out)
{
    if (s->endpoint.literal) {
        *out = s->endpoint.address;
        return true;
    }
    *out = (struct address){0};
    out->len = state_read_address(s->slot, &out->storage);
    return out->len > 0;
}

const char *server_print(const struct server *s, char *out, size_t size)
{
    struct address a;
    char text[ADDRESS_TEXT_MAX];
    const char *name = s->name == s->addr_port && s->endpoint.host[0] ? s->endpoint.host : s->name;
    const char *address = server_address(s, &a) ? address_print(&a, text) : "unresolved";
    snprintf(out, size, "%s:%s/%s", s->backend->name, name, address);
    return out;
}

bool server_eligible(const struct server *s, const char **why)
{
    const char *reason = NULL;
    if (atomic_load_explicit(&s->slot->health, memory_order_acquire) == HEALTH_DOWN)
        reason = "it is down";
    else if (s->weight == 0)
        reason = "its weight is 0";
    if (why)
        *why = reason;
    return !reason;
}

void server_set_health(struct server *s, enum health h, const char *reason)
{
    char name[512];
    if (!state_set_health(s->slot, h, reason) || h == HEALTH_UNKNOWN)
        return;
    server_print(s, name, sizeof name);
    if (h == HEALTH_UP)
        log_info("Backend [%s] is now up", name);
    else
        log_warn("Backend [%s] is now down: %s", name, reason);
}
