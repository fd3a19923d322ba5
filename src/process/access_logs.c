#include "process/access_logs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "log/log.h"

static enum log_format format_of(const struct generation *g, const struct access_conf *conf)
{
    if (conf->format == ACCESS_FORMAT_TEXT)
        return LOG_FORMAT_TEXT;
    return conf->format == ACCESS_FORMAT_JSON ? LOG_FORMAT_JSON : g->global->log->format;
}

/* One that is open already: frontends may share it. */
static struct access_log *find(const struct generation *g, const char *path, enum log_format format)
{
    for (uint32_t i = 0; i < g->access_log_count; i++) {
        const char *open = access_path(g->access_logs[i]);
        bool same = open && path ? strcmp(open, path) == 0 : open == path;
        if (same && access_format(g->access_logs[i]) == format)
            return g->access_logs[i];
    }
    return NULL;
}

static struct access_log *find_or_open(struct generation *g, const struct access_conf *conf)
{
    struct error err;
    enum log_format format = format_of(g, conf);
    struct access_log *log = find(g, conf->path, format);
    if (log)
        return log;
    log = access_open(conf->path, format, &err);
    if (log)
        g->access_logs[g->access_log_count++] = log;
    else
        conf_error(&g->load, conf->node, NULL, "%s", err.text);
    return log;
}

int access_logs_open(struct generation *g)
{
    int result = 0;
    g->access_logs = memory_zalloc((g->frontend_count + 1) * sizeof(struct access_log *));
    for (uint32_t i = 0; i < g->frontend_count; i++) {
        struct frontend *f = g->frontends[i];
        if (!f->access->enabled)
            continue;
        f->access_log = find_or_open(g, f->access);
        if (!f->access_log)
            result = -1;
    }
    return result;
}

void access_logs_close(struct generation *g)
{
    for (uint32_t i = 0; i < g->access_log_count; i++)
        access_close(g->access_logs[i]);
    for (uint32_t i = 0; g->access_logs && i < g->frontend_count; i++)
        g->frontends[i]->access_log = NULL;
    free(g->access_logs);
    g->access_logs = NULL;
    g->access_log_count = 0;
}

/* In messages they count from 1: 0 is the process's log. */
static void hand_out(struct generation *g, uint32_t i, int fd)
{
    for (uint32_t j = 0; j < g->child_count; j++) {
        struct child *c = &g->children[j];
        struct error err;
        char name[CHILD_NAME_MAX];
        if (c->role != CHILD_WORKER || c->pid <= 0 || c->channel.watch.fd < 0)
            continue;
        if (channel_send(&c->channel, CHANNEL_REOPEN, i + 1, NULL, fd, &err) < 0 && errno != EPIPE &&
            errno != ECONNRESET)
            log_warn("%s keeps the old access log %s: %s", child_name(c, name),
                     access_path(g->access_logs[i]), err.text);
    }
}

uint32_t access_logs_reopen(struct generation *g)
{
    uint32_t opened = 0;
    for (uint32_t i = 0; i < g->access_log_count; i++) {
        struct error err;
        if (!access_path(g->access_logs[i]))
            continue;
        int fd = access_reopen(g->access_logs[i], &err);
        if (fd < 0) {
            log_error("SIGUSR1: %s", err.text);
            continue;
        }
        hand_out(g, i, fd);
        opened++;
    }
    return opened;
}

void access_logs_adopt(struct generation *g, uint64_t number, int fd)
{
    if (number > 0 && number <= g->access_log_count && access_path(g->access_logs[number - 1]))
        access_adopt_fd(g->access_logs[number - 1], fd);
    else
        close(fd);
}

uint32_t access_logs_files(const struct generation *g)
{
    uint32_t files = 0;
    for (uint32_t i = 0; i < g->frontend_count; i++)
        files += g->frontends[i]->access->enabled && g->frontends[i]->access->path;
    return files;
}
