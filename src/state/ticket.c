#include "state/ticket.h"

#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "state/layout.h"

static int fill(void *bytes, size_t size, struct error *err)
{
    if (getrandom(bytes, size, 0) != (ssize_t)size)
        return error_set_errno(err, "cannot get random bytes for a ticket key");
    return 0;
}

/* The place that is written is none of those that count, so that a reader never sees half a key. */
int state_ticket_rotate(struct error *err)
{
    struct ticket_keys *keys = &state_map.head->tickets;
    uint64_t count = atomic_load(&keys->count);
    struct ticket_key *k = &keys->key[count % TICKET_KEYS];
    if (fill(k->name, sizeof k->name, err) < 0 || fill(k->cipher, sizeof k->cipher, err) < 0 ||
        fill(k->mac, sizeof k->mac, err) < 0)
        return -1;
    k->made_ms = clock_wall_ms();
    atomic_store(&keys->count, count + 1);
    return 0;
}

bool state_ticket_current(struct ticket_key *out)
{
    uint64_t count = state_map.head ? atomic_load(&state_map.head->tickets.count) : 0;
    if (count == 0)
        return false;
    *out = state_map.head->tickets.key[(count - 1) % TICKET_KEYS];
    return true;
}

uint64_t state_ticket_made_ms(void)
{
    struct ticket_key k;
    return state_ticket_current(&k) ? k.made_ms : 0;
}

bool state_ticket_find(const unsigned char name[static TICKET_NAME_SIZE], struct ticket_key *out,
                       bool *current)
{
    uint64_t count = state_map.head ? atomic_load(&state_map.head->tickets.count) : 0;
    for (uint64_t i = 1; i <= count && i <= TICKET_ACCEPTED; i++) {
        const struct ticket_key *k = &state_map.head->tickets.key[(count - i) % TICKET_KEYS];
        if (memcmp(k->name, name, TICKET_NAME_SIZE) != 0)
            continue;
        *out = *k;
        *current = i == 1;
        return true;
    }
    return false;
}
