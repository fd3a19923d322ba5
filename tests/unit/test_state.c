#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macros.h"
#include "state/state.h"

static struct error err;
static struct slot_totals totals;

static void setup(void)
{
    ck_assert_msg(state_open(&err) == 0, "%s", err.text);
}

static struct slot *make(enum slot_kind kind, const struct slot *parent, const char *name)
{
    struct slot *s = state_slot(kind, parent, slice_of(name), &err);
    ck_assert_msg(s != NULL, "%s", err.text);
    return s;
}

static uint64_t counted(const struct slot *s, enum counter c)
{
    state_totals(s, &totals);
    return totals.counter[c];
}

/* ---- tables ---- */

START_TEST(every_reason_and_counter_has_a_word_and_a_sentence)
{
    for (unsigned r = 0; r < REASON_COUNT; r++) {
        const char *word = reason_word((enum reason)r);
        ck_assert_uint_gt(strlen(reason_sentence((enum reason)r)), 4);
        ck_assert_uint_eq(strspn(word, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(word));
        for (unsigned o = 0; o < r; o++)
            ck_assert_str_ne(word, reason_word((enum reason)o));
    }
    for (unsigned c = 0; c < COUNTER_NAMED_COUNT; c++) {
        ck_assert_uint_gt(strlen(counter_doc((enum counter)c)), 4);
        ck_assert_uint_gt(strlen(counter_unit((enum counter)c)), 1);
        for (unsigned o = 0; o < c; o++)
            ck_assert_str_ne(counter_name((enum counter)c), counter_name((enum counter)o));
    }
    ck_assert_str_eq(reason_word(REASON_SERVER_REFUSED), "server_refused");
    ck_assert_int_eq(reason_side(REASON_SERVER_REFUSED), SIDE_SERVER);
    ck_assert_int_eq(reason_side(REASON_CLIENT_RESET), SIDE_CLIENT);
    ck_assert_int_eq(reason_side(REASON_MAXCONN), SIDE_NOXY);
    ck_assert_str_eq(counter_name(COUNTER_BYTES_IN), "bytes_in");
    ck_assert_str_eq(counter_unit(COUNTER_BYTES_IN), "bytes");
}
END_TEST

/* ---- histogram ---- */

static void check_duration(uint64_t us)
{
    unsigned b = histogram_bucket_of(us);
    ck_assert_uint_lt(b, HISTOGRAM_BUCKETS);
    ck_assert_uint_le(us, histogram_bucket_limit(b));
    if (b)
        ck_assert_uint_gt(us, histogram_bucket_limit(b - 1));
    if (b < HISTOGRAM_BUCKETS - 1) /* exact to 25 % */
        ck_assert_uint_le(histogram_bucket_limit(b) - us, us / 4);
}

START_TEST(each_duration_falls_into_the_bucket_whose_limits_hold_it)
{
    const uint64_t hour = 3600ull * 1000000;
    for (uint64_t us = 0; us < 100000; us++)
        check_duration(us);
    for (uint64_t us = 100000; us < 3 * hour; us += us / 1000)
        check_duration(us);
    for (unsigned b = 0; b < HISTOGRAM_BUCKETS - 1; b++) { /* both sides of each limit */
        check_duration(histogram_bucket_limit(b));
        check_duration(histogram_bucket_limit(b) + 1);
        ck_assert_uint_eq(histogram_bucket_of(histogram_bucket_limit(b)), b);
        ck_assert_uint_eq(histogram_bucket_of(histogram_bucket_limit(b) + 1), b + 1);
    }
    ck_assert_uint_lt(histogram_bucket_of(hour), HISTOGRAM_BUCKETS - 1);
    ck_assert_uint_eq(histogram_bucket_of(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
    ck_assert_uint_eq(histogram_bucket_limit(HISTOGRAM_BUCKETS - 1), UINT64_MAX);
}
END_TEST

static void check_percentile(const struct histogram_sum *sum, double percent, uint64_t truth)
{
    uint64_t told = histogram_percentile(sum, percent);
    ck_assert_msg(told >= truth && told <= truth + truth / 4, "percentile %g: %ju, in truth %ju", percent,
                  (uintmax_t)told, (uintmax_t)truth);
}

START_TEST(percentiles_are_right_to_a_quarter)
{
    static struct histogram h, other;
    struct histogram_sum sum = {0};
    ck_assert_uint_eq(histogram_percentile(&sum, 50), 0);
    for (uint64_t us = 1; us <= 10000; us++) /* 1 to 10000 us, half of them recorded by each of two */
        histogram_record(us % 2 ? &h : &other, us);
    histogram_add(&sum, &h);
    histogram_add(&sum, &other);
    ck_assert_uint_eq(histogram_count(&sum), 10000);
    ck_assert_uint_eq(histogram_percentile(&sum, 0), 1);
    check_percentile(&sum, 1, 100);
    check_percentile(&sum, 50, 5000);
    check_percentile(&sum, 90, 9000);
    check_percentile(&sum, 99, 9900);
    check_percentile(&sum, 100, 10000);
}
END_TEST

START_TEST(a_percentile_of_few_values_is_one_of_them)
{
    static struct histogram h;
    struct histogram_sum sum = {0};
    histogram_record(&h, 3);
    histogram_record(&h, 3);
    histogram_record(&h, 3);
    histogram_record(&h, UINT64_MAX);
    histogram_add(&sum, &h);
    ck_assert_uint_eq(histogram_percentile(&sum, 75), 3);
    uint64_t longest = histogram_percentile(&sum, 76); /* the last bucket's is told as its nominal limit */
    ck_assert_uint_eq(longest, ((uint64_t)1 << 33) - 1);
}
END_TEST

/* ---- slots ---- */

START_TEST(a_slot_is_found_by_kind_parent_and_name)
{
    struct slot *process = make(SLOT_PROCESS, NULL, "");
    struct slot *a = make(SLOT_BACKEND, NULL, "a"), *b = make(SLOT_BACKEND, NULL, "b");
    struct slot *front = make(SLOT_FRONTEND, NULL, "a");
    struct slot *a1 = make(SLOT_SERVER, a, "one"), *b1 = make(SLOT_SERVER, b, "one");
    struct slot *all[] = {process, a, b, front, a1, b1};
    for (unsigned i = 0; i < ARRAY_LEN(all); i++)
        for (unsigned o = 0; o < i; o++)
            ck_assert_ptr_ne(all[i], all[o]);
    ck_assert_ptr_eq(make(SLOT_SERVER, b, "one"), b1);
    ck_assert_ptr_eq(state_slot_find(SLOT_SERVER, a, SLICE("one")), a1);
    ck_assert_ptr_eq(state_slot_find(SLOT_PROCESS, NULL, SLICE("")), process);
    ck_assert_ptr_null(state_slot_find(SLOT_SERVER, a, SLICE("two")));
    ck_assert_ptr_null(state_slot_find(SLOT_SERVER, NULL, SLICE("one")));
    ck_assert_ptr_eq(state_parent(b1), b);
    ck_assert_ptr_null(state_parent(b));
    struct slot *s = NULL; /* in the order in which they were made */
    for (unsigned i = 0; i < ARRAY_LEN(all); i++)
        ck_assert_ptr_eq(s = state_next(s), all[i]);
    ck_assert_ptr_null(state_next(s));
}
END_TEST

START_TEST(a_name_that_does_not_fit_is_refused)
{
    char name[SLOT_NAME_MAX + 1];
    memset(name, 'x', sizeof name);
    ck_assert_ptr_null(state_slot(SLOT_BACKEND, NULL, (struct slice){name, SLOT_NAME_MAX}, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "longer than 191 bytes"));
    ck_assert_ptr_null(state_slot(SLOT_BACKEND, NULL, (struct slice){"a\0b", 3}, &err));
    ck_assert_ptr_nonnull(state_slot(SLOT_BACKEND, NULL, (struct slice){name, SLOT_NAME_MAX - 1}, &err));
    ck_assert_ptr_eq(state_next(state_next(NULL)), NULL);
}
END_TEST

/* Each name twice, so that places in the table are shared by names that differ in kind only. */
static enum slot_kind nth(int i, char *name, size_t size)
{
    snprintf(name, size, "name-%d", i / 2);
    return i % 2 ? SLOT_FRONTEND : SLOT_BACKEND;
}

START_TEST(a_full_arena_refuses_new_names_and_finds_the_old)
{
    char name[32];
    uint64_t start = clock_monotonic_us();
    for (int i = 0; i < STATE_SLOTS_MAX; i++)
        make(nth(i, name, sizeof name), NULL, name);
    ck_assert_ptr_null(state_slot(SLOT_BACKEND, NULL, SLICE("more"), &err));
    ck_assert_ptr_nonnull(strstr(err.text, "4096 names"));
    int n = 0;
    for (struct slot *s = state_next(NULL); s; s = state_next(s), n++) {
        enum slot_kind kind = nth(n, name, sizeof name);
        ck_assert_str_eq(s->name, name);
        ck_assert_ptr_eq(state_slot_find(kind, NULL, slice_of(name)), s);
    }
    ck_assert_int_eq(n, STATE_SLOTS_MAX);
    ck_assert_uint_lt(clock_monotonic_us() - start, 30000000);
}
END_TEST

/* ---- lanes ---- */

START_TEST(lanes_add_up_and_what_a_closed_one_counted_stays)
{
    struct slot *s = make(SLOT_SERVER, make(SLOT_BACKEND, NULL, "web"), "a");
    state_count(state_block(s), COUNTER_REQUESTS, 5);
    for (int round = 1; round <= 20; round++) {
        int lane = state_lane_open(&err);
        ck_assert_int_eq(lane, 1); /* used again, without the counts of its last life */
        state_lane_use(lane);
        state_count(state_block(s), COUNTER_REQUESTS, 100);
        state_count(state_block(s), COUNTER_REASON + REASON_SERVER_TIMEOUT, 1);
        histogram_record(&state_block(s)->latency[LATENCY_TOTAL], 1000);
        state_gauge_add(s, GAUGE_SESSIONS);
        state_gauge_add(s, GAUGE_SESSIONS);
        state_gauge_sub(s, GAUGE_SESSIONS);
        state_lane_use(0);
        ck_assert_uint_eq(counted(s, COUNTER_REQUESTS), 5 + 100 * round);
        ck_assert_uint_eq(state_gauge(s, GAUGE_SESSIONS), 1);
        state_lane_close(lane);
        state_lane_close(lane); /* once more: nothing happens */
        ck_assert_uint_eq(counted(s, COUNTER_REQUESTS), 5 + 100 * round);
        ck_assert_uint_eq(totals.counter[COUNTER_REASON + REASON_SERVER_TIMEOUT], round);
        ck_assert_uint_eq(histogram_count(&totals.latency[LATENCY_TOTAL]), round);
        ck_assert_uint_eq(histogram_count(&totals.latency[LATENCY_QUEUE]), 0);
        ck_assert_uint_eq(state_gauge(s, GAUGE_SESSIONS), 0);
    }
}
END_TEST

static uint64_t memory_used(void)
{
    struct stat st;
    ck_assert_int_eq(fstat(state_fd(), &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

static void count_a_life_everywhere(void)
{
    int lane = state_lane_open(&err);
    state_lane_use(lane);
    for (struct slot *s = state_next(NULL); s; s = state_next(s))
        memset(state_block(s), 1, sizeof(struct lane_block)); /* all its pages */
    state_lane_use(0);
    state_lane_close(lane);
}

START_TEST(a_closed_lane_gives_its_memory_back)
{
    char name[32];
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "%d", i);
        make(SLOT_BACKEND, NULL, name);
    }
    count_a_life_everywhere();
    count_a_life_everywhere(); /* both halves of the retired totals are in use from now on */
    uint64_t before = memory_used();
    for (int lives = 0; lives < 10; lives++)
        count_a_life_everywhere();
    ck_assert_uint_eq(memory_used(), before);
    int lane = state_lane_open(&err);
    state_lane_use(lane);
    memset(state_block(state_next(NULL)), 1, 500 * sizeof(struct lane_block));
    ck_assert_uint_gt(memory_used(), before + 499 * sizeof(struct lane_block));
    state_lane_use(0);
    state_lane_close(lane);
    ck_assert_uint_eq(memory_used(), before);
}
END_TEST

START_TEST(lanes_end_with_an_error)
{
    for (int i = 1; i < STATE_LANES_MAX; i++)
        ck_assert_int_eq(state_lane_open(&err), i);
    ck_assert_int_eq(state_lane_open(&err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "512 processes"));
    state_lane_close(77);
    ck_assert_int_eq(state_lane_open(&err), 77);
}
END_TEST

START_TEST(a_claim_holds_the_limit)
{
    struct slot *s = make(SLOT_SERVER, make(SLOT_BACKEND, NULL, "web"), "a");
    int lane = state_lane_open(&err);
    ck_assert(!state_claim(s, GAUGE_REQUESTS, 0));
    ck_assert(state_claim(s, GAUGE_REQUESTS, 3));
    state_lane_use(lane);
    ck_assert(state_claim(s, GAUGE_REQUESTS, 3));
    ck_assert(state_claim(s, GAUGE_REQUESTS, 3));
    ck_assert(!state_claim(s, GAUGE_REQUESTS, 3));
    ck_assert_uint_eq(state_gauge(s, GAUGE_REQUESTS), 3);
    ck_assert(state_claim(s, GAUGE_REQUESTS, 4));
    ck_assert(!state_claim(s, GAUGE_REQUESTS, 2)); /* a lower limit after a reload */
    state_lane_use(0);
    state_lane_close(lane);
    ck_assert_uint_eq(state_gauge(s, GAUGE_REQUESTS), 1);
    ck_assert(state_claim(s, GAUGE_REQUESTS, 2));
    ck_assert(!state_claim(s, GAUGE_REQUESTS, 2));
}
END_TEST

/* ---- health and address ---- */

START_TEST(a_change_of_health_is_told_once)
{
    struct slot *backend = make(SLOT_BACKEND, NULL, "web"), *s = make(SLOT_SERVER, backend, "a");
    char text[200], small[5];
    state_read_text(&s->health_reason, text, sizeof text);
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(s->health, HEALTH_UNKNOWN);
    ck_assert(state_set_health(s, HEALTH_DOWN, "connect refused, 3 of 3 checks"));
    ck_assert_int_eq(s->health, HEALTH_DOWN);
    ck_assert_uint_eq(backend->changes, 1);
    ck_assert_uint_eq(counted(s, COUNTER_DOWNS), 1);
    uint64_t since = s->health_since_ms;
    ck_assert_uint_le(since, clock_wall_ms());
    ck_assert_uint_gt(since, clock_wall_ms() - 10000);
    ck_assert(!state_set_health(s, HEALTH_DOWN, "timed out")); /* the reason is new, the state is not */
    state_read_text(&s->health_reason, text, sizeof text);
    ck_assert_str_eq(text, "timed out");
    state_read_text(&s->health_reason, small, sizeof small);
    ck_assert_str_eq(small, "time");
    ck_assert_uint_eq(backend->changes, 1);
    ck_assert_uint_eq(counted(s, COUNTER_DOWNS), 1);
    ck_assert_uint_eq(s->health_since_ms, since);
    ck_assert(state_set_health(s, HEALTH_UP, "passed"));
    ck_assert_uint_eq(backend->changes, 2);
    ck_assert_uint_eq(counted(s, COUNTER_DOWNS), 1);
}
END_TEST

START_TEST(a_long_reason_is_cut)
{
    struct slot *s = make(SLOT_SERVER, make(SLOT_BACKEND, NULL, "web"), "a");
    char reason[400], text[400];
    memset(reason, 'r', sizeof reason);
    reason[sizeof reason - 1] = '\0';
    ck_assert(state_set_health(s, HEALTH_DOWN, reason));
    state_read_text(&s->health_reason, text, sizeof text);
    ck_assert_uint_eq(strlen(text), 135);
    ck_assert_int_eq(strncmp(text, reason, 135), 0);
    ck_assert(!state_set_health(s, HEALTH_DOWN, reason));
}
END_TEST

START_TEST(an_address_is_kept_whole)
{
    struct slot *backend = make(SLOT_BACKEND, NULL, "web"), *s = make(SLOT_SERVER, backend, "a");
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = 80, .sin6_addr.s6_addr = {1, 2, 3}};
    struct sockaddr_storage out;
    ck_assert_uint_eq(state_read_address(s, &out), 0);
    state_set_address(s, (struct sockaddr *)&six, sizeof six);
    ck_assert_uint_eq(state_read_address(s, &out), sizeof six);
    ck_assert_int_eq(memcmp(&out, &six, sizeof six), 0);
    ck_assert_uint_eq(backend->changes, 1);
    state_set_address(s, (struct sockaddr *)&six, sizeof six);
    ck_assert_uint_eq(backend->changes, 1);
    state_set_address(s, NULL, 0);
    ck_assert_uint_eq(state_read_address(s, &out), 0);
    ck_assert_uint_eq(backend->changes, 2);
}
END_TEST

START_TEST(a_cell_whose_writer_vanished_is_read_and_written_on)
{
    struct slot *s = make(SLOT_SERVER, make(SLOT_BACKEND, NULL, "web"), "a");
    struct shared_cell *cell = &s->health_reason;
    union cell_value late = {.bytes = "late"};
    char text[200];
    ck_assert(state_set_health(s, HEALTH_DOWN, "before"));
    uint64_t locked = cell_lock(cell, 7);
    state_read_text(cell, text, sizeof text);
    ck_assert_str_eq(text, "before");
    uint64_t start = clock_monotonic_us();
    ck_assert(state_set_health(s, HEALTH_UP, "after"));
    uint64_t waited = clock_monotonic_us() - start;
    ck_assert_uint_ge(waited, CELL_WAIT_US);
    ck_assert_uint_lt(waited, 20000000);
    state_read_text(cell, text, sizeof text);
    ck_assert_str_eq(text, "after");
    /* It was only slow: it learns that it lost the cell, and what it spoilt is not taken for a value. */
    ck_assert(!cell_publish(cell, locked, &late));
    struct cell_half *current = &cell->half[cell->state >> 16 & 1];
    current->word[1] = 99; /* as if it had been stopped again in the middle */
    state_read_text(cell, text, sizeof text);
    ck_assert_str_eq(text, "");
    cell_write(cell, 7, &late);
    state_read_text(cell, text, sizeof text);
    ck_assert_str_eq(text, "late");
}
END_TEST

START_TEST(closing_a_lane_gives_back_the_cells_it_held)
{
    struct slot *backend = make(SLOT_BACKEND, NULL, "web"), *s = make(SLOT_SERVER, backend, "a");
    int lane = state_lane_open(&err);
    uint32_t changes = backend->changes;
    cell_lock(&s->health_reason, lane);
    cell_lock(&s->address, lane);
    state_lane_close(lane);
    ck_assert_uint_eq(backend->changes, changes + 1); /* it may have died before it could tell */
    ck_assert_uint_eq(s->health_reason.state & 0xffff, 0);
    ck_assert_uint_eq(s->address.state & 0xffff, 0);
}
END_TEST

/* ---- the arena ---- */

/* Reads what another process has counted in a lane that was opened after this one was forked. */
static int read_when_told(const struct slot *s, int from)
{
    char go;
    if (read(from, &go, 1) != 1)
        return 2;
    state_totals(s, &totals);
    return totals.counter[COUNTER_REQUESTS] == 7 ? 0 : 1;
}

START_TEST(a_process_reads_lanes_that_were_opened_after_its_fork)
{
    int status, told[2];
    struct slot *s = make(SLOT_SERVER, make(SLOT_BACKEND, NULL, "web"), "a");
    ck_assert_int_eq(pipe(told), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(read_when_told(s, told[0]));
    for (int i = 0; i < 20; i++)
        state_lane_use(state_lane_open(&err));
    state_count(state_block(s), COUNTER_REQUESTS, 7);
    ck_assert_int_eq(write(told[1], "!", 1), 1);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* Readable bytes of the arena in this process, in MiB. */
static unsigned long readable_mib(void)
{
    char line[512];
    unsigned long from, to, sum = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps))
        if (strstr(line, "noxy-state") && sscanf(line, "%lx-%lx rw", &from, &to) == 2 && strstr(line, " rw"))
            sum += (to - from) >> 20;
    fclose(maps);
    return sum;
}

START_TEST(lanes_that_were_never_opened_cannot_be_read)
{
    unsigned long before = readable_mib();
    ck_assert_uint_gt(before, 10);
    ck_assert_uint_lt(before, 200);
    ck_assert_int_eq(state_lane_open(&err), 1);
    ck_assert_uint_gt(readable_mib(), before);
    ck_assert_uint_lt(readable_mib(), before + 40);
}
END_TEST

START_TEST(another_master_adopts_the_arena)
{
    struct slot *s = make(SLOT_SERVER, make(SLOT_BACKEND, NULL, "web"), "a");
    state_count(state_block(s), COUNTER_REQUESTS, 7);
    int lane = state_lane_open(&err);
    state_lane_use(lane);
    state_count(state_block(s), COUNTER_REQUESTS, 3);
    ck_assert(state_set_health(s, HEALTH_DOWN, "gone"));
    ck_assert_int_ne(fcntl(state_fd(), F_GETFD) & FD_CLOEXEC, 0);
    int fd = dup(state_fd());
    state_close();
    ck_assert_int_eq(state_fd(), -1);
    ck_assert_msg(state_adopt(fd, &err) == 0, "%s", err.text);
    ck_assert_int_eq(state_fd(), fd);
    s = state_slot_find(SLOT_SERVER, state_slot_find(SLOT_BACKEND, NULL, SLICE("web")), SLICE("a"));
    ck_assert_ptr_nonnull(s);
    char text[20];
    state_read_text(&s->health_reason, text, sizeof text);
    ck_assert_str_eq(text, "gone");
    state_count(state_block(s), COUNTER_REQUESTS, 1);
    ck_assert_uint_eq(counted(s, COUNTER_REQUESTS), 11);
    ck_assert_int_ne(state_lane_open(&err), lane);
    state_lane_close(lane);
    ck_assert_uint_eq(counted(s, COUNTER_REQUESTS), 11);
}
END_TEST

static void refuse(int fd, const char *why)
{
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(state_adopt(fd, &err), -1);
    ck_assert_msg(strstr(err.text, why), "%s", err.text);
    ck_assert_int_ge(fcntl(fd, F_GETFD), 0); /* still the caller's */
    ck_assert_int_eq(state_fd(), -1);
    close(fd);
}

/* The head of a real arena in a file of the same size, without seals. */
static int copy_arena(void)
{
    char head[4096];
    struct stat st;
    ck_assert_int_eq(fstat(state_fd(), &st), 0);
    ck_assert_int_eq(pread(state_fd(), head, sizeof head, 0), sizeof head);
    int fd = memfd_create("copy", MFD_ALLOW_SEALING);
    ck_assert_int_eq(ftruncate(fd, st.st_size), 0);
    ck_assert_int_eq(pwrite(fd, head, sizeof head, 0), sizeof head);
    return fd;
}

START_TEST(anything_but_an_arena_of_this_layout_is_refused)
{
    int unsealed = copy_arena(), older = copy_arena(), other = copy_arena(), cut = copy_arena();
    int damaged = dup(state_fd());
    uint32_t layout = STATE_LAYOUT + 1, size = 12;
    ck_assert_int_eq(pwrite(older, &layout, 4, 8), 4);
    ck_assert_int_eq(pwrite(other, &size, 4, 24), 4);
    ck_assert_int_eq(ftruncate(cut, 1 << 20), 0);
    make(SLOT_BACKEND, NULL, "a")->parent = 99;
    state_close();
    refuse(unsealed, "not sealed");
    refuse(older, "that was handed on has layout");
    refuse(other, "other sizes");
    refuse(cut, "other sizes");
    refuse(damaged, "damaged");
    refuse(memfd_create("empty", 0), "not noxy's shared state");
    refuse(open("/dev/zero", O_RDONLY), "not noxy's shared state");
    int closed = dup(0);
    close(closed);
    ck_assert_int_eq(state_adopt(closed, &err), -1);
}
END_TEST

static int open_under_limit(int resource, struct error *e)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)1 << 30, .rlim_max = (rlim_t)1 << 30};
    if (setrlimit((__rlimit_resource_t)resource, &limit) < 0)
        return -2;
    return state_open(e);
}

