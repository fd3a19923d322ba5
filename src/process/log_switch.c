#include "process/log_switch.h"

#include <string.h>

#include "base/memory.h"

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool log_conf_equal(const struct log_conf *a, const struct log_conf *b)
{
    return a->target == b->target && a->level == b->level && a->format == b->format &&
           same(a->path, b->path) && same(a->address, b->address) && same(a->facility, b->facility);
}

static const char *copy(const char *text)
{
    return text ? memory_strdup(text) : NULL;
}

static struct log_conf *copy_conf(const struct log_conf *conf)
{
    struct log_conf *mine = memory_zalloc(sizeof *mine);
    *mine = *conf;
    mine->path = copy(conf->path);
    mine->address = copy(conf->address);
    mine->facility = copy(conf->facility);
    return mine;
}

static void release(struct log_conf *c)
{
    if (!c)
        return;
    free((char *)(uintptr_t)c->path);
    free((char *)(uintptr_t)c->address);
    free((char *)(uintptr_t)c->facility);
    free(c);
}

int log_switch_to(struct log_switch *s, const struct log_conf *conf, struct error *err)
{
    if (s->conf && log_conf_equal(s->conf, conf))
        return 0;
    struct log_conf *mine = copy_conf(conf);
    if (log_open(mine, err) < 0) {
        release(mine);
        return -1;
    }
    release(s->conf);
    s->conf = mine;
    return 0;
}

void log_switch_close(struct log_switch *s)
{
    log_close();
    release(s->conf);
    s->conf = NULL;
}
