/*
 * arena.h: memory that is freed all at once. A generation's configuration
 * lives in one; so does whatever one exchange has to write down.
 *
 * Never returns NULL: without memory the process ends with a message, since
 * an arena is used only where the sizes are ours (a configuration file's
 * bytes, bounded header values), never a peer's to choose.
 */
#ifndef NOXY_BASE_ARENA_H
#define NOXY_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/macros.h"
#include "base/slice.h"

struct arena_block;
struct arena_last_word;

struct arena {
    struct arena_block *blocks;
    struct arena_last_word *last_words; /* of arena_on_free() */
    char *next, *end;
};

void arena_init(struct arena *a);
/* Frees every allocation; the arena is empty and usable again. */
void arena_free(struct arena *a);
/* For what lives as long as the arena and isn't memory of it: arena_free() calls `release`, the latest first.
 */
void arena_on_free(struct arena *a, void (*release)(void *what), void *what);

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);
char *arena_copy(struct arena *a, const char *text, size_t len); /* with a NUL behind */
char *arena_strdup(struct arena *a, const char *text);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define ARENA_NEW(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))

#endif
