/*
 * answer.c: noxy's own responses.
 */
#include <stdio.h>
#include <time.h>

#include "http/http.h"
#include "http/status.h"

#define RETRY_AFTER_SECONDS "5" /* a server that is back is noticed by then, as a rule */

enum { PAGE_MAX = 512, LINE_MAX_LEN = 256 };

/* Adds "name: value" to the message, as text that lives as long as the exchange. */
static void add_line(struct exchange *x, struct message *m, enum field_id id, const char *name,
                     struct slice value)
{
    char line[LINE_MAX_LEN];
    int len = snprintf(line, sizeof line, "%s: %.*s\r\n", name, SLICE_ARG(value));
    if (len < 0 || (size_t)len >= sizeof line)
        return;
    char *kept = exchange_alloc(x, (size_t)len);
    memcpy(kept, line, (size_t)len);
    message_add_raw(m, id, kept, strlen(name), value.len);
}

static void add_date(struct exchange *x, struct message *m)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static time_t written;
    static char text[64];
    time_t now = time(NULL);
    if (now != written) {
        struct tm t;
        gmtime_r(&now, &t);
        snprintf(text, sizeof text, "%s, %02d %s %d %02d:%02d:%02d GMT", days[t.tm_wday], t.tm_mday,
                 months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
        written = now;
    }
    add_line(x, m, FIELD_DATE, "Date", slice_of(text));
}

/* What a status asks for: when to come back (RFC 9110, 10.2.3), which methods are allowed (15.5.6). */
static void add_status_fields(struct exchange *x, struct message *m)
{
    if (m->status == 503)
        add_line(x, m, FIELD_RETRY_AFTER, "Retry-After", SLICE(RETRY_AFTER_SECONDS));
    if (m->status == 405 || (m->status == 204 && slice_equal(x->request.method, SLICE("OPTIONS"))))
        add_line(x, m, FIELD_OTHER, "Allow", SLICE("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
}

/* The operator's lines stand for noxy's own of that name. */
static void add_own_fields(struct message *m, const struct answer *a)
{
    unsigned own = m->count;
    for (unsigned i = 0; i < a->field_count && m->count < ARRAY_LEN(m->fields); i++) {
        const struct field *f = &a->fields[i];
        for (unsigned j = 0; j < own; j++)
            if (slice_equal_nocase(field_name(&m->fields[j]), field_name(f)))
                m->fields[j].dropped = true;
        m->fields[m->count++] = *f;
    }
}

void exchange_answer(struct exchange *x, const struct answer *a, enum reason why)
{
    static struct message m;
    char length[24];
    struct stream *c = x->client;
    message_init(&m);
    m.status = a->status;
    m.reason = slice_of(status_phrase(a->status));
    m.version = HTTP_1_1;
    m.body = a->body.len ? BODY_LENGTH : BODY_NONE;
    m.body_length = a->body.len;
    if (x->request.head_method)
        m.body = BODY_NONE;
    add_date(x, &m);
    add_status_fields(x, &m);
    if (a->body.len)
        add_line(x, &m, FIELD_CONTENT_TYPE, "Content-Type", a->content_type);
    snprintf(length, sizeof length, "%zu", a->body.len);
    if (a->status != 204 && a->status != 304)
        add_line(x, &m, FIELD_CONTENT_LENGTH, "Content-Length", slice_of(length));
    else
        m.body = BODY_NONE;
    add_own_fields(&m, a);
    if (!x->request_ended)
        x->client_close = true;
    x->status = a->status;
    x->response_begun = true;
    c->ops->head(c, &m);
    if (m.body == BODY_LENGTH) {
        c->ops->body(c, a->body.ptr, a->body.len);
        x->bytes_out += a->body.len;
        state_count(x->frontend->block, COUNTER_BYTES_OUT, a->body.len);
    }
    c->ops->end(c, NULL);
    x->response_ended = true;
    c->ops->flush(c);
    exchange_finish(x, why);
}

static const char json_page[] = "{\"status\": %u, \"error\": \"%s\", \"reason\": \"%s\"}\n";
static const char html_page[] = "<!DOCTYPE html>\n<html><head><title>%u %s</title></head>\n"
                                "<body><h1>%u %s</h1></body></html>\n";

void exchange_answer_status(struct exchange *x, uint16_t status, enum reason why)
{
    const struct answer *own = http_conf_error_page(x->frontend->http, status);
    const char *phrase = status_phrase(status);
    if (own) {
        exchange_answer(x, own, why);
        return;
    }
    bool json = exchange_wants_json(&x->request);
    char *page = exchange_alloc(x, PAGE_MAX);
    int len = json ? snprintf(page, PAGE_MAX, json_page, status, phrase, reason_word(why))
                   : snprintf(page, PAGE_MAX, html_page, status, phrase, status, phrase);
    struct answer a = {
        .status = status,
        .content_type = json ? SLICE("application/json") : SLICE("text/html; charset=utf-8"),
        .body = {page, (size_t)MAX(len, 0)},
    };
    exchange_answer(x, &a, why);
}
