#include "http/exchange_rules.h"

#include "base/clock.h"
#include "http/action_respond.h"
#include "http/http.h"
#include "http/status.h"
#include "log/log.h"
#include "net/tls.h"

enum { SAID_MAX = 3072 }; /* bytes of a line of the action `log` */

/* ---- what rules look at and reach ---- */

static char *alloc(void *context, size_t len)
{
    return exchange_alloc(context, len);
}

static const char *print_client(const struct exchange *x, char out[static ADDRESS_TEXT_MAX])
{
    struct address client;
    if (x->peer_trusted && ip_print(x->client_ip, out) > 0)
        return out;
    conn_peer(x->client_conn, &client);
    return address_print(&client, out);
}

static void say(void *context, const struct rule *r, struct slice text)
{
    const struct exchange *x = context;
    char client[ADDRESS_TEXT_MAX], shown[SAID_MAX];
    if (!log_enabled(LOG_LEVEL_INFO))
        return;
    size_t len = log_escape(shown, sizeof shown, text.ptr, text.len);
    log_info("Frontend [%s] rule %s, client %s: %.*s", x->frontend->name, r->label, print_client(x, client),
             (int)len, shown);
}

static void make_subject(const struct exchange *x, const struct rule_list *list, struct http_subject *s)
{
    struct address a;
    conn_peer(x->client_conn, &a);
    *s = (struct http_subject){
        .request = (struct message *)&x->request,
        .src = ip_of_address(&a),
        .src_port = address_port(&a),
        .scheme = x->client_scheme,
        .frontend = x->frontend->name,
        .generation = x->frontend->worker->generation,
        .now_us = clock_wall_ms() * 1000,
        .vars = x->vars,
        .unique_id = {x->unique_id[0], x->unique_id[1]},
    };
    if (UNLIKELY(x->peer_trusted) && !ip_equal(x->client_ip, s->src)) {
        s->src = x->client_ip;
        s->src_port = 0;
    }
    conn_real_peer(x->client_conn, &a);
    s->peer = ip_of_address(&a);
    if (x->attempt.backend)
        s->backend = x->attempt.backend->name;
    if (x->attempt.server)
        s->server = x->attempt.server->name;
    if (list->wants_tls)
        s->tls = conn_tls_info(x->client_conn);
    if (!list->wants_dst)
        return;
    conn_local(x->client_conn, &a);
    s->dst = ip_of_address(&a);
    s->dst_port = address_port(&a);
}

/* ---- walking a list ---- */

/* The rules may change the method; the access log tells what the client asked for. */
static void note_method(struct exchange *x, struct slice asked)
{
    if (x->request.method.ptr != asked.ptr && x->asked_method.len == 0)
        x->asked_method = asked;
}

static void decide(struct exchange *x, const struct rule_list *list, struct message *response,
                   struct rule_outcome *out)
{
    const struct rule_world world = {.context = x, .alloc = alloc, .log = say};
    struct slice asked = x->request.method;
    struct http_subject s;
    make_subject(x, list, &s);
    s.response = response;
    rules_decide(list, &s, &world, NULL, out);
    x->vars = s.vars;
    memcpy(x->unique_id, s.unique_id, sizeof x->unique_id);
    note_method(x, asked);
    if (out->rule && !(out->verdict == VERDICT_ALLOW && x->rule))
        x->rule = out->rule->label;
}

static void tell_failure(const struct exchange *x, const struct rule_outcome *out)
{
    char client[ADDRESS_TEXT_MAX], not_told[RULE_NOT_TOLD_SIZE];
    if (rule_may_tell(out->rule, loop_now(x->frontend->worker->loop), not_told))
        log_warn("Frontend [%s] rule %s failed, client %s: %s%s", x->frontend->name, out->rule->label,
                 print_client(x, client), out->failure, not_told);
}

/* The backend's name that an expression gave is none. */
static void answer_unknown_backend(struct exchange *x, const struct rule_outcome *out)
{
    char client[ADDRESS_TEXT_MAX], shown[ACTION_SHOWN_SIZE], not_told[RULE_NOT_TOLD_SIZE];
    if (rule_may_tell(out->rule, loop_now(x->frontend->worker->loop), not_told))
        log_warn("Frontend [%s] rule %s, client %s: there is no backend \"%s\"%s", x->frontend->name,
                 out->rule->label, print_client(x, client), action_show(out->backend_name, shown), not_told);
    exchange_answer_status(x, status_of_reason(REASON_UNKNOWN_BACKEND), REASON_UNKNOWN_BACKEND);
}

/* What ends a request here and now. False: it goes on. */
static bool answer(struct exchange *x, const struct rule_outcome *out)
{
    struct answer a = {.status = out->status, .fields = out->fields, .field_count = out->field_count};
    switch (out->verdict) {
    case VERDICT_REDIRECT:
        exchange_answer(x, &a, REASON_REDIRECTED);
        return true;
    case VERDICT_RESPOND:
        a.content_type = out->respond->answer.content_type;
        a.body = out->respond->answer.body;
        exchange_answer(x, &a, REASON_RESPONDED);
        return true;
    case VERDICT_DENY:
        exchange_answer_status(x, out->status, REASON_DENIED);
        return true;
    case VERDICT_FAILED:
        tell_failure(x, out);
        exchange_answer_status(x, status_of_reason(REASON_RULE_FAILED), REASON_RULE_FAILED);
        return true;
    default:
        return false;
    }
}

/* ---- the steps ---- */

bool exchange_rules_frontend(struct exchange *x, struct exchange_route *route)
{
    struct rule_outcome out;
    decide(x, &x->frontend->http->requests, NULL, &out);
    if (answer(x, &out))
        return false;
    if (out.verdict != VERDICT_BACKEND)
        return true;
    if (!out.backend) {
        answer_unknown_backend(x, &out);
        return false;
    }
    route->backend = out.backend;
    if (out.server.len)
        route->server = backend_server(out.backend, out.server);
    return true;
}

bool exchange_rules_backend(struct exchange *x)
{
    struct backend *b = x->attempt.backend;
    struct rule_outcome out;
    decide(x, &b->http->requests, NULL, &out);
    if (answer(x, &out))
        return false;
    if (out.server.len)
        x->attempt.preferred = backend_server(b, out.server);
    return true;
}

static bool respond_by(struct exchange *x, const struct rule_list *list, struct message *m)
{
    struct rule_outcome out;
    if (!rules_any(list))
        return true;
    decide(x, list, m, &out);
    if (out.verdict != VERDICT_FAILED)
        return true;
    tell_failure(x, &out);
    exchange_fail(x, status_of_reason(REASON_RULE_FAILED), REASON_RULE_FAILED);
    return false;
}

bool exchange_rules_response(struct exchange *x, struct message *m)
{
    const struct http_backend_conf *b = x->attempt.backend->http;
    return (!b || respond_by(x, &b->responses, m)) && respond_by(x, &x->frontend->http->responses, m);
}
