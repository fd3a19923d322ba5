#include "admin/stats.h"

#include "admin/answer.h"

static const char *const latency_names[LATENCY_COUNT] = {
    [LATENCY_QUEUE] = "queue",
    [LATENCY_CONNECT] = "connect",
    [LATENCY_FIRST_BYTE] = "first_byte",
    [LATENCY_TOTAL] = "total",
};

static void read_slot(struct stats *st, const struct slot *s, const struct rates *r)
{
    st->sessions = state_gauge(s, GAUGE_SESSIONS);
    st->requests = state_gauge(s, GAUGE_REQUESTS);
    st->queued = state_gauge(s, GAUGE_QUEUED);
    st->rate = rates_of(r, s);
    state_totals(s, &st->totals);
}

void stats_of_frontend(struct stats *st, const struct frontend *f, const struct rates *r)
{
    *st = (struct stats){.kind = SLOT_FRONTEND, .name = f->name};
    read_slot(st, f->slot, r);
    status_of_frontend(f, &st->status);
}

void stats_of_backend(struct stats *st, const struct backend *b, const struct rates *r)
{
    *st = (struct stats){.kind = SLOT_BACKEND, .name = b->name};
    read_slot(st, b->slot, r);
    status_of_backend(b, &st->status);
}

void stats_of_server(struct stats *st, const struct server *s, const struct rates *r)
{
    *st = (struct stats){.kind = SLOT_SERVER, .name = s->name, .backend = s->backend->name};
    read_slot(st, s->slot, r);
    status_of_server(s, &st->status);
}

bool stats_is_normal(enum reason r)
{
    return r == REASON_NONE || r == REASON_RESPONDED || r == REASON_CLIENT_KEEPALIVE || r == REASON_DRAIN;
}

static json_t *counters_json(const struct slot_totals *totals)
{
    json_t *counters = json_object();
    for (enum counter c = 0; c < COUNTER_NAMED_COUNT; c++)
        json_object_set_new(counters, counter_name(c), json_integer((json_int_t)totals->counter[c]));
    return counters;
}

static json_t *reasons_json(const struct slot_totals *totals)
{
    json_t *reasons = json_object();
    for (enum reason r = 0; r < REASON_COUNT; r++)
        json_object_set_new(reasons, reason_word(r),
                            json_integer((json_int_t)totals->counter[COUNTER_REASON + r]));
    return reasons;
}

static json_t *latencies_json(const struct slot_totals *totals)
{
    json_t *latencies = json_object();
    for (enum latency l = 0; l < LATENCY_COUNT; l++) {
        const struct histogram_sum *sum = &totals->latency[l];
        json_t *one = json_object();
        json_object_set_new(one, "count", json_integer((json_int_t)histogram_count(sum)));
        json_object_set_new(one, "p50", json_integer((json_int_t)histogram_percentile(sum, 50)));
        json_object_set_new(one, "p90", json_integer((json_int_t)histogram_percentile(sum, 90)));
        json_object_set_new(one, "p99", json_integer((json_int_t)histogram_percentile(sum, 99)));
        json_object_set_new(latencies, latency_names[l], one);
    }
    return latencies;
}

json_t *stats_json(const struct stats *st)
{
    json_t *o = json_object();
    json_object_set_new(o, "name", answer_json_string(st->name));
    status_add_json(&st->status, o);
    json_object_set_new(o, "sessions_current", json_integer(st->sessions));
    json_object_set_new(o, "sessions_per_second", json_real(st->rate.sessions));
    json_object_set_new(o, "requests_current", json_integer(st->requests));
    json_object_set_new(o, "requests_per_second", json_real(st->rate.requests));
    if (st->kind == SLOT_BACKEND)
        json_object_set_new(o, "queued_current", json_integer(st->queued));
    json_object_set_new(o, "counters", counters_json(&st->totals));
    json_object_set_new(o, "reasons", reasons_json(&st->totals));
    if (st->kind != SLOT_FRONTEND)
        json_object_set_new(o, "latency_us", latencies_json(&st->totals));
    return o;
}
