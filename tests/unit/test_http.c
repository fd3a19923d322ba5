#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"
#include "http/http.h"
#include "http/method.h"
#include "http/status.h"

/* ---- a client and a server that write down what the exchange tells them ---- */

struct fake {
    struct stream stream;
    struct text log; /* "200 body[5] end flush done:ok" */
    size_t pending;
    unsigned resumed;
};

static struct fake client, server;
static enum reason open_fails; /* REASON_NONE: open() gives the server */
static bool open_ready;
static unsigned opened, opened_fresh;

static void fake_head(struct stream *s, const struct message *m)
{
    struct fake *f = (struct fake *)s;
    if (m->status)
        text_printf(&f->log, "%u ", m->status);
    else
        text_printf(&f->log, "%.*s ", SLICE_ARG(m->method));
}

static void fake_body(struct stream *s, const char *bytes, size_t len)
{
    (void)bytes;
    text_printf(&((struct fake *)s)->log, "body[%zu] ", len);
}

static void fake_body_buffer(struct stream *s, struct buffer *b)
{
    fake_body(s, b->data, buffer_len(b));
    buffer_put(b);
}

static void fake_end(struct stream *s, const struct message *trailers)
{
    text_puts(&((struct fake *)s)->log, trailers ? "end+trailers " : "end ");
}

static void fake_flush(struct stream *s)
{
    (void)s;
}

static size_t fake_room(struct stream *s)
{
    return ((struct fake *)s)->pending ? 0 : SIZE_MAX;
}

static void fake_resume(struct stream *s)
{
    ((struct fake *)s)->resumed++;
}

static void fake_done(struct stream *s, enum reason why, bool complete)
{
    text_printf(&((struct fake *)s)->log, "done:%s%s ", reason_word(why), complete ? "" : "!");
}

static const struct stream_ops fake_ops = {
    .name = "fake",
    .head = fake_head,
    .body = fake_body,
    .body_buffer = fake_body_buffer,
    .end = fake_end,
    .flush = fake_flush,
    .room = fake_room,
    .resume = fake_resume,
    .done = fake_done,
};

static struct stream *fake_open(struct exchange *x, struct server *s, bool fresh, bool *ready,
                                enum reason *why)
{
    (void)s;
    opened++;
    opened_fresh += fresh;
    *ready = open_ready && !fresh;
    *why = open_fails;
    if (open_fails != REASON_NONE)
        return NULL;
    server.stream.exchange = x;
    return &server.stream;
}

static const struct server_codec fake_codec = {.name = "fake", .open = fake_open};

/* ---- the world around one exchange ---- */

static struct server servers[2];
static struct server *server_list[2] = {&servers[0], &servers[1]};
static struct backend backend;
static struct http_conf http_conf;
static struct http_backend_conf http_backend_conf;
static struct frontend frontend;
static struct worker worker;
static struct conn conn;
static struct exchange *x;

static void setup(void)
{
    static const char *const names[2] = {"127.0.0.1:1", "127.0.0.2:1"};
    struct error err;
    ck_assert_int_eq(state_open(&err), 0);
    worker.loop = loop_new(&err);
    backend = (struct backend){.name = "b",
                               .algorithm = balance_find("roundrobin"),
                               .servers = server_list,
                               .server_count = 2,
                               .retries = 3,
                               .http = &http_backend_conf};
    for (uint32_t i = 0; i < 2; i++)
        servers[i] = (struct server){
            .addr_port = names[i], .name = names[i], .weight = 1, .backend = &backend, .index = i};
    ck_assert_int_eq(backend_bind_state(&backend, &err), 0);
    backend_start(&backend, worker.loop);
    frontend = (struct frontend){
        .name = "f", .mode = MODE_HTTP, .worker = &worker, .use_backend = &backend, .http = &http_conf};
    ck_assert_int_eq(frontend_bind_state(&frontend, &err), 0);
    frontend.block = state_block(frontend.slot);
    conn.peer.in.sin_family = AF_INET;
    inet_pton(AF_INET, "192.0.2.7", &conn.peer.in.sin_addr);
    client.stream.ops = server.stream.ops = &fake_ops;
    exchange_set_server_codec(&fake_codec);
    x = exchange_new(&client.stream, &frontend, &conn);
}

