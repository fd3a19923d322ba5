#include "conf_sample.h"

#include <string.h>

#define TIME_MAX              (UINT64_C(86400) * 1000000)
#define ROW(structure, field) offsetof(struct structure, field)

static const struct conf_choice targets[] = {
    {"stdout", 0, "Standard output."},
    {"file", 1, "The file `path`."},
    {NULL, 0, NULL},
};
static const struct conf_choice modes[] = {
    {"tcp", SAMPLE_TCP, "Bytes are passed on."},
    {"http", SAMPLE_HTTP, "Requests are passed on."},
    {NULL, 0, NULL},
};
static const struct conf_choice algorithms[] = {
    {"roundrobin", 1, "In turn."},
    {"leastconn", 2, "The least loaded."},
    {NULL, 0, NULL},
};

/* global */

static void check_log(struct conf_load *l, void *structure, const struct conf_node *node)
{
    const struct sample_log *log = structure;
    if (log->target == 1 && !log->path)
        conf_error(l, node, "add path: /var/log/noxy.log", "a log file needs its \"path\"");
}

static const struct conf_table log_table = {
    .doc = "Where the log goes.",
    .size = sizeof(struct sample_log),
    .shorthand = "target",
    .check = check_log,
    .keys =
        (const struct conf_key[]){
            {.name = "target",
             .type = &conf_type_choice,
             .offset = ROW(sample_log, target),
             .preset = "stdout",
             .choices = targets,
             .doc = "The kind of log."},
            {.name = "path", .type = &conf_type_path, .offset = ROW(sample_log, path), .doc = "The file."},
            {.name = NULL},
        },
};

static const struct conf_table global_table = {
    .doc = "All of noxy.",
    .size = sizeof(struct sample_global),
    .keys =
        (const struct conf_key[]){
            {.name = "maxconn",
             .type = &conf_type_number,
             .offset = ROW(sample_global, maxconn),
             .preset = "20000",
             .min = 1,
             .max = 1000000,
             .doc = "Connections at once."},
            {.name = "threads",
             .type = &conf_type_number,
             .offset = ROW(sample_global, threads),
             .alias = "workers",
             .preset = "1",
             .min = 1,
             .max = 256,
             .doc = "Worker processes."},
            {.name = "buffer",
             .type = &conf_type_size,
             .offset = ROW(sample_global, buffer),
             .preset = "16k",
             .min = 1024,
             .max = 1 << 20,
             .doc = "Bytes of a buffer."},
            {.name = "drain_timeout",
             .type = &conf_type_time,
             .offset = ROW(sample_global, drain_timeout),
             .preset = "30s",
             .min = 1000,
             .max = TIME_MAX,
             .doc = "How long a drain may last."},
            {.name = "pid_file",
             .type = &conf_type_string,
             .offset = ROW(sample_global, pid_file),
             .doc = "A file for the master's process number.",
             .example = "/run/noxy.pid"},
            {.name = "log",
             .type = &conf_type_map,
             .offset = ROW(sample_global, log),
             .preset = "",
             .table = &log_table,
             .doc = "The log."},
            {.name = NULL},
        },
};

static const struct conf_section global_section = {
    .name = "global",
    .doc = "What belongs to noxy as a whole.",
    .tables = (const struct conf_table *const[]){&global_table, NULL},
};

static const struct conf_section defaults_section = {
    .name = "defaults",
    .only_inherited = true,
    .doc = "What frontends and backends share.",
};

/* frontend */

static const struct conf_table tls_table = {
    .doc = "TLS.",
    .size = sizeof(struct sample_tls),
    .keys =
        (const struct conf_key[]){
            {.name = "cert",
             .type = &conf_type_path,
             .offset = ROW(sample_tls, cert),
             .flags = CONF_REQUIRED,
             .example = "/etc/noxy/site.pem",
             .doc = "The certificate."},
            {.name = NULL},
        },
};

static const struct conf_table bind_table = {
    .doc = "One address.",
    .size = sizeof(struct sample_bind),
    .shorthand = "addr_port",
    .keys =
        (const struct conf_key[]){
            {.name = "addr_port",
             .type = &conf_type_string,
             .offset = ROW(sample_bind, addr_port),
             .flags = CONF_REQUIRED,
             .example = "0.0.0.0:80",
             .doc = "Address and port."},
            {.name = "ssl",
             .type = &conf_type_map,
             .offset = ROW(sample_bind, tls),
             .table = &tls_table,
             .doc = "TLS on this address."},
            {.name = NULL},
        },
};

static void check_frontend(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct sample_frontend *f = structure;
    f->checked++;
    if (f->maxconn == 666)
        conf_warning(l, conf_node_get(node, "maxconn"), NULL, "an odd number of connections");
}

