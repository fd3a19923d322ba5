/*
 * http_backend_conf.c: the rows that mode http has in the section `backend`.
 */
#include "http/http.h"

#define FIELD(name) offsetof(struct http_backend_conf, name)

static const struct conf_key http_backend_keys[] = {
    {"http_condition", &conf_type_list, FIELD(requests.rules), 0, NULL,
     "In mode http, what is done with requests that came to this backend, in order; after the frontend's.",
     .table = &rule_backend_request_table, .example = "[ { when: \"path == '/private'\", deny: 403 } ]"},
    {"http_response", &conf_type_list, FIELD(responses.rules), 0, NULL,
     "In mode http, what is done with the responses of its servers, in order; before the frontend's.",
     .table = &rule_response_table, .example = "[ { del_header: Server } ]"},
    {0},
};

const struct conf_table http_backend_conf_table = {
    .doc = "What mode http does with a backend's requests and responses.",
    .keys = http_backend_keys,
    .size = sizeof(struct http_backend_conf),
    .part_offset = offsetof(struct backend, http),
};
