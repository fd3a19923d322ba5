#include "upstream/attempt.h"

#include <assert.h>
#include <stdio.h>

#include "base/macros.h"
#include "base/memory.h"
#include "net/tls.h"

void attempt_begin(struct attempt *a, struct backend *b, const struct address *client)
{
    *a = (struct attempt){.backend = b, .retries_left = b->retries, .begun_at = loop_now(b->loop)};
    if (b->algorithm->needs_key)
        a->key.hash = address_hash_ip(client);
    state_count(b->block, COUNTER_REQUESTS, 1);
    state_gauge_add(b->slot, GAUGE_REQUESTS);
}

static int pick(struct attempt *a, const uint64_t *passed)
{
    struct backend *b = a->backend;
    const struct server *preferred = a->preferred;
    if (UNLIKELY(preferred != NULL) && b->eligible[preferred->index].eligible &&
        !balance_was_tried((struct balance_tried){passed}, preferred->index))
        return (int)preferred->index;
    return b->balancer.ops->pick(&b->balancer, &a->key, (struct balance_tried){passed});
}

static void enter_server(struct attempt *a, struct server *s)
{
    a->server = a->last = s;
    state_count(s->block, COUNTER_REQUESTS, 1);
}

/* Servers that are full are passed over, as those that were tried. */
enum reason attempt_claim(struct attempt *a)
{
    struct backend *b = a->backend;
    const uint64_t *passed = a->tried;
    int i;
    while ((i = pick(a, passed)) >= 0) {
        struct server *s = b->servers[i];
        if (s->maxconn == 0)
            state_gauge_add(s->slot, GAUGE_REQUESTS);
        if (s->maxconn == 0 || state_claim(s->slot, GAUGE_REQUESTS, s->maxconn)) {
            enter_server(a, s);
            return REASON_NONE;
        }
        for (uint32_t w = 0; passed != b->passed && w < (b->server_count + 63) / 64; w++)
            b->passed[w] = passed ? passed[w] : 0;
        b->passed[i / 64] |= (uint64_t)1 << (i % 64);
        passed = b->passed;
    }
    return passed == b->passed ? REASON_MAXCONN : REASON_NO_SERVER;
}

bool attempt_has_server(const struct attempt *a)
{
    const struct backend *b = a->backend;
    for (uint32_t i = 0; i < b->server_count; i++)
        if (b->eligible[i].eligible && !balance_was_tried((struct balance_tried){a->tried}, i))
            return true;
    return false;
}

void attempt_record_wait(struct attempt *a)
{
    histogram_record(&a->backend->block->latency[LATENCY_QUEUE], a->waited_us);
    if (a->server)
        histogram_record(&a->server->block->latency[LATENCY_QUEUE], a->waited_us);
}

static enum reason pick_within_limits(struct attempt *a)
{
    if (queue_goes_first(a->backend) && attempt_has_server(a))
        return REASON_MAXCONN;
    enum reason none = attempt_claim(a);
    if (none == REASON_NONE)
        attempt_record_wait(a);
    return none;
}

enum reason attempt_pick(struct attempt *a)
{
    struct backend *b = a->backend;
    backend_refresh(b);
    if (b->limited)
        return pick_within_limits(a);
    int i = pick(a, a->tried);
    if (i < 0)
        return REASON_NO_SERVER;
    enter_server(a, b->servers[i]);
    state_gauge_add(a->server->slot, GAUGE_REQUESTS);
    return REASON_NONE;
}

void attempt_wait(struct attempt *a, attempt_woken *woken)
{
    assert(!a->server && !a->woken);
    a->woken = woken;
    queue_enter(a);
}

/* A server whose traffic fails again and again goes down at once; a check brings it back. */
static void note_failure(struct server *s, enum reason why)
{
    uint32_t limit = s->backend->failures_max;
    uint32_t failures = atomic_fetch_add_explicit(&s->slot->failures, 1, memory_order_relaxed) + 1;
    if (limit == 0 || failures < limit ||
        atomic_load_explicit(&s->slot->health, memory_order_relaxed) == HEALTH_DOWN)
        return;
    char reason[136];
    bool tls = why == REASON_SERVER_TLS || why == REASON_SERVER_CERTIFICATE;
    snprintf(reason, sizeof reason, "%s%s%.*s, %u failures of traffic in a row", reason_sentence(why),
             tls ? ": " : "", tls ? 50 : 0, conn_tls_failure()->words, failures);
    server_set_health(s, HEALTH_DOWN, reason);
}

static void leave_server(struct attempt *a)
{
    state_gauge_sub(a->server->slot, GAUGE_REQUESTS);
    a->server = NULL;
    if (a->backend->limited)
        queue_place_free(a->backend);
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
    if (reason_side(why) == SIDE_SERVER) /* our own lack of descriptors is not its failure */
        note_failure(s, why);
    leave_server(a);
    if (!try_again(a))
        return false;
    state_count(s->block, COUNTER_RETRIES, 1);
    state_count(a->backend->block, COUNTER_REDISPATCHES, 1);
    return true;
}

void attempt_repeat(struct attempt *a)
{
    a->retries++;
    state_count(a->backend->block, COUNTER_RETRIES, 1);
    state_count(a->server->block, COUNTER_RETRIES, 1);
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
    if (a->woken)
        queue_leave(a);
    state_gauge_sub(a->backend->slot, GAUGE_REQUESTS);
    free(a->tried);
    *a = (struct attempt){0};
}
