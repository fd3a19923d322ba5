/*
 * calendar.h: noxy's local time, for conditions. Worked out once a minute, so
 * that a request costs no look at the time zone.
 */
#ifndef NOXY_HTTP_CALENDAR_H
#define NOXY_HTTP_CALENDAR_H

#include <stdint.h>

struct calendar {
    uint8_t hour, minute;
    uint8_t weekday; /* 1 Monday to 7 Sunday (ISO 8601) */
    char date[11];   /* "2026-11-21" */
};

/* Of that many seconds since 1970. The process's own: valid until the next call. */
const struct calendar *calendar_at(uint64_t seconds);

#endif
