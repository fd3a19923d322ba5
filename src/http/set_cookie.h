/*
 * set_cookie.h: rewrite_cookies: the attributes of a server's Set-Cookie (RFC
 * 6265, 4.1), read as browsers do (5.2). What no rule concerns stays as it is,
 * byte by byte and in order.
 */
#ifndef NOXY_HTTP_SET_COOKIE_H
#define NOXY_HTTP_SET_COOKIE_H

#include "conf/table.h"
#include "http/pen.h"

struct cookie_rule {
    const char *from; /* NULL: any (of a domain) */
    const char *to;
};

enum same_site { SAME_SITE_KEPT, SAME_SITE_LAX, SAME_SITE_STRICT, SAME_SITE_NONE };

struct cookie_rules {
    struct conf_list domain, path; /* struct cookie_rule; the first that fits */
    bool secure, http_only;        /* added where absent */
    int same_site;                 /* enum same_site */
};

/* Writes the value of a Set-Cookie as the rules want it. True: it differs. */
bool set_cookie_rewrite(const struct cookie_rules *r, struct slice value, struct pen *p);

/* The value of `rewrite_cookies`. */
extern const struct conf_table cookie_conf_table;

#endif
