/*
 * subject.h: what the conditions of mode http look at: a request, perhaps its
 * response, and what is known of the connection. It is the `subject` of a run
 * (rules/rules.h), made by the exchange, or by `explain` from a request that
 * was never sent.
 */
#ifndef NOXY_HTTP_SUBJECT_H
#define NOXY_HTTP_SUBJECT_H

#include "http/message.h"
#include "rules/language.h"

struct http_var;

struct http_subject {
    struct message *request;
    struct message *response; /* NULL: none yet */
    struct ip src, dst;       /* src: the client, as trusted proxies name it */
    struct ip peer;           /* who is connected: a proxy, perhaps */
    uint16_t src_port, dst_port;
    const char *scheme;                      /* "http", "https" */
    const char *frontend, *backend, *server; /* names; NULL: none (yet) */
    uint32_t generation;
    uint64_t now_us;       /* the wall clock */
    struct http_var *vars; /* what set_var set: of the exchange */
};

/* A variable of set_var: of one request, from then on. */
struct http_var {
    struct http_var *next;
    struct slice name;
    enum rules_type type;
    struct rules_value value;
};

/* The tables that expressions of mode http may use, as struct rules_language wants them. */
extern const struct rules_variable http_variables[];
extern const struct rules_function http_functions[];
extern const struct rules_language http_language;

#endif
