/*
 * tls_conf.h: the rows of `ssl`, on binds and frontends and on servers, and what
 * they come to. All files are read here: certificates and keys are known to be
 * good before anything that serves is touched.
 */
#ifndef NOXY_NET_TLS_CONF_H
#define NOXY_NET_TLS_CONF_H

#include "conf/table.h"
#include "net/tls.h"

struct tls_conf;

extern const struct conf_table tls_bind_table, tls_server_table;

/*
 * TLS for clients, as `c` says: the same context however often it is asked for. `scope`: sessions are resumed
 * only where that is the same. `protocols`: those that ALPN may offer, the best first, NULL-ended; NULL: all
 * that are written. NULL after reporting an error.
 */
struct tls_context *tls_conf_server(struct conf_load *l, struct tls_conf *c, const char *scope,
                                    const char *const *protocols);

/*
 * TLS with a server, as `c` says; NULL: it says no. `host` is its name, by which it is asked for and which
 * its certificate must have unless `c` names another; NULL: it has an address (`ip`, perhaps NULL) alone. -1
 * after reporting an error.
 */
int tls_conf_client(struct conf_load *l, struct tls_conf *c, const char *host, const char *ip,
                    struct tls_context **out);

#endif
