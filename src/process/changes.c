#include "process/changes.h"

#include <inttypes.h>

#include "base/hashmap.h"
#include "base/memory.h"
#include "process/generation.h"

/* A line for each name of `a` that `b` lacks. */
static uint32_t print_missing(const char *verb, const char *kind, struct names a, struct names b,
                              struct text *out)
{
    static char present;
    struct hashmap there = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < b.count; i++)
        hashmap_add(&there, slice_of(b.items[i]), &present);
    for (uint32_t i = 0; i < a.count; i++)
        if (!hashmap_find(&there, slice_of(a.items[i]))) {
            text_printf(out, "%s %s %s\n", verb, kind, a.items[i]);
            count++;
        }
    hashmap_free(&there);
    return count;
}

uint32_t changes_print(const char *kind, struct names before, struct names now, struct text *out)
{
    return print_missing("added", kind, now, before, out) + print_missing("removed", kind, before, now, out);
}

/* The names of a generation; each in the arena, which ends with the call. */
struct served {
    struct arena arena;
    struct names frontends, backends, servers;
};

static void collect(struct served *s, const struct generation *g)
{
    arena_init(&s->arena);
    s->frontends = s->backends = s->servers = (struct names){0};
    if (!g)
        return;
    s->frontends.items = ARENA_ARRAY(&s->arena, const char *, g->frontend_count + 1);
    s->backends.items = ARENA_ARRAY(&s->arena, const char *, g->backend_count + 1);
    s->servers.items = ARENA_ARRAY(&s->arena, const char *, g->server_count + 1);
    for (uint32_t i = 0; i < g->frontend_count; i++)
        s->frontends.items[s->frontends.count++] = g->frontends[i]->name;
    for (uint32_t i = 0; i < g->backend_count; i++) {
        const struct backend *b = g->backends[i];
        s->backends.items[s->backends.count++] = b->name;
        for (uint32_t j = 0; j < b->server_count; j++)
            s->servers.items[s->servers.count++] =
                arena_printf(&s->arena, "%s:%s", b->name, b->servers[j]->name);
    }
}

static void print_count(struct text *out, uint32_t count, const char *what, const char *behind)
{
    text_printf(out, "%" PRIu32 " %s%s%s", count, what, count == 1 ? "" : "s", behind);
}

void generation_print_changes(const struct generation *g, const struct generation *old, struct text *out)
{
    struct served before, now;
    uint32_t changed = 0;
    text_printf(out, "generation %" PRIu32 " serves: ", g->number);
    print_count(out, g->frontend_count, "frontend", ", ");
    print_count(out, g->backend_count, "backend", ", ");
    print_count(out, g->server_count, "server", ", ");
    print_count(out, g->worker_count, "worker", "\n");
    if (!old)
        return;
    collect(&before, old);
    collect(&now, g);
    changed += changes_print("frontend", before.frontends, now.frontends, out);
    changed += changes_print("backend", before.backends, now.backends, out);
    changed += changes_print("server", before.servers, now.servers, out);
    if (!changed)
        text_puts(out, "no frontend, backend or server was added or removed\n");
    arena_free(&before.arena);
    arena_free(&now.arena);
}
