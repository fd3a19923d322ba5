#include <stdlib.h>
#include <string.h>

#include "admin/format.h"
#include "admin/handlers.h"
#include "admin/stats.h"
#include "admin/table.h"

/* The blocks of the text, filled side by side. */
struct report {
    struct table main, out, errors, latency;
    bool queued; /* requests have waited in a queue: its times are shown */
};

static const struct table_column main_columns[] = {
    {NULL, "", true},
    {NULL, "state", true},
    {"sessions", "now", false},
    {"sessions", "total", false},
    {"sessions", "/s", false},
    {"requests", "now", false},
    {"requests", "total", false},
    {"requests", "/s", false},
    {"bytes", "in", false},
    {"bytes", "out", false},
    {"responses", "2xx", false},
    {"responses", "3xx", false},
    {"responses", "4xx", false},
    {"responses", "5xx", false},
    {NULL, "retries", false},
    {"total time", "p50", false},
    {"total time", "p99", false},
};

static const struct table_column out_columns[] = {{NULL, "", true}, {NULL, "", true}};

static const struct table_column latency_columns[] = {
    {NULL, "", true},
    {"connect", "p50", false},
    {"connect", "p90", false},
    {"connect", "p99", false},
    {"first byte", "p50", false},
    {"first byte", "p90", false},
    {"first byte", "p99", false},
    {"total", "p50", false},
    {"total", "p90", false},
    {"total", "p99", false},
    {"queue", "p50", false},
    {"queue", "p90", false},
    {"queue", "p99", false},
};

static void add_name(struct table *t, const struct stats *st)
{
    if (st->kind == SLOT_SERVER)
        table_add(t, "server %s:%s", st->backend, st->name);
    else
        table_add(t, "%s %s", st->kind == SLOT_FRONTEND ? "frontend" : "backend", st->name);
}

static void add_percentile(struct table *t, const struct histogram_sum *sum, double percent)
{
    char text[FORMAT_MAX];
    if (histogram_count(sum))
        table_add(t, "%s", format_latency(histogram_percentile(sum, percent), text));
    else
        table_add(t, "-");
}

static void add_count(struct table *t, uint64_t n)
{
    char text[FORMAT_MAX];
    table_add(t, "%s", format_count(n, text));
}

static void add_main(struct table *t, const struct stats *st)
{
    const uint64_t *counter = st->totals.counter;
    char text[2 * FORMAT_MAX];
    if (st->kind == SLOT_SERVER)
        table_add(t, "  %s", st->name);
    else
        add_name(t, st);
    table_add(t, "%s", status_print(&st->status, text));
    add_count(t, st->sessions);
    add_count(t, counter[COUNTER_SESSIONS]);
    table_add(t, "%s", format_rate(st->rate.sessions, text));
    add_count(t, st->requests);
    add_count(t, counter[COUNTER_REQUESTS]);
    table_add(t, "%s", format_rate(st->rate.requests, text));
    table_add(t, "%s", format_bytes(counter[COUNTER_BYTES_IN], text));
    table_add(t, "%s", format_bytes(counter[COUNTER_BYTES_OUT], text));
    for (enum counter c = COUNTER_RESPONSES_2XX; c <= COUNTER_RESPONSES_5XX; c++)
        add_count(t, counter[c]);
    add_count(t, counter[COUNTER_RETRIES]);
    add_percentile(t, &st->totals.latency[LATENCY_TOTAL], 50);
    add_percentile(t, &st->totals.latency[LATENCY_TOTAL], 99);
}

static void add_out(struct table *t, const struct stats *st)
{
    char text[2 * FORMAT_MAX];
    if (st->status.serving)
        return;
    add_name(t, st);
    table_add(t, "%s: %s", status_print(&st->status, text), st->status.reason);
}

static void add_errors(struct table *t, const struct stats *st)
{
    const uint64_t *counter = st->totals.counter;
    struct text list = {0};
    for (enum reason r = 0; r < REASON_COUNT; r++)
        if (counter[COUNTER_REASON + r] && !stats_is_normal(r))
            text_printf(&list, "%s%s %llu", list.len ? ", " : "", reason_word(r),
                        (unsigned long long)counter[COUNTER_REASON + r]);
    if (counter[COUNTER_RETRIES])
        text_printf(&list, "%sretries %llu", list.len ? ", " : "",
                    (unsigned long long)counter[COUNTER_RETRIES]);
    if (counter[COUNTER_REDISPATCHES])
        text_printf(&list, ", redispatches %llu", (unsigned long long)counter[COUNTER_REDISPATCHES]);
    if (list.len) {
        add_name(t, st);
        table_add(t, "%s", text_str(&list));
    }
    text_free(&list);
}

