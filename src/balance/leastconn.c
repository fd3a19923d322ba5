/*
 * Weighted least connections: the server with the fewest requests in flight for its weight, over all
 * processes.
 */
#include "balance/algorithms.h"
#include "base/memory.h"

struct leastconn {
    uint32_t *least; /* of the pick under way: the servers that share the least load */
};

static void leastconn_init(struct balancer *b)
{
    struct leastconn *l = memory_zalloc(sizeof *l);
    l->least = memory_zalloc(b->count * sizeof *l->least);
    b->data = l;
}

/* Nothing is made beforehand: each pick looks at weights, eligibility and loads anew. */
static void leastconn_changed(struct balancer *b)
{
    (void)b;
}

/* Fills l->least in the order of the servers; returns how many. */
static uint32_t find_least(struct balancer *b, struct balance_tried tried)
{
    struct leastconn *l = b->data;
    uint64_t best_load = 0, best_weight = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        uint64_t weight = b->servers[i].weight;
        if (!b->servers[i].eligible || weight == 0 || balance_was_tried(tried, i))
            continue;
        uint64_t load = b->view->load(b->view->context, i);
        uint64_t left = load * best_weight, right = best_load * weight; /* load/weight against the best's */
        if (count > 0 && left > right)
            continue;
        if (count == 0 || left < right) {
            count = 0;
            best_load = load;
            best_weight = weight;
        }
        l->least[count++] = i;
    }
    return count;
}

/*
 * One of several that have the same load for their weight, often none: by the rotation, in proportion to the
 * weights. Equal ones take turns. Unequal ones get the places of a line as long as their weights' sum,
 * stepped through by the golden section, which spreads any number of steps evenly.
 */
static uint32_t break_tie(struct balancer *b, uint32_t count)
{
    const uint32_t *least = ((struct leastconn *)b->data)->least;
    const uint64_t golden_section = 0x9e3779b97f4a7c15u; /* of 2^64 */
    uint64_t turn = b->view->rotate(b->view->context);
    uint32_t sum = 0;
    bool equal = true;
    for (uint32_t n = 0; n < count; n++) {
        sum += b->servers[least[n]].weight;
        equal = equal && b->servers[least[n]].weight == b->servers[least[0]].weight;
    }
    if (equal)
        return least[turn % count];
    uint32_t place = (uint32_t)((((turn * golden_section) >> 32) * sum) >> 32), n = 0;
    while (place >= b->servers[least[n]].weight)
        place -= b->servers[least[n++]].weight;
    return least[n];
}

static int leastconn_pick(struct balancer *b, const struct balance_key *key, struct balance_tried tried)
{
    (void)key;
    uint32_t count = find_least(b, tried);
    if (count == 0)
        return -1;
    return (int)(count == 1 ? ((struct leastconn *)b->data)->least[0] : break_tie(b, count));
}

static void leastconn_free(struct balancer *b)
{
    struct leastconn *l = b->data;
    free(l->least);
    free(l);
    b->data = NULL;
}

const struct balancer_ops balance_leastconn = {
    .name = "leastconn",
    .summary = "the server with the fewest requests in flight for its weight; exact over all workers",
    .init = leastconn_init,
    .pick = leastconn_pick,
    .changed = leastconn_changed,
    .free = leastconn_free,
};
