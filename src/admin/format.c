#include "admin/format.h"

#include <stdio.h>

#include "base/macros.h"

/* Three significant digits of a value below 1000: 1.23, 12.3, 123. */
static void print_digits(double value, const char *unit, char out[static FORMAT_MAX])
{
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(out, FORMAT_MAX, "%.*f%s", decimals, value, unit);
}

/* In the smallest of `units` that keeps it below 1000. */
static void print_scaled(double value, double step, const char *const *units, char out[static FORMAT_MAX])
{
    while (value >= 999.5 && units[1]) {
        value /= step;
        units++;
    }
    print_digits(value, *units, out);
}

const char *format_count(uint64_t n, char out[static FORMAT_MAX])
{
    static const char *const units[] = {"k", "M", "G", "T", "P", NULL};
    if (n < 10000)
        snprintf(out, FORMAT_MAX, "%u", (unsigned)n);
    else
        print_scaled((double)n / 1000, 1000, units, out);
    return out;
}

const char *format_bytes(uint64_t n, char out[static FORMAT_MAX])
{
    static const char *const units[] = {"K", "M", "G", "T", "P", NULL};
    if (n < 1000)
        snprintf(out, FORMAT_MAX, "%u", (unsigned)n);
    else
        print_scaled((double)n / 1024, 1024, units, out);
    return out;
}

const char *format_rate(double per_second, char out[static FORMAT_MAX])
{
    if (per_second > 0 && per_second < 9.95)
        snprintf(out, FORMAT_MAX, "%.1f", per_second);
    else
        format_count((uint64_t)(per_second + 0.5), out);
    return out;
}

const char *format_latency(uint64_t us, char out[static FORMAT_MAX])
{
    static const char *const units[] = {"ms", "s", NULL};
    if (us < 1000)
        snprintf(out, FORMAT_MAX, "%uus", (unsigned)us);
    else
        print_scaled((double)us / 1000, 1000, units, out);
    return out;
}

const char *format_age(uint64_t ms, char out[static FORMAT_MAX])
{
    uint64_t s = ms / 1000, m = s / 60, h = m / 60, d = h / 24;
    if (s < 60)
        snprintf(out, FORMAT_MAX, "%us", (unsigned)s);
    else if (m < 60)
        snprintf(out, FORMAT_MAX, "%um%02us", (unsigned)m, (unsigned)(s % 60));
    else if (h < 24)
        snprintf(out, FORMAT_MAX, "%uh%02um", (unsigned)h, (unsigned)(m % 60));
    else
        snprintf(out, FORMAT_MAX, "%ud%02uh", (unsigned)MIN(d, 99999999), (unsigned)(h % 24));
    return out;
}