static const struct conf_table frontend_table = {
    .doc = "Where clients arrive.",
    .size = sizeof(struct sample_frontend),
    .check = check_frontend,
    .keys =
        (const struct conf_key[]){
            {.name = "name",
             .type = &conf_type_string,
             .offset = ROW(sample_frontend, name),
             .flags = CONF_REQUIRED | CONF_NAME,
             .example = "web",
             .doc = "The frontend's name."},
            {.name = "mode",
             .type = &conf_type_choice,
             .offset = ROW(sample_frontend, mode),
             .flags = CONF_INHERITED,
             .preset = "http",
             .choices = modes,
             .doc = "The protocol."},
            {.name = "maxconn",
             .type = &conf_type_number,
             .offset = ROW(sample_frontend, maxconn),
             .flags = CONF_INHERITED,
             .preset = "10000",
             .min = 1,
             .max = 1000000,
             .doc = "Connections at once."},
            {.name = "timeout_client",
             .type = &conf_type_time,
             .offset = ROW(sample_frontend, timeout_client),
             .flags = CONF_INHERITED,
             .preset = "30s",
             .min = 1000,
             .max = TIME_MAX,
             .doc = "Silence of a client."},
            {.name = "bind",
             .type = &conf_type_list,
             .offset = ROW(sample_frontend, binds),
             .flags = CONF_REQUIRED,
             .table = &bind_table,
             .doc = "The addresses."},
            {.name = "use_backend",
             .type = &conf_type_ref,
             .offset = ROW(sample_frontend, use_backend),
             .refers_to = "backend",
             .doc = "Where requests go."},
            {.name = NULL},
        },
};

static void check_http(struct conf_load *l, void *structure, const struct conf_node *node)
{
    (void)l;
    (void)node;
    ((struct sample_http *)structure)->checked++;
}

static const struct conf_table page_table = {
    .doc = "A page of its own.",
    .size = sizeof(struct sample_page),
    .keys =
        (const struct conf_key[]){
            {.name = "name",
             .type = &conf_type_string,
             .offset = ROW(sample_page, name),
             .flags = CONF_REQUIRED | CONF_NAME,
             .doc = "The page's name."},
            {.name = NULL},
        },
};

static const struct conf_table http_table = {
    .doc = "HTTP.",
    .size = sizeof(struct sample_http),
    .part_offset = ROW(sample_frontend, http),
    .check = check_http,
    .keys =
        (const struct conf_key[]){
            {.name = "access_log",
             .type = &conf_type_bool,
             .offset = ROW(sample_http, access_log),
             .flags = CONF_INHERITED,
             .preset = "off",
             .doc = "A line for each request."},
            {.name = "timeout_http_request",
             .type = &conf_type_time,
             .offset = ROW(sample_http, timeout_http_request),
             .flags = CONF_INHERITED,
             .preset = "10s",
             .doc = "The whole head of a request."},
            {.name = "pages",
             .type = &conf_type_list,
             .offset = ROW(sample_http, pages),
             .table = &page_table,
             .doc = "Pages that differ."},
            {.name = NULL},
        },
};

static const struct conf_section frontend_section = {
    .name = "frontend",
    .list = true,
    .required = true,
    .inherits = "defaults",
    .doc = "Frontends.",
    .tables = (const struct conf_table *const[]){&frontend_table, &http_table, NULL},
};

/* backend */

static void check_server(struct conf_load *l, void *structure, const struct conf_node *node)
{
    (void)l;
    (void)node;
    struct sample_server *s = structure;
    s->name = s->name ? s->name : s->addr_port;
}

static const struct conf_table server_table = {
    .doc = "One server.",
    .size = sizeof(struct sample_server),
    .shorthand = "addr_port",
    .check = check_server,
    .keys =
        (const struct conf_key[]){
            {.name = "addr_port",
             .type = &conf_type_string,
             .offset = ROW(sample_server, addr_port),
             .flags = CONF_REQUIRED,
             .example = "10.0.0.1:80",
             .doc = "Address and port."},
            {.name = "name",
             .type = &conf_type_string,
             .offset = ROW(sample_server, name),
             .flags = CONF_NAME,
             .doc = "The server's name."},
            {.name = "weight",
             .type = &conf_type_number,
             .offset = ROW(sample_server, weight),
             .preset = "100",
             .max = 256,
             .doc = "Its share."},
            {.name = NULL},
        },
};

static void check_backend(struct conf_load *l, void *structure, const struct conf_node *node)
{
    (void)l;
    (void)node;
    ((struct sample_backend *)structure)->checked++;
}

