/*
 * The arena itself: made, adopted, mapped, checked.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "state/layout.h"

/* Pages are at most this large, so a lane can be given back to the kernel without its neighbours. */
enum { PAGE_MAX = 65536, SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

#define ROUND_UP(n)    (((n) + PAGE_MAX - 1) / PAGE_MAX * PAGE_MAX)
#define SLOTS_OFFSET   ROUND_UP(sizeof(struct state_head))
#define LANES_OFFSET   ROUND_UP(SLOTS_OFFSET + STATE_SLOTS_MAX * sizeof(struct slot))
#define ARENA_SIZE     (LANES_OFFSET + STATE_LANES_MAX * STATE_LANE_SIZE)
#define ARENA_SIZE_MIB (ARENA_SIZE >> 20)

_Static_assert(sizeof(size_t) == 8, "the arena needs a 64-bit address space");
_Static_assert(STATE_SLOTS_MAX * sizeof(struct lane_block) % PAGE_MAX == 0, "a lane is whole pages");

struct state_map state_map = {.fd = -1};

static uint64_t hash_words(void)
{
    uint64_t hash = 0;
    for (unsigned c = 0; c < COUNTER_NAMED_COUNT; c++) {
        const char *name = counter_name((enum counter)c);
        hash = XXH3_64bits_withSeed(name, strlen(name), hash);
    }
    for (unsigned r = 0; r < REASON_COUNT; r++) {
        const char *word = reason_word((enum reason)r);
        hash = XXH3_64bits_withSeed(word, strlen(word), hash);
    }
    return hash;
}

/* All bytes are set, those between the members too: signatures are compared whole. */
static void sign(struct state_signature *sig)
{
    memset(sig, 0, sizeof *sig);
    memcpy(sig->magic, "noxy\r\n\x1a", sizeof sig->magic);
    sig->layout = STATE_LAYOUT;
    sig->slots_max = STATE_SLOTS_MAX;
    sig->lanes_max = STATE_LANES_MAX;
    sig->head_size = sizeof(struct state_head);
    sig->slot_size = sizeof(struct slot);
    sig->block_size = sizeof(struct lane_block);
    sig->size = ARENA_SIZE;
    sig->words = hash_words();
}

static int map_arena(int fd, struct error *err)
{
    char *base = mmap(NULL, ARENA_SIZE, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (base == MAP_FAILED) {
        struct rlimit space;
        if (errno == ENOMEM && getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY)
            return error_set(
                err,
                "the shared state needs %zu MiB of address space (not of memory), but no more than "
                "%ju MiB are allowed in all: raise the limit (ulimit -v, RLIMIT_AS)",
                ARENA_SIZE_MIB, (uintmax_t)space.rlim_cur >> 20);
        return error_set_errno(err, "cannot map the shared state (%zu MiB of address space)", ARENA_SIZE_MIB);
    }
    if (mprotect(base, LANES_OFFSET, PROT_READ | PROT_WRITE) < 0) {
        error_set_errno(err, "cannot map the shared state");
        munmap(base, ARENA_SIZE);
        return -1;
    }
    /* Lanes are of no use in a core file, and would make it huge. Without effect where it isn't known. */
    (void)madvise(base + LANES_OFFSET, ARENA_SIZE - LANES_OFFSET, MADV_DONTDUMP);
    state_map = (struct state_map){.head = (struct state_head *)(void *)base,
                                   .slots = (struct slot *)(void *)(base + SLOTS_OFFSET),
                                   .lanes = base + LANES_OFFSET,
                                   .fd = fd};
    return 0;
}

void state_reach(uint32_t lanes)
{
    if (lanes <= state_map.reached)
        return;
    char *from = state_map.lanes + state_map.reached * STATE_LANE_SIZE;
    if (mprotect(from, (lanes - state_map.reached) * STATE_LANE_SIZE, PROT_READ | PROT_WRITE) < 0) {
        perror("noxy: cannot reach the counters of other processes");
        exit(EXIT_FAILURE);
    }
    state_map.reached = lanes;
}

/* Above this limit ftruncate(2) would fail, and end the process with SIGXFSZ. */
static int check_file_limit(struct error *err)
{
    struct rlimit file;
    if (getrlimit(RLIMIT_FSIZE, &file) == 0 && file.rlim_cur != RLIM_INFINITY && file.rlim_cur < ARENA_SIZE)
        return error_set(
            err,
            "the shared state needs a (sparse) file of %zu MiB in memory, but files may have no more "
            "than %ju MiB: raise the limit (ulimit -f, RLIMIT_FSIZE)",
            ARENA_SIZE_MIB, (uintmax_t)file.rlim_cur >> 20);
    return 0;
}

int state_open(struct error *err)
{
    assert(!state_map.head);
    if (check_file_limit(err) < 0)
        return -1;
    int fd = memfd_create("noxy-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return error_set_errno(err, "cannot make the shared state (memfd_create)");
    if (ftruncate(fd, (off_t)ARENA_SIZE) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
        error_set_errno(err, "cannot make the shared state of %zu MiB", ARENA_SIZE_MIB);
        close(fd);
        return -1;
    }
    if (map_arena(fd, err) < 0) {
        close(fd);
        return -1;
    }
    sign(&state_map.head->signature);
    state_lane_begin(0);
    return 0;
}

/* The seals are asked for since an arena that somebody can cut short could end every process (SIGBUS). */
static int check_adopted(int fd, struct error *err)
{
    struct state_signature ours, theirs;
    sign(&ours);
    ssize_t n = pread(fd, &theirs, sizeof theirs, 0);
    if (n < 0)
        return error_set_errno(err, "cannot read the shared state that was handed on");
    if (n < (ssize_t)sizeof theirs || memcmp(ours.magic, theirs.magic, sizeof ours.magic) != 0)
        return error_set(err, "the file that was handed on is not noxy's shared state");
    if (theirs.layout != ours.layout)
        return error_set(err, "the shared state that was handed on has layout %u, this noxy's has %u",
                         theirs.layout, ours.layout);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_set_errno(err, "cannot examine the shared state that was handed on");
    if (memcmp(&ours, &theirs, sizeof ours) != 0 || (uint64_t)st.st_size != ARENA_SIZE)
        return error_set(err,
                         "the shared state that was handed on has other sizes or counters than this noxy's");
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS)
        return error_set(err, "the shared state that was handed on could be cut short: it is not sealed");
    return 0;
}

/* What later code takes for granted. */
static bool sane(void)
{
    uint32_t count = state_slot_count();
    uint32_t high = atomic_load(&state_map.head->lanes_high);
    if (count > STATE_SLOTS_MAX || high > STATE_LANES_MAX || atomic_load(&state_map.head->closing) > high)
        return false;
    for (uint32_t i = 0; i < STATE_INDEX_SIZE; i++)
        if (atomic_load(&state_map.head->index[i]) > STATE_SLOTS_MAX)
            return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct slot *s = &state_map.slots[i];
        if (!memchr(s->name, '\0', sizeof s->name) || (s->parent >= count && s->parent != SLOT_NO_PARENT))
            return false;
    }
    return true;
}

int state_adopt(int fd, struct error *err)
{
    assert(!state_map.head);
    if (check_adopted(fd, err) < 0)
        return -1;
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0)
        return error_set_errno(err, "cannot keep the shared state from being handed on");
    if (map_arena(fd, err) < 0)
        return -1;
    if (!sane()) {
        state_map.fd = -1; /* the caller's */
        state_close();
        return error_set(err, "the shared state that was handed on is damaged");
    }
    state_reach(atomic_load(&state_map.head->lanes_high));
    state_lane_recover();
    return 0;
}

int state_fd(void)
{
    return state_map.fd;
}

void state_close(void)
{
    if (!state_map.head)
        return;
    munmap(state_map.head, ARENA_SIZE);
    if (state_map.fd >= 0)
        close(state_map.fd);
    state_map = (struct state_map){.fd = -1};
}
