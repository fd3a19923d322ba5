#include "queue_fixture.h"

#include <arpa/inet.h>
#include <string.h>

struct server servers[SERVERS];
static struct server *list[SERVERS] = {&servers[0], &servers[1]};
struct backend backend;
struct loop *loop;
static struct address client;
struct error err;

struct waiter waiters[MANY];
unsigned turns;

void setup(void)
{
    static const char *const names[SERVERS] = {"127.0.0.1:1", "127.0.0.2:1"};
    ck_assert_int_eq(state_open(&err), 0);
    loop = loop_new(&err);
    backend = (struct backend){.name = "b",
                               .algorithm = balance_find("roundrobin"),
                               .servers = list,
                               .server_count = SERVERS,
                               .retries = 3,
                               .timeout_queue = 60000 * MS};
    for (uint32_t i = 0; i < SERVERS; i++)
        servers[i] = (struct server){
            .addr_port = names[i], .name = names[i], .weight = 1, .backend = &backend, .index = i};
    client = (struct address){.len = sizeof client.in};
    client.in.sin_family = AF_INET;
    ck_assert_int_eq(backend_bind_state(&backend, &err), 0);
    turns = 0;
}

void start(uint32_t maxconn_0, uint32_t maxconn_1)
{
    servers[0].maxconn = maxconn_0;
    servers[1].maxconn = maxconn_1;
    backend_start(&backend, loop);
}

void start_one(uint32_t maxconn)
{
    backend.server_count = 1;
    start(maxconn, 0);
}

void teardown(void)
{
    ck_assert_uint_eq(state_gauge(backend.slot, GAUGE_QUEUED), 0);
    ck_assert_uint_eq(state_gauge(backend.slot, GAUGE_REQUESTS), 0);
    ck_assert_uint_eq(state_gauge(servers[0].slot, GAUGE_REQUESTS), 0);
    ck_assert_uint_eq(state_gauge(servers[1].slot, GAUGE_REQUESTS), 0);
    backend_stop(&backend);
    loop_free(loop);
    state_close();
}

static void step_over(struct timer *t)
{
    (void)t;
    loop_stop(loop);
}

void run_for(uint64_t us)
{
    struct timer step = {.fire = step_over};
    loop_timer_set(loop, &step, us);
    loop_run(loop);
}

void woken(struct attempt *a, enum reason none)
{
    struct waiter *w = (struct waiter *)a;
    w->none = none;
    w->turn = ++turns;
}

struct attempt *begin(struct waiter *w)
{
    memset(w, 0, sizeof *w);
    attempt_begin(&w->attempt, &backend, &client);
    return &w->attempt;
}

void serve(struct waiter *w)
{
    ck_assert_int_eq(attempt_pick(begin(w)), REASON_NONE);
}

void queue(struct waiter *w)
{
    ck_assert_int_eq(attempt_pick(begin(w)), REASON_MAXCONN);
    attempt_wait(&w->attempt, woken);
}

void finish(struct waiter *w)
{
    attempt_end(&w->attempt, REASON_NONE);
}

void finish_all(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        finish(&waiters[i]);
}
