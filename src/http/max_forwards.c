/*
 * max_forwards.c: TRACE and OPTIONS may say how often they may be passed on
 * (RFC 9110, 7.6.2). With none left, noxy is the one that answers, where the
 * frontend's rules don't. For other methods the field means nothing.
 */
#include <stdio.h>

#include "http/exchange.h"
#include "http/http.h"

enum { LINE_SIZE = 32, FORWARDS_MAX = 1000000000 };

/* Digits, however many. What is more than FORWARDS_MAX counts as that. */
static bool read_number(struct slice s, uint32_t *n)
{
    uint64_t number = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        number = MIN(number * 10 + (uint64_t)(s.ptr[i] - '0'), (uint64_t)FORWARDS_MAX);
    }
    *n = (uint32_t)number;
    return s.len > 0;
}

/* What a reflected request must not show (RFC 9110, 9.3.8). */
static bool is_secret(const struct field *f)
{
    return f->id == FIELD_AUTHORIZATION || f->id == FIELD_PROXY_AUTHORIZATION || f->id == FIELD_COOKIE;
}

/* What the client asked with: rules may have changed the request's. */
static struct slice asked_method(const struct exchange *x)
{
    return x->asked_method.len ? x->asked_method : x->request.method;
}

/* The request as it was received, without what rules have set, as the body of the answer to TRACE. */
static void answer_trace(struct exchange *x)
{
    const struct message *m = &x->request;
    struct slice method = asked_method(x);
    size_t size = method.len + m->target.len + LINE_SIZE, len;
    for (unsigned i = 0; i < m->count; i++)
        size += m->fields[i].name_len + m->fields[i].value_len + 4u;
    char *text = exchange_alloc(x, size);
    len = (size_t)snprintf(text, size, "%.*s %.*s %.*s\r\n", SLICE_ARG(method), SLICE_ARG(m->target),
                           SLICE_ARG(http_version_text(m->version)));
    for (unsigned i = 0; i < m->count; i++) {
        const struct field *f = &m->fields[i];
        if (!is_secret(f) && !f->own)
            len += (size_t)snprintf(text + len, size - len, "%.*s: %.*s\r\n", f->name_len, f->name,
                                    f->value_len, f->value);
    }
    struct answer a = {.status = 200, .content_type = SLICE("message/http"), .body = {text, len}};
    exchange_answer(x, &a, REASON_RESPONDED);
}

/* One fewer for the next. */
static void count_down(struct exchange *x, struct field *f, uint32_t left)
{
    static const char name[] = "Max-Forwards";
    char *line = exchange_alloc(x, LINE_SIZE);
    int len = snprintf(line, LINE_SIZE, "%s: %u\r\n", name, left - 1);
    f->dropped = true;
    message_add_raw(&x->request, FIELD_MAX_FORWARDS, line, sizeof name - 1, (size_t)len - sizeof name - 3);
}

static bool is_trace(struct slice method)
{
    return slice_equal(method, SLICE("TRACE"));
}

/* The field, where it means something. */
static struct field *find(struct message *m)
{
    struct field *f = message_find(m, FIELD_MAX_FORWARDS);
    return f && (is_trace(m->method) || slice_equal(m->method, SLICE("OPTIONS"))) ? f : NULL;
}

uint16_t http_last_forward(struct message *m)
{
    const struct field *f = find(m);
    uint32_t left = 0;
    if (!f)
        return 0;
    if (!read_number(field_value(f), &left))
        return 400;
    return left > 0 ? 0 : is_trace(m->method) ? 200 : 204;
}

bool exchange_count_forwards(struct exchange *x)
{
    struct field *f = find(&x->request);
    uint32_t left;
    if (!f)
        return true;
    if (!read_number(field_value(f), &left)) {
        x->client_close = true;
        exchange_answer_status(x, 400, REASON_CLIENT_BAD_REQUEST);
        return false;
    }
    x->last_to_get = left == 0;
    if (left > 0)
        count_down(x, f, left);
    return true;
}

void exchange_answer_last(struct exchange *x)
{
    if (is_trace(asked_method(x)))
        answer_trace(x);
    else
        exchange_answer(x, &(struct answer){.status = 204}, REASON_RESPONDED);
}
