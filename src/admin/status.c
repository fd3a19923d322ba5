#include "admin/status.h"

#include <stdio.h>

#include "admin/answer.h"
#include "base/clock.h"
#include "base/macros.h"

void status_of_frontend(const struct frontend *f, struct status *st)
{
    uint32_t open = state_gauge(f->slot, GAUGE_SESSIONS);
    *st = (struct status){.word = "open", .serving = true};
    if (!f->maxconn || open < f->maxconn)
        return;
    st->word = "full";
    st->serving = false;
    snprintf(st->reason, sizeof st->reason, "maxconn %u is reached", f->maxconn);
}

void status_of_server(const struct server *s, struct status *st)
{
    const char *why = NULL;
    enum health health = atomic_load_explicit(&s->slot->health, memory_order_relaxed);
    *st = (struct status){.serving = server_eligible(s, &why)};
    st->since_ms = atomic_load_explicit(&s->slot->health_since_ms, memory_order_relaxed);
    state_read_text(&s->slot->health_reason, st->reason, sizeof st->reason);
    if (health == HEALTH_DOWN)
        st->word = "down";
    else if (!st->serving)
        st->word = "out";
    else
        st->word = health == HEALTH_UP ? "up" : "unchecked";
    if (st->serving || (health == HEALTH_DOWN && st->reason[0]))
        return;
    snprintf(st->reason, sizeof st->reason, "%s", why ? why : "not eligible");
    if (health != HEALTH_DOWN)
        st->since_ms = 0;
}

void status_of_backend(const struct backend *b, struct status *st)
{
    uint32_t down = 0;
    uint64_t latest = 0;
    *st = (struct status){.pool = true, .of = b->server_count};
    for (uint32_t i = 0; i < b->server_count; i++) {
        struct status server;
        status_of_server(b->servers[i], &server);
        st->up += server.serving;
        down += server.word[0] == 'd';
        latest = MAX(latest, server.since_ms);
    }
    st->serving = st->up > 0;
    st->word = st->serving ? "up" : "down";
    if (!st->serving)
        st->since_ms = latest; /* when the last one left */
    uint32_t out = st->of - st->up - down;
    if (st->of == 0)
        snprintf(st->reason, sizeof st->reason, "it has no servers");
    else if (down && out)
        snprintf(st->reason, sizeof st->reason, "%u of %u servers down, %u out", down, st->of, out);
    else if (down || out)
        snprintf(st->reason, sizeof st->reason, "%u of %u servers %s", down + out, st->of,
                 down ? "down" : "out");
}

uint64_t status_age_ms(const struct status *st)
{
    uint64_t now = clock_wall_ms();
    return st->since_ms && st->since_ms < now ? now - st->since_ms : 0;
}

const char *status_print(const struct status *st, char out[static 2 * FORMAT_MAX])
{
    char age[FORMAT_MAX];
    if (st->pool && st->serving)
        snprintf(out, 2 * FORMAT_MAX, "%u of %u up", st->up, st->of);
    else if (st->since_ms)
        snprintf(out, 2 * FORMAT_MAX, "%s %s", st->word, format_age(status_age_ms(st), age));
    else
        snprintf(out, 2 * FORMAT_MAX, "%s", st->word);
    return out;
}

void status_add_json(const struct status *st, json_t *object)
{
    json_object_set_new(object, "state", json_string(st->word));
    json_object_set_new(object, "serving", json_boolean(st->serving));
    json_object_set_new(object, "reason", answer_json_string(st->reason));
    json_object_set_new(object, "since_ms",
                        st->since_ms ? json_integer((json_int_t)st->since_ms) : json_null());
    json_object_set_new(object, "age_ms",
                        st->since_ms ? json_integer((json_int_t)status_age_ms(st)) : json_null());
    if (!st->pool)
        return;
    json_object_set_new(object, "servers_serving", json_integer(st->up));
    json_object_set_new(object, "servers_total", json_integer(st->of));
}
