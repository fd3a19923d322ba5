/*
 * backend_conf.c: the rows of the section `backend`.
 */
#include "conf/table.h"
#include "net/tls_conf.h"
#include "upstream/backend.h"

enum { SECOND = 1000000, DAY = 86400 };

static int set_balance(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                       void *field, struct error *err)
{
    const char *names[32] = {0};
    (void)key;
    for (size_t i = 0; balance_algorithms[i] && i + 1 < ARRAY_LEN(names); i++)
        names[i] = balance_algorithms[i]->name;
    const struct balancer_ops *ops = node->kind == CONF_SCALAR ? balance_find(node->text) : NULL;
    if (ops) {
        *(const struct balancer_ops **)field = ops;
        return 0;
    }
    if (node->kind != CONF_SCALAR)
        return error_set(err, "the name of an algorithm belongs here");
    struct text hint = {0};
    const char *near = conf_nearest(node->text, names);
    if (near)
        text_printf(&hint, "did you mean \"%s\"?", near);
    else
        for (size_t i = 0; names[i]; i++)
            text_printf(&hint, "%s%s", i ? ", " : "the algorithms are ", names[i]);
    conf_error(l, node, text_str(&hint), "unknown algorithm \"%s\"", node->text);
    text_free(&hint);
    return -1;
}

static const struct conf_type type_balance = {.name = "algorithm", .set = set_balance};

static int set_endpoint(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                        void *field, struct error *err)
{
    struct server *s = CONTAINER_OF(field, struct server, addr_port);
    (void)l, (void)key;
    if (node->kind != CONF_SCALAR)
        return error_set(err, "an address belongs here, such as 10.0.0.1:80");
    s->addr_port = node->text;
    return endpoint_parse(&s->endpoint, node->text, err);
}

static const struct conf_type type_endpoint = {.name = "address", .set = set_endpoint};

static const struct conf_choice proxy_choices[] = {
    {"none", PROXY_NONE, "no header"},
    {"v1", PROXY_V1, "a line of text"},
    {"v2", PROXY_V2, "a few bytes"},
    {0},
};

static const struct conf_key server_keys[] = {
    {"addr_port", &type_endpoint, offsetof(struct server, addr_port), CONF_REQUIRED, NULL,
     "Where the server listens: an address or a host name with a port, or `unix:/path`. Names are resolved "
     "at the "
     "start and again while noxy runs.",
     .example = "10.0.0.1:8000"},
    {"name", &conf_type_string, offsetof(struct server, name), CONF_NAME, NULL,
     "The server's name in logs and counters; `addr_port` as written when absent.", .example = "web1"},
    {"weight", &conf_type_number, offsetof(struct server, weight), 0, "1",
     "Its share of the requests beside the other servers' weights; 0: no new ones.",
     .max = BALANCE_WEIGHT_MAX},
    {"maxconn", &conf_type_number, offsetof(struct server, maxconn), 0, "0",
     "How many requests may be in flight at it at once (in mode tcp: connections), over all workers; further "
     "ones go to other servers, or wait up to `timeout_queue`. 0: no limit.",
     .max = 1000000, .example = "200"},
    {"send_proxy", &conf_type_choice, offsetof(struct server, send_proxy), 0, NULL,
     "Whether connections to it begin with a header of the PROXY protocol; as the backend's when absent.",
     .choices = proxy_choices, .example = "v2"},
    {"ssl", &conf_type_map, offsetof(struct server, ssl), 0, NULL,
     "TLS with the server, whose certificate is verified unless that is switched off.",
     .table = &tls_server_table, .example = "{ ca: /etc/noxy/servers-ca.pem }"},
    {0},
};

static void check_server(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct server *s = structure;
    const char *host = s->endpoint.host[0] ? s->endpoint.host : NULL;
    bool literal = s->endpoint.literal;
    (void)node;
    if (!s->name)
        s->name = s->addr_port;
    if (s->ssl)
        tls_conf_client(l, s->ssl, literal ? NULL : host, literal ? host : NULL, &s->tls);
}

