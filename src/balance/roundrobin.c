/*
 * Weighted round robin. Every process makes the same schedule of turns; the rotation, shared by all, says
 * whose turn it is. So with N equal servers any N picks in a row hit each once, whichever processes make
 * them.
 */
#include "balance/algorithms.h"
#include "balance/schedule.h"
#include "base/memory.h"

struct roundrobin {
    struct schedule schedule;
    uint32_t *weights; /* of the eligible servers, 0 for the others: what the schedule is made from */
};

static void roundrobin_init(struct balancer *b)
{
    struct roundrobin *r = memory_zalloc(sizeof *r);
    r->weights = memory_zalloc(b->count * sizeof *r->weights);
    b->data = r;
}

static void roundrobin_changed(struct balancer *b)
{
    struct roundrobin *r = b->data;
    for (uint32_t i = 0; i < b->count; i++)
        r->weights[i] = b->servers[i].eligible ? b->servers[i].weight : 0;
    schedule_make(&r->schedule, r->weights, b->count);
}

static int roundrobin_pick(struct balancer *b, const struct balance_key *key, struct balance_tried tried)
{
    const struct schedule *s = &((struct roundrobin *)b->data)->schedule;
    (void)key;
    if (s->length == 0)
        return -1;
    uint32_t turn = (uint32_t)(b->view->rotate(b->view->context) % s->length);
    for (uint32_t n = 0; n < s->length; n++) {
        uint32_t i = s->turns[turn];
        if (b->servers[i].eligible && !balance_was_tried(tried, i))
            return (int)i;
        turn = turn + 1 < s->length ? turn + 1 : 0;
    }
    return -1;
}

static void roundrobin_free(struct balancer *b)
{
    struct roundrobin *r = b->data;
    schedule_free(&r->schedule);
    free(r->weights);
    free(r);
    b->data = NULL;
}

const struct balancer_ops balance_roundrobin = {
    .name = "roundrobin",
    .summary = "in turn, each as often as its weight says; exact over all workers",
    .init = roundrobin_init,
    .pick = roundrobin_pick,
    .changed = roundrobin_changed,
    .free = roundrobin_free,
};
