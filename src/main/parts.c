#include "main/parts.h"

#include "frontend/frontend.h"
#include "health/health.h"
#include "http/codec.h"
#include "http/http.h"
#include "http/rule_compile.h"
#include "http1/http1.h"
#include "http2/http2.h"
#include "process/global_conf.h"
#include "relay/relay.h"
#include "upstream/backend.h"

static const struct conf_table *const global_tables[] = {&global_conf_table, NULL};
static const struct conf_table *const frontend_tables[] = {&frontend_conf_table, &http_conf_table,
                                                           &relay_conf_table, NULL};
static const struct conf_table *const backend_tables[] = {&backend_conf_table, &health_conf_table,
                                                          &http_backend_conf_table, NULL};
static const struct conf_table *const no_tables[] = {NULL};

/* Rules name backends and variables of the whole file. */
static void compile_rules(struct conf_load *l)
{
    struct rule_compiler *c = rule_compiler_new(l);
    http_rules_compile(l, c);
    relay_rules_compile(l, c);
}

static const struct conf_section global_section = {
    .name = "global", .doc = "What concerns noxy as a whole.", .tables = global_tables};

static const struct conf_section defaults_section = {
    .name = "defaults",
    .only_inherited = true,
    .doc = "What frontends and backends have where they say nothing else: any of their keys that makes sense "
           "in both.",
    .tables = no_tables,
};

static const struct conf_section frontend_section = {
    .name = "frontend",
    .list = true,
    .required = true,
    .inherits = "defaults",
    .doc = "Where clients arrive.",
    .tables = frontend_tables,
};

static const struct conf_section backend_section = {
    .name = "backend",
    .list = true,
    .inherits = "defaults",
    .doc = "Groups of servers that do the same work.",
    .tables = backend_tables,
    .finish = compile_rules,
    .unused = "a frontend sends requests to it with use_backend",
};

const struct conf_section *const parts_sections[] = {
    &global_section, &defaults_section, &frontend_section, &backend_section, NULL,
};

static const struct mode_ops *const modes[MODE_COUNT] = {[MODE_TCP] = &tcp_mode, [MODE_HTTP] = &http_mode};

static const struct client_codec *const client_codecs[] = {&http2_client_codec, &http1_client_codec, NULL};

void parts_register(void)
{
    frontend_set_modes(modes);
    http_set_codecs(client_codecs, &http1_server_codec);
}
