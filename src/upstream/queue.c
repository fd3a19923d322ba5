#include "upstream/queue.h"

#include <assert.h>

#include "base/macros.h"
#include "upstream/attempt.h"

enum {
    POLL_US = 2000,
    BATCH = 64,          /* woken by one look: then others have their turn */
    MARKEDLY_US = 50000, /* so much longer has somebody elsewhere waited that he goes before our first */
    LEFT_US = 8000,      /* how long a place is left to him: time for his process to look twice */
    VAIN_US = 150000,    /* how long none is left to him again when that was in vain */
};

/* ---- who waits ---- */

/* Tells the other processes since when the first of this one waits. */
static void publish(struct backend *b)
{
    const struct attempt *first = TAILQ_FIRST(&b->queue.waiting);
    state_set_waiting(b->slot, first ? first->waits_since : 0);
}

void queue_enter(struct attempt *a)
{
    struct backend *b = a->backend;
    struct queue *q = &b->queue;
    a->waits_since = loop_now(b->loop);
    TAILQ_INSERT_TAIL(&q->waiting, a, waiting);
    q->untried += !a->tried;
    state_gauge_add(b->slot, GAUGE_QUEUED);
    if (TAILQ_FIRST(&q->waiting) == a)
        publish(b);
    if (!q->poll.armed)
        loop_timer_set(b->loop, &q->poll, POLL_US);
}

void queue_leave(struct attempt *a)
{
    struct backend *b = a->backend;
    struct queue *q = &b->queue;
    bool first = TAILQ_FIRST(&q->waiting) == a;
    a->woken = NULL;
    a->waited_us += loop_now(b->loop) - a->waits_since;
    TAILQ_REMOVE(&q->waiting, a, waiting);
    q->untried -= !a->tried;
    state_gauge_sub(b->slot, GAUGE_QUEUED);
    if (first)
        publish(b);
}

/* The attempt may be gone when this returns, and others have come or gone. */
static void wake(struct attempt *a, enum reason none)
{
    attempt_woken *woken = a->woken;
    queue_leave(a);
    attempt_record_wait(a);
    woken(a, none);
}

/* ---- other processes ---- */

/* Somebody in another process who goes before one who waits since `since`: since when he does; 0: nobody. */
static uint64_t goes_before(const struct backend *b, uint64_t since)
{
    const struct queue *q = &b->queue;
    uint64_t other = state_waiting_elsewhere(b->slot);
    if (!other || other + MARKEDLY_US >= since)
        return 0;
    return other == q->left_in_vain && loop_now(b->loop) < q->vain_until ? 0 : other;
}

bool queue_goes_first(const struct backend *b)
{
    return b->queue.untried > 0 || goes_before(b, loop_now(b->loop));
}

/* Is the place that is free now left to another process, rather than to ours who waits since `since`? */
static bool leave_place(struct backend *b, uint64_t since)
{
    struct queue *q = &b->queue;
    uint64_t other = goes_before(b, since), now = loop_now(b->loop);
    if (other != q->left_to)
        q->left_until = now + LEFT_US;
    q->left_to = other;
    if (other && now >= q->left_until) {
        q->left_in_vain = other;
        q->vain_until = now + VAIN_US;
        q->left_to = 0;
    }
    return q->left_to;
}

/* ---- looking ---- */

static bool has_room(const struct backend *b, uint32_t i)
{
    const struct server *s = b->servers[i];
    return b->eligible[i].eligible && (s->maxconn == 0 || state_gauge(s->slot, GAUGE_REQUESTS) < s->maxconn);
}

/* Does `a` want any of the servers that are not passed over? */
static bool wants_one(const struct attempt *a, const uint64_t *passed, uint32_t words)
{
    for (uint32_t w = 0; w < words; w++)
        if (~(passed[w] | (a->tried ? a->tried[w] : 0)))
            return true;
    return false;
}

/* The first who could have a place that is free now. */
static struct attempt *first_with_room(struct backend *b)
{
    uint32_t words = (b->server_count + 63) / 64;
    bool any = false;
    struct attempt *a;
    if (TAILQ_EMPTY(&b->queue.waiting))
        return NULL;
    memset(b->passed, 0xff, words * sizeof *b->passed);
    for (uint32_t i = 0; i < b->server_count; i++)
        if (has_room(b, i)) {
            b->passed[i / 64] &= ~((uint64_t)1 << (i % 64));
            any = true;
        }
    if (any)
        TAILQ_FOREACH (a, &b->queue.waiting, waiting)
            if (wants_one(a, b->passed, words))
                return a;
    b->queue.left_to = 0;
    return NULL;
}

static void serve(struct backend *b)
{
    struct attempt *a;
    int served = 0;
    while (served < BATCH && (a = first_with_room(b)) && !leave_place(b, a->waits_since)) {
        enum reason none = attempt_claim(a);
        if (none == REASON_MAXCONN)
            return; /* another process was quicker */
        wake(a, none);
        served++;
    }
    if (served == BATCH)
        loop_defer(b->loop, &b->queue.task);
}

static struct attempt *first_without_server(struct backend *b)
{
    struct attempt *a;
    TAILQ_FOREACH (a, &b->queue.waiting, waiting)
        if (!attempt_has_server(a))
            return a;
    return NULL;
}

/* Since a server was taken out, some may have none left to wait for. */
static void end_hopeless(struct backend *b)
{
    struct attempt *a;
    if (b->queue.seen_changes == b->seen_changes)
        return;
    b->queue.seen_changes = b->seen_changes;
    while ((a = first_without_server(b)))
        wake(a, REASON_NO_SERVER);
}

static void end_late(struct backend *b)
{
    struct attempt *a;
    while ((a = TAILQ_FIRST(&b->queue.waiting)) && loop_now(b->loop) - a->waits_since >= b->timeout_queue)
        wake(a, REASON_QUEUE_TIMEOUT);
}

static void look(struct backend *b)
{
    backend_refresh(b);
    end_hopeless(b);
    serve(b);
    end_late(b);
}

static void task_run(struct task *t)
{
    look(CONTAINER_OF(t, struct backend, queue.task));
}

static void poll_fired(struct timer *t)
{
    struct backend *b = CONTAINER_OF(t, struct backend, queue.poll);
    look(b);
    if (!TAILQ_EMPTY(&b->queue.waiting))
        loop_timer_set(b->loop, &b->queue.poll, POLL_US);
}

void queue_place_free(struct backend *b)
{
    if (!TAILQ_EMPTY(&b->queue.waiting))
        loop_defer(b->loop, &b->queue.task);
}

/* ---- life ---- */

void queue_init(struct backend *b)
{
    b->queue = (struct queue){.task.run = task_run, .poll.fire = poll_fired};
    TAILQ_INIT(&b->queue.waiting);
}

void queue_free(struct backend *b)
{
    assert(TAILQ_EMPTY(&b->queue.waiting));
    loop_undefer(b->loop, &b->queue.task);
    loop_timer_stop(b->loop, &b->queue.poll);
}
