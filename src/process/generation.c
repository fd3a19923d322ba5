#include "process/generation.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "health/health.h"
#include "log/log.h"
#include "process/access_logs.h"

enum { RESOLVE_US = 3000000 };

/* The structures of a section's objects, as an array in the load's arena. */
static void *structures(struct generation *g, const char *section, uint32_t *count)
{
    const struct conf_object *objects = conf_load_objects(&g->load, section, count);
    void **list = ARENA_ARRAY(&g->load.arena, void *, *count + 1);
    for (uint32_t i = 0; i < *count; i++)
        list[i] = objects[i].structure;
    return list;
}

static void fill(struct generation *g)
{
    uint32_t count;
    g->global = conf_load_objects(&g->load, "global", &count)->structure;
    g->frontends = structures(g, "frontend", &g->frontend_count);
    g->backends = structures(g, "backend", &g->backend_count);
    for (uint32_t i = 0; i < g->backend_count; i++) {
        g->server_count += g->backends[i]->server_count;
        health_apply_default(g->backends[i], g->global->health_check);
    }
    for (uint32_t i = 0; i < g->frontend_count; i++)
        g->bind_count += g->frontends[i]->bind_count;
    g->maxconn = g->global->maxconn;
    g->worker_count = global_conf_workers(g->global);
}

static const struct conf_node *object_node(const struct generation *g, const char *section, uint32_t i)
{
    uint32_t count;
    const struct conf_object *objects = conf_load_objects(&g->load, section, &count);
    return i < count ? objects[i].node : NULL;
}

const struct conf_node *generation_bind_node(const struct generation *g, uint32_t frontend, uint32_t bind)
{
    const struct conf_node *whole = object_node(g, "frontend", frontend);
    const struct conf_node *binds = conf_node_get(whole, "bind");
    if (!binds)
        return whole;
    if (binds->kind != CONF_LIST)
        return binds;
    const struct conf_node *item = binds->first;
    while (bind-- > 0 && item)
        item = item->next;
    if (!item)
        return binds;
    const struct conf_node *addr_port = item->kind == CONF_MAP ? conf_node_get(item, "addr_port") : NULL;
    return addr_port ? addr_port : item;
}

const struct conf_node *generation_global_node(const struct generation *g, const char *key)
{
    return conf_node_get(object_node(g, "global", 0), key);
}

/* Does a bind before this one, or the admin socket, have the same address? */
static void check_bind(struct generation *g, uint32_t frontend, uint32_t bind)
{
    const struct bind *b = g->frontends[frontend]->binds[bind];
    const struct admin_socket_conf *admin = g->global->admin_socket;
    for (uint32_t i = 0; i <= frontend; i++) {
        const struct frontend *f = g->frontends[i];
        for (uint32_t j = 0; j < (i == frontend ? bind : f->bind_count); j++)
            if (address_equal(&b->address, &f->binds[j]->address)) {
                conf_error(&g->load, generation_bind_node(g, frontend, bind), NULL,
                           "frontend \"%s\" listens on %s already", f->name, b->addr_port);
                return;
            }
    }
    if (admin->path && b->address.any.sa_family == AF_UNIX &&
        strcmp(admin->path, b->address.un.sun_path) == 0)
        conf_error(&g->load, generation_bind_node(g, frontend, bind), NULL,
                   "%s is the admin socket's path already", admin->path);
}

static void cross_check(struct generation *g)
{
    for (uint32_t i = 0; i < g->frontend_count; i++)
        for (uint32_t j = 0; j < g->frontends[i]->bind_count; j++)
            check_bind(g, i, j);
}

bool generation_valid(const struct generation *g)
{
    return g->load.report.errors == 0;
}

void generation_print_report(const struct generation *g, struct text *out)
{
    conf_report_print(&g->load.report, CONF_ERROR, out);
    conf_report_print(&g->load.report, CONF_WARNING, out);
    conf_report_print(&g->load.report, CONF_NOTICE, out);
}

void generation_log_report(const struct generation *g)
{
    static const enum log_level levels[] = {
        [CONF_ERROR] = LOG_LEVEL_ERROR, [CONF_WARNING] = LOG_LEVEL_WARN, [CONF_NOTICE] = LOG_LEVEL_NOTICE};
    const struct conf_report *r = &g->load.report;
    for (uint32_t i = 0; i < r->count; i++) {
        struct text line = {0};
        conf_message_print_line(&r->messages[i], &line);
        log_write(levels[r->messages[i].severity], "%s", text_str(&line));
        text_free(&line);
    }
}

struct generation *generation_load(const char *path, const struct conf_section *const *sections,
                                   enum conf_purpose purpose)
{
    struct generation *g = memory_zalloc(sizeof *g);
    g->started_ms = clock_wall_ms();
    if (conf_load_file_for(&g->load, path, sections, purpose) == 0) {
        fill(g);
        cross_check(g);
        conf_warn_unused(&g->load);
    }
    return g;
}

void generation_free(struct generation *g)
{
    access_logs_close(g);
    conf_load_free(&g->load);
    free(g->children);
    free(g);
}

int generation_bind_state(struct generation *g)
{
    struct error err;
    for (uint32_t i = 0; i < g->frontend_count; i++)
        if (frontend_bind_state(g->frontends[i], &err) < 0) {
            conf_error(&g->load, object_node(g, "frontend", i), NULL, "%s", err.text);
            return -1;
        }
    for (uint32_t i = 0; i < g->backend_count; i++)
        if (backend_bind_state(g->backends[i], &err) < 0) {
            conf_error(&g->load, object_node(g, "backend", i), NULL, "%s", err.text);
            return -1;
        }
    health_resolve_all(g->backends, g->backend_count, RESOLVE_US);
    return 0;
}

uint32_t generation_alive(const struct generation *g)
{
    uint32_t alive = 0;
    for (uint32_t i = 0; i < g->child_count; i++)
        alive += g->children[i].pid > 0;
    return alive;
}
