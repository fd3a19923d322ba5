/*
 * action_respond.h: what `respond` answers.
 */
#ifndef NOXY_HTTP_ACTION_RESPOND_H
#define NOXY_HTTP_ACTION_RESPOND_H

#include "http/action.h"
#include "http/exchange.h"

struct respond {
    uint32_t status;
    const char *content_type, *body, *file;
    const struct conf_node *headers;
    struct action_pair *pairs; /* of `headers` */
    unsigned pair_count;
    struct answer answer;
};

extern const struct conf_table respond_table;

enum { PAGE_MAX = 256 * 1024 }; /* bytes of a file that is answered with */

/* A field's value that is written in the configuration. False: reported. */
bool respond_check_value(struct conf_load *l, const struct conf_node *node, const char *value);
/* The bytes of a file, in the load's arena. NULL with `err`. */
const char *respond_read_file(struct conf_load *l, const char *path, size_t *len, struct error *err);

#endif
