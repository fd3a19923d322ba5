#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "http1/body.h"
#include "http1/head.h"

static struct message m;

/* ---- requests ---- */

/* What becomes of a request's head: 0 taken, or the status of the refusal. The empty line is added. */
struct head_case {
    const char *head;
    uint16_t status;
};

#define GET "GET / HTTP/1.1\r\n"
#define OK  GET "Host: a\r\n"

static const struct head_case requests[] = {
    {OK, 0},
    {"GET /a?b=c&d#e HTTP/1.1\r\nHost: a\r\n", 400}, /* a fragment */
    {"GET /a?b=c&d HTTP/1.1\r\nHost: a\r\n", 0},
    {"GET  / HTTP/1.1\r\nHost: a\r\n", 400},
    {"GET /  HTTP/1.1\r\nHost: a\r\n", 400},
    {"GET / HTTP/1.1 \r\nHost: a\r\n", 400},
    {"GET\t/ HTTP/1.1\r\nHost: a\r\n", 400},
    {"GET /\x01 HTTP/1.1\r\nHost: a\r\n", 400},
    {"GET /\x80 HTTP/1.1\r\nHost: a\r\n", 400},
    {"GET / HTTP/2.0\r\nHost: a\r\n", 505},
    {"GET / HTTP/0.9\r\nHost: a\r\n", 505},
    {"GET / HTTP/1.0\r\n", 0},
    {"GET / HTTP/1.2\r\nHost: a\r\n", 0},
    {"GET / http/1.1\r\nHost: a\r\n", 400},
    {"GET /\r\n", 400},
    {"BREW / HTTP/1.1\r\nHost: a\r\n", 0},
    {"B\x7fW / HTTP/1.1\r\nHost: a\r\n", 400},
    {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n", 405},
    {"TRACE / HTTP/1.1\r\nHost: a\r\n", 0}, /* whether it is allowed is the frontend's business */
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n", 0},
    {"GET * HTTP/1.1\r\nHost: a\r\n", 400},
    {"GET a:80 HTTP/1.1\r\nHost: a\r\n", 400},
    {"GET http://a/ HTTP/1.1\r\nHost: b\r\n", 0},
    {"GET http://a@b/ HTTP/1.1\r\nHost: b\r\n", 400},
    {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n", 400},
    {"GET http:///x HTTP/1.1\r\nHost: a\r\n", 400},
    /* Host */
    {GET, 400},
    {OK "Host: a\r\n", 400},
    {OK "host: b\r\n", 400},
    {GET "Host: a, b\r\n", 400},
    {GET "Host: a b\r\n", 400},
    {GET "Host: a/b\r\n", 400},
    {GET "Host: u@a\r\n", 400},
    {GET "Host: a:80\r\n", 0},
    {GET "Host: a:8x\r\n", 400},
    {GET "Host: a:123456\r\n", 400},
    {GET "Host: [::1]:80\r\n", 0},
    {GET "Host: [::1\r\n", 400},
    {GET "Host: [::x]\r\n", 400},
    {GET "Host: [::1]80\r\n", 400},
    {GET "Host:\r\n", 0},
    {GET "Host: a:\r\n", 0},
    {GET "Host: a:65535\r\n", 0},
    {GET "Host: a:65536\r\n", 400},
    {GET "Host: a,b\r\n", 400},
    {GET "Host: a%20b\r\n", 400},
    {GET "Host: a.b.:80\r\n", 0},
    {GET "Host: a.b..\r\n", 400},
    {GET "Host: a..b\r\n", 400},
    {GET "Host: .a\r\n", 400},
    {GET "Host: .\r\n", 400},
    {GET "Host: a%2\r\n", 400},
    {GET "Host: a%2x\r\n", 400},
    {GET "Host: [:::]\r\n", 400},
    {GET "Host: [1.2.3.4]\r\n", 400},
    {GET "Host: [::ffff:1.2.3.4]\r\n", 0},
    {GET "Host: [0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]\r\n", 400},
    /* fields */
    {OK "A : b\r\n", 400},
    {OK " A: b\r\n", 400},
    {OK ": b\r\n", 400},
    {OK "A\r\n", 400},
    {OK "A\x01: b\r\n", 400},
    {OK "(A): b\r\n", 400},
    {OK "A: b\x01\r\n", 400},
    {OK "A: b\x7f\r\n", 400},
    {OK "A: b\rc\r\n", 400},
    {OK "A: \xc3\xa4\t\x80\r\n", 0},
    {OK "A:\r\n", 0},
    {OK "A:b\r\n", 0},
    {OK "A:  b  \r\n", 0},
    /* framing */
    {OK "Content-Length: 5\r\n", 0},
    {OK "Content-Length: 0\r\n", 0},
    {OK "Content-Length: +5\r\n", 400},
    {OK "Content-Length: -5\r\n", 400},
    {OK "Content-Length: 5 5\r\n", 400},
    {OK "Content-Length: 5,5\r\n", 400},
    {OK "Content-Length: 5, 5\r\n", 400},
    {OK "Content-Length: 0x5\r\n", 400},
    {OK "Content-Length: 5\r\nContent-Length: 5\r\n", 400},
    {OK "Content-Length: 5\r\nContent-Length: 6\r\n", 400},
    {OK "Content-Length:\r\n", 400},
    {OK "Content-Length: 9223372036854775807\r\n", 0},
    {OK "Content-Length: 9223372036854775808\r\n", 400},
    {OK "Content-Length: 18446744073709551617\r\n", 400},
    {OK "Content-Length: 00000000000000000000000005\r\n", 400},
    {OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
    {OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400},
    {OK "Transfer-Encoding: chunked\r\n", 0},
    {OK "Transfer-Encoding: CHUNKED\r\n", 0},
    {OK "transfer-encoding:\tchunked \r\n", 0},
    {OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
    {OK "Transfer-Encoding: chunked, chunked\r\n", 400},
    {OK "Transfer-Encoding: gzip, chunked\r\n", 501},
    {OK "Transfer-Encoding: gzip\r\n", 501},
    {OK "Transfer-Encoding: identity\r\n", 501},
    {OK "Transfer-Encoding: chunked, gzip\r\n", 400},
    {OK "Transfer-Encoding: chunked,\r\n", 400},
    {OK "Transfer-Encoding: [chunked]\r\n", 400},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n", 400},
    {OK "Content-Length: 0000000000000000005\r\n", 0},
    {OK "Content-Length: 00000000000000000005\r\n", 400},
    {OK "Transfer-Encoding: xchunked\r\n", 501},
    {OK "Transfer-Encoding: chunked;a=b\r\n", 400},
    {OK "Transfer-Encoding: \"chunked\"\r\n", 400},
    {OK "Transfer-Encoding:\r\n", 400},
    {OK "Transfer-Encoding: \x0b"
        "chunked\r\n",
     400},
    {OK "Transfer-Encoding : chunked\r\n", 400},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", 400},
};

START_TEST(requests_are_taken_or_refused)
{
    const struct head_case *c = &requests[_i];
    char head[512];
    int len = snprintf(head, sizeof head, "%s\r\n", c->head);
    /* An exact copy, so that a sanitizer sees each byte read beyond it. */
    char *exact = malloc((size_t)len);
    memcpy(exact, head, (size_t)len);
    struct head_scan scan = {0};
    int found = head_scan(&scan, exact, (size_t)len);
    uint16_t status = found == len ? head_parse_request(&m, exact, (size_t)len) : 400;
    ck_assert_msg(status == c->status, "%u instead of %u for %s", status, c->status, c->head);
    free(exact);
}
END_TEST

static void parse(const char *head)
{
    ck_assert_uint_eq(head_parse_request(&m, head, strlen(head)), 0);
}

static void assert_slice(struct slice s, const char *want)
{
    ck_assert_msg(slice_equal(s, slice_of(want)), "\"%.*s\" instead of \"%s\"", SLICE_ARG(s), want);
}

START_TEST(a_request_is_taken_apart)
{
    parse("POST /a/b?c HTTP/1.1\r\nHost: x:81\r\nX-A:  1 \r\nContent-Length: 12\r\n\r\n");
    assert_slice(m.method, "POST");
    assert_slice(m.target, "/a/b?c");
    assert_slice(m.path, "/a/b?c");
    assert_slice(m.host, "x:81");
    assert_slice(m.raw_line, "POST /a/b?c HTTP/1.1\r\n");
    ck_assert_uint_eq(m.count, 3);
    assert_slice(field_value(&m.fields[1]), "1");
    ck_assert(m.fields[0].raw && !m.fields[1].raw); /* spaces behind a value are not passed on */
    ck_assert_uint_eq(m.body, BODY_LENGTH);
    ck_assert_uint_eq(m.body_length, 12);
    ck_assert(!m.close && !m.upgrade && !m.head_method);
}
END_TEST

START_TEST(an_absolute_target_overrides_host)
{
    parse("GET HTTP://a.b:8/c?d HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_slice(m.host, "a.b:8");
    assert_slice(m.path, "/c?d");
    ck_assert_uint_eq(m.raw_line.len, 0);
    parse("GET http://a HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_slice(m.path, "");
    parse("GET https://a?q HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_slice(m.path, "?q");
    assert_slice(m.scheme, "https");
    parse("OPTIONS http://a HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_slice(m.path, "*");
    parse("OPTIONS http://a/ HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_slice(m.path, "/");
}
END_TEST

/* A line of its own that is passed on as it is ends where its line ends. */
START_TEST(an_empty_value_ends_with_its_line)
{
    static const char *const heads[] = {OK "A:\r\n\r\n", OK "A: \r\n\r\n", OK "A: \t \r\n\r\n",
                                        GET "A:\r\nHost: a\r\n\r\n", GET "A: \r\nHost: a\r\n\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        parse(heads[i]);
        struct field *f = m.fields[0].name[0] == 'A' ? &m.fields[0] : &m.fields[1];
        const char *lf = strchr(f->name, '\n');
        ck_assert_uint_eq(f->value_len, 0);
        ck_assert_msg(!f->raw || f->value + f->value_len + 1 == lf, "%s", heads[i]);
    }
}
END_TEST

START_TEST(http_1_0_has_no_expectation_and_a_body_no_upgrade)
{
    parse("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
    ck_assert(m.fields[0].dropped && !m.fields[1].dropped);
    parse("POST / HTTP/1.0\r\nHost:\r\n\r\n");
    ck_assert(m.fields[0].dropped);
    parse("POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 1\r\n\r\n");
    ck_assert(!m.upgrade);
}
END_TEST

START_TEST(connection_options_are_understood)
{
    parse("GET / HTTP/1.0\r\n\r\n");
    ck_assert(m.close);
    parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    ck_assert(!m.close);
    parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n");
    ck_assert(m.close);
    parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    ck_assert(m.upgrade);
    parse("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
    ck_assert(!m.upgrade);
    parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, http2-settings\r\nUpgrade: h2c\r\n\r\n");
    ck_assert(!m.upgrade);
}
END_TEST

START_TEST(heads_are_found_however_they_trickle)
{
    static const struct {
        const char *bytes;
        int len;
    } cases[] = {
        {OK "\r\nrest", 27},
        {"\r\n" OK "\r\n", 29},
        {"\r\n\r\n" OK "\r\n", 31},
        {"\r\n\r\n\r\n" OK "\r\n", HEAD_BAD},
        {"\nGET", HEAD_BAD},
        {"GET / HTTP/1.1\nHost: a\n\n", HEAD_BAD},
        {OK "\n", HEAD_BAD},
        {OK "A: b\r\n c\r\n\r\n", HEAD_BAD},
        {OK "A: b\r\n\tc\r\n\r\n", HEAD_BAD},
        {OK "\r\r\n", HEAD_BAD},
        {OK "A: b\r\n\r\r\n\r\n", HEAD_BAD},
        {"GET /\r\n", HEAD_BAD}, /* without waiting for an empty line */
        {"GET / HTTP/1.10\r\n", HEAD_BAD},
        {"220 mail\r\n", HEAD_BAD},
        {" GET / HTTP/1.1\r\n", HEAD_BAD},
        {"GET / HTTP/1.1\r\n", HEAD_MORE},
        {"HTTP/1.1 200\r\n", HEAD_MORE},
        {OK, HEAD_MORE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].bytes);
        for (size_t split = 0; split <= len; split++) {
            struct head_scan scan = {0};
            int found = head_scan(&scan, cases[i].bytes, split);
            if (found == HEAD_MORE)
                found = head_scan(&scan, cases[i].bytes, len);
            ck_assert_int_eq(found, cases[i].len);
            ck_assert(found <= 0 || scan.start_line == 16);
        }
    }
}
END_TEST

START_TEST(too_many_fields_are_refused)
{
    static char head[20000] = OK;
    struct head_scan scan = {0};
    for (int i = 0; i < MESSAGE_FIELDS_MAX - 1; i++)
        strcat(head, "A: b\r\n");
    size_t len = strlen(head);
    memcpy(head + len, "\r\n", 2);
    ck_assert_int_eq(head_scan(&scan, head, len + 2), (int)len + 2);
    ck_assert_uint_eq(head_parse_request(&m, head, len + 2), 0);
    ck_assert_uint_eq(m.count, MESSAGE_FIELDS_MAX);
    memcpy(head + len, "A: b\r\n\r\n", 8);
    scan = (struct head_scan){0};
    ck_assert_int_eq(head_scan(&scan, head, len + 8), HEAD_TOO_MANY);
    ck_assert_uint_eq(head_parse_request(&m, head, len + 8), 431);
}
END_TEST

/* ---- responses ---- */

struct response_case {
    const char *head;
    bool to_head;
    uint16_t refused;
    enum body_kind body;
    uint64_t length;
    bool close;
};

#define R200 "HTTP/1.1 200 OK\r\n"

static const struct response_case responses[] = {
    {R200, false, 0, BODY_CLOSE, 0, true},
    {"HTTP/1.1 200\r\nContent-Length: 3\r\n", false, 0, BODY_LENGTH, 3, false},
    {"HTTP/1.1 200 \r\nContent-Length: 3\r\n", false, 0, BODY_LENGTH, 3, false},
    {R200 "Content-Length: 3\r\n", false, 0, BODY_LENGTH, 3, false},
    {R200 "Content-Length: 0\r\n", false, 0, BODY_NONE, 0, false},
    {R200 "Content-Length: 3\r\n", true, 0, BODY_NONE, 0, false},
    {R200 "Transfer-Encoding: chunked\r\n", false, 0, BODY_STREAM, 0, false},
    {R200 "Transfer-Encoding: chunked\r\nConnection: close\r\n", false, 0, BODY_STREAM, 0, true},
    {"HTTP/1.1 204 No Content\r\n", false, 0, BODY_NONE, 0, false},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n", false, 0, BODY_NONE, 0, false},
    {"HTTP/1.1 100 Continue\r\n", false, 0, BODY_NONE, 0, false},
    {"HTTP/1.1 103 Hints\r\nContent-Length: 9\r\n", false, 0, BODY_NONE, 0, false},
    {"HTTP/1.1 204 No\r\nContent-Length: 9\r\n", false, 0, BODY_NONE, 0, false},
    {"HTTP/1.1 304 No\r\nTransfer-Encoding: gzip\r\n", false, 0, BODY_NONE, 0, false},
    {"HTTP/1.1 103 Hints\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n", false, 0, BODY_NONE, 0,
     false},
    {R200 "Content-Length: 3\t\r\n", false, 0, BODY_LENGTH, 3, false},
    {"HTTP/1.1 200OK\r\n", false, 502, BODY_NONE, 0, false},
    {"HTTP/1.1  200 OK\r\n", false, 502, BODY_NONE, 0, false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n", false, 0, BODY_LENGTH, 3, true},
    {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n", false, 0, BODY_LENGTH, 3, false},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", false, 502, BODY_NONE, 0, false},
    {R200 "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", false, 502, BODY_NONE, 0, false},
    {R200 "Content-Length: 3\r\nContent-Length: 4\r\n", false, 502, BODY_NONE, 0, false},
    {R200 "Content-Length: 3, 3\r\n", false, 502, BODY_NONE, 0, false},
    {R200 "Content-Length: -1\r\n", false, 502, BODY_NONE, 0, false},
    {R200 "Transfer-Encoding: gzip, chunked\r\n", false, 502, BODY_NONE, 0, false},
    {R200 "A: b\x01\r\n", false, 502, BODY_NONE, 0, false},
    {R200 "A : b\r\n", false, 502, BODY_NONE, 0, false},
    {"HTTP/1.1 99 Low\r\n", false, 502, BODY_NONE, 0, false},
    {"HTTP/1.1 600 High\r\n", false, 502, BODY_NONE, 0, false},
    {"HTTP/1.1 2000 Long\r\n", false, 502, BODY_NONE, 0, false},
    {"HTTP/1.1 abc OK\r\n", false, 502, BODY_NONE, 0, false},
    {"HTTP/2.0 200 OK\r\n", false, 502, BODY_NONE, 0, false},
    {"ICY 200 OK\r\n", false, 502, BODY_NONE, 0, false},
};

START_TEST(responses_are_taken_or_refused)
{
    const struct response_case *c = &responses[_i];
    char head[512];
    int len = snprintf(head, sizeof head, "%s\r\n", c->head);
    uint16_t refused = head_parse_response(&m, head, (size_t)len, c->to_head);
    ck_assert_msg(refused == c->refused, "%u for %s", refused, c->head);
    if (refused)
        return;
    for (unsigned i = 0; i < m.count; i++)
        if (m.fields[i].id == FIELD_CONTENT_LENGTH)
            ck_assert(m.fields[i].dropped == (m.status < 200 || m.status == 204));
    ck_assert_msg(m.body == c->body && m.body_length == c->length && m.close == c->close, "%s", c->head);
}
END_TEST

/* ---- bodies ---- */

struct body_case {
    const char *bytes, *data, *trailers;
    enum body_event end;
    size_t rest; /* bytes left behind the end */
};

static const struct body_case bodies[] = {
    {"5\r\nhello\r\n0\r\n\r\nNEXT", "hello", "\r\n", BODY_ENDED, 4},
    {"0\r\n\r\n", "", "\r\n", BODY_ENDED, 0},
    {"A\r\n0123456789\r\n2;x=\"y\"\r\nab\r\n000\r\nT: v\r\n\r\n", "0123456789ab", "T: v\r\n\r\n", BODY_ENDED,
     0},
    {"2 ;x\r\nab\r\n0\r\n\r\n", "ab", "\r\n", BODY_ENDED, 0},
    {"2\r\nab\r\n", "ab", "", BODY_MORE, 0},
    {"\r\n", "", "", BODY_BAD, 0},
    {"x\r\n", "", "", BODY_BAD, 0},
    {"-1\r\n", "", "", BODY_BAD, 0},
    {"0x2\r\n", "", "", BODY_BAD, 0},
    {"2\nab\r\n", "", "", BODY_BAD, 0},
    {"2\r\nabc\r\n", "ab", "", BODY_BAD, 0},
    {"2\r\nab\n", "ab", "", BODY_BAD, 0},
    {"2\r\nab\r0", "ab", "", BODY_BAD, 0},
    {"2;a\x01\r\n", "", "", BODY_BAD, 0},
    {"2,\r\n", "", "", BODY_BAD, 0},
    {"2 \r\nab\r\n", "", "", BODY_BAD, 0},
    {"2 \t;x\r\nab\r\n0\r\n\r\n", "ab", "\r\n", BODY_ENDED, 0},
    {"2 2\r\n", "", "", BODY_BAD, 0},
    {" 2\r\n", "", "", BODY_BAD, 0},
    {"0\r\n\r\r\n", "", "", BODY_BAD, 0},
    {"0\r\n\rx\r\n", "", "", BODY_BAD, 0},
    {"0\r\nT: v\rU: w\r\n\r\n", "", "", BODY_BAD, 0},
    {"0\r\n\n", "", "", BODY_BAD, 0},
    {"00000000000000001\r\n", "", "", BODY_BAD, 0},
    {"ffffffffffffffff\r\n", "", "", BODY_BAD, 0},
    {"0\r\nT: v\n\r\n", "", "", BODY_BAD, 0},
};

/* Feeds the bytes in two parts; the data are collected. */
static void feed(const struct body_case *c, size_t split)
{
    size_t len = strlen(c->bytes);
    char data[64] = "";
    struct body b;
    struct slice piece;
    enum body_event event = BODY_MORE;
    uint32_t at = 0;
    body_begin(&b, BODY_STREAM, 0);
    for (int part = 0; part < 2 && event == BODY_MORE; part++) {
        uint32_t end = (uint32_t)(part == 0 ? split : len);
        while ((event = body_next(&b, c->bytes, &at, end, &piece)) == BODY_DATA)
            strncat(data, piece.ptr, piece.len);
    }
    ck_assert_msg(event == c->end, "event %d for %s split at %zu", event, c->bytes, split);
    ck_assert_str_eq(data, c->data);
    if (event == BODY_ENDED) {
        ck_assert_uint_eq(len - at, c->rest);
        ck_assert(slice_equal(body_trailers(&b), slice_of(c->trailers)));
    }
    body_free(&b);
}

START_TEST(chunked_bodies_are_decoded_strictly_however_they_are_split)
{
    for (size_t split = 0; split <= strlen(bodies[_i].bytes); split++)
        feed(&bodies[_i], split);
}
END_TEST

START_TEST(extensions_and_trailers_are_bounded)
{
    static char bytes[20000];
    struct body b;
    struct slice piece;
    uint32_t at = 0;
    strcpy(bytes, "2;");
    memset(bytes + 2, 'x', CHUNK_EXTENSIONS_MAX + 10);
    body_begin(&b, BODY_STREAM, 0);
    ck_assert_int_eq(body_next(&b, bytes, &at, sizeof bytes, &piece), BODY_BAD);
    strcpy(bytes, "0\r\nT: ");
    memset(bytes + 6, 'x', sizeof bytes - 6);
    at = 0;
    body_begin(&b, BODY_STREAM, 0);
    ck_assert_int_eq(body_next(&b, bytes, &at, sizeof bytes, &piece), BODY_BAD);
    body_free(&b);
}
END_TEST

START_TEST(a_length_ends_where_it_says)
{
    struct body b;
    struct slice piece;
    uint32_t at = 0;
    body_begin(&b, BODY_LENGTH, 5);
    ck_assert_int_eq(body_next(&b, "hel", &at, 3, &piece), BODY_DATA);
    ck_assert_int_eq(body_next(&b, "hel", &at, 3, &piece), BODY_MORE);
    ck_assert_int_eq(body_next(&b, "helloNEXT", &at, 9, &piece), BODY_DATA);
    assert_slice(piece, "lo");
    ck_assert_int_eq(body_next(&b, "helloNEXT", &at, 9, &piece), BODY_ENDED);
    ck_assert_uint_eq(at, 5);
}
END_TEST

START_TEST(trailers_never_change_framing_or_routing)
{
    static const char good[] = "X: 1\r\nHost: evil\r\nContent-Length: 3\r\nY:\r\n\r\n";
    ck_assert(head_parse_trailers(&m, good, sizeof good - 1));
    ck_assert_uint_eq(m.count, 4);
    ck_assert(!m.fields[0].dropped && m.fields[1].dropped && m.fields[2].dropped && !m.fields[3].dropped);
    ck_assert(!head_parse_trailers(&m, "X\r\n\r\n", 5));
    ck_assert(!head_parse_trailers(&m, "X : 1\r\n\r\n", 9));
    ck_assert(!head_parse_trailers(&m, "X: 1\r2\r\n\r\n", 10));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http1");
    TCase *tcase = tcase_create("http1");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, requests_are_taken_or_refused, 0, ARRAY_LEN(requests));
    tcase_add_test(tcase, a_request_is_taken_apart);
    tcase_add_test(tcase, an_absolute_target_overrides_host);
    tcase_add_test(tcase, an_empty_value_ends_with_its_line);
    tcase_add_test(tcase, http_1_0_has_no_expectation_and_a_body_no_upgrade);
    tcase_add_test(tcase, connection_options_are_understood);
    tcase_add_test(tcase, heads_are_found_however_they_trickle);
    tcase_add_test(tcase, too_many_fields_are_refused);
    tcase_add_loop_test(tcase, responses_are_taken_or_refused, 0, ARRAY_LEN(responses));
    tcase_add_loop_test(tcase, chunked_bodies_are_decoded_strictly_however_they_are_split, 0,
                        ARRAY_LEN(bodies));
    tcase_add_test(tcase, extensions_and_trailers_are_bounded);
    tcase_add_test(tcase, a_length_ends_where_it_says);
    tcase_add_test(tcase, trailers_never_change_framing_or_routing);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
