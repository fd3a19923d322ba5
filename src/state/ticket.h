/*
 * ticket.h: the keys under which TLS sessions are given to clients to keep
 * (RFC 5077). They stand in the arena, so a client may come back to any worker
 * of any generation. The master makes a new one now and then; the ones before
 * it still open what they closed.
 */
#ifndef NOXY_STATE_TICKET_H
#define NOXY_STATE_TICKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum {
    TICKET_KEYS = 4,     /* places: one is free to be written */
    TICKET_ACCEPTED = 3, /* the latest keys count */
    TICKET_NAME_SIZE = 16,
    TICKET_SECRET_SIZE = 32,
};

struct ticket_key {
    unsigned char name[TICKET_NAME_SIZE]; /* stands in the ticket */
    unsigned char cipher[TICKET_SECRET_SIZE], mac[TICKET_SECRET_SIZE];
    uint64_t made_ms; /* wall clock */
};

/* In the arena; the master alone writes. */
struct ticket_keys {
    _Atomic uint64_t count; /* keys ever made: the latest is key[(count - 1) % TICKET_KEYS] */
    struct ticket_key key[TICKET_KEYS];
};

/* Makes a new key, which is the one in use from then on: the master. -1 with `err`. */
int state_ticket_rotate(struct error *err);
/* When the key in use was made; 0: there is none. */
uint64_t state_ticket_made_ms(void);
/* The key in use. False: there is none. */
bool state_ticket_current(struct ticket_key *out);
/* The accepted key of that name; `*current`: it is the one in use. False: none. */
bool state_ticket_find(const unsigned char name[static TICKET_NAME_SIZE], struct ticket_key *out,
                       bool *current);

#endif
