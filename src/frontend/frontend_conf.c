/*
 * frontend_conf.c: the rows of the section `frontend`.
 */
#include <string.h>

#include "conf/table.h"
#include "frontend/accept.h"
#include "net/tls_conf.h"

enum { SECOND = 1000000, DAY = 86400, PORT_HTTP = 80 };

struct frontend_keys {
    struct frontend frontend;
    struct conf_list binds;
};

static int set_bind(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                    void *field, struct error *err)
{
    struct bind *b = CONTAINER_OF(field, struct bind, addr_port);
    struct endpoint e;
    (void)l, (void)key;
    if (node->kind != CONF_SCALAR)
        return error_set(err, "an address belongs here, such as 0.0.0.0:80 or [::]:80");
    if (endpoint_parse(&e, node->text, err) < 0)
        return -1;
    b->addr_port = node->text;
    b->fd = -1;
    if (!e.literal)
        return address_resolve(&b->address, e.host, e.port, err);
    b->address = e.address;
    return 0;
}

static const struct conf_type type_bind = {.name = "address", .set = set_bind};

static const struct conf_key bind_keys[] = {
    {"addr_port", &type_bind, offsetof(struct bind, addr_port), CONF_REQUIRED, NULL,
     "Where to listen: an address or a name with a port, `*:80` for all addresses, or `unix:/path`.",
     .example = "0.0.0.0:80"},
    {"ssl", &conf_type_map, offsetof(struct bind, ssl), 0, NULL,
     "TLS with the clients of this address; without, that of the frontend's own `ssl`, or none.",
     .table = &tls_bind_table, .example = "{ cert: /etc/noxy/site.pem }"},
    {"proxy_protocol", &conf_type_bool, offsetof(struct bind, proxy_protocol), 0, "false",
     .doc = "Whether each connection here begins with a header of the PROXY protocol (version 1 or 2), with "
            "which a proxy in front names its client. Whatever begins otherwise is closed, and whoever can "
            "connect is believed: let only the proxies connect."},
    {"h2c", &conf_type_bool, offsetof(struct bind, h2c), 0, "false",
     .doc = "In mode http, whether HTTP/2 is spoken here without TLS, too: with clients that begin with it "
            "(prior knowledge). Others go on with HTTP/1.1."},
    {0},
};

static const struct conf_table bind_table = {.doc = "An address to listen on.",
                                             .keys = bind_keys,
                                             .size = sizeof(struct bind),
                                             .shorthand = "addr_port"};

static const struct conf_choice mode_choices[] = {
    {"http", MODE_HTTP, "HTTP requests, each balanced on its own"},
    {"tcp", MODE_TCP, "connections, passed on byte by byte"},
    {0},
};

static const struct conf_choice overflow_choices[] = {
    {"close", OVERFLOW_CLOSE, "further connections are closed"},
    {"wait", OVERFLOW_WAIT, "further connections wait in the listen queue"},
    {0},
};

/* ---- access_log ---- */

static const struct conf_choice access_formats[] = {
    {"text", ACCESS_FORMAT_TEXT, "lines for people, awk and grep"},
    {"json", ACCESS_FORMAT_JSON, "one JSON object a line"},
    {0},
};

static const struct conf_key access_keys[] = {
    {"enabled", &conf_type_bool, offsetof(struct access_conf, enabled), 0, "true",
     .doc = "Whether there is one."},
    {"path", &conf_type_path, offsetof(struct access_conf, path), 0, NULL,
     "A file of its own, opened anew at SIGUSR1; where noxy's log goes when absent.",
     .example = "/var/log/noxy/access.log"},
    {"format", &conf_type_choice, offsetof(struct access_conf, format), 0, NULL,
     "How a line looks; as the format of noxy's log when absent.", .choices = access_formats,
     .example = "json"},
    {0},
};

static void check_access(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct access_conf *a = structure;
    const struct conf_node *path = conf_node_get(node, "path");
    (void)l;
    a->node = path ? path : node;
}

static const struct conf_table access_table = {
    .doc = "One line for each request, or for each connection in mode tcp.",
    .keys = access_keys,
    .size = sizeof(struct access_conf),
    .shorthand = "path",
    .toggle = "enabled",
    .check = check_access,
};

#define FIELD(name) offsetof(struct frontend_keys, frontend.name)