static void teardown(void)
{
    ck_assert_uint_eq(state_gauge(frontend.slot, GAUGE_REQUESTS), 0);
    ck_assert_uint_eq(state_gauge(servers[0].slot, GAUGE_REQUESTS), 0);
    ck_assert_uint_eq(state_gauge(servers[1].slot, GAUGE_REQUESTS), 0);
    text_free(&client.log);
    text_free(&server.log);
    backend_stop(&backend);
    loop_free(worker.loop);
    state_close();
}

static void begin(const char *method, enum body_kind body)
{
    x->request.method = slice_of(method);
    x->request.version = HTTP_1_1;
    x->request.body = body;
    exchange_begin(x);
}

static void respond(uint16_t status, enum body_kind body)
{
    static struct message m;
    message_init(&m);
    m.status = status;
    m.version = HTTP_1_1;
    m.body = body;
    m.upgrade = status == 101;
    if (m.upgrade)
        message_add_raw(&m, FIELD_UPGRADE, "Upgrade: websocket\r\n", 7, 9);
    exchange_response(x, &m);
}

static uint64_t counted(unsigned counter)
{
    static struct slot_totals totals;
    state_totals(frontend.slot, &totals);
    return totals.counter[counter];
}

/* ---- the way of a request ---- */

START_TEST(a_request_goes_out_and_its_response_comes_back)
{
    begin("GET", BODY_NONE);
    ck_assert_str_eq(text_str(&server.log), "");
    exchange_server_ready(x);
    ck_assert_str_eq(text_str(&server.log), "GET ");
    respond(200, BODY_LENGTH);
    exchange_body(x, SIDE_OF_SERVER, "hello", 5);
    exchange_body_end(x, SIDE_OF_SERVER, NULL);
    ck_assert_str_eq(text_str(&client.log), "200 body[5] end done:ok ");
    ck_assert_str_eq(text_str(&server.log), "GET done:ok ");
    ck_assert_uint_eq(counted(COUNTER_RESPONSES_2XX), 1);
    ck_assert_uint_eq(counted(COUNTER_BYTES_OUT), 5);
}
END_TEST

START_TEST(a_body_waits_until_the_server_takes_it)
{
    begin("POST", BODY_LENGTH);
    ck_assert(!exchange_wants_body(x, SIDE_OF_CLIENT));
    exchange_server_ready(x);
    ck_assert_uint_eq(client.resumed, 1);
    ck_assert(exchange_wants_body(x, SIDE_OF_CLIENT));
    server.pending = 1;
    ck_assert(!exchange_wants_body(x, SIDE_OF_CLIENT));
    server.pending = 0;
    exchange_sent(x, SIDE_OF_SERVER);
    ck_assert_uint_eq(client.resumed, 2);
    exchange_body(x, SIDE_OF_CLIENT, "abc", 3);
    exchange_body_end(x, SIDE_OF_CLIENT, NULL);
    respond(204, BODY_NONE);
    exchange_body_end(x, SIDE_OF_SERVER, NULL);
    ck_assert_str_eq(text_str(&server.log), "POST body[3] end done:ok ");
}
END_TEST

START_TEST(a_refused_connection_is_tried_on_the_other_server_and_then_502)
{
    begin("POST", BODY_LENGTH);
    exchange_server_failed(x, REASON_SERVER_REFUSED);
    ck_assert_uint_eq(opened, 2);
    exchange_server_failed(x, REASON_SERVER_REFUSED);
    ck_assert_uint_eq(opened, 2); /* each server once */
    ck_assert_int_eq(strncmp(text_str(&client.log), "502 ", 4), 0);
    ck_assert_uint_eq(counted(COUNTER_REASON + REASON_SERVER_REFUSED), 1);
}
END_TEST

START_TEST(a_kept_connection_that_ended_is_replaced_by_a_fresh_one)
{
    open_ready = true;
    begin("GET", BODY_NONE);
    exchange_broke(x, SIDE_OF_SERVER, REASON_SERVER_CLOSED);
    ck_assert_uint_eq(opened_fresh, 1);
    exchange_server_ready(x);
    respond(200, BODY_NONE);
    exchange_body_end(x, SIDE_OF_SERVER, NULL);
    ck_assert_str_eq(text_str(&client.log), "200 end done:ok ");
}
END_TEST

