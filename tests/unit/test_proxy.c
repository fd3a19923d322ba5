#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/random.h"
#include "net/proxy.h"

#define LOOP(tcase, test, table) tcase_add_loop_test(tcase, test, 0, ARRAY_LEN(table))
#define SIGNATURE                "\r\n\r\n\0\r\nQUIT\n"
#define PATHS_108                                                                                            \
    "/a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
    "\0\0"                                                                                                   \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
    "\0\0\0"

/* ---- headers that are taken ---- */

/* source "": the connection's own ends count. */
static const struct good {
    struct slice bytes;
    const char *source, *destination;
} good[] = {
    {SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"), "192.0.2.1:56324", "198.51.100.7:443"},
    {SLICE("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255:65535",
     "255.255.255.255:65535"},
    {SLICE("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0:0", "0.0.0.0:0"},
    {SLICE("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), "[2001:db8::1]:1", "[::1]:2"},
    {SLICE("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.7 56324 443\r\n"), "192.0.2.1:56324",
     "198.51.100.7:443"},
    {SLICE("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
           "65535\r\n"),
     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    {SLICE("PROXY UNKNOWN\r\n"), "", ""},
    {SLICE("PROXY UNKNOWN 192.0.2.1 198.51.100.7 56324 443\r\n"), "", ""},
    {SLICE("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
           "65535 "
           "65535\r\n"), /* the longest line there is */
     "", ""},
    {SLICE(SIGNATURE "\x20\0\0\0"), "", ""},
    {SLICE(SIGNATURE "\x20\x11\0\x0c"
                     "\x0a\0\0\1\x0a\0\0\2\1\2\3\4"),
     "", ""},
    {SLICE(SIGNATURE "\x20\x99\0\x03"
                     "abc"),
     "", ""}, /* of LOCAL all is discarded */
    {SLICE(SIGNATURE "\x21\0\0\0"), "", ""},
    {SLICE(SIGNATURE "\x21\0\0\x04\x04\0\1x"), "", ""},
    {SLICE(SIGNATURE "\x21\x11\0\x0c"
                     "\x0a\0\0\1\xc0\0\2\7\x12\x34\x01\xbb"),
     "10.0.0.1:4660", "192.0.2.7:443"},
    {SLICE(SIGNATURE "\x21\x12\0\x0c"
                     "\x0a\0\0\1\xc0\0\2\7\x12\x34\x01\xbb"),
     "10.0.0.1:4660", "192.0.2.7:443"},
    {SLICE(SIGNATURE "\x21\x11\0\x17"
                     "\x0a\0\0\1\xc0\0\2\7\x12\x34\x01\xbb"
                     "\x01\0\2h2\x05\0\0\x04\0\0"),
     "10.0.0.1:4660", "192.0.2.7:443"},
    {SLICE(SIGNATURE "\x21\x21\0\x24"
                     "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
                     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\x50\1\xbb"),
     "[2001:db8::1]:80", "[::1]:443"},
    {SLICE(SIGNATURE "\x21\x21\0\x24"
                     "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1"
                     "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\2\0\x50\1\xbb"),
     "192.0.2.1:80", "192.0.2.2:443"},
    {SLICE(SIGNATURE "\x21\x31\0\xd8" PATHS_108 PATHS_108), "unix:", "unix:"},
    {SLICE(SIGNATURE "\x21\x11\0\x13"
                     "\x7f\0\0\1\x7f\0\0\1\x12\x34\x01\xbb"
                     "\x03\0\4\xa6\xce\x1e\x16"),
     "127.0.0.1:4660", "127.0.0.1:443"},
};

static void check_address(const struct address *a, const char *text)
{
    char printed[ADDRESS_TEXT_MAX];
    ck_assert_str_eq(address_print(a, printed), text);
}

/* From memory of just that size, so that a look beyond it is found. */
static int read_exact(struct slice s, size_t len, struct proxy_header *h)
{
    const char *why = NULL;
    char *copy = malloc(len + !len);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, s.ptr, len);
    int result = proxy_read(copy, len, h, &why);
    ck_assert_int_eq(result == PROXY_BAD, why != NULL);
    free(copy);
    return result;
}

START_TEST(a_header_is_taken_once_it_is_complete)
{
    struct slice s = good[_i].bytes;
    struct proxy_header h;
    for (size_t len = 0; len < s.len; len++)
        ck_assert_msg(read_exact(s, len, &h) == PROXY_MORE, "%zu bytes", len);
    ck_assert_int_eq(read_exact(s, s.len, &h), s.len);
    ck_assert_int_eq(h.named, good[_i].source[0] != '\0');
    if (!h.named)
        return;
    check_address(&h.source, good[_i].source);
    check_address(&h.destination, good[_i].destination);
}
END_TEST

START_TEST(what_follows_a_header_is_left_alone)
{
    static const char *const behind[] = {"\0", "\r\n", "GET / HTTP/1.1\r\n\r\n", "PROXY UNKNOWN\r\n"};
    struct slice s = good[_i].bytes;
    for (size_t i = 0; i < ARRAY_LEN(behind); i++) {
        char bytes[512];
        struct proxy_header h;
        size_t more = i == 0 ? 1 : strlen(behind[i]);
        memcpy(bytes, s.ptr, s.len);
        memcpy(bytes + s.len, behind[i], more);
        ck_assert_int_eq(read_exact((struct slice){bytes, s.len + more}, s.len + more, &h), s.len);
    }
}
END_TEST

/* ---- headers that are refused ---- */

static const struct slice refused[] = {
    SLICE("G"),
    SLICE("GET / HTTP/1.1\r\n\r\n"),
    SLICE(" PROXY UNKNOWN\r\n"),
    SLICE("\x16\x03\x01\x02\x00"),
    SLICE("proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
    SLICE("PROXYTCP4"),
    SLICE("PROXY\tTCP4"),
    SLICE("PROXY\r\n"),
    SLICE("PROXY \r\n"),
    SLICE("PROXY UNKNOWNS\r\n"),
    SLICE("PROXY  UNKNOWN\r\n"),
    SLICE("PROXY UNKNOWN\n"),
    SLICE("PROXY UNKNOWN\r\r\n"),
    SLICE("PROXY UNKNOWN \rx\r\n"),
    SLICE("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"),
    SLICE("PROXY TCP 192.0.2.1 192.0.2.2 1 2\r\n"),
    SLICE("PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n"),
    SLICE("PROXY TCP4\r\n"),
    SLICE("PROXY TCP4 \r\n"),
    SLICE("PROXY TCP4 192.0.2.1\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"),
    SLICE("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1  2\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 00 2\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1 100000\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2a\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\r\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"),
    SLICE("PROXY TCP4 192.0.2.1 192.0.2 1 2\r\n"),
    SLICE("PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n"),
    SLICE("PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n"),
    SLICE("PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n"),
    SLICE("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"),
    SLICE("PROXY TCP4 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n"),
    SLICE("PROXY TCP4 localhost 192.0.2.2 1 2\r\n"),
    SLICE("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"),
    SLICE("PROXY TCP6 2001:db8::1 192.0.2.2 1 2\r\n"),
    SLICE("PROXY TCP6 [2001:db8::1] ::1 1 2\r\n"),
    SLICE("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"),
    SLICE("PROXY TCP6 1::2::3 ::1 1 2\r\n"),
    SLICE(
        "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
        "65535x\r\n"),
    SLICE("\r\n\r\n\0\r\nQUIT\r"),
    SLICE("\r\n\r\nQUIT"),
    SLICE(SIGNATURE "\x11"),
    SLICE(SIGNATURE "\x31"),
    SLICE(SIGNATURE "\x22"),
    SLICE(SIGNATURE "\x2f"),
    SLICE(SIGNATURE "\x20\0\x10\1"), /* longer than is taken */
    SLICE(SIGNATURE "\x21\0\xff\xff"),
    SLICE(SIGNATURE "\x21\x11\0\x0b"), /* too short for its addresses */
    SLICE(SIGNATURE "\x21\x11\0\0"),
    SLICE(SIGNATURE "\x21\x21\0\x23"),
    SLICE(SIGNATURE "\x21\x31\0\xd7"),
    SLICE(SIGNATURE "\x21\x10\0\x0c"), /* families that do not exist */
    SLICE(SIGNATURE "\x21\x13\0\x0c"),
    SLICE(SIGNATURE "\x21\x01\0\0"),
    SLICE(SIGNATURE "\x21\x41\0\xd8"),
    SLICE(SIGNATURE "\x21\0\0\1\x04"), /* TLVs that are cut off */
    SLICE(SIGNATURE "\x21\0\0\2\x04\0"),
    SLICE(SIGNATURE "\x21\0\0\3\x04\0\1"),
    SLICE(SIGNATURE "\x21\0\0\4\x04\0\2x"),
    SLICE(SIGNATURE "\x21\0\0\4\x04\xff\xffx"),
    SLICE(SIGNATURE "\x21\0\0\7\x04\0\1x\x04\0\1"),
    SLICE(SIGNATURE "\x21\x11\0\x13"
                    "\x7f\0\0\1\x7f\0\0\1\x12\x34\x01\xbb"
                    "\x03\0\4\xa6\xce\x1e\x17"),
    SLICE(SIGNATURE "\x21\x11\0\x13"
                    "\x7f\0\0\2\x7f\0\0\1\x12\x34\x01\xbb"
                    "\x03\0\4\xa6\xce\x1e\x16"),
    SLICE(SIGNATURE "\x21\x11\0\x12"
                    "\x7f\0\0\1\x7f\0\0\1\x12\x34\x01\xbb"
                    "\x03\0\3\xa6\xce\x1e"),
};

START_TEST(what_is_no_header_is_refused_however_it_is_split)
{
    struct slice s = refused[_i];
    struct proxy_header h;
    size_t len = 0;
    while (len <= s.len && read_exact(s, len, &h) == PROXY_MORE)
        len++;
    ck_assert_msg(len <= s.len, "it waits for more");
    for (; len <= s.len; len++)
        ck_assert_int_eq(read_exact(s, len, &h), PROXY_BAD);
    ck_assert(!h.named);
}
END_TEST

START_TEST(what_can_not_become_a_header_is_refused_at_once)
{
    struct proxy_header h;
    ck_assert_int_eq(read_exact(SLICE("G"), 1, &h), PROXY_BAD);
    ck_assert_int_eq(read_exact(SLICE("PROXX"), 5, &h), PROXY_BAD);
    ck_assert_int_eq(read_exact(SLICE("\r\n\r\r"), 4, &h), PROXY_BAD);
    ck_assert_int_eq(read_exact(SLICE(SIGNATURE "\x21\0\xff\xff"), 16, &h), PROXY_BAD);
}
END_TEST

/* ---- limits, random bytes ---- */

START_TEST(a_header_may_be_as_long_as_the_limit)
{
    static char bytes[PROXY_READ_MAX + 1] = SIGNATURE "\x21\x11\x10\0";
    size_t tlv = 16 + 12, value = PROXY_READ_MAX - tlv - 3;
    struct proxy_header h;
    bytes[tlv] = 0x04;
    bytes[tlv + 1] = (char)(value >> 8);
    bytes[tlv + 2] = (char)(value & 0xff);
    struct slice s = {bytes, PROXY_READ_MAX};
    ck_assert_int_eq(read_exact(s, s.len - 1, &h), PROXY_MORE);
    ck_assert_int_eq(read_exact(s, s.len, &h), PROXY_READ_MAX);
    ck_assert_int_eq(read_exact(s, s.len + 1, &h), PROXY_READ_MAX);
}
END_TEST

START_TEST(a_full_view_is_always_decided)
{
    static char bytes[PROXY_READ_MAX];
    static const struct slice starts[] = {
        SLICE("PROXY "),  SLICE("PROXY UNKNOWN "),           SLICE("PROXY TCP4 "),
        SLICE(SIGNATURE), SLICE(SIGNATURE "\x21\x11\x10\0"), SLICE("")};
    struct proxy_header h;
    memset(bytes, 'x', sizeof bytes);
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        memcpy(bytes, starts[i].ptr, starts[i].len);
        ck_assert_int_ne(read_exact((struct slice){bytes, sizeof bytes}, sizeof bytes, &h), PROXY_MORE);
    }
}
END_TEST

/* Once refused or taken, more bytes change nothing; what is taken is never longer than what there was. */
static void check_growth(struct slice s)
{
    struct proxy_header h;
    int decided = PROXY_MORE;
    for (size_t len = 0; len <= s.len; len++) {
        int result = read_exact(s, len, &h);
        ck_assert_int_le(result, (int)len);
        ck_assert_int_ge(result, PROXY_BAD);
        if (decided != PROXY_MORE)
            ck_assert_int_eq(result, decided);
        decided = result;
    }
}

START_TEST(changed_headers_are_decided_once_and_for_all)
{
    for (int round = 0; round < 300; round++) {
        char bytes[300];
        const struct slice *from = &good[random_below(ARRAY_LEN(good))].bytes;
        memcpy(bytes, from->ptr, from->len);
        for (unsigned changes = 1 + random_below(3); changes > 0; changes--)
            bytes[random_below((uint32_t)from->len)] = (char)random_below(256);
        check_growth((struct slice){bytes, from->len});
    }
}
END_TEST

/* ---- writing ---- */

static struct address address_of(const char *text)
{
    struct address none = {0};
    struct endpoint e;
    struct error err;
    if (!text)
        return none;
    ck_assert_int_eq(endpoint_parse(&e, text, &err), 0);
    return e.address;
}

static const struct written {
    const char *source, *destination;
    const char *line;                           /* version 1 */
    const char *read_source, *read_destination; /* of version 2; NULL: LOCAL */
} written[] = {
    {"192.0.2.1:1000", "198.51.100.7:80", "PROXY TCP4 192.0.2.1 198.51.100.7 1000 80\r\n", "192.0.2.1:1000",
     "198.51.100.7:80"},
    {"[::ffff:192.0.2.1]:1000", "[::ffff:198.51.100.7]:80", "PROXY TCP4 192.0.2.1 198.51.100.7 1000 80\r\n",
     "192.0.2.1:1000", "198.51.100.7:80"},
    {"[2001:db8::1]:1000", "[2001:db8::2]:80", "PROXY TCP6 2001:db8::1 2001:db8::2 1000 80\r\n",
     "[2001:db8::1]:1000", "[2001:db8::2]:80"},
    {"192.0.2.1:1000", "[2001:db8::2]:80", "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1000 80\r\n",
     "192.0.2.1:1000", "[2001:db8::2]:80"},
    {"[2001:db8::1]:1000", "198.51.100.7:80", "PROXY TCP6 2001:db8::1 ::ffff:198.51.100.7 1000 80\r\n",
     "[2001:db8::1]:1000", "198.51.100.7:80"},
    {"192.0.2.1:1000", "unix:/run/noxy.sock", "PROXY TCP4 192.0.2.1 0.0.0.0 1000 0\r\n", "192.0.2.1:1000",
     "0.0.0.0:0"},
    {"[2001:db8::1]:1000", NULL, "PROXY TCP6 2001:db8::1 :: 1000 0\r\n", "[2001:db8::1]:1000", "[::]:0"},
    {"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
     "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
     "65535\r\n",
     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    {"unix:/run/client.sock", "192.0.2.1:80", "PROXY UNKNOWN\r\n", NULL, NULL},
    {NULL, NULL, "PROXY UNKNOWN\r\n", NULL, NULL},
};

START_TEST(lines_are_written_as_they_must_be)
{
    char out[PROXY_WRITE_MAX];
    struct proxy_header h;
    struct address source = address_of(written[_i].source), destination = address_of(written[_i].destination);
    size_t len = proxy_write(PROXY_V1, &source, &destination, out);
    ck_assert(slice_equal((struct slice){out, len}, slice_of(written[_i].line)));
    ck_assert_int_eq(read_exact((struct slice){out, len}, len, &h), len);
}
END_TEST

START_TEST(binary_headers_are_read_as_they_were_written)
{
    char out[PROXY_WRITE_MAX];
    struct proxy_header h;
    struct address source = address_of(written[_i].source), destination = address_of(written[_i].destination);
    size_t len = proxy_write(PROXY_V2, &source, &destination, out);
    ck_assert_int_eq(read_exact((struct slice){out, len}, len, &h), len);
    ck_assert_int_eq(h.named, written[_i].read_source != NULL);
    if (!h.named) {
        ck_assert(slice_equal((struct slice){out, len}, SLICE(SIGNATURE "\x20\0\0\0")));
        return;
    }
    check_address(&h.source, written[_i].read_source);
    check_address(&h.destination, written[_i].read_destination);
}
END_TEST

START_TEST(the_bytes_of_version_2_are_the_specification_s)
{
    char out[PROXY_WRITE_MAX];
    struct address source = address_of("10.0.0.1:4660"), destination = address_of("192.0.2.7:443");
    size_t len = proxy_write(PROXY_V2, &source, &destination, out);
    ck_assert(slice_equal((struct slice){out, len}, SLICE(SIGNATURE "\x21\x11\0\x0c"
                                                                    "\x0a\0\0\1\xc0\0\2\7\x12\x34\x01\xbb")));
    len = proxy_write(PROXY_V2, NULL, NULL, out);
    ck_assert(slice_equal((struct slice){out, len}, SLICE(SIGNATURE "\x20\0\0\0")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proxy");
    TCase *reading = tcase_create("reading");
    tcase_set_timeout(reading, 60);
    LOOP(reading, a_header_is_taken_once_it_is_complete, good);
    LOOP(reading, what_follows_a_header_is_left_alone, good);
    LOOP(reading, what_is_no_header_is_refused_however_it_is_split, refused);
    tcase_add_test(reading, what_can_not_become_a_header_is_refused_at_once);
    tcase_add_test(reading, a_header_may_be_as_long_as_the_limit);
    tcase_add_test(reading, a_full_view_is_always_decided);
    tcase_add_test(reading, changed_headers_are_decided_once_and_for_all);
    suite_add_tcase(suite, reading);

    TCase *writing = tcase_create("writing");
    LOOP(writing, lines_are_written_as_they_must_be, written);
    LOOP(writing, binary_headers_are_read_as_they_were_written, written);
    tcase_add_test(writing, the_bytes_of_version_2_are_the_specification_s);
    suite_add_tcase(suite, writing);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
