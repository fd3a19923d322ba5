/*
 * log_fixture.h: a log in a temporary folder, for the log room's tests.
 */
#ifndef NOXY_TESTS_LOG_FIXTURE_H
#define NOXY_TESTS_LOG_FIXTURE_H

#include "log/log.h"

extern struct error err;
extern char log_folder[64], log_file[128];

/* Makes and removes the folder; log_file is a path in it, where nothing is yet. */
void log_setup(void);
void log_teardown(void);

void open_log(struct log_conf conf);
/* To log_file, at level info. */
void open_file(enum log_format format);
/* What stands in a file; until the next call. */
const char *read_file(const char *name);
unsigned lines_of(const char *text);

#endif