START_TEST(a_post_that_was_sent_is_never_sent_again)
{
    open_ready = true;
    begin("POST", BODY_LENGTH);
    exchange_broke(x, SIDE_OF_SERVER, REASON_SERVER_CLOSED);
    ck_assert_uint_eq(opened, 1);
    ck_assert_int_eq(strncmp(text_str(&client.log), "502 ", 4), 0);
}
END_TEST

START_TEST(a_put_whose_body_was_begun_is_not_sent_again)
{
    open_ready = true;
    begin("PUT", BODY_LENGTH);
    exchange_body(x, SIDE_OF_CLIENT, "a", 1);
    exchange_broke(x, SIDE_OF_SERVER, REASON_SERVER_CLOSED);
    ck_assert_uint_eq(opened, 1);
    ck_assert_int_eq(strncmp(text_str(&client.log), "502 ", 4), 0);
}
END_TEST

START_TEST(a_late_server_is_a_504_and_not_tried_again)
{
    begin("GET", BODY_NONE);
    exchange_server_ready(x);
    exchange_broke(x, SIDE_OF_SERVER, REASON_SERVER_TIMEOUT);
    ck_assert_uint_eq(opened, 1);
    ck_assert_int_eq(strncmp(text_str(&client.log), "504 ", 4), 0);
    ck_assert_uint_eq(counted(COUNTER_RESPONSES_5XX), 1);
}
END_TEST

START_TEST(a_response_cut_short_never_looks_complete)
{
    begin("GET", BODY_NONE);
    exchange_server_ready(x);
    respond(200, BODY_LENGTH);
    exchange_body(x, SIDE_OF_SERVER, "hel", 3);
    exchange_broke(x, SIDE_OF_SERVER, REASON_SERVER_CLOSED);
    ck_assert_str_eq(text_str(&client.log), "200 body[3] done:server_closed! ");
}
END_TEST

START_TEST(no_server_is_a_503_or_a_close)
{
    server_set_health(&servers[0], HEALTH_DOWN, "test");
    server_set_health(&servers[1], HEALTH_DOWN, "test");
    begin("GET", BODY_NONE);
    ck_assert_int_eq(strncmp(text_str(&client.log), "503 ", 4), 0);
    text_free(&client.log);
    backend.when_down = WHEN_DOWN_CLOSE;
    x = exchange_new(&client.stream, &frontend, &conn);
    begin("GET", BODY_NONE);
    ck_assert_str_eq(text_str(&client.log), "done:no_server! ");
}
END_TEST

START_TEST(interim_responses_go_before_the_final_one)
{
    begin("GET", BODY_NONE);
    exchange_server_ready(x);
    respond(103, BODY_NONE);
    respond(100, BODY_NONE);
    respond(200, BODY_NONE);
    exchange_body_end(x, SIDE_OF_SERVER, NULL);
    ck_assert_str_eq(text_str(&client.log), "103 100 200 end done:ok ");
    ck_assert_uint_eq(counted(COUNTER_RESPONSES_1XX), 2);
}
END_TEST

START_TEST(interim_responses_are_not_for_http_1_0)
{
    x->request.method = SLICE("GET");
    exchange_begin(x);
    exchange_server_ready(x);
    respond(103, BODY_NONE);
    respond(200, BODY_NONE);
    exchange_body_end(x, SIDE_OF_SERVER, NULL);
    ck_assert_str_eq(text_str(&client.log), "200 end done:ok ");
}
END_TEST

static void add_upgrade(struct message *m, const char *line)
{
    message_add_raw(m, FIELD_UPGRADE, line, strlen("Upgrade"), strlen(line) - strlen("Upgrade: \r\n"));
}

