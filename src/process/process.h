/*
 * process.h: what main calls: runs noxy, or tests a configuration.
 */
#ifndef NOXY_PROCESS_PROCESS_H
#define NOXY_PROCESS_PROCESS_H

#include <stdbool.h>

#include "conf/table.h"

struct process_options {
    const char *config_path;
    const char *version;
    const struct conf_section *const *sections;
    bool daemon;
};

/* Reads and checks the file, and neither binds nor opens anything else. Returns the exit status; prints. */
int process_test(const struct process_options *o);

struct explain_request;
/* Tells where a request would go by the file, and touches nothing else. Returns the exit status; prints. */
int process_explain(const struct process_options *o, const struct explain_request *r, bool json);

/* The master's whole life. Returns the exit status: 0 after an orderly end, 1 when noxy could not start. */
int process_run(const struct process_options *o);

#endif
