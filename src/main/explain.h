/*
 * explain.h: the command line of `noxy explain`.
 */
#ifndef NOXY_MAIN_EXPLAIN_H
#define NOXY_MAIN_EXPLAIN_H

#include "process/process.h"

/* `words`: what stands behind `explain`, which are taken apart. Returns the exit status; prints. */
int explain_main(struct process_options *o, char **words, unsigned count);

#endif
