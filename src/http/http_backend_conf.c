/*
 * http_backend_conf.c: the rows that mode http has in the section `backend`.
 */
#include "http/http.h"
#include "http/location.h"
#include "http/set_cookie.h"

#define FIELD(name) offsetof(struct http_backend_conf, name)

static const struct conf_key http_backend_keys[] = {
    {"http_condition", &conf_type_list, FIELD(requests.rules), 0, NULL,
     "In mode http, what is done with requests that came to this backend, in order; after the frontend's.",
     .table = &rule_backend_request_table, .example = "[ { when: \"path == '/private'\", deny: 403 } ]"},
    {"http_response", &conf_type_list, FIELD(responses.rules), 0, NULL,
     "In mode http, what is done with the responses of its servers, in order; before the frontend's.",
     .table = &rule_response_table, .example = "[ { del_header: Server } ]"},
    {"rewrite_location", &conf_type_map, FIELD(rewrite_location), CONF_INHERITED, NULL,
     "Whether URLs in Location, Content-Location and Refresh that name a server by its own address are made "
     "to "
     "name the host that the client asked for, and which others are rewritten.",
     .table = &location_conf_table, .example = "[ { from: 'http://internal:8080/app/', to: / } ]"},
    {"rewrite_cookies", &conf_type_map, FIELD(rewrite_cookies), CONF_INHERITED, NULL,
     "What becomes of the attributes of cookies that servers set.", .table = &cookie_conf_table,
     .example = "{ domain: www.example.org, secure: true }"},
    {0},
};

static void check_http_backend(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct http_backend_conf *conf = structure;
    (void)l, (void)node;
    if (conf->rewrite_location && !conf->rewrite_location->enabled)
        conf->rewrite_location = NULL;
}

const struct conf_table http_backend_conf_table = {
    .doc = "What mode http does with a backend's requests and responses.",
    .keys = http_backend_keys,
    .size = sizeof(struct http_backend_conf),
    .part_offset = offsetof(struct backend, http),
    .check = check_http_backend,
};