static const struct conf_key frontend_keys[] = {
    {"name", &conf_type_string, FIELD(name), CONF_REQUIRED | CONF_NAME, NULL,
     "The frontend's name in logs and counters.", .example = "web"},
    {"mode", &conf_type_choice, FIELD(mode), CONF_INHERITED, "http", "What clients speak.",
     .choices = mode_choices},
    {"bind", &conf_type_list, offsetof(struct frontend_keys, binds), CONF_REQUIRED, NULL,
     "The addresses to listen on.", .table = &bind_table, .example = "[ { addr_port: 0.0.0.0:80 } ]"},
    {"maxconn", &conf_type_number, FIELD(maxconn), CONF_INHERITED, "20000",
     "Connections of clients at once, over all workers.", .min = 1, .max = 10000000},
    {"overflow", &conf_type_choice, FIELD(overflow), CONF_INHERITED, "close",
     "What happens to connections beyond maxconn.", .choices = overflow_choices},
    {"timeout_client", &conf_type_time, FIELD(timeout_client), CONF_INHERITED, "30s",
     "Without a byte from the client, while one is awaited, or without the client taking one.", .min = 1000,
     .max = DAY * (uint64_t)SECOND},
    {"timeout_server", &conf_type_time, FIELD(timeout_server), 0, NULL,
     "For the server to send something, of what comes through this frontend; the backend's when absent.",
     .min = 1000, .max = DAY * (uint64_t)SECOND, .example = "500s"},
    {"timeout_http_request", &conf_type_time, FIELD(timeout_http_request), CONF_INHERITED, "10s",
     "For the whole head of a request to arrive, however it trickles.", .min = 1000,
     .max = DAY * (uint64_t)SECOND},
    {"timeout_keepalive", &conf_type_time, FIELD(timeout_keepalive), CONF_INHERITED, "60s",
     "For a connection to be idle between requests.", .min = 1000, .max = DAY * (uint64_t)SECOND},
    {"ssl", &conf_type_map, FIELD(ssl), 0, NULL,
     "TLS with the clients of all addresses that have no `ssl` of their own, but for port 80 in mode http.",
     .table = &tls_bind_table, .example = "{ cert: /etc/noxy/site.pem }"},
    {"access_log", &conf_type_map, FIELD(access), CONF_INHERITED, "false",
     "Whether each request, or each connection in mode tcp, is logged, and where.", .table = &access_table,
     .example = "{ path: /var/log/noxy/access.log, format: json }"},
    {"use_backend", &conf_type_ref, FIELD(use_backend), 0, NULL,
     "The backend that serves what no condition sent elsewhere.", .refers_to = "backend", .example = "site"},
    {0},
};

/* ---- ssl ---- */

/* What is written for the frontend as a whole leaves its port for plain HTTP as it is. */
static struct tls_conf *ssl_of(struct conf_load *l, const struct frontend *f, const struct bind *b,
                               const struct conf_node *at)
{
    if (b->ssl || !f->ssl)
        return b->ssl;
    if (f->mode != MODE_HTTP || address_port(&b->address) != PORT_HTTP)
        return f->ssl;
    conf_notice(l, at, "write `ssl` at this address of `bind` if it is meant for it, too",
                "frontend \"%s\": %s stays plain HTTP: `ssl` of the frontend is for its other addresses",
                f->name, b->addr_port);
    return NULL;
}

static void prepare_tls(struct conf_load *l, struct frontend *f, const struct conf_node *node)
{
    const struct conf_node *ssl = conf_node_get(node, "ssl");
    bool used = false;
    for (uint32_t i = 0; i < f->bind_count; i++) {
        struct bind *b = f->binds[i];
        struct tls_conf *conf = ssl_of(l, f, b, ssl);
        if (!conf)
            continue;
        used |= conf == f->ssl;
        b->secured = true;
        if (l->purpose == CONF_TO_EXPLAIN)
            continue;
        b->tls = tls_conf_server(l, conf, f->name, frontend_mode(f)->protocols);
    }
    if (ssl && !used)
        conf_warning(l, ssl, "each address has its own `ssl`, or is plain HTTP's",
                     "`ssl` of frontend \"%s\" is for none of its addresses", f->name);
}

static void check_h2c(struct conf_load *l, const struct frontend *f, const struct conf_node *binds)
{
    for (uint32_t i = 0; i < f->bind_count; i++) {
        if (f->binds[i]->h2c && f->mode == MODE_TCP)
            conf_error(l, binds, "remove it, or write mode: http", "h2c has no effect in mode tcp");
        else if (f->binds[i]->h2c && f->binds[i]->secured)
            conf_error(l, binds, "remove it: with TLS, HTTP/2 is agreed on by ALPN",
                       "h2c has no effect where TLS is spoken");
    }
}

static void check_frontend(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct frontend_keys *keys = structure;
    struct frontend *f = &keys->frontend;
    const struct conf_node *binds = conf_node_get(node, "bind");
    f->binds = (struct bind **)keys->binds.items;
    f->bind_count = keys->binds.count;
    if (f->bind_count == 0)
        conf_error(l, binds, "write at least one address: - addr_port: 0.0.0.0:80",
                   "frontend \"%s\" listens nowhere", f->name);
    for (uint32_t i = 0; i < f->bind_count; i++)
        f->binds[i]->frontend = f;
    bool sent = conf_node_get(node, "use_backend") || conf_node_get(node, "tcp_condition");
    if (f->mode == MODE_TCP && !sent)
        conf_error(l, node, "write use_backend: NAME", "frontend \"%s\" in mode tcp has no use_backend",
                   f->name);
    prepare_tls(l, f, node);
    check_h2c(l, f, binds);
}

const struct conf_table frontend_conf_table = {
    .doc = "Where clients arrive: addresses to listen on, limits, and where requests go.",
    .keys = frontend_keys,
    .size = sizeof(struct frontend_keys),
    .check = check_frontend,
};
