/*
 * A server's health and address, written by any process.
 */
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/macros.h"
#include "state/layout.h"

struct address_value {
    uint32_t len;
    struct sockaddr_storage addr;
};
_Static_assert(sizeof(struct address_value) <= CELL_BYTES, "an address fits a cell");

static union cell_value text_value(const char *text)
{
    union cell_value value = {0};
    memcpy(value.bytes, text, strnlen(text, CELL_BYTES - 1));
    return value;
}

static bool same_value(const union cell_value *a, const union cell_value *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

void state_changed(struct slot *backend)
{
    atomic_fetch_add(&backend->changes, 1);
}

static void changed_parent(const struct slot *server)
{
    struct slot *parent = state_parent(server);
    if (parent)
        state_changed(parent);
}

/* While the cell of the reason is held, so that state, time and reason are of one writer. True: another
 * state. */
static bool change_health(struct slot *server, enum health h)
{
    if (atomic_exchange(&server->health, h) == h)
        return false;
    atomic_store(&server->health_since_ms, clock_wall_ms());
    if (h == HEALTH_DOWN)
        state_count(state_block(server), COUNTER_DOWNS, 1);
    changed_parent(server);
    return true;
}

bool state_set_health(struct slot *server, enum health h, const char *reason)
{
    union cell_value now, value = text_value(reason);
    cell_read(&server->health_reason, &now);
    if (atomic_load(&server->health) == h && same_value(&now, &value))
        return false;
    bool changed = false;
    uint64_t locked;
    do {
        locked = cell_lock(&server->health_reason, state_map.lane);
        changed |= change_health(server, h);
    } while (!cell_publish(&server->health_reason, locked, &value));
    return changed;
}

void state_read_text(const struct shared_cell *text, char *out, size_t size)
{
    union cell_value value;
    cell_read(text, &value);
    if (!size)
        return;
    size_t len = MIN(strnlen(value.bytes, CELL_BYTES - 1), size - 1);
    memcpy(out, value.bytes, len);
    out[len] = '\0';
}

void state_set_address(struct slot *server, const struct sockaddr *addr, socklen_t len)
{
    assert(len <= sizeof(struct sockaddr_storage));
    struct address_value address;
    memset(&address, 0, sizeof address);
    address.len = len;
    if (len)
        memcpy(&address.addr, addr, len);
    union cell_value now, value = {0};
    memcpy(value.bytes, &address, sizeof address);
    cell_read(&server->address, &now);
    if (same_value(&now, &value))
        return;
    cell_write(&server->address, state_map.lane, &value);
    changed_parent(server);
}

socklen_t state_read_address(const struct slot *server, struct sockaddr_storage *addr)
{
    union cell_value value;
    struct address_value address;
    cell_read(&server->address, &value);
    memcpy(&address, value.bytes, sizeof address);
    if (address.len > sizeof *addr)
        return 0;
    *addr = address.addr;
    return address.len;
}
