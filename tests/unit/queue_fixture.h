/*
 * queue_fixture.h: a backend of up to two servers with limits, and attempts that note what becomes of their
 * wait.
 */
#ifndef NOXY_TESTS_QUEUE_FIXTURE_H
#define NOXY_TESTS_QUEUE_FIXTURE_H

#include <check.h>

#include "upstream/attempt.h"

enum { SERVERS = 2, MANY = 200, MS = 1000 };

/* An attempt, and what became of its wait. */
struct waiter {
    struct attempt attempt; /* first */
    enum reason none;
    unsigned turn; /* in which it was woken, from 1; 0: not yet */
};

extern struct server servers[SERVERS];
extern struct backend backend;
extern struct loop *loop;
extern struct error err;
extern struct waiter waiters[MANY];
extern unsigned turns; /* waiters that were woken so far */

/* The test calls start() itself. */
void setup(void);
void start(uint32_t maxconn_0, uint32_t maxconn_1);
/* One server, which takes `maxconn`. */
void start_one(uint32_t maxconn);
/* Fails unless all that was begun is over and nothing is left behind. */
void teardown(void);

void run_for(uint64_t us);

struct attempt *begin(struct waiter *w);
/* Begins one that must get a server at once. */
void serve(struct waiter *w);
/* Begins one that must wait. */
void queue(struct waiter *w);
void woken(struct attempt *a, enum reason none);
void finish(struct waiter *w);
/* The first `count` of them. */
void finish_all(unsigned count);

/* test_queue_processes.c */
TCase *queue_processes(void);

#endif
