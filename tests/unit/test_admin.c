/* The admin socket's protocol: sessions that behave, sessions that don't, reload and drain. */
#include "admin_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

Suite *admin_commands_suite(void);

static void expect(int fd, const char *want)
{
    char *answer = peer_answer(fd);
    ck_assert_str_eq(answer, want);
    free(answer);
}

static void send_text(int fd, const char *text)
{
    peer_send(fd, text, strlen(text));
}

START_TEST(bytes_may_come_one_at_a_time)
{
    int fd = peer_open();
    for (const char *p = "ping\r\nping\n"; *p; p++) {
        peer_send(fd, p, 1);
        run_for(2);
    }
    expect(fd, "ok\npong\n");
    expect(fd, "ok\npong\n");
    close(fd);
}
END_TEST

START_TEST(many_commands_in_one_write_are_answered_in_order)
{
    struct text lines = {0};
    int fd = peer_open();
    for (int i = 0; i < 500; i++)
        text_puts(&lines, i % 2 ? "ping\n" : "\n  \nnonsense\n");
    peer_send(fd, lines.data, lines.len);
    text_free(&lines);
    for (int i = 0; i < 500; i++)
        expect(fd,
               i % 2 ? "ok\npong\n" : "error: unknown command \"nonsense\"; \"help\" lists the commands\n");
    close(fd);
}
END_TEST

START_TEST(a_line_of_4096_bytes_is_read_and_a_longer_one_refused)
{
    char line[COMMAND_LINE_MAX + 2];
    int fd = peer_open();
    memset(line, ' ', sizeof line);
    memcpy(line, "ping", 4);
    line[COMMAND_LINE_MAX] = '\n';
    peer_send(fd, line, COMMAND_LINE_MAX + 1);
    expect(fd, "ok\npong\n");
    line[COMMAND_LINE_MAX] = ' ';
    line[COMMAND_LINE_MAX + 1] = '\n';
    peer_send(fd, line, COMMAND_LINE_MAX + 2);
    expect(fd, "error: the line is longer than 4096 bytes\n");
    send_text(fd, "ping\n");
    expect(fd, "ok\npong\n");
    close(fd);
}
END_TEST

START_TEST(endless_garbage_is_refused_once_and_skipped)
{
    static char garbage[1 << 20];
    int fd = peer_open();
    memset(garbage, 'x', sizeof garbage);
    peer_send(fd, garbage, sizeof garbage);
    send_text(fd, "\nping\n");
    expect(fd, "error: the line is longer than 4096 bytes\n");
    expect(fd, "ok\npong\n");
    close(fd);
}
END_TEST

START_TEST(control_characters_are_refused)
{
    int fd = peer_open();
    peer_send(fd, "ping\0 reload\n", 13);
    expect(fd, "error: the line has a control character\n");
    send_text(fd, "stats \"a\x1b[2Jb\"\n");
    expect(fd, "error: the line has a control character\n");
    send_text(fd, "\x16\x03\x01\x02\n");
    expect(fd, "error: the line has a control character\n");
    ck_assert_uint_eq(fx.asked_count, 0);
    close(fd);
}
END_TEST

START_TEST(a_half_closed_connection_is_answered_and_then_closed)
{
    int fd = peer_open();
    send_text(fd, "ping\nping\n");
    shutdown(fd, SHUT_WR);
    expect(fd, "ok\npong\n");
    expect(fd, "ok\npong\n");
    peer_await_end(fd);
    close(fd);
}
END_TEST

START_TEST(a_command_that_was_cut_off_is_not_run)
{
    int fd = peer_open();
    send_text(fd, "ping\nreload");
    shutdown(fd, SHUT_WR);
    expect(fd, "ok\npong\n");
    expect(fd, "error: the line was cut off: no newline at its end\n");
    peer_await_end(fd);
    ck_assert_uint_eq(fx.asked_count, 0);
    close(fd);
}
END_TEST

START_TEST(a_client_that_does_not_read_holds_one_answer_and_nobody_up)
{
    int deaf = peer_open(), other = peer_open();
    size_t sent = 0;
    for (ssize_t n; (n = send(deaf, "stats\n", 6, MSG_NOSIGNAL)) > 0 || sent<20000; sent += n> 0 ? n : 0) {
        ck_assert(n > 0 || errno == EAGAIN);
        if (n < 0 && fx.admin->queued > 0)
            break; /* neither takes more */
        if (n < 0)
            run_for(1);
    }
    for (int i = 0; i < 5; i++) {
        run_for(5);
        ck_assert_uint_gt(fx.admin->queued, 0);
        ck_assert_uint_lt(fx.admin->queued, 16384);
        free(peer_command(other, "ping"));
    }
    for (size_t i = 0; i < sent / 6; i++) { /* it reads after all: nothing was lost */
        char *answer = peer_answer(deaf);
        ck_assert(strncmp(answer, "ok\n", 3) == 0);
        free(answer);
    }
    ck_assert_uint_eq(fx.admin->queued, 0);
    close(deaf);
    close(other);
}
END_TEST

