#include "http2/flood.h"

#include "base/macros.h"

/* Honest clients stay far below: the busiest of them reset streams by the dozen, when a page is left. */
static const struct {
    enum reason why;
    uint32_t at_once, per_second;
} limits[FLOOD_KINDS] = {
    [FLOOD_RESETS] = {REASON_H2_RESET_FLOOD, 256, 50},
    [FLOOD_SETTINGS] = {REASON_H2_SETTINGS_FLOOD, 32, 4},
    [FLOOD_PINGS] = {REASON_H2_PING_FLOOD, 128, 20},
    [FLOOD_EMPTY] = {REASON_H2_EMPTY_FLOOD, 64, 10},
    [FLOOD_PRIORITIES] = {REASON_H2_PRIORITY_FLOOD, 256, 50},
    [FLOOD_WINDOWS] = {REASON_H2_WINDOW_FLOOD, 1024, 200},
    [FLOOD_STREAMS] = {REASON_H2_STREAM_FLOOD, 256, 50},
    [FLOOD_OTHER] = {REASON_H2_OTHER_FLOOD, 256, 50},
};

enum reason flood_count(struct flood *f, enum flood_kind kind, uint64_t now_us)
{
    uint32_t now = (uint32_t)(now_us / 1000), *level = &f->kinds[kind].level;
    if (++*level <= limits[kind].at_once)
        return REASON_NONE;
    uint64_t passed = now - f->kinds[kind].at_ms;
    uint64_t off = passed * limits[kind].per_second / 1000;
    if (off == 0)
        return limits[kind].why;
    f->kinds[kind].at_ms = now;
    *level -= (uint32_t)MIN(off, (uint64_t)*level);
    return REASON_NONE;
}

void flood_earn(struct flood *f, enum flood_kind kind, uint32_t n)
{
    f->kinds[kind].level -= MIN(n, f->kinds[kind].level);
}
