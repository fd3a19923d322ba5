/*
 * libFuzzer's target for request heads. contrib/fuzz builds and runs it; once
 * over its corpus with `make check` (seeds.c).
 *
 * What was taken is written again as a server would get it, and must then be
 * understood alike: one reading of it, whoever reads.
 */
#include <stddef.h>
#include <stdint.h>

#include "head_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool refusal_is_known(uint16_t status)
{
    return status == 400 || status == 405 || status == 414 || status == 431 || status == 501 || status == 505;
}

static void check_target(const struct message *m)
{
    REQUIRE(m->target.len > 0 && chars_all(m->target, CHAR_TARGET) && chars_all(m->method, CHAR_TOKEN));
    REQUIRE(chars_all(m->host, CHAR_HOST) && chars_all(m->path, CHAR_TARGET));
    REQUIRE(m->scheme.len > 0 || slice_equal(m->path, m->target));
    REQUIRE(m->path.len == 0 || m->path.ptr[0] == '/' || m->path.ptr[0] == '?' ||
            slice_equal(m->path, SLICE("*")));
}

static void check_framing(const struct message *m)
{
    unsigned lengths = 0, codings = 0, hosts = 0;
    for (unsigned i = 0; i < m->count; i++) {
        lengths += m->fields[i].id == FIELD_CONTENT_LENGTH;
        codings += m->fields[i].id == FIELD_TRANSFER_ENCODING;
        hosts += m->fields[i].id == FIELD_HOST;
    }
    REQUIRE(lengths + codings <= 1 && hosts <= 1 && (hosts == 1 || m->version == HTTP_1_0));
    REQUIRE((m->body == BODY_STREAM) == (codings == 1));
    REQUIRE((m->body == BODY_LENGTH) == (lengths == 1 && m->body_length > 0));
    REQUIRE(codings == 0 || m->version > HTTP_1_0);
    REQUIRE(!m->upgrade || m->body == BODY_NONE);
}

/* The request as a server would get it, hop-by-hop fields included. */
static void write_again(const struct message *m, struct text *t)
{
    if (m->raw_line.len) {
        put(t, m->raw_line);
    } else {
        put(t, m->method);
        put(t, m->path.len && m->path.ptr[0] != '?' ? SLICE(" ") : SLICE(" /"));
        put(t, m->path);
        put(t, SLICE(" HTTP/1.1\r\n"));
    }
    if (m->scheme.len || (m->version == HTTP_1_0 && m->host.len == 0)) {
        put(t, SLICE("Host: "));
        put(t, m->host);
        put(t, SLICE("\r\n"));
    }
    put_fields(t, m, false);
}

static void check_again(const struct message *m)
{
    static struct message again;
    struct text t = {0};
    struct head_scan scan;
    if (m->count == MESSAGE_FIELDS_MAX)
        return; /* with a Host of ours it may be one too many */
    write_again(m, &t);
    REQUIRE(check_scan(t.data, t.len, &scan) == (int)t.len && scan.skipped == 0);
    REQUIRE(head_parse_request(&again, t.data, t.len) == 0);
    REQUIRE(slice_equal(again.method, m->method) && slice_equal(again.host, m->host));
    REQUIRE(again.body == m->body && again.body_length == m->body_length);
    REQUIRE(again.head_method == m->head_method && (again.upgrade == m->upgrade || m->version == HTTP_1_0));
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
    /* An exact copy, so that each byte read beyond it is seen. */
    char *head = malloc(len);
    REQUIRE(head);
    memcpy(head, bytes + scan.skipped, len);
    uint16_t refused = head_parse_request(&m, head, len);
    if (refused) {
        REQUIRE(refusal_is_known(refused));
    } else {
        check_fields(&m, head, len);
        check_target(&m);
        check_framing(&m);
        check_again(&m);
    }
    free(head);
    return 0;
}
