/*
 * explain.h: why does a request go where it goes? Answered for a request that
 * nobody sent, by the same code that decides about real ones: `noxy explain`
 * with a configuration alone, `noxyctl explain` with the servers' present
 * state.
 *
 * Nothing is changed by it: no counter, no rotation, no variable of a request.
 * The explanation is a JSON document, and the text for people is made from
 * it, so that both say the same.
 */
#ifndef NOXY_EXPLAIN_EXPLAIN_H
#define NOXY_EXPLAIN_EXPLAIN_H

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"
#include "frontend/frontend.h"
#include "http/message.h"

enum { EXPLAIN_HEADERS_MAX = MESSAGE_FIELDS_MAX };

/* A request as it is given on a command line. */
struct explain_request {
    const char *method, *url;                 /* "tcp" and ADDRESS:PORT: a connection */
    const char *headers[EXPLAIN_HEADERS_MAX]; /* "Name: value" */
    unsigned header_count;
    const char *src;      /* the address that is connected; NULL: 127.0.0.1 */
    const char *frontend; /* NULL: by the URL */
    bool has_body;
    uint64_t body_length;
};

/* What decides. */
struct explain_host {
    struct frontend *const *frontends;
    uint32_t frontend_count;
    uint32_t generation;
    bool running; /* the state of servers is that of a noxy that runs */
};

/*
 * Reads METHOD URL [-H HEADER]... [--src IP] [--frontend NAME] [--length BYTES], and with `files` --data
 * FILE, whose size is asked for. `r` points into the words. -1 with `err`.
 */
int explain_read_words(struct explain_request *r, char *const *words, unsigned count, bool files,
                       struct error *err);

/* Is the next word the value of this one, an option? */
bool explain_takes_value(const char *word);

/*
 * The explanation, the caller's to free; its names are stable (docs/man/noxyctl.1). NULL with `err`: there is
 * none of such a request. The backends' and frontends' slots are bound.
 */
json_t *explain(const struct explain_host *h, const struct explain_request *r, struct error *err);
/* The same for people, in lines. */
void explain_print(const json_t *explanation, struct text *out);

#endif