static void add_latency(struct report *r, const struct stats *st)
{
    static const enum latency order[] = {LATENCY_CONNECT, LATENCY_FIRST_BYTE, LATENCY_TOTAL, LATENCY_QUEUE};
    static const double percents[] = {50, 90, 99};
    bool any = false;
    for (enum latency l = 0; l < LATENCY_COUNT; l++)
        any = any || histogram_count(&st->totals.latency[l]);
    if (!any)
        return;
    r->queued = r->queued || histogram_count(&st->totals.latency[LATENCY_QUEUE]);
    add_name(&r->latency, st);
    for (unsigned l = 0; l < ARRAY_LEN(order); l++)
        for (unsigned p = 0; p < ARRAY_LEN(percents); p++)
            add_percentile(&r->latency, &st->totals.latency[order[l]], percents[p]);
}

static void report_add(struct report *r, const struct stats *st)
{
    add_main(&r->main, st);
    add_out(&r->out, st);
    add_errors(&r->errors, st);
    if (st->kind != SLOT_FRONTEND)
        add_latency(r, st);
}

static void print_block(struct table *t, const char *title, unsigned columns, struct text *out)
{
    if (!table_empty(t)) {
        if (title)
            text_printf(out, "\n%s\n", title);
        table_print(t, columns, out);
    }
    table_free(t);
}

static void report_print(struct report *r, unsigned columns, struct text *out)
{
    r->latency.shown = r->queued ? ARRAY_LEN(latency_columns) : ARRAY_LEN(latency_columns) - 3;
    print_block(&r->main, NULL, columns, out);
    print_block(&r->out, "Out of service", 0, out);
    print_block(&r->errors, "Errors", 0, out);
    print_block(&r->latency, "Latency", columns, out);
}

static bool wanted(const char *name, const char *only)
{
    return !only || strcmp(name, only) == 0;
}

static void answer_text(const struct admin *a, const char *only, struct answer *answer)
{
    struct report r = {TABLE_OF(main_columns), TABLE_OF(out_columns), TABLE_OF(out_columns),
                       TABLE_OF(latency_columns), false};
    const struct admin_host *h = a->host;
    struct stats st;
    for (uint32_t i = 0; i < h->frontend_count; i++)
        if (wanted(h->frontends[i]->name, only)) {
            stats_of_frontend(&st, h->frontends[i], a->rates);
            report_add(&r, &st);
        }
    for (uint32_t i = 0; i < h->backend_count; i++) {
        const struct backend *b = h->backends[i];
        if (!wanted(b->name, only))
            continue;
        stats_of_backend(&st, b, a->rates);
        report_add(&r, &st);
        for (uint32_t j = 0; j < b->server_count; j++) {
            stats_of_server(&st, b->servers[j], a->rates);
            report_add(&r, &st);
        }
    }
    report_print(&r, answer->columns, &answer->text);
}

static json_t *backend_json(const struct backend *b, const struct rates *r)
{
    struct stats st;
    json_t *servers = json_array();
    stats_of_backend(&st, b, r);
    json_t *backend = stats_json(&st);
    for (uint32_t j = 0; j < b->server_count; j++) {
        stats_of_server(&st, b->servers[j], r);
        json_array_append_new(servers, stats_json(&st));
    }
    json_object_set_new(backend, "servers", servers);
    return backend;
}

static void answer_json(const struct admin *a, const char *only, struct answer *answer)
{
    const struct admin_host *h = a->host;
    json_t *frontends = json_array(), *backends = json_array();
    struct stats st;
    for (uint32_t i = 0; i < h->frontend_count; i++)
        if (wanted(h->frontends[i]->name, only)) {
            stats_of_frontend(&st, h->frontends[i], a->rates);
            json_array_append_new(frontends, stats_json(&st));
        }
    for (uint32_t i = 0; i < h->backend_count; i++)
        if (wanted(h->backends[i]->name, only))
            json_array_append_new(backends, backend_json(h->backends[i], a->rates));
    answer->document = json_pack("{s:i,s:o,s:o}", "rates_over_ms", (int)rates_interval_ms(a->rates),
                                 "frontends", frontends, "backends", backends);
}

static bool is_known(const struct admin_host *h, const char *name)
{
    for (uint32_t i = 0; i < h->frontend_count; i++)
        if (strcmp(h->frontends[i]->name, name) == 0)
            return true;
    for (uint32_t i = 0; i < h->backend_count; i++)
        if (strcmp(h->backends[i]->name, name) == 0)
            return true;
    return false;
}

void admin_run_stats(struct admin_session *s, char *const *args, unsigned count, struct answer *a)
{
    const char *only = count ? args[0] : NULL;
    if (only && !is_known(s->admin->host, only))
        answer_fail(a, "no frontend and no backend is named \"%.192s\"", only);
    else if (a->json)
        answer_json(s->admin, only, a);
    else
        answer_text(s->admin, only, a);
}
