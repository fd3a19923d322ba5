/*
 * http_backend_conf.c: the rows that mode http has in the section `backend`.
 */
#include "http/http.h"

static const struct conf_key http_backend_keys[] = {
    {0},
};

const struct conf_table http_backend_conf_table = {
    .doc = "What mode http does with a backend's requests and responses.",
    .keys = http_backend_keys,
    .size = sizeof(struct http_backend_conf),
    .part_offset = offsetof(struct backend, http),
};