static const struct conf_table backend_table = {
    .doc = "A pool of servers.",
    .size = sizeof(struct sample_backend),
    .check = check_backend,
    .keys =
        (const struct conf_key[]){
            {.name = "name",
             .type = &conf_type_string,
             .offset = ROW(sample_backend, name),
             .flags = CONF_REQUIRED | CONF_NAME,
             .example = "site",
             .doc = "The backend's name."},
            {.name = "mode",
             .type = &conf_type_choice,
             .offset = ROW(sample_backend, mode),
             .flags = CONF_INHERITED,
             .preset = "http",
             .choices = modes,
             .doc = "The protocol."},
            {.name = "balance",
             .type = &conf_type_choice,
             .offset = ROW(sample_backend, balance),
             .preset = "roundrobin",
             .choices = algorithms,
             .doc = "The algorithm."},
            {.name = "timeout_connect",
             .type = &conf_type_time,
             .offset = ROW(sample_backend, timeout_connect),
             .flags = CONF_INHERITED,
             .preset = "5s",
             .min = 1000,
             .max = TIME_MAX,
             .doc = "Making a connection."},
            {.name = "timeout_server",
             .type = &conf_type_time,
             .offset = ROW(sample_backend, timeout_server),
             .flags = CONF_INHERITED,
             .preset = "30s",
             .min = 1000,
             .max = TIME_MAX,
             .doc = "Silence of a server."},
            {.name = "servers",
             .type = &conf_type_list,
             .offset = ROW(sample_backend, servers),
             .flags = CONF_REQUIRED,
             .table = &server_table,
             .doc = "The servers."},
            {.name = NULL},
        },
};

static void check_health(struct conf_load *l, void *structure, const struct conf_node *node)
{
    const struct sample_health *h = structure;
    if (h->rise > h->fall)
        conf_error(l, conf_node_get(node, "rise"), NULL, "\"rise\" must not be above \"fall\"");
}

static const struct conf_table check_table = {
    .doc = "Health checks.",
    .size = sizeof(struct sample_health),
    .shorthand = "interval",
    .toggle = "enabled",
    .check = check_health,
    .keys =
        (const struct conf_key[]){
            {.name = "enabled",
             .type = &conf_type_bool,
             .offset = ROW(sample_health, enabled),
             .preset = "true",
             .doc = "Are there checks?"},
            {.name = "interval",
             .type = &conf_type_time,
             .offset = ROW(sample_health, interval),
             .preset = "5s",
             .min = 10000,
             .doc = "Between two checks."},
            {.name = "rise",
             .type = &conf_type_number,
             .offset = ROW(sample_health, rise),
             .preset = "2",
             .min = 1,
             .doc = "Passes that bring a server up."},
            {.name = "fall",
             .type = &conf_type_number,
             .offset = ROW(sample_health, fall),
             .preset = "3",
             .min = 1,
             .doc = "Failures that take a server down."},
            {.name = NULL},
        },
};

/* Another room's row in the object itself. */
static const struct conf_table health_table = {
    .doc = "Health.",
    .keys =
        (const struct conf_key[]){
            {.name = "health_check",
             .type = &conf_type_map,
             .offset = ROW(sample_backend, health),
             .flags = CONF_INHERITED,
             .table = &check_table,
             .doc = "Checks of the servers."},
            {.name = NULL},
        },
};

static const struct conf_section backend_section = {
    .name = "backend",
    .list = true,
    .inherits = "defaults",
    .doc = "Backends.",
    .tables = (const struct conf_table *const[]){&backend_table, &health_table, NULL},
};

const struct conf_section *const sample_sections[] = {&global_section, &defaults_section, &frontend_section,
                                                      &backend_section, NULL};

const char sample_first[] = "# The report's first configuration.\n"
                            "global:\n"
                            "  maxconn: 10\n"
                            "\n"
                            "defaults:\n"
                            "  timeout_connect: 10000 # 10 seconds in ms\n"
                            "  timeout_client: 30000 # 30 seconds in ms\n"
                            "  timeout_server: 30000\n"
                            "  maxconn: 1\n"
                            "  mode: tcp\n"
                            "\n"
                            "frontend:\n"
                            "- name: http_front\n"
                            "  mode: http\n"
                            "  bind:\n"
                            "    - addr_port: 127.0.0.1:3030\n"
                            "  use_backend: http_backend\n"
                            "\n"
                            "backend:\n"
                            "- name: http_backend\n"
                            "  balance: roundrobin\n"
                            "  servers:\n"
                            "    - addr_port: 127.0.0.1:8000\n"
                            "    - addr_port: 127.0.0.1:8001\n";
