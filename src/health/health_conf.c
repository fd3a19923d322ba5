/*
 * health_conf.c: the rows of `health_check` in the section `backend`.
 */
#include "health/health.h"

#include "base/macros.h"

enum { SECOND = 1000000, DAY = 86400, TIMEOUT = 2 * SECOND, RISE = 2, FALL = 3 };

static const struct conf_key check_keys[] = {
    {"enabled", &conf_type_bool, offsetof(struct health_conf, enabled), 0, "true",
     .doc = "Whether the servers are checked. Without checks a server is always up, unless its name does not "
            "resolve."},
    {"interval", &conf_type_time, offsetof(struct health_conf, interval), 0, NULL,
     "From the start of a check to the start of the next; `health_check` of `global` when absent. A server "
     "that is "
     "down is checked every second at least.",
     .min = 1000, .max = DAY * (uint64_t)SECOND, .example = "5s"},
    {"timeout", &conf_type_time, offsetof(struct health_conf, timeout), 0, NULL,
     "For a check to end; 2s when absent, and never longer than the interval.", .min = 1000,
     .max = DAY * (uint64_t)SECOND, .example = "2s"},
    {"rise", &conf_type_number, offsetof(struct health_conf, rise), 0, "2",
     "Checks in a row that have to pass before a server that was down is up again.", .min = 1, .max = 1000},
    {"fall", &conf_type_number, offsetof(struct health_conf, fall), 0, "3",
     "Checks in a row that have to fail before a server that was up is down; as many failures of traffic in "
     "a row "
     "take it out at once.",
     .min = 1, .max = 1000},
    {0},
};

static void check_times(struct conf_load *l, void *structure, const struct conf_node *node)
{
    const struct health_conf *c = structure;
    if (c->interval && c->timeout > c->interval)
        conf_error(l, conf_node_get(node, "timeout"), "a check ends before the next one begins",
                   "the timeout is longer than the interval");
}

static const struct conf_table check_table = {
    .doc = "How the servers' health is checked. A bare number is the interval, false turns the checks off.",
    .keys = check_keys,
    .size = sizeof(struct health_conf),
    .shorthand = "interval",
    .toggle = "enabled",
    .check = check_times,
};

static const struct conf_key part_keys[] = {
    {"health_check", &conf_type_map, offsetof(struct health_part, written), CONF_INHERITED, NULL,
     "How the servers' health is checked: by a TCP connection.", .table = &check_table,
     .example = "{ interval: 5s, timeout: 2s, rise: 2, fall: 3 }"},
    {0},
};

const struct conf_table health_conf_table = {
    .doc = "Health checks.",
    .keys = part_keys,
    .size = sizeof(struct health_part),
    .part_offset = offsetof(struct backend, health),
};

void health_apply_default(struct backend *b, uint64_t interval_us)
{
    struct health_conf c = {.enabled = true, .rise = RISE, .fall = FALL};
    if (b->health->written)
        c = *b->health->written;
    if (c.interval == 0)
        c.interval = interval_us;
    if (c.timeout == 0)
        c.timeout = TIMEOUT;
    c.timeout = MIN(c.timeout, c.interval);
    b->health->effect = c;
    b->failures_max = c.enabled ? c.fall : 0;
}
