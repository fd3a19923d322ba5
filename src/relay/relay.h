/*
 * relay.h: mode tcp: each client's connection is paired with one to a server,
 * and bytes are passed on both ways, unread. TLS that the server ends
 * (passthrough) is this mode.
 */
#ifndef NOXY_RELAY_RELAY_H
#define NOXY_RELAY_RELAY_H

#include "conf/table.h"
#include "frontend/frontend.h"
#include "http/rule.h"

struct rule_compiler;

/* What a frontend says of mode tcp. */
struct relay_conf {
    struct rule_list connections; /* tcp_condition */
};

/* The rows that this room has in the section `frontend`. */
extern const struct conf_table relay_conf_table;
/* Compiles the rules of all frontends, when the whole file was read. */
void relay_rules_compile(struct conf_load *l, struct rule_compiler *c);

extern const struct mode_ops tcp_mode;

#endif