static const struct conf_table server_table = {.doc = "A server of the backend.",
                                               .keys = server_keys,
                                               .size = sizeof(struct server),
                                               .shorthand = "addr_port",
                                               .check = check_server};

struct backend_keys {
    struct backend backend;
    struct conf_list servers;
};

static const struct conf_choice when_down_choices[] = {
    {"503", WHEN_DOWN_503, "answer 503 with a short page"},
    {"close", WHEN_DOWN_CLOSE, "close the connection without an answer"},
    {0},
};

#define FIELD(name) offsetof(struct backend_keys, backend.name)

static const struct conf_key backend_keys[] = {
    {"name", &conf_type_string, FIELD(name), CONF_REQUIRED | CONF_NAME, NULL,
     "The backend's name, as `use_backend` writes it.", .example = "site"},
    {"balance", &type_balance, FIELD(algorithm), CONF_INHERITED, "roundrobin",
     .doc = "How a server is chosen for a request."},
    {"timeout_connect", &conf_type_time, FIELD(timeout_connect), CONF_INHERITED, "5s",
     "For a connection to a server to be made.", .min = 1000, .max = DAY * (uint64_t)SECOND},
    {"timeout_server", &conf_type_time, FIELD(timeout_server), CONF_INHERITED, "30s",
     "Without a byte from the server, while one is awaited.", .min = 1000, .max = DAY * (uint64_t)SECOND},
    {"timeout_tunnel", &conf_type_time, FIELD(timeout_tunnel), CONF_INHERITED, "1h",
     "Without a byte either way, after an Upgrade (WebSocket).", .min = 1000,
     .max = 30 * DAY * (uint64_t)SECOND},
    {"timeout_queue", &conf_type_time, FIELD(timeout_queue), CONF_INHERITED, "5s",
     "For a place at a server to become free, where all have as many requests in flight as their `maxconn` "
     "allows; then 503.",
     .min = 1000, .max = DAY * (uint64_t)SECOND},
    {"retries", &conf_type_number, FIELD(retries), CONF_INHERITED, "3",
     "How often a failed request is tried again, on another server, when that is safe.", .max = 100},
    {"when_down", &conf_type_choice, FIELD(when_down), CONF_INHERITED, "503",
     "What a client gets when no server is eligible.", .choices = when_down_choices},
    {"send_proxy", &conf_type_choice, FIELD(send_proxy), CONF_INHERITED, "none",
     "Whether connections to servers begin with a header of the PROXY protocol, which names the client: for "
     "servers that expect one, and only those. Such a connection is never shared between clients.",
     .choices = proxy_choices, .example = "v2"},
    {"servers", &conf_type_list, offsetof(struct backend_keys, servers), CONF_REQUIRED, NULL,
     "The servers, in the order of the rotation.", .table = &server_table,
     .example = "[ { addr_port: 10.0.0.1:8000 } ]"},
    {0},
};

static void check_backend(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct backend_keys *keys = structure;
    struct backend *b = &keys->backend;
    const struct conf_node *servers = conf_node_get(node, "servers");
    b->servers = (struct server **)keys->servers.items;
    b->server_count = keys->servers.count;
    if (b->server_count == 0)
        conf_error(l, servers, "write at least one server: - addr_port: 10.0.0.1:80",
                   "backend \"%s\" has no servers", b->name);
    const struct conf_node *item = servers && servers->kind == CONF_LIST ? servers->first : servers;
    for (uint32_t i = 0; i < b->server_count; i++, item = item->next) {
        struct server *s = b->servers[i];
        s->backend = b;
        s->index = i;
        if (s->send_proxy == PROXY_UNSET)
            s->send_proxy = b->send_proxy;
        for (uint32_t j = 0; j < i; j++)
            if (slice_equal(slice_of(s->name), slice_of(b->servers[j]->name)))
                conf_error(l, item, "give one of the two another `name`",
                           "backend \"%s\" has two servers named \"%s\"", b->name, s->name);
    }
}

const struct conf_table backend_conf_table = {
    .doc = "A group of servers that do the same work.",
    .keys = backend_keys,
    .size = sizeof(struct backend_keys),
    .check = check_backend,
};
