/*
 * set_cookie_conf.c: how `rewrite_cookies` is written.
 */
#include "http/set_cookie.h"

enum { VALUE_MAX = 1024 };

/* Can it stand in a Set-Cookie (RFC 6265, 4.1.1)? False: reported. */
static bool check_value(struct conf_load *l, const struct conf_node *node, const char *text, bool path)
{
    struct slice s = slice_of(text);
    bool good = s.len <= VALUE_MAX && (!path || s.ptr[0] == '/');
    for (size_t i = 0; i < s.len; i++)
        good = good && s.ptr[i] > 0x20 && s.ptr[i] < 0x7f && !memchr(";,", s.ptr[i], 2);
    if (!good)
        conf_error(l, node, path ? "a path begins with / and has no spaces" : NULL,
                   "this can't be the %s of a cookie", path ? "path" : "domain");
    return good;
}

static void check_domain(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct cookie_rule *r = structure;
    if (!r->from || check_value(l, conf_node_get(node, "from"), r->from, false))
        check_value(l, conf_node_get(node, "to"), r->to, false);
}

static void check_path(struct conf_load *l, void *structure, const struct conf_node *node)
{
    struct cookie_rule *r = structure;
    if (check_value(l, conf_node_get(node, "from"), r->from, true))
        check_value(l, conf_node_get(node, "to"), r->to, true);
}

static const struct conf_key domain_keys[] = {
    {"from", &conf_type_string, offsetof(struct cookie_rule, from), 0, NULL,
     "The server's domain; any when absent.", .example = "internal.example"},
    {"to", &conf_type_string, offsetof(struct cookie_rule, to), CONF_REQUIRED, NULL, "The public domain.",
     .example = "www.example.org"},
    {0},
};

static const struct conf_table domain_table = {.doc = "A cookie's domain, and another in its place.",
                                               .keys = domain_keys,
                                               .size = sizeof(struct cookie_rule),
                                               .shorthand = "to",
                                               .check = check_domain};

static const struct conf_key path_keys[] = {
    {"from", &conf_type_string, offsetof(struct cookie_rule, from), CONF_REQUIRED, NULL,
     "What the server's path begins with, up to the end of a segment.", .example = "/app/"},
    {"to", &conf_type_string, offsetof(struct cookie_rule, to), CONF_REQUIRED, NULL,
     "What the public path begins with.", .example = "/"},
    {0},
};

static const struct conf_table path_table = {
    .doc = "The beginning of a cookie's path, and another in its place.",
    .keys = path_keys,
    .size = sizeof(struct cookie_rule),
    .check = check_path};

static const struct conf_choice same_site_choices[] = {
    {"lax", SAME_SITE_LAX, "sent from other sites with links only"},
    {"strict", SAME_SITE_STRICT, "never sent from other sites"},
    {"none", SAME_SITE_NONE, "sent from everywhere; browsers want Secure beside it"},
    {0},
};

#define FIELD(name) offsetof(struct cookie_rules, name)

static const struct conf_key cookie_keys[] = {
    {"domain", &conf_type_list, FIELD(domain), 0, NULL,
     "The public domain in place of any other; or from which to which, the first that fits. Cookies without "
     "a "
     "domain stay without.",
     .table = &domain_table, .example = "[ { from: internal.example, to: www.example.org } ]"},
    {"path", &conf_type_list, FIELD(path), 0, NULL,
     "Which beginnings of paths become which, the first that fits.", .table = &path_table,
     .example = "[ { from: /app/, to: / } ]"},
    {"secure", &conf_type_bool, FIELD(secure), 0, "false", .doc = "Adds Secure where it is absent."},
    {"http_only", &conf_type_bool, FIELD(http_only), 0, "false", .doc = "Adds HttpOnly where it is absent."},
    {"same_site", &conf_type_choice, FIELD(same_site), 0, NULL,
     "Sets SameSite; as the server says when absent.", .choices = same_site_choices, .example = "lax"},
    {0},
};

static void check_cookies(struct conf_load *l, void *structure, const struct conf_node *node)
{
    const struct cookie_rules *r = structure;
    if (r->same_site == SAME_SITE_NONE && !r->secure)
        conf_warning(l, conf_node_get(node, "same_site"), "write secure: true beside it",
                     "browsers refuse cookies with SameSite=None that are not Secure");
}

const struct conf_table cookie_conf_table = {
    .doc = "How the cookies are rewritten that servers set.",
    .keys = cookie_keys,
    .size = sizeof(struct cookie_rules),
    .check = check_cookies,
};
