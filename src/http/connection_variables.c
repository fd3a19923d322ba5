/*
 * connection_variables.c: what expressions know without a message: the
 * connection, the time and noxy itself. One row and one function each.
 */
#include "config.h"

#include <unistd.h>

#include "http/calendar.h"
#include "http/subject.h"
#include "rules/rules.h"

enum { MICROSECONDS = 1000000 };

static const struct http_subject *subject_of(const struct rules_run *run)
{
    return run->subject;
}

/* ---- the connection ---- */

static void get_src(struct rules_run *run, struct rules_value *out)
{
    out->ip = subject_of(run)->src;
}

static void get_src_port(struct rules_run *run, struct rules_value *out)
{
    out->number = subject_of(run)->src_port;
}

static void get_dst(struct rules_run *run, struct rules_value *out)
{
    out->ip = subject_of(run)->dst;
}

static void get_dst_port(struct rules_run *run, struct rules_value *out)
{
    out->number = subject_of(run)->dst_port;
}

static void get_peer(struct rules_run *run, struct rules_value *out)
{
    out->ip = subject_of(run)->peer;
}

static void get_frontend(struct rules_run *run, struct rules_value *out)
{
    const char *frontend = subject_of(run)->frontend;
    out->string = slice_of(frontend ? frontend : "");
}

/* ---- the time ---- */

static uint64_t seconds_of(const struct rules_run *run)
{
    return subject_of(run)->now_us / MICROSECONDS;
}

static const struct calendar *calendar_of(const struct rules_run *run)
{
    return calendar_at(seconds_of(run));
}

static void get_now(struct rules_run *run, struct rules_value *out)
{
    out->number = (int64_t)seconds_of(run);
}

static void get_now_ms(struct rules_run *run, struct rules_value *out)
{
    out->number = (int64_t)(subject_of(run)->now_us / 1000);
}

static void get_hour(struct rules_run *run, struct rules_value *out)
{
    out->number = calendar_of(run)->hour;
}

static void get_minute(struct rules_run *run, struct rules_value *out)
{
    out->number = calendar_of(run)->minute;
}

static void get_weekday(struct rules_run *run, struct rules_value *out)
{
    out->number = calendar_of(run)->weekday;
}

/* The calendar changes with the next minute, a value lives as long as its run: a copy. */
static void get_date(struct rules_run *run, struct rules_value *out)
{
    size_t len = sizeof(((struct calendar *)0)->date) - 1;
    char *copy = rules_alloc(run, len);
    out->string = SLICE("");
    if (!copy)
        return;
    memcpy(copy, calendar_of(run)->date, len);
    out->string = (struct slice){copy, len};
}

/* ---- noxy itself ---- */

static void get_generation(struct rules_run *run, struct rules_value *out)
{
    out->number = subject_of(run)->generation;
}

static void get_hostname(struct rules_run *run, struct rules_value *out)
{
    static char name[256]; /* asked for once a process */
    (void)run;
    if (name[0] == '\0' && gethostname(name, sizeof name - 1) < 0)
        name[0] = '\0';
    out->string = slice_of(name);
}

static void get_noxy_version(struct rules_run *run, struct rules_value *out)
{
    (void)run;
    out->string = SLICE(PACKAGE_VERSION);
}

const struct rules_variable http_connection_variables[] = {
    {.name = "src",
     .type = RULES_IP,
     .stages = RULES_ANYWHERE,
     .get = get_src,
     .doc = "The client's address: the one that a trusted proxy names, or a PROXY header, else the peer's.",
     .example = "in_net(src, '10.0.0.0/8')",
     .source = ""},
    {.name = "src_port",
     .type = RULES_INT,
     .stages = RULES_ANYWHERE,
     .get = get_src_port,
     .doc = "The client's port; 0 if it isn't known.",
     .example = "src_port < 1024",
     .source = ""},
    {.name = "dst",
     .type = RULES_IP,
     .stages = RULES_ANYWHERE,
     .get = get_dst,
     .doc = "The address that the client is connected to: noxy's, or the one that a PROXY header names.",
     .example = "dst == '192.0.2.1'",
     .source = ""},
    {.name = "dst_port",
     .type = RULES_INT,
     .stages = RULES_ANYWHERE,
     .get = get_dst_port,
     .doc = "The port that the client is connected to: noxy's, or the one that a PROXY header names.",
     .example = "dst_port == 8080",
     .source = ""},
    {.name = "peer",
     .type = RULES_IP,
     .stages = RULES_ANYWHERE,
     .get = get_peer,
     .doc =
         "The address of who is connected to noxy: the client, or a proxy in front, whatever client it names "
         "(trusted_proxies, PROXY protocol).",
     .example = "peer != src",
     .source = ""},
    {.name = "frontend",
     .type = RULES_STRING,
     .stages = RULES_ANYWHERE,
     .get = get_frontend,
     .doc = "The name of the frontend that the client is connected to.",
     .example = "frontend == 'web'",
     .source = ""},
    {.name = "now",
     .type = RULES_INT,
     .stages = RULES_ANYWHERE,
     .get = get_now,
     .doc = "Seconds since 1970, UTC.",
     .example = "now < 1798761600",
     .source = ""},
    {.name = "now_ms",
     .type = RULES_INT,
     .stages = RULES_ANYWHERE,
     .get = get_now_ms,
     .doc = "Milliseconds since 1970, UTC.",
     .example = "sprintf('t=%s', now_ms)",
     .source = ""},
    {.name = "hour",
     .type = RULES_INT,
     .stages = RULES_ANYWHERE,
     .get = get_hour,
     .doc = "The hour, 0 to 23, in noxy's time zone.",
     .example = "hour >= 8 && hour < 18",
     .source = ""},
    {.name = "minute",
     .type = RULES_INT,
     .stages = RULES_ANYWHERE,
     .get = get_minute,
     .doc = "The minute, 0 to 59, in noxy's time zone.",
     .example = "hour == 23 && minute >= 30",
     .source = ""},
    {.name = "weekday",
     .type = RULES_INT,
     .stages = RULES_ANYWHERE,
     .get = get_weekday,
     .doc = "The day of the week, 1 Monday to 7 Sunday, in noxy's time zone.",
     .example = "weekday in (6, 7)",
     .source = "ISO 8601"},
    {.name = "date",
     .type = RULES_STRING,
     .stages = RULES_ANYWHERE,
     .get = get_date,
     .doc = "The day, as '2026-11-21', in noxy's time zone.",
     .example = "date in ('2026-12-25', '2026-12-26')",
     .source = "ISO 8601"},
    {.name = "generation",
     .type = RULES_INT,
     .stages = RULES_ANYWHERE,
     .get = get_generation,
     .doc = "The number of noxy's generation: each reload makes the next.",
     .example = "generation > 1",
     .source = ""},
    {.name = "hostname",
     .type = RULES_STRING,
     .stages = RULES_ANYWHERE,
     .get = get_hostname,
     .doc = "The name of the machine that noxy runs on.",
     .example = "hostname == 'lb1'",
     .source = ""},
    {.name = "noxy_version",
     .type = RULES_STRING,
     .stages = RULES_ANYWHERE,
     .get = get_noxy_version,
     .doc = "noxy's version.",
     .example = "sprintf('noxy/%s', noxy_version)",
     .source = ""},
    {.name = NULL},
};
