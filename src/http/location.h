/*
 * location.h: rewrite_location: URLs in a server's response that name the
 * server by its own address are made to name the public side.
 *
 * The rules that are written come first, in order; then an http URL (or one
 * without a scheme) with the address of one of the backend's servers gets the
 * scheme and authority that the client used. A URL with userinfo never fits.
 * A prefix ends where a segment of the path ends: "/app" and "/app/" fit
 * "/app", "/app/x" and "/app?x", and not "/apple".
 */
#ifndef NOXY_HTTP_LOCATION_H
#define NOXY_HTTP_LOCATION_H

#include "conf/table.h"
#include "http/authority.h"
#include "upstream/backend.h"

/* A URL taken apart. */
struct url {
    struct slice scheme; /* "" of "//host/path" */
    struct slice text;   /* of the authority; NULL: it has none, and `path` is all there is */
    struct authority authority;
    struct slice path; /* with query and fragment */
};

struct location_rule {
    const char *from_text, *to_text;
    struct url from, to; /* their paths without the "/" at the end */
    bool slash;          /* `to` had one */
};

struct location_rules {
    bool enabled;
    struct conf_list list; /* struct location_rule */
};

/* How the client names what it asked for. */
struct public_name {
    struct slice scheme;
    struct slice authority; /* "": not known */
};

enum { LOCATION_PIECES = 6 };

/* False: its authority can't be read, or has userinfo. */
bool url_split(struct slice text, struct url *u);
/* The pieces that the rewritten URL is made of; 0: it stays as it is. */
unsigned location_rewrite(const struct location_rules *r, const struct backend *b,
                          const struct public_name *name, struct slice url,
                          struct slice out[static LOCATION_PIECES]);
/* Where in the value of Refresh ("5; url=...") its URL stands; empty: nowhere. */
struct slice location_in_refresh(struct slice value);

/* The value of `rewrite_location`. */
extern const struct conf_table location_conf_table;

#endif
