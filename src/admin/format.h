/*
 * format.h: numbers as people read them, in at most six characters. Each
 * returns `out`.
 */
#ifndef NOXY_ADMIN_FORMAT_H
#define NOXY_ADMIN_FORMAT_H

#include <stdint.h>

enum { FORMAT_MAX = 32 };

/* 9999, 12.3k, 4.57M */
const char *format_count(uint64_t n, char out[static FORMAT_MAX]);
/* 812, 1.2K, 13M: units of 1024 */
const char *format_bytes(uint64_t n, char out[static FORMAT_MAX]);
/* A rate: 0, 0.5, 12, 3.4k */
const char *format_rate(double per_second, char out[static FORMAT_MAX]);
/* 812us, 1.23ms, 12.3ms, 1.5s, 95s */
const char *format_latency(uint64_t us, char out[static FORMAT_MAX]);
/* 12s, 3m12s, 4h03m, 2d04h */
const char *format_age(uint64_t ms, char out[static FORMAT_MAX]);

#endif
