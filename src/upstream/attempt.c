#include "upstream/attempt.h"

#include <stdio.h>

#include "base/memory.h"

void attempt_begin(struct attempt *a, struct backend *b, const struct address *client)
{
    *a = (struct attempt){.backend = b, .retries_left = b->retries, .begun_at = loop_now(b->loop)};
    if (b->algorithm->needs_key)
        a->key.hash = address_hash_ip(client);
    state_count(b->block, COUNTER_REQUESTS, 1);
    state_gauge_add(b->slot, GAUGE_REQUESTS);
}

/* Learns what changed with the servers since the last pick. */
static void refresh(struct backend *b)
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

enum reason attempt_pick(struct attempt *a)
{
    struct backend *b = a->backend;
    refresh(b);
    int i = b->balancer.ops->pick(&b->balancer, &a->key, (struct balance_tried){a->tried});
    if (i < 0)
        return REASON_NO_SERVER;
    a->server = b->servers[i];
    state_gauge_add(a->server->slot, GAUGE_REQUESTS);
    state_count(a->server->block, COUNTER_REQUESTS, 1);
    return REASON_NONE;
}

/* A server whose traffic fails again and again goes down at once; a check brings it back. */
static void note_failure(struct server *s, enum reason why)
{
    uint32_t limit = s->backend->failures_max;
    uint32_t failures = atomic_fetch_add_explicit(&s->slot->failures, 1, memory_order_relaxed) + 1;
    if (limit == 0 || failures < limit ||
        atomic_load_explicit(&s->slot->health, memory_order_relaxed) == HEALTH_DOWN)
        return;
    char reason[100];
    snprintf(reason, sizeof reason, "%s, %u failures of traffic in a row", reason_sentence(why), failures);
    server_set_health(s, HEALTH_DOWN, reason);
}

static void leave_server(struct attempt *a)
{
    state_gauge_sub(a->server->slot, GAUGE_REQUESTS);
    a->server = NULL;
}

static bool try_again(struct attempt *a)
{
    if (a->retries_left == 0)
        return false;
    a->retries_left--;
    a->retries++;
    state_count(a->backend->block, COUNTER_RETRIES, 1);
    return true;
}

bool attempt_failed(struct attempt *a, enum reason why)
{
    struct server *s = a->server;
    if (!a->tried)
        a->tried = memory_zalloc((a->backend->server_count + 63) / 64 * sizeof *a->tried);
    a->tried[s->index / 64] |= (uint64_t)1 << (s->index % 64);
    state_count(s->block, (enum counter)(COUNTER_REASON + why), 1);
    note_failure(s, why);
    leave_server(a);
    if (!try_again(a))
        return false;
    state_count(s->block, COUNTER_RETRIES, 1);
    state_count(a->backend->block, COUNTER_REDISPATCHES, 1);
    return true;
}

bool attempt_repeat(struct attempt *a)
{
    struct server *s = a->server;
    if (!try_again(a))
        return false;
    state_count(s->block, COUNTER_RETRIES, 1);
    return true;
}

void attempt_connected(struct attempt *a, uint64_t connect_us)
{
    struct server *s = a->server;
    if (atomic_load_explicit(&s->slot->failures, memory_order_relaxed) != 0)
        atomic_store_explicit(&s->slot->failures, 0, memory_order_relaxed);
    histogram_record(&s->block->latency[LATENCY_CONNECT], connect_us);
    histogram_record(&a->backend->block->latency[LATENCY_CONNECT], connect_us);
}

void attempt_end(struct attempt *a, enum reason why)
{
    if (!a->backend)
        return;
    if (why != REASON_NONE) {
        state_count(a->backend->block, (enum counter)(COUNTER_REASON + why), 1);
        if (a->server)
            state_count(a->server->block, (enum counter)(COUNTER_REASON + why), 1);
    }
    if (a->server)
        leave_server(a);
    state_gauge_sub(a->backend->slot, GAUGE_REQUESTS);
    free(a->tried);
    *a = (struct attempt){0};
}
