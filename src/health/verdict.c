#include <stdio.h>
#include <string.h>

#include "health/target.h"
#include "net/tls.h"

static enum health health_of(const struct target *t)
{
    return (enum health)atomic_load(&t->server->slot->health);
}

static void set_health(struct target *t, enum health h, enum reason why, const char *text)
{
    t->down_reason = why;
    t->seen = h;
    server_set_health(t->server, h, text);
}

bool verdict_noticed(struct target *t)
{
    enum health now = health_of(t);
    if (now == t->seen)
        return false;
    t->seen = now;
    t->passes = t->fails = 0;
    t->down_reason = REASON_NONE;
    return true;
}

static void passed(struct target *t)
{
    state_count(t->block, COUNTER_CHECKS_PASSED, 1);
    t->fails = 0;
    t->passes++;
    if (t->seen == HEALTH_UP)
        return;
    bool first = t->seen == HEALTH_UNKNOWN || t->first_counts;
    if (!first && t->passes < t->conf->rise)
        return;
    char text[64] = "first check passed";
    if (!first)
        snprintf(text, sizeof text, "%u of %u checks passed", t->conf->rise, t->conf->rise);
    atomic_store(&t->server->slot->failures, 0); /* traffic starts anew with it, too */
    set_health(t, HEALTH_UP, REASON_NONE, text);
}

/* What a check met, in words. */
static void describe(const struct target *t, enum reason why, int error, char *out, size_t size)
{
    const char *more = error ? strerrordesc_np(error) : NULL;
    switch (why) {
    case REASON_SERVER_REFUSED:
        snprintf(out, size, "connect refused");
        break;
    case REASON_SERVER_RESET:
        snprintf(out, size, "connection reset");
        break;
    case REASON_SERVER_CONNECT_TIMEOUT:
        snprintf(out, size, "no connection within %llu ms", (unsigned long long)t->conf->timeout / 1000);
        break;
    case REASON_SERVER_TLS:
    case REASON_SERVER_CERTIFICATE:
        snprintf(out, size, "%s: %.80s", why == REASON_SERVER_TLS ? "TLS" : "certificate",
                 conn_tls_failure()->words);
        break;
    case REASON_SERVER_UNREACHABLE:
        snprintf(out, size, "unreachable (%s)", more ? more : "unknown error");
        break;
    default:
        snprintf(out, size, "%s", reason_sentence(why));
    }
}

static void failed(struct target *t, enum reason why, int error)
{
    char what[100], text[150];
    state_count(t->block, COUNTER_CHECKS_FAILED, 1);
    t->passes = 0;
    t->fails++;
    bool first = t->seen == HEALTH_UNKNOWN || t->first_counts;
    if ((!first && t->fails < t->conf->fall) || (t->seen == HEALTH_DOWN && why == t->down_reason))
        return;
    describe(t, why, error, what, sizeof what);
    if (first)
        snprintf(text, sizeof text, "%s, first check", what);
    else
        snprintf(text, sizeof text, "%s, %u of %u checks", what, t->conf->fall, t->conf->fall);
    set_health(t, HEALTH_DOWN, why, text);
}

void verdict(struct target *t, enum reason why, int error)
{
    if (why == REASON_RESOURCES)
        return;
    verdict_noticed(t);
    if (why == REASON_NONE)
        passed(t);
    else
        failed(t, why, error);
    t->first_counts = false;
}

void verdict_unresolved(struct target *t, const char *reason)
{
    char text[512];
    set_health(t, HEALTH_DOWN, REASON_SERVER_UNRESOLVED, lookup_reason(t->server, reason, text, sizeof text));
}
