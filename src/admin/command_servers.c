/* The commands `backends` and `servers`: one line each. */
#include <string.h>

#include "admin/handlers.h"
#include "admin/status.h"
#include "admin/table.h"

static const char *address_of(const struct server *s, char out[static ADDRESS_TEXT_MAX])
{
    struct address address;
    return server_address(s, &address) ? address_print(&address, out) : "not resolved";
}

static json_t *backend_json(const struct backend *b, const struct status *st)
{
    json_t *o = json_object();
    json_object_set_new(o, "name", answer_json_string(b->name));
    status_add_json(st, o);
    json_object_set_new(o, "balance", json_string(b->algorithm->name));
    json_object_set_new(o, "requests_current", json_integer(state_gauge(b->slot, GAUGE_REQUESTS)));
    json_object_set_new(o, "queued_current", json_integer(state_gauge(b->slot, GAUGE_QUEUED)));
    return o;
}

static void add_backend(struct table *t, const struct backend *b, const struct status *st)
{
    char text[2 * FORMAT_MAX];
    table_add(t, "%s", b->name);
    if (st->serving)
        table_add(t, "%u of %u servers up", st->up, st->of);
    else
        table_add(t, "%s", status_print(st, text));
    table_add(t, "%s", b->algorithm->name);
    table_add(t, "%u", state_gauge(b->slot, GAUGE_REQUESTS));
    table_add(t, "%s", st->reason);
}

void admin_run_backends(struct admin_session *s, char *const *args, unsigned count, struct answer *a)
{
    static const struct table_column columns[] = {{NULL, "backend", true},
                                                  {NULL, "state", true},
                                                  {NULL, "balance", true},
                                                  {NULL, "requests", false},
                                                  {NULL, "reason", true}};
    const struct admin_host *h = s->admin->host;
    struct table t = TABLE_OF(columns);
    json_t *list = json_array();
    (void)args;
    (void)count;
    for (uint32_t i = 0; i < h->backend_count; i++) {
        struct status st;
        status_of_backend(h->backends[i], &st);
        if (a->json)
            json_array_append_new(list, backend_json(h->backends[i], &st));
        else
            add_backend(&t, h->backends[i], &st);
    }
    a->document = json_pack("{s:o}", "backends", list);
    table_print(&t, 0, &a->text);
    table_free(&t);
}

/* What both forms tell of a server. */
struct view {
    const struct server *server;
    struct status status;
    struct slot_totals totals;
    uint32_t requests;
    char address[ADDRESS_TEXT_MAX];
};

static void look_at(struct view *v, const struct server *s)
{
    char text[ADDRESS_TEXT_MAX];
    v->server = s;
    v->requests = state_gauge(s->slot, GAUGE_REQUESTS);
    status_of_server(s, &v->status);
    state_totals(s->slot, &v->totals);
    strcpy(v->address, address_of(s, text));
}

static json_t *server_json(const struct view *v)
{
    const struct server *s = v->server;
    const uint64_t *counter = v->totals.counter;
    struct address address;
    json_t *o = json_object();
    json_object_set_new(o, "backend", answer_json_string(s->backend->name));
    json_object_set_new(o, "name", answer_json_string(s->name));
    json_object_set_new(o, "addr_port", answer_json_string(s->addr_port));
    json_object_set_new(o, "address", server_address(s, &address) ? json_string(v->address) : json_null());
    json_object_set_new(o, "weight", json_integer(s->weight));
    json_object_set_new(o, "maxconn", s->maxconn ? json_integer(s->maxconn) : json_null());
    status_add_json(&v->status, o);
    json_object_set_new(o, "requests_current", json_integer(v->requests));
    json_object_set_new(o, "checks_passed", json_integer((json_int_t)counter[COUNTER_CHECKS_PASSED]));
    json_object_set_new(o, "checks_failed", json_integer((json_int_t)counter[COUNTER_CHECKS_FAILED]));
    json_object_set_new(o, "downs", json_integer((json_int_t)counter[COUNTER_DOWNS]));
    return o;
}

static void add_server(struct table *t, const struct view *v)
{
    const struct server *s = v->server;
    const uint64_t *counter = v->totals.counter;
    char state[2 * FORMAT_MAX], passed[FORMAT_MAX], failed[FORMAT_MAX], downs[FORMAT_MAX];
    table_add(t, "%s", s->backend->name);
    table_add(t, "%s", s->name);
    table_add(t, "%s", v->address);
    table_add(t, "%u", s->weight);
    table_add(t, "%s", status_print(&v->status, state));
    table_add(t, "%u", v->requests);
    table_add(t, "%s", format_count(counter[COUNTER_CHECKS_PASSED], passed));
    table_add(t, "%s", format_count(counter[COUNTER_CHECKS_FAILED], failed));
    table_add(t, "%s", format_count(counter[COUNTER_DOWNS], downs));
    table_add(t, "%s", v->status.reason);
}

static void add_servers(const struct backend *b, bool json, struct table *t, json_t *list)
{
    for (uint32_t i = 0; i < b->server_count; i++) {
        struct view v;
        look_at(&v, b->servers[i]);
        if (json)
            json_array_append_new(list, server_json(&v));
        else
            add_server(t, &v);
    }
}

void admin_run_servers(struct admin_session *s, char *const *args, unsigned count, struct answer *a)
{
    static const struct table_column columns[] = {
        {NULL, "backend", true},     {NULL, "server", true},      {NULL, "address", true},
        {NULL, "weight", false},     {NULL, "state", true},       {NULL, "requests", false},
        {"checks", "passed", false}, {"checks", "failed", false}, {NULL, "downs", false},
        {NULL, "reason", true},
    };
    const struct admin_host *h = s->admin->host;
    struct table t = TABLE_OF(columns);
    json_t *list = json_array();
    bool found = false;
    for (uint32_t i = 0; i < h->backend_count; i++) {
        if (count && strcmp(h->backends[i]->name, args[0]) != 0)
            continue;
        found = true;
        add_servers(h->backends[i], a->json, &t, list);
    }
    if (count && !found)
        answer_fail(a, "no backend is named \"%.192s\"", args[0]);
    a->document = json_pack("{s:o}", "servers", list);
    if (found)
        table_print(&t, 0, &a->text);
    table_free(&t);
}
