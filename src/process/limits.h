/*
 * limits.h: how many descriptors a process may have, and so how many
 * connections it can hold.
 */
#ifndef NOXY_PROCESS_LIMITS_H
#define NOXY_PROCESS_LIMITS_H

#include <stdint.h>

#include "base/error.h"

/*
 * Raises this process's limit (which its children inherit) so that one worker can hold `maxconn` client
 * connections, each with one to a server, beside `others` descriptors. Returns how many connections fit:
 * fewer than `maxconn`, but at least 1, with what to do about it in `err`.
 */
uint32_t limits_raise(uint32_t maxconn, uint32_t others, struct error *err);

/* The same arithmetic, without touching anything: what fits into `descriptors`. */
uint32_t limits_fit(uint64_t descriptors, uint32_t maxconn, uint32_t others);

#endif
