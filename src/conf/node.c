#include "conf/node.h"

#include <string.h>

const struct conf_node *conf_node_get(const struct conf_node *map, const char *name)
{
    if (!map || map->kind != CONF_MAP)
        return NULL;
    CONF_NODE_FOREACH (child, map)
        if (strcmp(child->key->text, name) == 0)
            return child;
    return NULL;
}

bool conf_node_is_null(const struct conf_node *n)
{
    if (n->kind != CONF_SCALAR || n->quoted)
        return false;
    return !*n->text || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0;
}
