#include "explain/explain.h"

#include <string.h>

#include "base/clock.h"
#include "explain/parts.h"
#include "http/action_respond.h"
#include "http/http.h"
#include "http/status.h"
#include "relay/relay.h"

/* One explanation being made. */
struct explaining {
    const struct explain_host *host;
    const struct frontend *frontend;
    const struct bind *bind;
    struct target target;
    struct arena arena;
    struct message message;
    struct http_client client;
    struct http_subject subject;
    struct rule_outcome outcome;
    json_t *document, *lists;
};

/* How it ends. `verdict` is a stable word. */
struct ending {
    const char *verdict;
    enum reason reason;
    uint16_t status;         /* 0: none */
    const struct rule *rule; /* NULL: none decided */
    json_t *words;
};

static void end_with(struct explaining *x, struct ending e)
{
    json_t *o = json_object();
    part_set(o, "verdict", json_string(e.verdict));
    part_set(o, "reason", e.reason == REASON_NONE ? json_null() : json_string(reason_word(e.reason)));
    part_set(o, "status", e.status ? json_integer(e.status) : json_null());
    part_set(o, "rule", part_text(e.rule ? e.rule->label : NULL));
    part_set(o, "words", e.words);
    part_set(x->document, "result", o);
}

/* What the client gets for a reason: an answer with a status; in mode tcp the connection is closed. */
static struct ending fail(const struct explaining *x, const char *verdict, enum reason why, uint16_t status,
                          const char *words)
{
    bool http = x->frontend->mode == MODE_HTTP && status;
    return (struct ending){
        .verdict = verdict,
        .reason = why,
        .status = http ? status : 0,
        .rule = x->outcome.rule,
        .words = http ? part_printf("answered %u %s: %s", status, status_phrase(status), words)
                      : part_printf("the connection is closed: %s", words),
    };
}

static struct ending fail_by_reason(const struct explaining *x, const char *verdict, enum reason why)
{
    return fail(x, verdict, why, status_of_reason(why), reason_sentence(why));
}

/* ---- the rules' verdicts ---- */

static void end_unknown_backend(struct explaining *x)
{
    const struct rule_outcome *out = &x->outcome;
    const char *words = arena_printf(&x->arena, "rule %s gave the name \"%.*s\", which no backend has",
                                     out->rule->label, (int)MIN(out->backend_name.len, 100),
                                     out->backend_name.len ? out->backend_name.ptr : "");
    end_with(x, fail(x, "unknown_backend", REASON_UNKNOWN_BACKEND, status_of_reason(REASON_UNKNOWN_BACKEND),
                     words));
}

static void end_failed(struct explaining *x)
{
    const char *words =
        arena_printf(&x->arena, "rule %s failed: %s", x->outcome.rule->label, x->outcome.failure);
    end_with(x, fail(x, "failed", REASON_RULE_FAILED, status_of_reason(REASON_RULE_FAILED), words));
}

static void end_answered(struct explaining *x)
{
    static const struct {
        const char *verdict;
        enum reason reason;
    } kinds[] = {
        [VERDICT_REDIRECT] = {"redirect", REASON_REDIRECTED},
        [VERDICT_RESPOND] = {"respond", REASON_RESPONDED},
        [VERDICT_DENY] = {"deny", REASON_DENIED},
        [VERDICT_REJECT] = {"reject", REASON_REJECTED},
    };
    const struct rule_outcome *out = &x->outcome;
    struct ending e = {kinds[out->verdict].verdict, kinds[out->verdict].reason, out->status, out->rule, NULL};
    struct slice to = out->verdict == VERDICT_REDIRECT ? field_value(&out->fields[0]) : SLICE("");
    if (out->verdict == VERDICT_REDIRECT)
        e.words = part_printf("redirected to %.*s with status %u by rule %s", SLICE_ARG(to), out->status,
                              out->rule->label);
    else if (out->verdict == VERDICT_REJECT)
        e.words = part_printf("the connection is closed by rule %s", out->rule->label);
    else
        e.words =
            part_printf("%s %u %s by rule %s", out->verdict == VERDICT_DENY ? "denied with" : "answered",
                        out->status, status_phrase(out->status), out->rule->label);
    end_with(x, e);
    if (to.len)
        part_set(json_object_get(x->document, "result"), "location", part_string(to));
}