START_TEST(unread_answers_of_all_clients_together_are_bounded)
{
    enum { DEAF = 40 };
    int deaf[DEAF], fd = peer_open();
    fx.admin->queued_max = 100000;
    for (int i = 0; i < DEAF; i++) {
        deaf[i] = peer_open();
        ck_assert_int_eq(setsockopt(deaf[i], SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int)), 0);
        for (int n = 0; n < 50; n++)
            send_text(deaf[i], "stats --json\n");
    }
    for (int i = 0; i < 300; i++) {
        run_for(1);
        ck_assert_uint_le(fx.admin->queued, fx.admin->queued_max);
    }
    ck_assert_uint_lt(fx.admin->count, DEAF);
    free(peer_command(fd, "ping"));
    for (int i = 0; i < DEAF; i++)
        close(deaf[i]);
    close(fd);
}
END_TEST

START_TEST(the_longest_inactive_session_makes_room)
{
    int fds[ADMIN_SESSIONS_MAX];
    for (int i = 0; i < ADMIN_SESSIONS_MAX; i++) {
        fds[i] = peer_open();
        run_for(1);
    }
    free(peer_command(fds[0], "ping")); /* not the longest inactive any more */
    int newest = peer_open();
    free(peer_command(newest, "ping"));
    ck_assert_uint_eq(fx.admin->count, ADMIN_SESSIONS_MAX);
    peer_await_end(fds[1]);
    free(peer_command(fds[0], "ping"));
    free(peer_command(fds[2], "ping"));
    close(newest);
    for (int i = 0; i < ADMIN_SESSIONS_MAX; i++)
        close(fds[i]);
    run_for(10);
    ck_assert_uint_eq(fx.admin->count, 0);
}
END_TEST

START_TEST(every_session_has_a_deadline_unless_the_host_owes_it_an_answer)
{
    int fd = peer_open();
    run_for(5);
    struct admin_session *s = TAILQ_FIRST(&fx.admin->sessions);
    ck_assert(s->timer.armed);
    uint64_t idle = s->timer.deadline;
    send_text(fd, "reload\n");
    run_for(5);
    ck_assert(!s->timer.armed);
    admin_reload_done(s, true, "done\n");
    expect(fd, "ok\ndone\n");
    run_for(5);
    ck_assert(s->timer.armed);
    ck_assert_uint_gt(s->timer.deadline, idle);
    s->timer.fire(&s->timer);
    peer_await_end(fd);
    close(fd);
}
END_TEST

START_TEST(reload_is_answered_when_the_host_has_done_it)
{
    int fd = peer_open(), other = peer_open();
    send_text(fd, "reload\nping\n");
    run_for(10);
    ck_assert_uint_eq(fx.asked_count, 1);
    free(peer_command(other, "ping"));
    ck_assert_int_eq(recv(fd, (char[1]){0}, 1, MSG_PEEK), -1); /* the ping waits its turn */
    ck_assert(!admin_idle(fx.admin));
    admin_reload_done(fx.asked[0], true, "generation 4 serves\n\nbackend site: server d was added\n");
    expect(fd, "ok\ngeneration 4 serves\n \nbackend site: server d was added\n");
    expect(fd, "ok\npong\n");
    run_for(5);
    ck_assert(admin_idle(fx.admin));
    close(fd);
    close(other);
}
END_TEST

START_TEST(a_reload_that_fails_tells_the_reason_and_the_errors)
{
    int fd = peer_open();
    const char *text = "the file is wrong, nothing changed\nnoxy.yaml:3:5: unknown key \"x\"\n\x1b[2J\n";
    send_text(fd, "reload\nreload --json\n");
    run_for(10);
    admin_reload_done(fx.asked[0], false, text);
    expect(fd, "error: the file is wrong, nothing changed\nnoxy.yaml:3:5: unknown key \"x\"\n\\x1b[2J\n");
    run_for(10);
    ck_assert_uint_eq(fx.asked_count, 2);
    admin_reload_done(fx.asked[1], false, text);
    char *answer = peer_answer(fd);
    json_t *document = json_loads(strchr(answer, '\n'), 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(document, "error")),
                     "the file is wrong, nothing changed");
    ck_assert_uint_eq(json_array_size(json_object_get(document, "details")), 2);
    json_decref(document);
    free(answer);
    close(fd);
}
END_TEST

START_TEST(a_reload_may_be_refused_or_answered_at_once)
{
    int fd = peer_open();
    fx.refuse_reload = true;
    send_text(fd, "reload\n");
    expect(fd, "error: the master does not answer\n");
    fx.refuse_reload = false;
    fx.answer_at_once = true;
    send_text(fd, "reload\n");
    expect(fd, "ok\ngeneration 4 serves\n");
    ck_assert_uint_eq(fx.admin->waiting, 0);
    close(fd);
}
END_TEST

