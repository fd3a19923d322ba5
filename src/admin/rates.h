/*
 * rates.h: how many sessions and requests a second, of each frontend, backend
 * and server: the difference between two samples of the totals, a second
 * apart. Adding up many slots over many processes takes time, so sampling
 * keeps to a fiftieth of the manager's: with thousands of slots the samples
 * stand further apart.
 */
#ifndef NOXY_ADMIN_RATES_H
#define NOXY_ADMIN_RATES_H

#include "admin/admin.h"

struct rates;

struct rate {
    double sessions, requests; /* a second */
};

/* Samples from now on. */
struct rates *rates_start(struct loop *l, const struct admin_host *host);
void rates_free(struct rates *r);

/* Of the last interval; zeroes before its first end. */
struct rate rates_of(const struct rates *r, const struct slot *s);
/* The last interval's length in milliseconds; 0: none has ended yet. */
uint32_t rates_interval_ms(const struct rates *r);

#endif
