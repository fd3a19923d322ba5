/*
 * layout.h: where things stand in the arena. For the state room alone.
 *
 * head | slots | lanes: STATE_LANES_MAX rows of STATE_SLOTS_MAX blocks. A
 * fixed stride, since what isn't touched costs address space only. A process
 * can reach no more lanes than were ever opened (state_reach): a tool that
 * reads all memory, such as valgrind's search for leaks, would otherwise fill
 * gigabytes with the zeros of the rest.
 *
 * Each life of a lane has a number of its own, never used again. The slot's
 * word `folded` names the life that was folded last: its block no longer
 * counts, the retired half named by the lowest bit does. Lanes are folded one
 * at a time (`closing`), so one name is enough.
 */
#ifndef NOXY_STATE_LAYOUT_H
#define NOXY_STATE_LAYOUT_H

#include "state/state.h"
#include "state/ticket.h"

/* Open addressing, at most half full. */
enum { STATE_INDEX_SIZE = 2 * STATE_SLOTS_MAX };

/* What a binary must find at the arena's start to be able to read the rest. */
struct state_signature {
    char magic[8];
    uint32_t layout;
    uint32_t slots_max, lanes_max;
    uint32_t head_size, slot_size, block_size;
    uint64_t size;
    uint64_t words; /* a hash of all counters' and reasons' words in their order */
};

struct state_head {
    struct state_signature signature;
    _Atomic uint32_t slot_count;
    _Atomic uint32_t lanes_high;                 /* lanes ever opened: those above hold nothing */
    _Atomic uint32_t closing;                    /* the lane under way from open to closed + 1; 0: none */
    _Atomic uint64_t lives;                      /* of lanes, so far */
    _Atomic uint64_t lane_life[STATE_LANES_MAX]; /* 0: the lane is closed, its blocks are all zero */
    _Atomic uint32_t
        index[STATE_INDEX_SIZE]; /* slots by hash of kind, parent and name: number + 1; 0: free */
    struct ticket_keys tickets;
};

/* Where this process sees the arena. */
struct state_map {
    struct state_head *head; /* NULL: not open */
    struct slot *slots;
    char *lanes;
    int fd;
    int lane;         /* that this process writes */
    uint32_t reached; /* lanes that this process can read and write: those below */
};

extern struct state_map state_map;

/* Lets this process reach all lanes below `lanes`. Without memory for it the process ends with a message. */
void state_reach(uint32_t lanes);

/* Ends a close of a lane that another master was killed in. */
void state_lane_recover(void);

/* Opens `lane` for a new life. */
void state_lane_begin(int lane);

static inline uint32_t state_slot_number(const struct slot *s)
{
    return (uint32_t)(s - state_map.slots);
}

static inline uint32_t state_slot_count(void)
{
    return atomic_load_explicit(&state_map.head->slot_count, memory_order_acquire);
}

#define STATE_LANE_SIZE ((size_t)STATE_SLOTS_MAX * sizeof(struct lane_block))

static inline struct lane_block *state_lane_blocks(int lane)
{
    return (struct lane_block *)(void *)(state_map.lanes + (size_t)lane * STATE_LANE_SIZE);
}

#endif
