/*
 * error.h: an error from outside (a file, a peer, the kernel) as a value: a
 * sentence for the operator that says what happened and, where there is one,
 * what to do. Who receives it adds the place.
 */
#ifndef NOXY_BASE_ERROR_H
#define NOXY_BASE_ERROR_H

#include "base/macros.h"

struct error {
    char text[512]; /* empty: no error */
};

/* Both return -1, so that a function can end with `return error_set(...)`. `err` may be NULL. */
int error_set(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same with ": " and errno's text behind it. */
int error_set_errno(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