/* What a list came to. True: it goes on. */
static bool goes_on(struct explaining *x)
{
    switch (x->outcome.verdict) {
    case VERDICT_NONE:
    case VERDICT_ALLOW:
        return true;
    case VERDICT_BACKEND:
        if (x->outcome.backend)
            return true;
        end_unknown_backend(x);
        return false;
    case VERDICT_FAILED:
        end_failed(x);
        return false;
    default:
        end_answered(x);
        return false;
    }
}

/* ---- what the rules look at ---- */

static void make_subject(struct explaining *x)
{
    struct ip dst = ip_of_address(&x->bind->address), host;
    bool any = address_is_wildcard(&x->bind->address);
    if (any && ip_parse(x->target.host, &host))
        dst = host;
    else if (any)
        dst = (struct ip){{0}};
    x->subject = (struct http_subject){
        .request = x->frontend->mode == MODE_HTTP ? &x->message : NULL,
        .src = x->client.ip,
        .peer = x->target.src,
        .dst = dst,
        .dst_port = address_port(&x->bind->address),
        .frontend = x->frontend->name,
        .generation = x->host->generation,
        .now_us = clock_wall_ms() * 1000,
    };
    if (x->frontend->mode == MODE_HTTP)
        x->subject.scheme = x->client.scheme.len ? x->client.scheme.ptr : bind_scheme(x->bind);
}

static void walk(struct explaining *x, const struct rule_list *list, const char *key, const struct backend *b)
{
    x->outcome = (struct rule_outcome){0};
    if (!rules_any(list))
        return;
    json_array_append_new(x->lists,
                          walk_list(list, key, b ? "backend" : "frontend", b ? b->name : x->frontend->name,
                                    &x->subject, &x->arena, &x->outcome));
}

/* ---- the servers ---- */

static struct ending end_without_server(const struct explaining *x, const struct backend *b, bool full)
{
    if (!full)
        return fail(x, "no_server", REASON_NO_SERVER,
                    b->when_down == WHEN_DOWN_CLOSE ? 0 : status_of_reason(REASON_NO_SERVER),
                    reason_sentence(REASON_NO_SERVER));
    return (struct ending){
        .verdict = "waits",
        .reason = REASON_MAXCONN,
        .rule = x->outcome.rule,
        .words = part_printf("waits in the queue of backend %s until a server has room, %llu ms at most "
                             "(timeout_queue), then %s",
                             b->name, (unsigned long long)(b->timeout_queue / 1000),
                             x->frontend->mode == MODE_HTTP ? "it is answered 503" : "it is closed"),
    };
}

static void go_to(struct explaining *x, const struct backend *b, const struct server *preferred,
                  const struct rule *decided)
{
    struct choice c;
    part_set(x->document, "backend", servers_explain(b, x->client.ip, preferred, &c));
    x->outcome.rule = decided;
    if (!c.server) {
        end_with(x, end_without_server(x, b, c.full));
        return;
    }
    end_with(
        x, (struct ending){.verdict = "server",
                           .rule = decided,
                           .words = part_printf("goes to server %s of backend %s", c.server->name, b->name)});
    part_set(json_object_get(x->document, "result"), "server", part_text(c.server->name));
}

/* What the server would be asked for, where rules have changed it. */
static void tell_changes(struct explaining *x)
{
    const struct message *m = &x->message;
    part_set(x->document, "sent",
             json_pack("{s:o,s:o}", "method", part_string(m->method), "target", part_string(m->path)));
}

/* ---- the ways of a request and a connection ---- */

static void tell_response_rules(struct explaining *x, const struct backend *b)
{
    json_t *all = json_array();
    if (b->http && rules_any(&b->http->responses))
        json_array_append_new(all, json_pack("{s:s,s:o,s:I}", "of", "backend", "name", part_text(b->name),
                                             "rules", (json_int_t)b->http->responses.rules.count));
    const struct rule_list *own = &x->frontend->http->responses;
    if (rules_any(own))
        json_array_append_new(all,
                              json_pack("{s:s,s:o,s:I}", "of", "frontend", "name",
                                        part_text(x->frontend->name), "rules", (json_int_t)own->rules.count));
    part_set(x->document, "http_response", all);
}

/* noxy is the last to get it. */
static void end_last(struct explaining *x, uint16_t status)
{
    const char *words = "its Max-Forwards is used up, so it is passed on no further";
    end_with(x, fail(x, "respond", REASON_RESPONDED, status, words));
}