START_TEST(a_tunnel_ends_when_both_directions_have)
{
    x->request.upgrade = true;
    add_upgrade(&x->request, "Upgrade: foo/2, WebSocket\r\n");
    begin("GET", BODY_NONE);
    exchange_server_ready(x);
    respond(101, BODY_NONE);
    exchange_body(x, SIDE_OF_CLIENT, "ab", 2);
    exchange_body(x, SIDE_OF_SERVER, "c", 1);
    exchange_body_end(x, SIDE_OF_CLIENT, NULL);
    ck_assert_str_eq(text_str(&client.log), "101 body[1] ");
    exchange_body_end(x, SIDE_OF_SERVER, NULL);
    ck_assert_str_eq(text_str(&client.log), "101 body[1] end done:ok ");
    ck_assert_str_eq(text_str(&server.log), "GET body[2] end done:ok! ");
}
END_TEST

START_TEST(a_101_for_another_protocol_is_a_bad_response)
{
    x->request.upgrade = true;
    add_upgrade(&x->request, "Upgrade: foo/2\r\n");
    begin("GET", BODY_NONE);
    exchange_server_ready(x);
    respond(101, BODY_NONE);
    ck_assert_int_eq(strncmp(text_str(&client.log), "502 ", 4), 0);
}
END_TEST

START_TEST(a_101_that_nobody_asked_for_is_a_bad_response)
{
    begin("GET", BODY_NONE);
    exchange_server_ready(x);
    respond(101, BODY_NONE);
    ck_assert_int_eq(strncmp(text_str(&client.log), "502 ", 4), 0);
}
END_TEST

/* ---- heads ---- */

static void add(const char *line)
{
    size_t name_len = strcspn(line, ":");
    enum field_id id = field_lookup((struct slice){line, name_len});
    message_add_raw(&x->request, id, line, name_len, strlen(line) - name_len - 4);
}

static const char *forwarded(void)
{
    static char text[8192];
    text[0] = '\0';
    for (unsigned i = 0; i < x->request.count; i++) {
        const struct field *f = &x->request.fields[i];
        if (!f->dropped)
            strncat(text, f->name, (size_t)(f->value + f->value_len + 2 - f->name));
    }
    return text;
}

START_TEST(hop_by_hop_fields_go_and_forwarded_ones_come)
{
    x->request.host = SLICE("example.org:8080");
    add("Host: example.org:8080\r\n");
    add("Connection: close, X-Mine, Content-Length, Host\r\n");
    add("X-Mine: 1\r\n");
    add("Content-Length: 7\r\n");
    add("Keep-Alive: timeout=5\r\n");
    add("TE: trailers\r\n");
    add("X-Forwarded-For: 198.51.100.1\r\n");
    add("X-Forwarded-Proto: https\r\n");
    add("X-Forwarded-Host: evil\r\n");
    add("X-Forwarded-For: 198.51.100.2, 198.51.100.3\r\n");
    exchange_prepare_request(x);
    ck_assert_str_eq(forwarded(), "Host: example.org:8080\r\nContent-Length: 7\r\n"
                                  "X-Forwarded-For: 198.51.100.1, 198.51.100.2, 198.51.100.3, 192.0.2.7\r\n"
                                  "X-Forwarded-Proto: http\r\nX-Forwarded-Host: example.org:8080\r\n");
    exchange_drop(x);
}
END_TEST

START_TEST(fields_longer_than_the_scratch_are_forwarded_whole)
{
    static char line[3000] = "X-Forwarded-For: ";
    memset(line + 17, '1', 2900);
    strcat(line, "\r\n");
    add(line);
    exchange_prepare_request(x);
    ck_assert_ptr_nonnull(strstr(forwarded(), "1111, 192.0.2.7\r\n"));
    exchange_drop(x);
}
END_TEST

START_TEST(a_body_beyond_max_body_is_a_413)
{
    http_conf.max_body = 4;
    begin("POST", BODY_STREAM);
    exchange_server_ready(x);
    exchange_body(x, SIDE_OF_CLIENT, "1234", 4);
    exchange_flush(x, SIDE_OF_CLIENT);
    ck_assert_str_eq(text_str(&client.log), "");
    exchange_body(x, SIDE_OF_CLIENT, "5", 1);
    exchange_flush(x, SIDE_OF_CLIENT);
    ck_assert_int_eq(strncmp(text_str(&client.log), "413 ", 4), 0);
    ck_assert_uint_eq(counted(COUNTER_REASON + REASON_CLIENT_TOO_LARGE), 1);
}
END_TEST

