/*
 * access_line.c: what a line of the access log looks like. docs/access-log.md
 * describes it; what stands there is what others' programs rely on.
 */
#include "log/access_line.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/macros.h"
#include "log/escape.h"
#include "log/target.h"

/* What each value may take of a line, escapes included, so that all fit into it. */
enum {
    NAME_BYTES = 160, /* client, frontend, backend, server, rule */
    WORD_BYTES = 64,  /* method, version */
    HOST_BYTES = 400,
    TARGET_BYTES = 1900,
    FIXED_BYTES = 860, /* names of the fields, numbers, words of our own */
    CUT_BYTES = 3,
};
static_assert(5 * NAME_BYTES + 2 * WORD_BYTES + HOST_BYTES + TARGET_BYTES + FIXED_BYTES <= LINE_MAX_BYTES,
              "a line has room for all");

static char *put(char *at, struct slice s)
{
    memcpy(at, s.ptr, s.len);
    return at + s.len;
}

#define PUT(at, literal) put((at), SLICE(literal))

static char *put_number(char *at, uint64_t n)
{
    char digits[20], *first = digits + sizeof digits;
    do
        *--first = (char)('0' + n % 10);
    while (n /= 10);
    return put(at, (struct slice){first, (size_t)(digits + sizeof digits - first)});
}

/* Microseconds as "1.234" milliseconds. */
static char *put_ms(char *at, uint64_t us)
{
    unsigned rest = (unsigned)(us % 1000);
    at = put_number(at, us / 1000);
    *at++ = '.';
    *at++ = (char)('0' + rest / 100);
    *at++ = (char)('0' + rest / 10 % 10);
    *at++ = (char)('0' + rest % 10);
    return at;
}

/* "2026-11-21T10:00:00.123Z"; all but the milliseconds is made once a second. */
static char *put_time(char *at, uint64_t ms)
{
    static time_t made = -1;
    static char text[32];
    static size_t len;
    time_t second = (time_t)(ms / 1000);
    unsigned rest = (unsigned)(ms % 1000);
    if (second != made) {
        struct tm t;
        gmtime_r(&second, &t);
        len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &t);
        made = second;
    }
    at = put(at, (struct slice){text, len});
    *at++ = (char)('0' + rest / 100);
    *at++ = (char)('0' + rest / 10 % 10);
    *at++ = (char)('0' + rest % 10);
    *at++ = 'Z';
    return at;
}

/* Of the bytes in front, those that stand for themselves in text and in JSON. `also` may be 0. */
static size_t plain_len(struct slice s, char also)
{
    size_t len = 0;
    while (len < s.len && s.ptr[len] >= 0x20 && s.ptr[len] < 0x7f && s.ptr[len] != '"' &&
           s.ptr[len] != '\\' && s.ptr[len] != also)
        len++;
    return len;
}

/* Bytes of whatever kind, within `most`. In text, `also` is one more that is escaped. */
static char *put_bytes(char *at, struct slice s, size_t most, bool json, char also)
{
    const char more[] = {'"', '\\', also, '\0'};
    size_t room = most - CUT_BYTES, plain = plain_len((struct slice){s.ptr, MIN(s.len, room)}, also);
    if (plain > 0)
        at = put(at, (struct slice){s.ptr, plain});
    if (LIKELY(plain == s.len))
        return at;
    s = (struct slice){s.ptr + plain, s.len - plain};
    room -= plain;
    at += json ? escape_json(at, room, &s) : escape_text(at, room, &s, more);
    return s.len > 0 ? PUT(at, "...") : at;
}

/* ---- text ---- */

/* A name without quotes: it has no space. */
static char *put_name(char *at, struct slice s)
{
    return s.len > 0 ? put_bytes(at, s, NAME_BYTES, false, ' ') : PUT(at, "-");
}

static char *put_text_time(char *at, struct slice name, uint64_t us)
{
    at = put(at, name);
    return us == ACCESS_ABSENT ? PUT(at, "-") : put_ms(at, us);
}

static char *put_text_tls(char *at, const struct access_entry *e)
{
    if (e->tls_version.len == 0)
        return PUT(at, "-");
    at = put(at, e->tls_version);
    *at++ = '/';
    return put(at, e->tls_cipher);
}

static char *put_request(char *at, const struct access_entry *e)
{
    *at++ = '"';
    if (e->method.len > 0) {
        at = put_bytes(at, e->method, WORD_BYTES, false, ' ');
        *at++ = ' ';
        at = put_bytes(at, e->target, TARGET_BYTES, false, ' ');
        *at++ = ' ';
        at = put_bytes(at, e->version, WORD_BYTES, false, ' ');
    } else if (e->malformed.len > 0) {
        at = put_bytes(at, e->malformed, TARGET_BYTES, false, '\0');
    } else {
        *at++ = '-';
    }
    *at++ = '"';
    return at;
}

