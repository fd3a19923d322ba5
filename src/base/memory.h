/*
 * memory.h: allocation that cannot fail quietly. For sizes that are ours;
 * what a peer can make grow takes its memory from a bounded pool instead.
 */
#ifndef NOXY_BASE_MEMORY_H
#define NOXY_BASE_MEMORY_H

#include <stddef.h>
#include <stdlib.h>

/* Zeroed. Without memory the process ends with a message on stderr: the master replaces it. */
void *memory_zalloc(size_t size);
void *memory_realloc(void *old, size_t size);
char *memory_strdup(const char *text);

#endif