START_TEST(with_no_forwards_left_noxy_answers_options_and_trace)
{
    add("Max-Forwards: 0\r\n");
    begin("OPTIONS", BODY_NONE);
    ck_assert_str_eq(text_str(&client.log), "204 end done:responded ");
    text_free(&client.log);
    x = exchange_new(&client.stream, &frontend, &conn);
    x->request.target = SLICE("/a");
    add("Cookie: secret\r\n");
    add("Max-Forwards: 0\r\n");
    begin("TRACE", BODY_NONE);
    ck_assert_str_eq(text_str(&client.log), "200 body[36] end done:responded ");
    ck_assert_uint_eq(opened, 0);
}
END_TEST

START_TEST(forwards_are_counted_down_and_left_alone_for_other_methods)
{
    add("Max-Forwards: 10\r\n");
    begin("OPTIONS", BODY_NONE);
    ck_assert_ptr_nonnull(strstr(forwarded(), "Max-Forwards: 9\r\n"));
    ck_assert_ptr_null(strstr(forwarded(), "10"));
    exchange_broke(x, SIDE_OF_CLIENT, REASON_CLIENT_RESET);
    x = exchange_new(&client.stream, &frontend, &conn);
    add("Max-Forwards: 0\r\n");
    begin("GET", BODY_NONE);
    ck_assert_ptr_nonnull(strstr(forwarded(), "Max-Forwards: 0\r\n"));
    exchange_broke(x, SIDE_OF_CLIENT, REASON_CLIENT_RESET);
}
END_TEST

START_TEST(names_are_looked_up_without_case)
{
    ck_assert_int_eq(field_lookup(SLICE("hOST")), FIELD_HOST);
    ck_assert_int_eq(field_lookup(SLICE("X-Forwarded-For")), FIELD_X_FORWARDED_FOR);
    ck_assert_int_eq(field_lookup(SLICE("x-forwarded-foo")), FIELD_OTHER);
    ck_assert_int_eq(field_lookup(SLICE("")), FIELD_OTHER);
    ck_assert(method_is_idempotent(SLICE("GET")) && !method_is_idempotent(SLICE("POST")) &&
              !method_is_idempotent(SLICE("get")));
    ck_assert_str_eq(status_phrase(503), "Service Unavailable");
    ck_assert_str_eq(status_phrase(599), "Unknown");
    exchange_drop(x);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http");
    TCase *tcase = tcase_create("http");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_request_goes_out_and_its_response_comes_back);
    tcase_add_test(tcase, a_body_waits_until_the_server_takes_it);
    tcase_add_test(tcase, a_refused_connection_is_tried_on_the_other_server_and_then_502);
    tcase_add_test(tcase, a_kept_connection_that_ended_is_replaced_by_a_fresh_one);
    tcase_add_test(tcase, a_post_that_was_sent_is_never_sent_again);
    tcase_add_test(tcase, a_put_whose_body_was_begun_is_not_sent_again);
    tcase_add_test(tcase, a_late_server_is_a_504_and_not_tried_again);
    tcase_add_test(tcase, a_response_cut_short_never_looks_complete);
    tcase_add_test(tcase, no_server_is_a_503_or_a_close);
    tcase_add_test(tcase, interim_responses_go_before_the_final_one);
    tcase_add_test(tcase, interim_responses_are_not_for_http_1_0);
    tcase_add_test(tcase, a_tunnel_ends_when_both_directions_have);
    tcase_add_test(tcase, a_101_for_another_protocol_is_a_bad_response);
    tcase_add_test(tcase, a_101_that_nobody_asked_for_is_a_bad_response);
    tcase_add_test(tcase, hop_by_hop_fields_go_and_forwarded_ones_come);
    tcase_add_test(tcase, fields_longer_than_the_scratch_are_forwarded_whole);
    tcase_add_test(tcase, a_body_beyond_max_body_is_a_413);
    tcase_add_test(tcase, with_no_forwards_left_noxy_answers_options_and_trace);
    tcase_add_test(tcase, forwards_are_counted_down_and_left_alone_for_other_methods);
    tcase_add_test(tcase, names_are_looked_up_without_case);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
