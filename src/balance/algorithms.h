/*
 * algorithms.h: the rows of balance_algorithms, for balance.c alone. Others name an algorithm by
 * balance_find().
 */
#ifndef NOXY_BALANCE_ALGORITHMS_H
#define NOXY_BALANCE_ALGORITHMS_H

#include "balance/balance.h"

extern const struct balancer_ops balance_roundrobin;
extern const struct balancer_ops balance_leastconn;
extern const struct balancer_ops balance_source;

#endif
