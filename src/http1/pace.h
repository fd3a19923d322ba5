/*
 * pace.h: does the client keep pace? It is late when we wait for its body, or
 * for it to take the response, and no byte moves for timeout_client; and it
 * is slow when fewer than min_body_rate bytes a second of bodies and responses
 * move in two windows of five seconds in a row; what only frames a body, such
 * as chunk extensions and trailers, doesn't count. While we wait for the
 * server, that is the server's time.
 *
 * Looks are made by the connection's timer, so the bytes themselves cost a
 * store.
 */
#ifndef NOXY_HTTP1_PACE_H
#define NOXY_HTTP1_PACE_H

#include "http/exchange.h"

/* The client is waited for from now on. In how many microseconds to look. */
uint64_t pace_begin(struct exchange *x);

/* REASON_NONE and when to look again, or why the client is ended. */
enum reason pace_look(struct exchange *x, const struct conn *c, uint64_t *next_us);

/* In how many microseconds a client must have taken the last `bytes` of a response. */
uint64_t pace_of_rest(const struct frontend *f, size_t bytes);

#endif
