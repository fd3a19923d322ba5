/*
 * buffer.h: the 16 KiB pieces that hold bytes on their way through noxy. They
 * come from one free list a process, and are held only while they hold bytes:
 * an idle connection has none.
 */
#ifndef NOXY_BASE_BUFFER_H
#define NOXY_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

enum { BUFFER_SIZE = 16384 };

struct buffer {
    TAILQ_ENTRY(buffer) link;
    uint32_t start, end; /* the bytes held: data[start] up to data[end] */
    char *data;          /* BUFFER_SIZE bytes */
};
TAILQ_HEAD(buffer_queue, buffer);

/* Empty. Ends the process without memory. */
struct buffer *buffer_get(void);
void buffer_put(struct buffer *b);
/* Pieces in use now: zero when nothing is on its way. */
size_t buffer_live(void);

static inline size_t buffer_len(const struct buffer *b)
{
    return b->end - b->start;
}

static inline size_t buffer_room(const struct buffer *b)
{
    return BUFFER_SIZE - b->end;
}

#endif
