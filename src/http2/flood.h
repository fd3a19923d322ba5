/*
 * flood.h: frames that cost their sender nothing and noxy some work. Of each
 * kind a connection may send so many at once and so many a second; what noxy
 * itself gave rise to earns more. Whoever sends more is ended with GOAWAY
 * (ENHANCE_YOUR_CALM), and for a reason of its own (state/reason.h).
 */
#ifndef NOXY_HTTP2_FLOOD_H
#define NOXY_HTTP2_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#include "state/reason.h"

enum flood_kind {
    FLOOD_RESETS,     /* streams opened and reset, by the client, or by us for its faults (CVE-2023-44487) */
    FLOOD_SETTINGS,   /* each wants an acknowledgement */
    FLOOD_PINGS,      /* each wants an answer */
    FLOOD_EMPTY,      /* DATA without data that doesn't end anything */
    FLOOD_PRIORITIES, /* PRIORITY, which noxy has no use for */
    FLOOD_WINDOWS,    /* WINDOW_UPDATE */
    FLOOD_STREAMS,    /* streams beyond SETTINGS_MAX_CONCURRENT_STREAMS */
    FLOOD_OTHER,      /* frames that mean nothing here */
    FLOOD_KINDS,
};

/* What a connection has sent. Begins zeroed. */
struct flood {
    struct {
        uint32_t level; /* frames, but for what time and noxy's own doing took off again */
        uint32_t at_ms; /* when time was taken off last */
    } kinds[FLOOD_KINDS];
};

/* One more. REASON_NONE, or why it is one too many. */
enum reason flood_count(struct flood *f, enum flood_kind kind, uint64_t now_us);
/* `n` more are no wonder. */
void flood_earn(struct flood *f, enum flood_kind kind, uint32_t n);

#endif