/* `last`: the status of noxy's own answer to a request that may be passed on no further, or 0. */
static void explain_http(struct explaining *x, uint16_t last)
{
    const struct backend *b = x->frontend->use_backend;
    const struct server *preferred = NULL;
    walk(x, &x->frontend->http->requests, "http_condition", NULL);
    if (!goes_on(x))
        return;
    if (last) {
        end_last(x, last);
        return;
    }
    const struct rule *decided = x->outcome.rule;
    if (x->outcome.verdict == VERDICT_BACKEND) {
        b = x->outcome.backend;
        preferred = x->outcome.server.len ? backend_server(b, x->outcome.server) : NULL;
    }
    if (!b) {
        end_with(x, fail_by_reason(x, "no_backend", REASON_NO_BACKEND));
        return;
    }
    x->subject.backend = b->name;
    if (b->http)
        walk(x, &b->http->requests, "http_condition", b);
    if (!goes_on(x))
        return;
    if (x->outcome.server.len)
        preferred = backend_server(b, x->outcome.server);
    if (x->outcome.rule && !(x->outcome.verdict == VERDICT_ALLOW && decided))
        decided = x->outcome.rule;
    tell_changes(x);
    tell_response_rules(x, b);
    go_to(x, b, preferred, decided);
}

static void explain_tcp(struct explaining *x)
{
    const struct backend *b = x->frontend->use_backend;
    if (x->frontend->relay)
        walk(x, &x->frontend->relay->connections, "tcp_condition", NULL);
    if (!goes_on(x))
        return;
    if (x->outcome.verdict == VERDICT_BACKEND)
        b = x->outcome.backend;
    if (b)
        go_to(x, b, NULL, x->outcome.rule);
    else
        end_with(x, fail_by_reason(x, "no_backend", REASON_NO_BACKEND));
}

/* The request does not get as far as the rules. */
static void end_refused(struct explaining *x, uint16_t status)
{
    bool large = status == 413 || status == 414 || status == 431;
    enum reason why = large ? REASON_CLIENT_TOO_LARGE : REASON_CLIENT_BAD_REQUEST;
    const char *words = arena_printf(&x->arena, "%s, so no rule is tried",
                                     status == 405 ? "the method is not served" : reason_sentence(why));
    end_with(x, fail(x, "refused", why, status, words));
}

/* ---- all of it ---- */

static json_t *request_json(const struct explaining *x, const struct explain_request *r)
{
    json_t *o = json_object();
    part_set(o, "method", part_text(r->method));
    part_set(o, "url", part_text(r->url));
    part_set(o, "src", part_ip(x->client.ip));
    part_set(o, "peer", part_ip(x->target.src));
    return o;
}

static void explain_arrived(struct explaining *x, const struct explain_request *r)
{
    const struct frontend *f = x->frontend;
    uint16_t refused = 0, last;
    x->client = (struct http_client){.ip = x->target.src};
    if (f->mode == MODE_HTTP)
        refused = target_make_message(&x->target, r, f->http, &x->arena, &x->message);
    if (f->mode == MODE_HTTP && !refused && f->http->trusted_proxies)
        http_find_client(f, &x->message, x->target.src, &x->client);
    make_subject(x);
    part_set(x->document, "request", request_json(x, r));
    if (refused)
        end_refused(x, refused);
    else if (f->mode == MODE_TCP)
        explain_tcp(x);
    else if ((last = http_last_forward(&x->message)) == 400)
        end_refused(x, last);
    else
        explain_http(x, last);
}

json_t *explain(const struct explain_host *h, const struct explain_request *r, struct error *err)
{
    static struct explaining making; /* large */
    struct explaining *x = &making;
    json_t *others = json_array();
    *x = (struct explaining){.host = h, .document = json_object(), .lists = json_array()};
    arena_init(&x->arena);
    if (target_read(&x->target, r, &x->arena, err) == 0)
        x->bind = choose_bind(h, r, &x->target, others, err);
    part_set(x->document, "running", json_boolean(h->running));
    part_set(x->document, "other_binds", others);
    part_set(x->document, "lists", x->lists);
    if (x->bind) {
        x->frontend = x->bind->frontend;
        part_set(x->document, "frontend", part_text(x->frontend->name));
        part_set(x->document, "bind", part_text(x->bind->addr_port));
        part_set(x->document, "mode", json_string(x->frontend->mode == MODE_TCP ? "tcp" : "http"));
        explain_arrived(x, r);
    }
    arena_free(&x->arena);
    if (!x->bind)
        json_decref(x->document);
    return x->bind ? x->document : NULL;
}
