#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/memory.h"
#include "process/channel.h"

static struct loop *loop;
static struct channel master_end, child_end;
static unsigned received_count, ended_count, expected_count;
static struct {
    enum channel_type type;
    uint64_t value;
    char *text;
    bool has_fd;
    char from_fd[32];
} got[16];

static void stop_when_done(void)
{
    if (received_count + ended_count >= expected_count)
        loop_stop(loop);
}

static void note(struct channel *c, struct channel_message *m)
{
    (void)c;
    ck_assert_uint_lt(received_count, ARRAY_LEN(got));
    got[received_count].type = m->type;
    got[received_count].value = m->value;
    got[received_count].text = memory_strdup(m->text);
    got[received_count].has_fd = m->fd >= 0;
    if (m->fd >= 0)
        ck_assert_int_gt(pread(m->fd, got[received_count].from_fd, 31, 0), 0);
    received_count++;
    stop_when_done();
}

static void note_end(struct channel *c)
{
    channel_close(c);
    ended_count++;
    stop_when_done();
}

static void give_up(struct timer *t)
{
    (void)t;
    loop_stop(loop);
}

static void run_until(unsigned count)
{
    struct timer limit = {.fire = give_up};
    expected_count = count;
    loop_timer_set(loop, &limit, 2000000);
    loop_run(loop);
    loop_timer_stop(loop, &limit);
    ck_assert_uint_eq(received_count + ended_count, count);
}

static void open_channel(void)
{
    int fds[2];
    struct error err;
    loop = loop_new(&err);
    ck_assert_int_eq(channel_pair(fds, &err), 0);
    master_end = (struct channel){.received = note, .ended = note_end};
    child_end = (struct channel){.received = note, .ended = note_end, .takes_fds = true};
    ck_assert_int_eq(channel_open(&master_end, loop, fds[0], &err), 0);
    ck_assert_int_eq(channel_open(&child_end, loop, fds[1], &err), 0);
}

static void close_channel(void)
{
    for (unsigned i = 0; i < received_count; i++)
        free(got[i].text);
    channel_close(&master_end);
    channel_close(&child_end);
    loop_free(loop);
}

START_TEST(a_short_message_arrives_as_it_was_sent)
{
    ck_assert_int_eq(channel_send(&child_end, CHANNEL_FAILED, 7, "no such thing", -1, NULL), 0);
    ck_assert_int_eq(channel_send(&child_end, CHANNEL_READY, 0, NULL, -1, NULL), 0);
    run_until(2);
    ck_assert_int_eq(got[0].type, CHANNEL_FAILED);
    ck_assert_uint_eq(got[0].value, 7);
    ck_assert_str_eq(got[0].text, "no such thing");
    ck_assert_int_eq(got[1].type, CHANNEL_READY);
    ck_assert_str_eq(got[1].text, "");
}
END_TEST

/* The lengths around what fits into a datagram, what fits into the longest text, and one beyond. */
START_TEST(a_text_of_any_length_arrives_whole)
{
    static const size_t lengths[] = {CHANNEL_TEXT_SHORT, CHANNEL_TEXT_SHORT + 1, 300000, CHANNEL_TEXT_MAX,
                                     CHANNEL_TEXT_MAX + 1};
    size_t len = lengths[_i];
    char *text = memory_zalloc(len + 1);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + i % 23);
    ck_assert_int_eq(channel_send(&master_end, CHANNEL_RELOAD_DONE, 3, text, -1, NULL), 0);
    run_until(1);
    size_t expected = MIN(len, (size_t)CHANNEL_TEXT_MAX);
    ck_assert_uint_eq(strlen(got[0].text), expected);
    ck_assert(memcmp(got[0].text, text, expected) == 0);
    ck_assert(!got[0].has_fd);
    free(text);
}
END_TEST

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

START_TEST(a_descriptor_goes_from_master_to_child)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    ck_assert_int_eq(write(fd, "the log", 7), 7);
    ck_assert_int_eq(channel_send(&master_end, CHANNEL_REOPEN, 0, NULL, fd, NULL), 0);
    close(fd);
    unsigned before = open_descriptors();
    run_until(1);
    ck_assert(got[0].has_fd);
    ck_assert_str_eq(got[0].from_fd, "the log");
    ck_assert_uint_eq(open_descriptors(), before); /* nobody took it over, so it was closed */
}
END_TEST

START_TEST(the_master_takes_no_descriptor_from_a_child)
{
    char *text = memory_zalloc(5001);
    memset(text, 'x', 5000);
    unsigned before = open_descriptors();
    ck_assert_int_eq(channel_send(&child_end, CHANNEL_READY, 0, NULL, STDERR_FILENO, NULL), 0);
    ck_assert_int_eq(channel_send(&child_end, CHANNEL_FAILED, 0, text, -1, NULL), 0);
    run_until(2);
    ck_assert(!got[0].has_fd);
    ck_assert_str_eq(got[1].text, "");
    ck_assert_uint_eq(open_descriptors(), before);
    free(text);
}
END_TEST

START_TEST(what_is_no_message_is_thrown_away)
{
    uint32_t unknown[300] = {4711};
    char garbage[1200];
    memset(garbage, 0xff, sizeof garbage);
    ck_assert_int_eq(send(child_end.watch.fd, "abc", 3, 0), 3);
    ck_assert_int_gt(send(child_end.watch.fd, garbage, sizeof garbage, 0), 0);
    ck_assert_int_gt(send(child_end.watch.fd, unknown, sizeof unknown, 0), 0);
    ck_assert_int_eq(channel_send(&child_end, CHANNEL_RELOAD, 9, NULL, -1, NULL), 0);
    run_until(1);
    ck_assert_int_eq(got[0].type, CHANNEL_RELOAD);
    ck_assert_uint_eq(got[0].value, 9);
}
END_TEST

START_TEST(the_end_of_the_other_side_is_told_once_after_its_messages)
{
    struct error err;
    ck_assert_int_eq(channel_send(&master_end, CHANNEL_DRAIN, 30, NULL, -1, NULL), 0);
    channel_close(&master_end);
    run_until(2);
    ck_assert_uint_eq(received_count, 1);
    ck_assert_uint_eq(ended_count, 1);
    ck_assert_int_eq(channel_send(&child_end, CHANNEL_READY, 0, NULL, -1, &err), -1);
}
END_TEST

START_TEST(sending_never_blocks)
{
    struct error err;
    int result = 0;
    for (int i = 0; i < 100000 && result == 0; i++)
        result = channel_send(&master_end, CHANNEL_STOP, 0, NULL, -1, &err);
    ck_assert_int_eq(result, -1);
}
END_TEST

static void add_channel_tests(Suite *suite)
{
    TCase *c = tcase_create("channel");
    tcase_add_checked_fixture(c, open_channel, close_channel);
    tcase_add_test(c, a_short_message_arrives_as_it_was_sent);
    tcase_add_loop_test(c, a_text_of_any_length_arrives_whole, 0, 5);
    tcase_add_test(c, a_descriptor_goes_from_master_to_child);
    tcase_add_test(c, the_master_takes_no_descriptor_from_a_child);
    tcase_add_test(c, what_is_no_message_is_thrown_away);
    tcase_add_test(c, the_end_of_the_other_side_is_told_once_after_its_messages);
    tcase_add_test(c, sending_never_blocks);
    suite_add_tcase(suite, c);
}

int main(void)
{
    Suite *suite = suite_create("channel");
    add_channel_tests(suite);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
