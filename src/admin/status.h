/*
 * status.h: the state of a frontend, backend or server, with its age and the
 * reason in words.
 */
#ifndef NOXY_ADMIN_STATUS_H
#define NOXY_ADMIN_STATUS_H

#include <jansson.h>

#include "admin/format.h"
#include "frontend/frontend.h"

struct status {
    const char *word;  /* frontend: open, full; backend: up, down; server: up, down, unchecked, out */
    bool serving;      /* gets connections or requests */
    uint64_t since_ms; /* wall clock; 0: not known */
    char reason[192];  /* "": none */
    bool pool;         /* a backend, so that these two count its servers: */
    uint32_t up, of;   /* those that get requests, and all */
};

void status_of_frontend(const struct frontend *f, struct status *st);
void status_of_backend(const struct backend *b, struct status *st);
/* "unchecked": no verdict yet, so it gets requests; "out": it gets none, for another reason than its health.
 */
void status_of_server(const struct server *s, struct status *st);

/* Since when, in milliseconds; 0 when not known. */
uint64_t status_age_ms(const struct status *st);
/* "up 3m12s"; of a backend "2 of 3 up". */
const char *status_print(const struct status *st, char out[static 2 * FORMAT_MAX]);
/* Sets "state", "serving", "reason", "since_ms" and "age_ms" (null: not known), of a backend the numbers of
 * servers. */
void status_add_json(const struct status *st, json_t *object);

#endif
