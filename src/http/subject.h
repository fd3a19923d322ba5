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
struct tls_info;

struct http_subject {
    struct message *request;  /* NULL: at the connection, where there is none yet */
    struct message *response; /* NULL: none yet */
    struct ip src, dst;       /* src: the client, as trusted proxies name it */
    struct ip peer;           /* who is connected: a proxy, perhaps */
    uint16_t src_port, dst_port;
    const char *scheme;                      /* "http", "https" */
    const struct tls_info *tls;              /* with the client; NULL: none, or no expression asks for it */
    const char *frontend, *backend, *server; /* names; NULL: none (yet) */
    uint32_t generation;
    uint64_t now_us;       /* the wall clock, since 1970 */
    struct http_var *vars; /* what set_var set: of the exchange */
    /* Both 0: none made yet, which the variable of that name then does. Kept from the request to its
     * response. */
    uint64_t unique_id[2];
};

/* A variable of set_var: of one request, from then on. */
struct http_var {
    struct http_var *next;
    struct slice name;
    enum rules_type type;
    struct rules_value value;
};

/* Of the connection, the time and noxy itself: for mode tcp, too, whose subject has no message. */
extern const struct rules_variable http_connection_variables[];
/* Of TLS with the client: for mode tcp, too. */
extern const struct rules_variable http_tls_variables[];
/* Of requests and responses. */
extern const struct rules_variable http_variables[];
extern const struct rules_function http_functions[];
/* All that expressions of mode http may name, but for the types of var(): a configuration knows those. */
extern const struct rules_language http_language;

#endif
