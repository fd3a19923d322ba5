#include "base/buffer.h"

#include "base/macros.h"
#include "base/pool.h"

/* The descriptor stands before its bytes in one allocation. */
struct piece {
    struct buffer head;
    char bytes[BUFFER_SIZE];
};

static struct pool pieces = {.size = sizeof(struct piece)};

struct buffer *buffer_get(void)
{
    struct piece *p = pool_get(&pieces);
    p->head.start = p->head.end = 0;
    p->head.data = p->bytes;
    return &p->head;
}

void buffer_put(struct buffer *b)
{
    pool_put(&pieces, CONTAINER_OF(b, struct piece, head));
}

size_t buffer_live(void)
{
    return pieces.live_count;
}
