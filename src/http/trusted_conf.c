/*
 * trusted_conf.c: how `trusted_proxies` is written.
 */
#include "http/trusted.h"

/* Adds what one scalar names. False: reported. */
static bool add(struct conf_load *l, struct trusted *t, const struct conf_node *node)
{
    struct error err;
    if (node->kind != CONF_SCALAR || conf_node_is_null(node)) {
        conf_error(l, node, NULL, "a network belongs here, such as 10.0.0.0/8");
        return false;
    }
    if (slice_equal(slice_of(node->text), SLICE("unix:"))) {
        t->local = true;
        return true;
    }
    if (network_parse(&t->networks[t->count], slice_of(node->text), &err) < 0) {
        conf_error(l, node, "write a network such as 10.0.0.0/8, an address such as ::1, or unix:", "%s",
                   err.text);
        return false;
    }
    t->count++;
    return true;
}

static int set_trusted(struct conf_load *l, const struct conf_key *key, const struct conf_node *node,
                       void *field, struct error *err)
{
    struct trusted *t = ARENA_NEW(&l->arena, struct trusted);
    bool good = true;
    if (node->kind == CONF_MAP)
        return error_set(err, "\"%s\" must be a list of networks, not a map", key->name);
    t->networks = ARENA_ARRAY(&l->arena, struct network, node->kind == CONF_LIST ? node->count : 1);
    if (node->kind == CONF_SCALAR)
        good = add(l, t, node);
    else
        CONF_NODE_FOREACH (item, node)
            good = add(l, t, item) && good;
    *(struct trusted **)field = t;
    return good ? 0 : -1;
}

const struct conf_type trusted_conf_type = {.name = "list of networks", .set = set_trusted};

const struct conf_choice trusted_conf_fields[] = {
    {"any", TRUSTED_ANY,
     "the first of X-Forwarded-For, Forwarded and X-Real-IP that says something; X-Forwarded-Proto and "
     "-Host"},
    {"x_forwarded_for", TRUSTED_X_FORWARDED_FOR, "X-Forwarded-For, X-Forwarded-Proto and -Host"},
    {"forwarded", TRUSTED_FORWARDED, "Forwarded (RFC 7239) alone"},
    {"x_real_ip", TRUSTED_X_REAL_IP, "X-Real-IP, X-Forwarded-Proto and -Host"},
    {0},
};
