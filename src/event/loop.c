#include "event/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macros.h"
#include "base/memory.h"

enum { EVENTS_A_ROUND = 512 };

struct loop {
    int epoll_fd;
    bool stopping;
    uint64_t now_us, round;
    int taken, current; /* events of this round: how many, and which is being handed out */
    struct epoll_event events[EVENTS_A_ROUND];
    TAILQ_HEAD(, task) tasks;
    struct wheel wheel;
};

struct loop *loop_new(struct error *err)
{
    struct loop *l = memory_zalloc(sizeof *l);
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll_fd < 0) {
        error_set_errno(err, "cannot make an epoll instance");
        free(l);
        return NULL;
    }
    l->now_us = clock_monotonic_us();
    TAILQ_INIT(&l->tasks);
    wheel_init(&l->wheel, l->now_us / 1000);
    return l;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    close(l->epoll_fd);
    free(l);
}

void loop_stop(struct loop *l)
{
    l->stopping = true;
}

uint64_t loop_now(const struct loop *l)
{
    return l->now_us;
}

uint64_t loop_round(const struct loop *l)
{
    return l->round;
}

int loop_watch(struct loop *l, struct watch *w)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = w};
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, w->fd, &ev);
}

int loop_watch_listener(struct loop *l, struct watch *w)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = w};
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, w->fd, &ev);
}

void loop_forget(struct loop *l, struct watch *w)
{
    for (int i = l->current + 1; i < l->taken; i++)
        if (l->events[i].data.ptr == w)
            l->events[i].data.ptr = NULL;
    epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
}

void loop_defer(struct loop *l, struct task *t)
{
    if (t->queued)
        return;
    t->queued = true;
    TAILQ_INSERT_TAIL(&l->tasks, t, link);
}

void loop_undefer(struct loop *l, struct task *t)
{
    if (!t->queued)
        return;
    t->queued = false;
    TAILQ_REMOVE(&l->tasks, t, link);
}

void loop_timer_set(struct loop *l, struct timer *t, uint64_t delay_us)
{
    wheel_set(&l->wheel, t, (l->now_us + delay_us + 999) / 1000);
}

void loop_timer_stop(struct loop *l, struct timer *t)
{
    wheel_stop(&l->wheel, t);
}

static unsigned to_loop_events(uint32_t epoll_events)
{
    unsigned events = 0;
    if (epoll_events & EPOLLIN)
        events |= LOOP_READABLE;
    if (epoll_events & EPOLLOUT)
        events |= LOOP_WRITABLE;
    if (epoll_events & EPOLLRDHUP)
        events |= LOOP_READABLE | LOOP_PEER_CLOSED;
    if (epoll_events & (EPOLLERR | EPOLLHUP))
        events |= LOOP_READABLE | LOOP_WRITABLE | LOOP_BROKEN;
    return events;
}

/* How long to wait, in ms: not at all while work is put off, else until the next timer. */
static int patience(const struct loop *l)
{
    if (!TAILQ_EMPTY(&l->tasks))
        return 0;
    uint64_t ticks = wheel_next(&l->wheel);
    return ticks == UINT64_MAX ? -1 : (int)MIN(ticks, 60000);
}

/* Runs what is queued now, up to a mark: a task that puts itself off again runs in the next round. */
static void run_tasks(struct loop *l)
{
    struct task mark = {0}, *t;
    if (TAILQ_EMPTY(&l->tasks))
        return;
    TAILQ_INSERT_TAIL(&l->tasks, &mark, link);
    while ((t = TAILQ_FIRST(&l->tasks)) != &mark) {
        loop_undefer(l, t);
        t->run(t);
    }
    TAILQ_REMOVE(&l->tasks, &mark, link);
}

/* Whoever is called first in a round can see what those called later will be told. */
static void note_events(struct loop *l)
{
    for (int i = 0; i < l->taken; i++) {
        struct watch *w = l->events[i].data.ptr;
        w->pending = to_loop_events(l->events[i].events);
    }
}

static void hand_out_events(struct loop *l)
{
    for (l->current = 0; l->current < l->taken; l->current++) {
        struct watch *w = l->events[l->current].data.ptr;
        if (!w)
            continue;
        unsigned events = w->pending;
        w->pending = 0;
        w->ready(w, events);
    }
    l->taken = 0;
}

void loop_run(struct loop *l)
{
    l->stopping = false;
    while (!l->stopping) {
        int n = epoll_wait(l->epoll_fd, l->events, EVENTS_A_ROUND, patience(l));
        l->now_us = clock_monotonic_us();
        l->round++;
        l->taken = MAX(n, 0);
        note_events(l);
        hand_out_events(l);
        wheel_advance(&l->wheel, l->now_us / 1000);
        run_tasks(l);
    }
}
