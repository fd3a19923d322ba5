/* The keys of TLS sessions in the arena. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state/state.h"
#include "state/ticket.h"

static struct error err;

static void setup(void)
{
    ck_assert_int_eq(state_open(&err), 0);
}

static struct ticket_key rotate(void)
{
    struct ticket_key k;
    ck_assert_int_eq(state_ticket_rotate(&err), 0);
    ck_assert(state_ticket_current(&k));
    return k;
}

START_TEST(without_an_arena_or_a_key_there_is_none)
{
    struct ticket_key k;
    bool current;
    ck_assert(!state_ticket_current(&k));
    setup();
    ck_assert(!state_ticket_current(&k));
    ck_assert_uint_eq(state_ticket_made_ms(), 0);
    ck_assert(!state_ticket_find((const unsigned char[TICKET_NAME_SIZE]){0}, &k, &current));
    state_close();
}
END_TEST

START_TEST(the_latest_three_keys_are_accepted)
{
    struct ticket_key made[6], found;
    bool current;
    setup();
    for (int i = 0; i < 6; i++) {
        made[i] = rotate();
        for (int j = 0; j <= i; j++) {
            ck_assert_int_eq(state_ticket_find(made[j].name, &found, &current), i - j < TICKET_ACCEPTED);
            if (i - j >= TICKET_ACCEPTED)
                continue;
            ck_assert_int_eq(current, i == j);
            ck_assert_mem_eq(&found, &made[j], sizeof found);
        }
    }
    ck_assert_mem_ne(made[0].cipher, made[1].cipher, TICKET_SECRET_SIZE);
    ck_assert_mem_ne(made[0].mac, made[0].cipher, TICKET_SECRET_SIZE);
    ck_assert_uint_gt(state_ticket_made_ms(), 0);
    state_close();
}
END_TEST

START_TEST(other_processes_and_the_next_master_have_the_same_keys)
{
    struct ticket_key ours, theirs;
    int status;
    setup();
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    int fd = fcntl(state_fd(), F_DUPFD_CLOEXEC, 10);
    if (pid == 0) /* made after the fork: what counts is that the arena is shared */
        _exit(state_ticket_rotate(&err) == 0 ? 0 : 1);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert(state_ticket_current(&ours));
    state_close();
    ck_assert_int_eq(state_adopt(fd, &err), 0);
    ck_assert(state_ticket_current(&theirs));
    ck_assert_mem_eq(&ours, &theirs, sizeof ours);
    state_close();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ticket");
    TCase *t = tcase_create("ticket");
    tcase_add_test(t, without_an_arena_or_a_key_there_is_none);
    tcase_add_test(t, the_latest_three_keys_are_accepted);
    tcase_add_test(t, other_processes_and_the_next_master_have_the_same_keys);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
