/*
 * relay_conf.c: the rows that mode tcp has in the section `frontend`.
 */
#include "http/rule_compile.h"
#include "relay/relay.h"

static const struct conf_key relay_keys[] = {
    {"tcp_condition", &conf_type_list, offsetof(struct relay_conf, connections.rules), 0, NULL,
     "In mode tcp, what is done with connections before a server is chosen, in order: conditions, and "
     "actions "
     "for those that hold.",
     .table = &rule_connection_table,
     .example = "[ { when: \"not in_net(src, '10.0.0.0/8')\", reject: true } ]"},
    {0},
};

const struct conf_table relay_conf_table = {
    .doc = "Mode tcp.",
    .keys = relay_keys,
    .size = sizeof(struct relay_conf),
    .part_offset = offsetof(struct frontend, relay),
};

void relay_rules_compile(struct conf_load *l, struct rule_compiler *c)
{
    uint32_t count;
    const struct conf_object *frontends = conf_load_objects(l, "frontend", &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct frontend *f = frontends[i].structure;
        const struct conf_node *node = conf_node_get(frontends[i].node, "tcp_condition");
        if (f->mode == MODE_HTTP && node)
            conf_error(l, node, "write http_condition, or mode: tcp",
                       "tcp_condition has no effect in mode http");
        rule_compiler_compile(c, &f->relay->connections, RULES_OF_CONNECTIONS, NULL);
        rule_list_warn(l, &f->relay->connections, conf_node_get(frontends[i].node, "use_backend"));
    }
}