size_t access_line_text(char *out, const struct access_entry *e)
{
    char *at = put_time(out, e->time_ms);
    *at++ = ' ';
    at = put_name(at, e->client);
    *at++ = ' ';
    at = put_name(at, e->frontend);
    *at++ = ' ';
    at = put_name(at, e->backend);
    if (e->backend.len > 0) {
        *at++ = ':';
        at = put_name(at, e->server);
    }
    *at++ = ' ';
    at = e->status ? put_number(at, e->status) : PUT(at, "-");
    at = put_number(PUT(at, " in="), e->bytes_in);
    at = put_number(PUT(at, " out="), e->bytes_out);
    at = put_text_time(at, SLICE(" head="), e->head_us);
    at = put_text_time(at, SLICE(" queue="), e->queue_us);
    at = put_text_time(at, SLICE(" connect="), e->connect_us);
    at = put_text_time(at, SLICE(" first="), e->first_byte_us);
    at = put_text_time(at, SLICE(" total="), e->total_us);
    at = put_number(PUT(at, " retries="), e->retries);
    at = put_number(PUT(at, " gen="), e->generation);
    at = put(PUT(at, " end="), slice_of(e->reason));
    *at++ = '/';
    at = put(at, slice_of(e->ended_by));
    at = put_name(PUT(at, " rule="), e->rule);
    at = put_text_tls(PUT(at, " tls="), e);
    *at++ = ' ';
    at = put_request(at, e);
    at = PUT(at, " host=\"");
    at = e->host.len > 0 ? put_bytes(at, e->host, HOST_BYTES, false, ' ') : PUT(at, "-");
    at = PUT(at, "\"\n");
    return (size_t)(at - out);
}

/* ---- JSON ---- */

static char *put_json_bytes(char *at, struct slice name, struct slice s, size_t most)
{
    at = put(at, name);
    if (s.len == 0)
        return PUT(at, "null");
    *at++ = '"';
    at = put_bytes(at, s, most, true, '\0');
    *at++ = '"';
    return at;
}

static char *put_json_time(char *at, struct slice name, uint64_t us)
{
    at = put(at, name);
    return us == ACCESS_ABSENT ? PUT(at, "null") : put_ms(at, us);
}

size_t access_line_json(char *out, const struct access_entry *e)
{
    bool parsed = e->method.len > 0;
    char *at = put_time(PUT(out, "{\"time\": \""), e->time_ms);
    at = put_json_bytes(at, SLICE("\", \"client\": "), e->client, NAME_BYTES);
    at = put_json_bytes(at, SLICE(", \"frontend\": "), e->frontend, NAME_BYTES);
    at = put_json_bytes(at, SLICE(", \"backend\": "), e->backend, NAME_BYTES);
    at = put_json_bytes(at, SLICE(", \"server\": "), e->server, NAME_BYTES);
    at = PUT(at, ", \"status\": ");
    at = e->status ? put_number(at, e->status) : PUT(at, "null");
    at = put_number(PUT(at, ", \"bytes_in\": "), e->bytes_in);
    at = put_number(PUT(at, ", \"bytes_out\": "), e->bytes_out);
    at = put_json_time(at, SLICE(", \"head_ms\": "), e->head_us);
    at = put_json_time(at, SLICE(", \"queue_ms\": "), e->queue_us);
    at = put_json_time(at, SLICE(", \"connect_ms\": "), e->connect_us);
    at = put_json_time(at, SLICE(", \"first_byte_ms\": "), e->first_byte_us);
    at = put_json_time(at, SLICE(", \"total_ms\": "), e->total_us);
    at = put_number(PUT(at, ", \"retries\": "), e->retries);
    at = put_number(PUT(at, ", \"generation\": "), e->generation);
    at = put(PUT(at, ", \"reason\": \""), slice_of(e->reason));
    at = put(PUT(at, "\", \"ended_by\": \""), slice_of(e->ended_by));
    at = put_json_bytes(at, SLICE("\", \"rule\": "), e->rule, NAME_BYTES);
    at = put_json_bytes(at, SLICE(", \"tls_version\": "), e->tls_version, WORD_BYTES);
    at = put_json_bytes(at, SLICE(", \"tls_cipher\": "), e->tls_cipher, WORD_BYTES);
    at = put_json_bytes(at, SLICE(", \"method\": "), e->method, WORD_BYTES);
    at = put_json_bytes(at, SLICE(", \"target\": "), parsed ? e->target : SLICE(""), TARGET_BYTES);
    at = put_json_bytes(at, SLICE(", \"version\": "), parsed ? e->version : SLICE(""), WORD_BYTES);
    at = put_json_bytes(at, SLICE(", \"host\": "), e->host, HOST_BYTES);
    at = put_json_bytes(at, SLICE(", \"malformed\": "), parsed ? SLICE("") : e->malformed, TARGET_BYTES);
    at = PUT(at, "}\n");
    return (size_t)(at - out);
}
