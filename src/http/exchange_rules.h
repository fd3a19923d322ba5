/*
 * exchange_rules.h: the rules' part in an exchange: what they look at, and
 * what becomes of the exchange by what they say.
 */
#ifndef NOXY_HTTP_EXCHANGE_RULES_H
#define NOXY_HTTP_EXCHANGE_RULES_H

#include "http/http.h"

/* Where the rules send a request. */
struct exchange_route {
    struct backend *backend;
    struct server *server; /* to be preferred; NULL: the balancer chooses */
};

/* Walks a frontend's http_condition. False: the exchange was answered. */
bool exchange_rules_frontend(struct exchange *x, struct exchange_route *route);
/* Walks the http_condition of the attempt's backend. False: the exchange was answered. */
bool exchange_rules_backend(struct exchange *x);
/* Walks the http_response of backend and frontend over a response's head. False: the client was told that
 * they failed. */
bool exchange_rules_response(struct exchange *x, struct message *m);

static inline bool exchange_has_response_rules(const struct exchange *x)
{
    const struct http_backend_conf *b = x->attempt.backend->http;
    return rules_any(&x->frontend->http->responses) || (b && rules_any(&b->responses));
}

#endif
