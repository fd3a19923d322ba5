/*
 * location_conf.c: how `rewrite_location` is written.
 */
#include "http/location.h"

enum { URL_MAX = 1024 };

/* A URL or a path of the configuration. False: reported. */
static bool read_url(struct conf_load *l, const struct conf_node *node, const char *text, struct url *u)
{
    struct slice s = slice_of(text);
    bool plain = s.len <= URL_MAX;
    for (size_t i = 0; i < s.len; i++)
        plain = plain && s.ptr[i] > 0x20 && s.ptr[i] < 0x7f && !memchr("?#\\\"<>", s.ptr[i], 6);
    if (!plain || !url_split(s, u) || (!u->text.ptr && s.ptr[0] != '/')) {
        conf_error(l, node, "write a path such as /app/, or a URL such as http://internal:8080/app/",
                   "this can't begin a URL");
        return false;
    }
    return true;
}

/* Takes the "/" off the end of a path. */
static bool take_slash(struct slice *path)
{
    bool slash = path->len && path->ptr[path->len - 1] == '/';
    path->len -= slash;
    return slash;
}

static void check_rule(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct location_rule *r = structure;
    if (!read_url(l, conf_node_get(node, "from"), r->from_text, &r->from) ||
        !read_url(l, conf_node_get(node, "to"), r->to_text, &r->to))
        return;
    take_slash(&r->from.path);
    r->slash = take_slash(&r->to.path);
}

static const struct conf_key rule_keys[] = {
    {"from", &conf_type_string, offsetof(struct location_rule, from_text), CONF_REQUIRED, NULL,
     "What the URL begins with: a URL without query, or a path for URLs without a host. It fits up to the "
     "end "
     "of a segment.",
     .example = "http://internal:8080/app/"},
    {"to", &conf_type_string, offsetof(struct location_rule, to_text), CONF_REQUIRED, NULL,
     "What stands there instead: a URL; or a path, in front of which stand the scheme and the host that the "
     "client used, if `from` is a URL.",
     .example = "/"},
    {0},
};

static const struct conf_table rule_table = {.doc = "The beginning of a URL, and another one in its place.",
                                             .keys = rule_keys,
                                             .size = sizeof(struct location_rule),
                                             .check = check_rule};

static const struct conf_key location_keys[] = {
    {"enabled", &conf_type_bool, offsetof(struct location_rules, enabled), 0, "true",
     .doc = "Whether URLs are rewritten."},
    {"rules", &conf_type_list, offsetof(struct location_rules, list), 0, NULL,
     "Beginnings of URLs that are rewritten, the first that fits; before the servers' own addresses are.",
     .table = &rule_table, .example = "[ { from: 'http://internal:8080/app/', to: / } ]"},
    {0},
};

const struct conf_table location_conf_table = {
    .doc =
        "Which URLs in a server's Location, Content-Location and Refresh are rewritten. True: those with a "
        "server's own address get the scheme and the host that the client used; a list of `rules` comes "
        "before that.",
    .keys = location_keys,
    .size = sizeof(struct location_rules),
    .shorthand = "rules",
    .toggle = "enabled",
};
