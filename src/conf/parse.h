/*
 * parse.h: YAML to nodes. Internal to conf/; the nodes are node.h's.
 */
#ifndef NOXY_CONF_PARSE_H
#define NOXY_CONF_PARSE_H

#include <yaml.h>

#include "conf/report.h"

enum {
    CONF_DEPTH_MAX = 64,           /* maps and lists in each other */
    CONF_NODES_MAX = 1000000,      /* of a file, keys included */
    CONF_ALIAS_NODES_MAX = 100000, /* of them, made by aliases */
};

/*
 * The root of the file's one document. NULL: the report says why there is none, or the tree lacks what an
 * error took out of it. What was reported may also leave a tree worth reading further (a duplicate key, a
 * tag).
 */
struct conf_node *conf_parse(struct conf_report *r, const struct conf_file *f);
/* The same for a file that may be empty: 0, and `*root` is NULL then; -1: reported. */
int conf_parse_included(struct conf_report *r, const struct conf_file *f, struct conf_node **root);

/* Reports what libyaml could not read, in the language of people who write configurations. */
void conf_syntax_report(struct conf_report *r, const struct conf_file *f, const yaml_parser_t *yaml);

#endif
