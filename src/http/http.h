/*
 * http.h: mode http, as main and the frontends see it: its key table, its
 * codecs, its row among the modes.
 */
#ifndef NOXY_HTTP_HTTP_H
#define NOXY_HTTP_HTTP_H

#include "conf/table.h"
#include "http/exchange.h"
#include "http/rule.h"

struct cookie_rules;   /* http/set_cookie.h */
struct location_rules; /* http/location.h */
struct trusted;        /* http/trusted.h */

/* A page of the operator's own for a status that noxy answers with. */
struct error_page {
    uint32_t status;
    const char *file, *content_type;
    struct answer answer;
};

/* What a frontend says of mode http. Sizes are bytes. */
struct http_conf {
    struct rule_list requests, responses; /* http_condition, http_response */
    struct conf_list error_pages;         /* struct error_page */
    uint64_t max_header;                  /* of a request's whole head */
    uint32_t max_headers;                 /* its field lines */
    uint64_t max_body;                    /* 0: any */
    uint64_t min_body_rate;               /* a second; 0: any */
    bool allow_trace;

    struct trusted *trusted_proxies; /* NULL: no trust, and an X-Forwarded-For is continued whoever sent it */
    int trusted_field;               /* enum trusted_field */
    bool forwarded, x_forwarded;     /* whether these fields are added */
    bool forwarding_differs;         /* from the usual: X-Forwarded-* and nothing else */
    bool hide_server;
};

/* What a backend says of mode http. */
struct http_backend_conf {
    struct location_rules *rewrite_location; /* NULL: off */
    struct rule_list requests, responses;    /* http_condition, http_response */
    struct cookie_rules *rewrite_cookies;    /* NULL: off */
};

/* The rows that this room has in the sections `frontend` and `backend`. */
extern const struct conf_table http_conf_table, http_backend_conf_table;

/* Who asks, by a frontend that has trusted_proxies. */
struct http_client {
    bool peer_trusted;         /* the peer is a trusted proxy, and what it says is believed */
    struct ip ip;              /* the peer, or whom trusted proxies name */
    struct slice scheme, host; /* as they say; "": they say nothing. `scheme` is NUL-ended and static */
};

/* Reads what `peer` says in the request and drops the fields that name another client. */
void http_find_client(const struct frontend *f, struct message *m, struct ip peer, struct http_client *c);

/* Does the frontend take such a request, whose head has `head_len` bytes? 0, or the status of the refusal. */
uint16_t http_check_limits(const struct http_conf *conf, const struct message *m, size_t head_len);

/* A request that may be passed on no further (Max-Forwards), or whose number is none: the status that noxy
 * answers it with; else 0. */
uint16_t http_last_forward(struct message *m);

struct rule_compiler;
/* Compiles the rules of all frontends and backends, when the whole file was read. */
void http_rules_compile(struct conf_load *l, struct rule_compiler *c);

/* The page for a status, or NULL. */
const struct answer *http_conf_error_page(const struct http_conf *conf, uint16_t status);

void exchange_set_server_codec(const struct server_codec *codec);

#endif
