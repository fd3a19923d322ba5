/*
 * units.h: values with a unit, read with a separate way out for the error
 * report, and printed for messages and the manual. Internal to conf/.
 */
#ifndef NOXY_CONF_UNITS_H
#define NOXY_CONF_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct conf_unit {
    const char *suffix; /* NULL ends the list */
    uint64_t factor;
};

/* A way to write numbers. The value is in the smallest thing counted: microseconds, bytes, ones. */
struct conf_measure {
    const char *noun;              /* "time" */
    const char *units_help;        /* how to write one */
    const char *below;             /* the suffix of a value that no unit divides */
    uint64_t bare;                 /* what a number without a suffix counts */
    const struct conf_unit *units; /* from small to large */
};

extern const struct conf_measure conf_measure_time, conf_measure_size, conf_measure_number;

enum { CONF_MEASURE_TEXT = 32 };

/* -1 with what is wrong in `err` and the way out in `hint` (perhaps empty). */
int conf_measure_read(const struct conf_measure *m, const char *text, uint64_t *value, struct error *err,
                      struct error *hint);
/* In the largest unit that divides it; returns `out`. */
const char *conf_measure_print(const struct conf_measure *m, uint64_t value,
                               char out[static CONF_MEASURE_TEXT]);

int conf_bool_read(const char *text, bool *value, struct error *err, struct error *hint);

#endif
