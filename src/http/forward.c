/*
 * forward.c: what becomes of a request's head on its way to a server:
 * hop-by-hop fields go (RFC 9110, 7.6.1), X-Forwarded-For, -Proto and -Host
 * say who asked, how, and for what.
 */
#include "http/exchange.h"

/* Writes text behind what was written. */
static char *put(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

static char *put_name(char *at, struct slice name)
{
    return put(put(at, name.ptr, name.len), ": ", 2);
}

/* Room for all values of a list field joined by ", ". */
static size_t joined_len(const struct message *m, enum field_id id)
{
    size_t len = 0;
    for (unsigned i = 0; i < m->count; i++)
        if (m->fields[i].id == id)
            len += m->fields[i].value_len + 2u;
    return len;
}

static char *put_joined(char *at, const struct message *m, enum field_id id)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct field *f = &m->fields[i];
        if (f->id == id && f->value_len && !f->dropped)
            at = put(put(at, f->value, f->value_len), ", ", 2);
    }
    return at;
}

/* Drops the client's fields of that id and adds ours, which was written from `line` to `end`, without its
 * CRLF. */
static char *replace(struct message *m, enum field_id id, size_t name_len, char *line, char *end)
{
    message_drop(m, id);
    message_add_raw(m, id, line, name_len, (size_t)(end - line) - name_len - 2);
    return put(end, "\r\n", 2);
}

void exchange_prepare_request(struct exchange *x)
{
    static const struct slice for_name = SLICE("X-Forwarded-For"), proto_name = SLICE("X-Forwarded-Proto"),
                              host_name = SLICE("X-Forwarded-Host");
    struct message *m = &x->request;
    char ip[ADDRESS_TEXT_MAX];
    struct address client;
    if (x->prepared)
        return;
    x->prepared = true;
    conn_peer(x->client_conn, &client);
    address_print_ip(&client, ip);
    size_t ip_len = strlen(ip), scheme_len = strlen(x->client_scheme);
    size_t need = for_name.len + joined_len(m, FIELD_X_FORWARDED_FOR) + ip_len + proto_name.len + scheme_len +
                  host_name.len + m->host.len + 3 * 4;
    message_drop_hop(m);
    /* One piece of memory, so that the three lines go out as one. */
    char *line = exchange_alloc(x, need), *at = put_name(line, for_name);
    at = put_joined(at, m, FIELD_X_FORWARDED_FOR);
    at = put(at, ip, ip_len);
    line = replace(m, FIELD_X_FORWARDED_FOR, for_name.len, line, at);
    at = put(put_name(line, proto_name), x->client_scheme, scheme_len);
    line = replace(m, FIELD_X_FORWARDED_PROTO, proto_name.len, line, at);
    message_drop(m, FIELD_X_FORWARDED_HOST);
    if (m->host.len == 0)
        return;
    at = put(put_name(line, host_name), m->host.ptr, m->host.len);
    replace(m, FIELD_X_FORWARDED_HOST, host_name.len, line, at);
}
