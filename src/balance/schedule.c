#include "balance/schedule.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "base/memory.h"

/*
 * With a period of W turns the k-th turn (from 0) of a server with weight w belongs between k*W/w and
 * (k+1)*W/w. At each turn, of the servers whose next turn's time has begun, the one whose time ends first
 * takes it. This is proportionate-fair scheduling (Baruah, Cohen, Plaxton, Varvel, 1996), for which the
 * earliest deadline is known to miss none: hence the bound of one turn.
 */
struct builder {
    const uint32_t *weight;
    uint32_t *taken; /* turns that each server had so far */
    uint32_t period;

    uint32_t *heap; /* servers whose next turn has begun, the earliest end first */
    uint32_t heap_count;

    uint32_t *begins; /* for each turn: the first server whose next turn begins there, + 1; 0: none */
    uint32_t *next;   /* for each server: the one behind it in that list, + 1 */
};

static uint32_t gcd(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Reduces the weights; returns their sum, the period. */
static uint32_t reduce(uint32_t *out, const uint32_t *weights, uint32_t count)
{
    uint32_t divisor = 0, period = 0;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        divisor = gcd(divisor, weights[i]);
        sum += weights[i];
    }
    if (sum == 0)
        return 0;
    sum /= divisor;
    for (uint32_t i = 0; i < count; i++) {
        out[i] = weights[i] / divisor;
        if (sum > SCHEDULE_TURNS_MAX && out[i] > 0)
            out[i] = MAX((uint32_t)((uint64_t)out[i] * SCHEDULE_TURNS_MAX / sum), 1);
        period += out[i];
    }
    return period;
}

/* Does a's next turn end before b's? Equal ends: in the order of the servers. */
static bool ends_before(const struct builder *u, uint32_t a, uint32_t b)
{
    uint64_t end_a = (uint64_t)(u->taken[a] + 1) * u->weight[b];
    uint64_t end_b = (uint64_t)(u->taken[b] + 1) * u->weight[a];
    return end_a != end_b ? end_a < end_b : a < b;
}

static void heap_add(struct builder *u, uint32_t server)
{
    uint32_t at = u->heap_count++;
    while (at > 0 && ends_before(u, server, u->heap[(at - 1) / 2])) {
        u->heap[at] = u->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    u->heap[at] = server;
}

static uint32_t heap_take(struct builder *u)
{
    uint32_t first = u->heap[0], last = u->heap[--u->heap_count], at = 0;
    for (uint32_t child; (child = 2 * at + 1) < u->heap_count; at = child) {
        if (child + 1 < u->heap_count && ends_before(u, u->heap[child + 1], u->heap[child]))
            child++;
        if (!ends_before(u, u->heap[child], last))
            break;
        u->heap[at] = u->heap[child];
    }
    u->heap[at] = last;
    return first;
}

static void begin_later(struct builder *u, uint32_t server)
{
    uint32_t turn = (uint32_t)((uint64_t)u->taken[server] * u->period / u->weight[server]);
    u->next[server] = u->begins[turn];
    u->begins[turn] = server + 1;
}

static void fill(struct builder *u, uint16_t *turns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (u->weight[i] > 0)
            begin_later(u, i);
    for (uint32_t turn = 0; turn < u->period; turn++) {
        for (uint32_t s = u->begins[turn]; s; s = u->next[s - 1])
            heap_add(u, s - 1);
        assert(u->heap_count > 0);
        uint32_t server = heap_take(u);
        turns[turn] = (uint16_t)server;
        if (++u->taken[server] < u->weight[server])
            begin_later(u, server);
    }
}

void schedule_make(struct schedule *s, const uint32_t *weights, uint32_t count)
{
    assert(count <= UINT16_MAX);
    schedule_free(s);
    uint32_t *reduced = memory_zalloc(count * sizeof *reduced);
    uint32_t period = reduce(reduced, weights, count);
    if (period > 0) {
        struct builder u = {
            .weight = reduced,
            .taken = memory_zalloc(count * sizeof *u.taken),
            .period = period,
            .heap = memory_zalloc(count * sizeof *u.heap),
            .begins = memory_zalloc(period * sizeof *u.begins),
            .next = memory_zalloc(count * sizeof *u.next),
        };
        s->turns = memory_zalloc(period * sizeof *s->turns);
        s->length = period;
        fill(&u, s->turns, count);
        free(u.taken);
        free(u.heap);
        free(u.begins);
        free(u.next);
    }
    free(reduced);
}

void schedule_free(struct schedule *s)
{
    free(s->turns);
    *s = (struct schedule){0};
}
