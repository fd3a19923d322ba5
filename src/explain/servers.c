/*
 * servers.c: which server a backend would choose now, and why not the others.
 *
 * The choice is made by the algorithm itself, over the servers as they are,
 * with a rotation of its own that starts where the shared one stands.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "explain/parts.h"

struct preview {
    const struct backend *backend;
    uint64_t rotation;
    struct balance_server *servers;
    uint64_t *full; /* a bit a server */
};

static uint64_t rotate(void *context)
{
    return ((struct preview *)context)->rotation++;
}

static uint32_t load(void *context, uint32_t i)
{
    return state_gauge(((struct preview *)context)->backend->servers[i]->slot, GAUGE_REQUESTS);
}

static bool is_full(const struct server *s)
{
    return s->maxconn && state_gauge(s->slot, GAUGE_REQUESTS) >= s->maxconn;
}

/* As attempt_pick(): servers that are full are passed over. */
static int pick(struct preview *p, struct balancer *b, const struct balance_key *key,
                const struct server *preferred)
{
    int i;
    if (preferred && p->servers[preferred->index].eligible && !is_full(preferred))
        return (int)preferred->index;
    while ((i = b->ops->pick(b, key, (struct balance_tried){p->full})) >= 0) {
        if (!is_full(p->backend->servers[i]))
            return i;
        p->full[i / 64] |= (uint64_t)1 << (i % 64);
    }
    return -1;
}

static void choose(const struct backend *b, struct ip client, const struct server *preferred,
                   struct choice *c)
{
    struct preview p = {.backend = b,
                        .rotation = atomic_load_explicit(&b->slot->rotation, memory_order_relaxed)};
    const struct balance_view view = {.context = &p, .rotate = rotate, .load = load};
    struct balance_key key = {0};
    struct balancer balancer;
    struct address address;
    ip_to_address(client, 0, &address);
    if (b->algorithm->needs_key)
        key.hash = address_hash_ip(&address);
    p.servers = memory_zalloc((b->server_count + 1) * sizeof *p.servers);
    p.full = memory_zalloc((b->server_count / 64 + 1) * sizeof *p.full);
    for (uint32_t i = 0; i < b->server_count; i++) {
        const struct server *s = b->servers[i];
        p.servers[i] = (struct balance_server){s->name, s->weight, server_eligible(s, NULL)};
        c->full = c->full || p.servers[i].eligible;
    }
    balancer_init(&balancer, b->algorithm, &view, p.servers, b->server_count);
    int i = pick(&p, &balancer, &key, preferred);
    b->algorithm->free(&balancer);
    free(p.servers);
    free(p.full);
    c->server = i < 0 ? NULL : b->servers[i];
    c->full = c->full && !c->server;
}

/* Why it gets no request now; null: it may. */
static json_t *why_not(const struct server *s, const char *why, uint32_t requests)
{
    char reason[192];
    state_read_text(&s->slot->health_reason, reason, sizeof reason);
    bool down = atomic_load_explicit(&s->slot->health, memory_order_relaxed) == HEALTH_DOWN;
    if (why && down && reason[0])
        return part_printf("%s: %s", why, reason);
    if (why)
        return part_text(why);
    if (!is_full(s))
        return json_null();
    return part_printf("it is full: %u of %u requests (maxconn)", requests, s->maxconn);
}

static json_t *server_json(const struct server *s, const struct choice *c)
{
    char text[ADDRESS_TEXT_MAX];
    struct address address;
    const char *why = NULL;
    bool eligible = server_eligible(s, &why);
    uint32_t requests = state_gauge(s->slot, GAUGE_REQUESTS);
    json_t *o = json_object();
    part_set(o, "name", part_text(s->name));
    part_set(o, "addr_port", part_text(s->addr_port));
    part_set(o, "address", part_text(server_address(s, &address) ? address_print(&address, text) : NULL));
    part_set(o, "weight", json_integer(s->weight));
    part_set(o, "requests_current", json_integer(requests));
    part_set(o, "maxconn", s->maxconn ? json_integer(s->maxconn) : json_null());
    part_set(o, "eligible", json_boolean(eligible));
    part_set(o, "full", json_boolean(is_full(s)));
    part_set(o, "why_not", why_not(s, why, requests));
    part_set(o, "next", json_boolean(s == c->server));
    return o;
}

json_t *servers_explain(const struct backend *b, struct ip client, const struct server *preferred,
                        struct choice *c)
{
    json_t *o = json_object(), *servers = json_array();
    *c = (struct choice){0};
    choose(b, client, preferred, c);
    for (uint32_t i = 0; i < b->server_count; i++)
        json_array_append_new(servers, server_json(b->servers[i], c));
    part_set(o, "name", part_text(b->name));
    part_set(o, "balance", json_string(b->algorithm->name));
    part_set(o, "balance_in_words", json_string(b->algorithm->summary));
    part_set(o, "preferred", part_text(preferred ? preferred->name : NULL));
    part_set(o, "servers", servers);
    return o;
}
