/* The commands about noxy itself: `info`, `ping`, `help` and `reload`. */
#include "config.h"

#include <unistd.h>

#include "admin/format.h"
#include "admin/handlers.h"
#include "admin/table.h"
#include "base/clock.h"

static uint64_t age_ms(uint64_t since_ms)
{
    uint64_t now = clock_wall_ms();
    return since_ms < now ? now - since_ms : 0;
}

static unsigned count_slots(void)
{
    unsigned n = 0;
    for (const struct slot *s = state_next(NULL); s; s = state_next(s))
        n++;
    return n;
}

static unsigned count_servers(const struct admin_host *h)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < h->backend_count; i++)
        n += h->backends[i]->server_count;
    return n;
}

static json_t *info_json(const struct admin_host *h, unsigned connections, uint64_t log_dropped)
{
    return json_pack("{s:s,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:i,s:i,s:i,s:i,s:i,s:I}", /* */
                     "version", PACKAGE_VERSION, "master_pid", h->master_pid, "manager_pid", (int)getpid(),
                     "started_ms", (json_int_t)h->started_ms, "uptime_ms", (json_int_t)age_ms(h->started_ms),
                     "generation", (json_int_t)h->generation, "generation_started_ms",
                     (json_int_t)h->generation_started_ms, "generation_age_ms",
                     (json_int_t)age_ms(h->generation_started_ms), "workers", (json_int_t)h->workers,
                     "connections", (json_int_t)connections, "maxconn", (json_int_t)h->maxconn, "config_path",
                     answer_json_string(h->config_path), "frontends", (int)h->frontend_count, "backends",
                     (int)h->backend_count, "servers", (int)count_servers(h), "slots", (int)count_slots(),
                     "slots_max", (int)STATE_SLOTS_MAX, "log_dropped", (json_int_t)log_dropped);
}

static void add(struct table *t, const char *key, const char *value)
{
    table_add(t, "%s", key);
    table_add(t, "%s", value);
}

static void info_text(const struct admin_host *h, unsigned connections, uint64_t log_dropped,
                      struct text *out)
{
    static const struct table_column columns[] = {{NULL, "", true}, {NULL, "", true}};
    struct table t = TABLE_OF(columns);
    char text[FORMAT_MAX];
    add(&t, "version", PACKAGE_VERSION);
    table_add(&t, "process id");
    table_add(&t, "%d (manager %d)", h->master_pid, (int)getpid());
    add(&t, "uptime", format_age(age_ms(h->started_ms), text));
    table_add(&t, "generation");
    table_add(&t, "%u, since %s", h->generation, format_age(age_ms(h->generation_started_ms), text));
    add(&t, "configuration", h->config_path);
    table_add(&t, "workers");
    table_add(&t, "%u", h->workers);
    table_add(&t, "connections");
    table_add(&t, "%u of %u", connections, h->maxconn);
    table_add(&t, "serves");
    table_add(&t, "frontends: %u, backends: %u, servers: %u", h->frontend_count, h->backend_count,
              count_servers(h));
    table_add(&t, "slots");
    table_add(&t, "%u of %d", count_slots(), STATE_SLOTS_MAX);
    table_add(&t, "log lines lost");
    table_add(&t, "%llu", (unsigned long long)log_dropped);
    table_print(&t, 0, out);
    table_free(&t);
}

void admin_run_info(struct admin_session *s, char *const *args, unsigned count, struct answer *a)
{
    const struct admin_host *h = s->admin->host;
    unsigned connections = state_gauge(h->process, GAUGE_SESSIONS);
    struct slot_totals totals;
    (void)args;
    (void)count;
    state_totals(h->process, &totals);
    if (a->json)
        a->document = info_json(h, connections, totals.counter[COUNTER_LOG_DROPPED]);
    else
        info_text(h, connections, totals.counter[COUNTER_LOG_DROPPED], &a->text);
}

void admin_run_ping(struct admin_session *s, char *const *args, unsigned count, struct answer *a)
{
    (void)s;
    (void)args;
    (void)count;
    if (a->json)
        a->document = json_pack("{s:s}", "ping", "pong");
    else
        text_puts(&a->text, "pong\n");
}

static json_t *command_json(const struct command *c)
{
    return json_pack("{s:s,s:s,s:s,s:s}", "name", c->name, "arguments", c->arguments, "summary", c->summary,
                     "help", c->help);
}

void admin_run_help(struct admin_session *s, char *const *args, unsigned count, struct answer *a)
{
    (void)s;
    const struct command *c = count ? command_find(args[0]) : NULL;
    if (count && !c) {
        answer_fail(a, "there is no command \"%.64s\"", args[0]);
    } else if (a->json) {
        json_t *list = json_array();
        for (size_t i = 0; i < COMMAND_COUNT; i++)
            if (!c || c == &command_table[i])
                json_array_append_new(list, command_json(&command_table[i]));
        a->document = json_pack("{s:o}", "commands", list);
    } else if (c) {
        command_print_help(c, &a->text);
    } else {
        command_print_list(&a->text);
    }
}

void admin_run_reload(struct admin_session *s, char *const *args, unsigned count, struct answer *a)
{
    const struct admin_host *h = s->admin->host;
    struct error err = {""};
    (void)args;
    (void)count;
    if (s->admin->waiting >= ADMIN_SESSIONS_MAX) { /* clients that asked and left count, too */
        answer_fail(a, "too many reloads are asked for already");
        return;
    }
    s->waiting = true;
    s->json = a->json;
    s->admin->waiting++;
    if (h->reload(h->context, s, &err) == 0) {
        a->later = true;
        return;
    }
    s->waiting = false;
    s->admin->waiting--;
    answer_fail(a, "%s", err.text[0] ? err.text : "a reload cannot be asked for now");
}
