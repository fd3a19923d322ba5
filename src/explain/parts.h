/*
 * parts.h: the explain room's own.
 */
#ifndef NOXY_EXPLAIN_PARTS_H
#define NOXY_EXPLAIN_PARTS_H

#include "base/arena.h"
#include "explain/explain.h"
#include "http/rule.h"

/* ---- strings ---- */

/* A JSON string of any bytes: where they are no UTF-8, those beyond ASCII are given as \xNN. */
json_t *part_string(struct slice s);
json_t *part_text(const char *s); /* NULL: null */
json_t *part_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);
json_t *part_ip(struct ip ip); /* none: null */
/* Sets a member to what was made just now. */
void part_set(json_t *object, const char *name, json_t *value);

/* ---- target.c: what is asked for ---- */

struct target {
    bool tcp;           /* a connection alone */
    const char *scheme; /* "http", "https"; NULL: a connection */
    struct slice host;  /* without brackets */
    struct slice authority;
    struct slice path; /* with the query; never empty */
    uint16_t port;
    struct ip src;
};

/* -1 with `err`: no client could send such a request. Slices are of `r` and `a`. */
int target_read(struct target *t, const struct explain_request *r, struct arena *a, struct error *err);
/* The request as a client sends it, read as noxy reads it. 0, or the status of the refusal. */
uint16_t target_make_message(const struct target *t, const struct explain_request *r,
                             const struct http_conf *conf, struct arena *a, struct message *m);

/* ---- choose.c: where it arrives ---- */

/* The bind that such a request reaches; those that it might reach as well go to `others`, a JSON list. NULL
 * with `err`. */
const struct bind *choose_bind(const struct explain_host *h, const struct explain_request *r,
                               const struct target *t, json_t *others, struct error *err);

/* ---- walk.c: the rules ---- */

/* Walks the list, which is `key` of a frontend or backend, and tells of it. Memory of the outcome is `a`'s.
 */
json_t *walk_list(const struct rule_list *list, const char *key, const char *kind, const char *name,
                  struct http_subject *s, struct arena *a, struct rule_outcome *out);

/* ---- servers.c: the servers ---- */

struct choice {
    const struct server *server; /* NULL: none */
    bool full;                   /* all that are eligible have as many requests as their maxconn allows */
};

/* The backend with its servers, and the one that would be chosen next. */
json_t *servers_explain(const struct backend *b, struct ip client, const struct server *preferred,
                        struct choice *c);

#endif