START_TEST(a_reload_may_end_after_its_client_has_left)
{
    int fd = peer_open(), half = peer_open();
    send_text(fd, "reload\n");
    send_text(half, "reload\n");
    shutdown(half, SHUT_WR);
    run_for(10);
    close(fd);
    run_for(10);
    ck_assert_uint_eq(fx.admin->count, 1);
    admin_reload_done(fx.asked[0], true, "done\n");
    admin_reload_done(fx.asked[1], true, "done\n");
    expect(half, "ok\ndone\n"); /* only half closed: it still listens */
    peer_await_end(half);
    run_for(10);
    ck_assert(TAILQ_EMPTY(&fx.admin->left));
    close(half);
}
END_TEST

START_TEST(the_server_may_end_while_reloads_are_under_way)
{
    int fd = peer_open(), gone = peer_open();
    send_text(fd, "reload\n");
    send_text(gone, "reload\n");
    run_for(10);
    close(gone);
    run_for(10);
    ck_assert_uint_eq(fx.admin->waiting, 2);
    admin_free(fx.admin);
    fx.admin = NULL;
    peer_await_end(fd);
    close(fd);
}
END_TEST

struct drain {
    struct timer timer;
    int fd;
};

/* The command comes after the round's events were taken, and before the drain. */
static void send_and_drain(struct timer *t)
{
    send_text(CONTAINER_OF(t, struct drain, timer)->fd, "ping\n");
    admin_drain(fx.admin);
}

START_TEST(a_drain_answers_what_is_under_way_and_closes_the_rest)
{
    int idle = peer_open(), reload = peer_open(), sent = peer_open(), fresh = peer_open();
    free(peer_command(idle, "ping"));
    free(peer_command(sent, "ping"));
    send_text(reload, "reload\n");
    run_for(10);
    struct drain drain = {.timer.fire = send_and_drain, .fd = sent};
    loop_timer_set(fx.loop, &drain.timer, 1000);
    run_for(20);
    ck_assert(!admin_idle(fx.admin));
    peer_await_end(idle);
    expect(sent, "ok\npong\n");
    peer_await_end(sent);
    free(peer_command(fresh, "ping"));
    peer_await_end(fresh);
    admin_reload_done(fx.asked[0], true, "done\n");
    expect(reload, "ok\ndone\n");
    peer_await_end(reload);
    ck_assert(admin_idle(fx.admin));
    int late = peer_open(); /* stays in the listening socket's queue, for the next generation */
    run_for(10);
    ck_assert_uint_eq(fx.admin->count, 0);
    close(idle), close(reload), close(sent), close(fresh), close(late);
}
END_TEST

START_TEST(a_drain_does_not_wait_long_for_a_silent_client)
{
    int fd = peer_open();
    run_for(5);
    admin_drain(fx.admin);
    ck_assert(!admin_idle(fx.admin));
    peer_await_end(fd); /* within 5 s, while an idle session has 300 s */
    ck_assert(admin_idle(fx.admin));
    close(fd);
}
END_TEST

static Suite *protocol_suite(void)
{
    Suite *suite = suite_create("admin: protocol");
    TCase *t = tcase_create("sessions");
    tcase_add_checked_fixture(t, fixture_setup, fixture_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, bytes_may_come_one_at_a_time);
    tcase_add_test(t, many_commands_in_one_write_are_answered_in_order);
    tcase_add_test(t, a_line_of_4096_bytes_is_read_and_a_longer_one_refused);
    tcase_add_test(t, endless_garbage_is_refused_once_and_skipped);
    tcase_add_test(t, control_characters_are_refused);
    tcase_add_test(t, a_half_closed_connection_is_answered_and_then_closed);
    tcase_add_test(t, a_command_that_was_cut_off_is_not_run);
    tcase_add_test(t, a_client_that_does_not_read_holds_one_answer_and_nobody_up);
    tcase_add_test(t, unread_answers_of_all_clients_together_are_bounded);
    tcase_add_test(t, the_longest_inactive_session_makes_room);
    tcase_add_test(t, every_session_has_a_deadline_unless_the_host_owes_it_an_answer);
    tcase_add_test(t, reload_is_answered_when_the_host_has_done_it);
    tcase_add_test(t, a_reload_that_fails_tells_the_reason_and_the_errors);
    tcase_add_test(t, a_reload_may_be_refused_or_answered_at_once);
    tcase_add_test(t, a_reload_may_end_after_its_client_has_left);
    tcase_add_test(t, the_server_may_end_while_reloads_are_under_way);
    tcase_add_test(t, a_drain_answers_what_is_under_way_and_closes_the_rest);
    tcase_add_test(t, a_drain_does_not_wait_long_for_a_silent_client);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(protocol_suite());
    srunner_add_suite(runner, admin_commands_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