static void check_limit(int resource, const char *words)
{
    struct error *e = mmap(NULL, sizeof *e, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(e, MAP_FAILED);
    pid_t pid = fork();
    if (pid == 0)
        _exit(open_under_limit(resource, e) == -1 ? 0 : 1);
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert_msg(strstr(e->text, words), "%s", e->text);
}

START_TEST(a_limit_that_is_too_low_is_named)
{
    check_limit(RLIMIT_AS, "ulimit -v");
    check_limit(RLIMIT_FSIZE, "ulimit -f");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state");
    TCase *plain = tcase_create("tables and histograms"), *arena = tcase_create("arena");
    tcase_set_timeout(plain, 60);
    tcase_add_test(plain, every_reason_and_counter_has_a_word_and_a_sentence);
    tcase_add_test(plain, each_duration_falls_into_the_bucket_whose_limits_hold_it);
    tcase_add_test(plain, percentiles_are_right_to_a_quarter);
    tcase_add_test(plain, a_percentile_of_few_values_is_one_of_them);
    tcase_add_test(plain, a_limit_that_is_too_low_is_named);
    suite_add_tcase(suite, plain);
    tcase_set_timeout(arena, 60);
    tcase_add_checked_fixture(arena, setup, state_close);
    tcase_add_test(arena, a_slot_is_found_by_kind_parent_and_name);
    tcase_add_test(arena, a_name_that_does_not_fit_is_refused);
    tcase_add_test(arena, a_full_arena_refuses_new_names_and_finds_the_old);
    tcase_add_test(arena, lanes_add_up_and_what_a_closed_one_counted_stays);
    tcase_add_test(arena, a_closed_lane_gives_its_memory_back);
    tcase_add_test(arena, lanes_end_with_an_error);
    tcase_add_test(arena, a_claim_holds_the_limit);
    tcase_add_test(arena, a_change_of_health_is_told_once);
    tcase_add_test(arena, a_long_reason_is_cut);
    tcase_add_test(arena, an_address_is_kept_whole);
    tcase_add_test(arena, a_cell_whose_writer_vanished_is_read_and_written_on);
    tcase_add_test(arena, closing_a_lane_gives_back_the_cells_it_held);
    tcase_add_test(arena, a_process_reads_lanes_that_were_opened_after_its_fork);
    tcase_add_test(arena, lanes_that_were_never_opened_cannot_be_read);
    tcase_add_test(arena, another_master_adopts_the_arena);
    tcase_add_test(arena, anything_but_an_arena_of_this_layout_is_refused);
    suite_add_tcase(suite, arena);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
