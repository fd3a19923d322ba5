/*
 * trusted.h: proxies in front of noxy that are believed (trusted_proxies),
 * and whom they name as the client.
 *
 * Each proxy adds the address that it got the request from behind what stands
 * in X-Forwarded-For or Forwarded already. So the lists are read from the
 * right: what a trusted proxy added is believed, trusted addresses are passed
 * over, and the first other one is the client; what stands left of it is
 * anybody's invention. Where all are trusted the leftmost is the client. An
 * element that is no address ends the walk, and the address right of it is
 * the client.
 *
 * X-Forwarded-For is looked at first, then Forwarded, then X-Real-IP, and the
 * first that says something decides: nearly every proxy writes the first, and
 * many pass on the others as their clients sent them.
 */
#ifndef NOXY_HTTP_TRUSTED_H
#define NOXY_HTTP_TRUSTED_H

#include "conf/table.h"
#include "http/message.h"
#include "net/network.h"

struct trusted {
    struct network *networks;
    uint32_t count;
    bool local; /* whoever comes over a Unix socket */
};

/* The fields that are believed. */
enum trusted_field { TRUSTED_ANY, TRUSTED_X_FORWARDED_FOR, TRUSTED_FORWARDED, TRUSTED_X_REAL_IP };

/* What trusted proxies say. */
struct trusted_word {
    struct ip client;
    bool named;          /* an address that could be read; else `client` is the peer */
    struct slice scheme; /* "http" or "https"; "": they say nothing */
    struct slice host;   /* the authority that the client asked for; "": they say nothing */
    struct slice bad;    /* an element that could not be read, if there was one: for the log */
};

/* No address (a Unix socket) is one, too. */
bool trusted_has(const struct trusted *t, struct ip ip);
/* What the request says that came from the trusted `peer`. False: it names nobody. */
bool trusted_read(const struct trusted *t, enum trusted_field which, const struct message *m, struct ip peer,
                  struct trusted_word *w);

/* The value of `trusted_proxies`: `struct trusted *`. */
extern const struct conf_type trusted_conf_type;
extern const struct conf_choice trusted_conf_fields[];

#endif
