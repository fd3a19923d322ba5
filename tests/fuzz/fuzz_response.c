/*
 * libFuzzer's target for response heads. contrib/fuzz builds and runs it; once
 * over its corpus with `make check` (seeds.c).
 */
#include <stddef.h>
#include <stdint.h>

#include "head_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_framing(const struct message *m, bool to_head)
{
    unsigned lengths = 0, codings = 0;
    for (unsigned i = 0; i < m->count; i++) {
        lengths += m->fields[i].id == FIELD_CONTENT_LENGTH && !m->fields[i].dropped;
        codings += m->fields[i].id == FIELD_TRANSFER_ENCODING;
    }
    bool bodiless = to_head || m->status < 200 || m->status == 204 || m->status == 304;
    REQUIRE(m->status >= 100 && m->status <= 599);
    /* Without a body any framing will do; a length that is passed on must be sound all the same. */
    REQUIRE(lengths <= 1 && (bodiless || lengths + codings <= 1) && (lengths == 0 || codings == 0));
    REQUIRE(!bodiless || m->body == BODY_NONE);
    REQUIRE(bodiless || (m->body == BODY_CLOSE) == (lengths + codings == 0));
    REQUIRE(bodiless || (m->body == BODY_STREAM) == (codings == 1));
    REQUIRE(m->body != BODY_CLOSE || m->close);
    REQUIRE(bodiless || codings == 0 || m->version > HTTP_1_0);
}

/* The response as a client would get it is understood alike. */
static void check_again(const struct message *m, bool to_head)
{
    static struct message again;
    struct text t = {0};
    struct head_scan scan;
    char line[] = "HTTP/1.1 000 ";
    for (unsigned i = 0, n = m->status; i < 3; i++, n /= 10)
        line[11 - i] = (char)('0' + n % 10);
    put(&t, m->raw_line.len ? m->raw_line : slice_of(line));
    if (!m->raw_line.len) {
        put(&t, m->reason);
        put(&t, SLICE("\r\n"));
    }
    put_fields(&t, m, false);
    REQUIRE(check_scan(t.data, t.len, &scan) == (int)t.len && scan.skipped == 0);
    REQUIRE(head_parse_response(&again, t.data, t.len, to_head) == 0);
    REQUIRE(again.status == m->status && again.body == m->body);
    REQUIRE(again.body != BODY_LENGTH || again.body_length == m->body_length);
    text_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    static struct message m;
    const char *bytes = (const char *)input;
    struct head_scan scan;
    int found = check_scan(bytes, len, &scan);
    if (found <= 0)
        return 0;
    len = (size_t)found - scan.skipped;
    char *head = malloc(len);
    REQUIRE(head);
    memcpy(head, bytes + scan.skipped, len);
    for (int to_head = 0; to_head < 2; to_head++) {
        uint16_t refused = head_parse_response(&m, head, len, to_head);
        REQUIRE(refused == 0 || refused == 502);
        if (refused)
            continue;
        check_fields(&m, head, len);
        check_framing(&m, to_head);
        check_again(&m, to_head);
    }
    free(head);
    return 0;
}
