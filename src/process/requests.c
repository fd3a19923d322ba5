/*
 * requests.c: who waits at the admin socket for a reload. Those that ask
 * while one is under way wait for the one after it, which reads the file as it
 * is then; one reload answers them all.
 */
#include "base/memory.h"
#include "log/log.h"
#include "process/master.h"

enum { REQUESTS_MAX = 1024 }; /* a manager has far fewer sessions */

void requests_add(struct master *m, struct child *c, uint64_t number)
{
    struct reload_request *r;
    uint32_t count = 0;
    TAILQ_FOREACH (r, &m->requests, link)
        count++;
    if (count >= REQUESTS_MAX) {
        channel_send(&c->channel, CHANNEL_RELOAD_FAILED, number, "too many reloads wait already", -1, NULL);
        return;
    }
    r = memory_zalloc(sizeof *r);
    *r = (struct reload_request){.manager = c, .pid = c->pid, .number = number};
    TAILQ_INSERT_TAIL(&m->requests, r, link);
}

void requests_begin(struct master *m)
{
    struct reload_request *r;
    TAILQ_FOREACH (r, &m->requests, link)
        r->begun = true;
}

static void drop(struct master *m, struct reload_request *r)
{
    TAILQ_REMOVE(&m->requests, r, link);
    free(r);
}

void requests_answer(struct master *m, bool all, bool ok, const char *text)
{
    struct reload_request *r, *next;
    struct error err;
    TAILQ_FOREACH_SAFE (r, &m->requests, link, next) {
        if (!all && !r->begun)
            continue;
        if (channel_send(&r->manager->channel, ok ? CHANNEL_RELOAD_DONE : CHANNEL_RELOAD_FAILED, r->number,
                         text, -1, &err) < 0)
            log_warn("a reload's result could not be told: %s", err.text);
        drop(m, r);
    }
}

void requests_forget(struct master *m, pid_t pid)
{
    struct reload_request *r, *next;
    TAILQ_FOREACH_SAFE (r, &m->requests, link, next)
        if (r->pid == pid)
            drop(m, r);
}
