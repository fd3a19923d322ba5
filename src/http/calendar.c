#include "http/calendar.h"

#include <stdio.h>
#include <time.h>

static void work_out(struct calendar *c, uint64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm tm = {0};
    /* A year has four digits, wherever the machine's clock stands. */
    if (!localtime_r(&when, &tm) || tm.tm_year > 9999 - 1900)
        tm = (struct tm){.tm_mday = 1, .tm_wday = 1};
    c->hour = (uint8_t)tm.tm_hour;
    c->minute = (uint8_t)tm.tm_min;
    c->weekday = (uint8_t)(tm.tm_wday ? tm.tm_wday : 7);
    snprintf(c->date, sizeof c->date, "%04u-%02u-%02u", (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100);
}

/* No rule of a time zone begins within a minute. */
const struct calendar *calendar_at(uint64_t seconds)
{
    static struct calendar kept;
    static uint64_t kept_minute = UINT64_MAX;
    if (seconds / 60 != kept_minute) {
        work_out(&kept, seconds);
        kept_minute = seconds / 60;
    }
    return &kept;
}
