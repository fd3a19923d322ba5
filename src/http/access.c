/*
 * access.c: what the access log tells of an exchange.
 */
#include "http/exchange.h"

static uint64_t between(uint64_t begin, uint64_t end)
{
    return begin && end >= begin ? end - begin : ACCESS_ABSENT;
}

/* The connection of an exchange's latest attempt, where one had to be made and was. */
static uint64_t connect_time(const struct exchange *x)
{
    return x->reused || !x->sent_at ? ACCESS_ABSENT : between(x->connect_at, x->sent_at);
}

void exchange_log(const struct exchange *x, enum reason why)
{
    const struct message *m = &x->request;
    uint64_t now = loop_now(x->frontend->worker->loop);
    uint64_t head = x->head_began_at ? x->begun_at - x->head_began_at : 0;
    struct access_entry e = {
        .head_us = head,
        .connect_us = connect_time(x),
        .first_byte_us = x->first_byte_at ? between(x->sent_at, x->first_byte_at) : ACCESS_ABSENT,
        .total_us = now - x->begun_at + head,
        .bytes_in = x->head_in + x->bytes_in,
        .bytes_out = x->head_out + x->bytes_out,
        .status = x->status,
        .malformed = x->malformed,
        .rule = x->rule ? slice_of(x->rule) : SLICE(""),
    };
    if (x->malformed.len == 0 && m->method.len > 0) {
        e.method = x->asked_method.len ? x->asked_method : m->method;
        e.target = m->target;
        e.version = http_version_text(m->version);
        e.host = m->host;
    }
    char client[ADDRESS_TEXT_MAX];
    if (x->peer_trusted && !ip_equal(x->client_ip, exchange_peer_ip(x)))
        e.client = (struct slice){client, ip_print(x->client_ip, client)};
    frontend_log_access(x->frontend, x->client_conn, &e, &x->attempt, why);
}
