/*
 * conf_sample.h: a small configuration language for the tests of the engine:
 * the shape of the real one, with every kind of row.
 */
#ifndef NOXY_TESTS_CONF_SAMPLE_H
#define NOXY_TESTS_CONF_SAMPLE_H

#include "conf/table.h"

enum { SAMPLE_TCP = 1, SAMPLE_HTTP };

struct sample_log {
    int target; /* 0 stdout, 1 file */
    const char *path;
};

struct sample_global {
    uint32_t maxconn, threads;
    uint64_t buffer, drain_timeout;
    const char *pid_file;
    struct sample_log *log; /* always there */
};

struct sample_tls {
    const char *cert;
};

struct sample_bind {
    const char *addr_port;
    struct sample_tls *tls;
};

struct sample_page {
    const char *name;
};

/* A part of a frontend, as another room brings it. */
struct sample_http {
    bool access_log;
    uint64_t timeout_http_request;
    struct conf_list pages;
    unsigned checked;
};

struct sample_health {
    bool enabled;
    uint64_t interval;
    uint32_t rise, fall;
};

struct sample_server {
    const char *addr_port, *name;
    uint32_t weight;
};

struct sample_backend {
    const char *name;
    int mode, balance;
    uint64_t timeout_connect, timeout_server;
    struct conf_list servers;
    struct sample_health *health; /* NULL where not written */
    unsigned checked;
};

struct sample_frontend {
    const char *name;
    int mode;
    uint32_t maxconn;
    uint64_t timeout_client;
    struct conf_list binds;
    struct sample_backend *use_backend;
    struct sample_http *http;
    unsigned checked;
};

extern const struct conf_section *const sample_sections[];

/* The report's first configuration. */
extern const char sample_first[];

#endif
