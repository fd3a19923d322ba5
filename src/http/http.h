/*
 * http.h: mode http, as main and the frontends see it: its key table, its
 * codecs, its row among the modes.
 */
#ifndef NOXY_HTTP_HTTP_H
#define NOXY_HTTP_HTTP_H

#include "conf/table.h"
#include "http/exchange.h"

struct http_conf;

/* The rows that this room has in the section `frontend`. */
extern const struct conf_table http_conf_table;

/* The answer that the frontend's conditions give by themselves, or NULL. `conf` may be NULL. */
const struct answer *http_conf_answer(const struct http_conf *conf);

void exchange_set_server_codec(const struct server_codec *codec);

#endif
