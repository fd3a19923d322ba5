#include "process/tickets.h"

#include "base/clock.h"
#include "log/log.h"
#include "state/ticket.h"

enum { ROTATE_MS = 12 * 3600 * 1000, AGAIN_MS = 60 * 1000 };

/* Milliseconds until the key in use has served its time. */
static uint64_t time_left(void)
{
    uint64_t made = state_ticket_made_ms(), now = clock_wall_ms();
    if (made == 0 || now >= made + ROTATE_MS)
        return 0;
    return MIN(made + ROTATE_MS - now, (uint64_t)ROTATE_MS);
}

static void rotate_fired(struct timer *timer)
{
    struct tickets *t = CONTAINER_OF(timer, struct tickets, rotate);
    struct error err;
    uint64_t next_ms = time_left();
    if (next_ms == 0 && state_ticket_rotate(&err) == 0)
        next_ms = time_left();
    else if (next_ms == 0)
        log_error("TLS sessions stay under their key: %s", err.text);
    loop_timer_set(t->loop, timer, (next_ms ? next_ms : AGAIN_MS) * 1000);
}

int tickets_start(struct tickets *t, struct loop *l, struct error *err)
{
    t->loop = l;
    t->rotate.fire = rotate_fired;
    if (time_left() == 0 && state_ticket_rotate(err) < 0)
        return -1;
    loop_timer_set(l, &t->rotate, time_left() * 1000);
    return 0;
}
