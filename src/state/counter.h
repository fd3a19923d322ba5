/*
 * counter.h: what is counted for each slot. One table: the manual, the
 * metrics, the JSON and `noxyctl stats` come from its rows. Behind the named
 * counters stands one for each reason (reason.h): COUNTER_REASON + REASON_x
 * counts how often that was why something ended.
 *
 * Each row: identifier, name, unit, description.
 */
#ifndef NOXY_STATE_COUNTER_H
#define NOXY_STATE_COUNTER_H

#include "state/reason.h"

#define COUNTER_TABLE(X)                                                                                     \
    X(SESSIONS, "sessions", "connections", "connections accepted, or opened to the server")                  \
    X(REQUESTS, "requests", "requests", "requests, or connections in mode tcp, that were begun")             \
    X(REUSED, "reused", "requests", "requests sent on a server connection that was kept open")               \
    X(BYTES_IN, "bytes_in", "bytes", "bytes received from clients")                                          \
    X(BYTES_OUT, "bytes_out", "bytes", "bytes sent to clients")                                              \
    X(RESPONSES_1XX, "responses_1xx", "responses", "interim responses, status 1xx")                          \
    X(RESPONSES_2XX, "responses_2xx", "responses", "responses with status 2xx")                              \
    X(RESPONSES_3XX, "responses_3xx", "responses", "responses with status 3xx")                              \
    X(RESPONSES_4XX, "responses_4xx", "responses", "responses with status 4xx")                              \
    X(RESPONSES_5XX, "responses_5xx", "responses", "responses with status 5xx")                              \
    X(RETRIES, "retries", "requests", "attempts repeated after a failure")                                   \
    X(REDISPATCHES, "redispatches", "requests", "of the retries, those sent to another server")              \
    X(CHECKS_PASSED, "checks_passed", "checks", "health checks that passed")                                 \
    X(CHECKS_FAILED, "checks_failed", "checks", "health checks that failed")                                 \
    X(DOWNS, "downs", "changes", "times the server went down")                                               \
    X(LOG_DROPPED, "log_dropped", "lines", "log lines dropped since they could not be written")

enum counter {
#define X(id, name, unit, doc) COUNTER_##id,
    COUNTER_TABLE(X)
#undef X
        COUNTER_NAMED_COUNT,
    COUNTER_REASON = COUNTER_NAMED_COUNT,
    COUNTER_COUNT = COUNTER_REASON + REASON_COUNT
};

/* Of the named counters: c < COUNTER_NAMED_COUNT. */
const char *counter_name(enum counter c);
const char *counter_unit(enum counter c);
const char *counter_doc(enum counter c);

#endif
