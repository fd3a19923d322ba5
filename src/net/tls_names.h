/*
 * tls_names.h: which certificates belong to the name that a client asks for
 * (SNI, RFC 6066, 3): those with exactly that name, else those with `*.` in the
 * place of its first label (RFC 6125, 6.4.3). For one name there may be one
 * certificate of each kind of key; of several of a kind the first counts.
 */
#ifndef NOXY_NET_TLS_NAMES_H
#define NOXY_NET_TLS_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hashmap.h"

enum { TLS_NAME_MAX = 255 };

enum tls_key_kind { TLS_KEY_RSA, TLS_KEY_EC, TLS_KEY_OTHER, TLS_KEY_KINDS };

/* The certificates of a name. */
struct tls_choice {
    struct tls_choice *next;
    int certificate[TLS_KEY_KINDS]; /* their indices; -1: none of that kind */
    void *made;                     /* for the owner */
};

struct tls_names {
    struct arena *arena;
    struct hashmap exact, wild; /* wild: of "*.example.com", "example.com" */
    struct tls_choice *choices; /* all, the latest first */
};

/* `name` as a certificate has it: perhaps with "*." in front. False: it is none that a client could ask for.
 */
bool tls_names_add(struct tls_names *n, struct slice name, enum tls_key_kind kind, int certificate);
/* NULL: none has that name. */
struct tls_choice *tls_names_find(const struct tls_names *n, struct slice name);
void tls_names_free(struct tls_names *n);

#endif
