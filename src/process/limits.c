#include "process/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/macros.h"

/* Beside connections and what the configuration names: the log, epoll, the channel, pipes for splice(2) ...
 */
enum { RESERVE = 64, A_CONNECTION = 2 };

uint32_t limits_fit(uint64_t descriptors, uint32_t maxconn, uint32_t others)
{
    uint64_t fixed = (uint64_t)others + RESERVE;
    uint64_t fit = descriptors > fixed ? (descriptors - fixed) / A_CONNECTION : 0;
    return (uint32_t)MIN(MAX(fit, 1), maxconn);
}

/* No process may have more than this, root's included. */
static rlim_t kernel_limit(void)
{
    unsigned long long n = 1024 * 1024;
    FILE *f = fopen("/proc/sys/fs/nr_open", "re");
    if (!f)
        return n;
    if (fscanf(f, "%llu", &n) != 1)
        n = 1024 * 1024;
    fclose(f);
    return n;
}

uint32_t limits_raise(uint32_t maxconn, uint32_t others, struct error *err)
{
    struct rlimit limit;
    rlim_t need = (rlim_t)maxconn * A_CONNECTION + others + RESERVE;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return maxconn;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < need) {
        rlim_t most = MIN(need, kernel_limit());
        struct rlimit more = {.rlim_cur = most, .rlim_max = most};
        if (most > limit.rlim_max && setrlimit(RLIMIT_NOFILE, &more) == 0)
            limit = more;
    }
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit more = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            limit = more;
    }
    uint32_t fit = limits_fit(limit.rlim_cur, maxconn, others);
    if (fit < maxconn)
        error_set(err,
                  "maxconn %" PRIu32 " needs %" PRIu64 " descriptors a process and the limit is %" PRIu64
                  ": maxconn is %" PRIu32 " until the limit is raised (LimitNOFILE=%" PRIu64
                  " in the systemd unit, or `ulimit -n` in the shell that starts noxy)",
                  maxconn, (uint64_t)need, (uint64_t)limit.rlim_cur, fit, (uint64_t)need);
    return fit;
}
