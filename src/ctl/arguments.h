/*
 * arguments.h: the arguments of a command that has options of its own.
 */
#ifndef NOXY_CTL_ARGUMENTS_H
#define NOXY_CTL_ARGUMENTS_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Takes --json out of the words, and makes `--length SIZE` of `--data FILE`: a file is the caller's, and the
 * server reads none for them. -1 with `err`.
 */
int arguments_prepare(char **words, int *count, bool *json, struct error *err);

#endif
