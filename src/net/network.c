#include "net/network.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

enum {
    IPV4_BITS = 96, /* of the prefix that all IPv4 addresses have */
    ADDRESS_BITS = 128,
    TEXT_MAX = INET6_ADDRSTRLEN + 4, /* an address and "/128" */
};

static const uint8_t ipv4_prefix[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:0:0/96, RFC 4291, 2.5.5.2 */

/* ---- addresses ---- */

static struct ip from_ipv4(struct in_addr in)
{
    struct ip ip;
    memcpy(ip.bytes, ipv4_prefix, sizeof ipv4_prefix);
    memcpy(ip.bytes + 12, &in, sizeof in);
    return ip;
}

struct ip ip_of_address(const struct address *a)
{
    struct ip ip = {0};
    if (a->len > 0 && a->any.sa_family == AF_INET)
        return from_ipv4(a->in.sin_addr);
    if (a->len > 0 && a->any.sa_family == AF_INET6)
        memcpy(ip.bytes, &a->in6.sin6_addr, sizeof ip.bytes);
    return ip;
}

void ip_to_address(struct ip ip, uint16_t port, struct address *out)
{
    *out = (struct address){0};
    if (ip_is_v4(ip)) {
        out->len = sizeof out->in;
        out->in.sin_family = AF_INET;
        memcpy(&out->in.sin_addr, ip.bytes + 12, sizeof out->in.sin_addr);
    } else {
        out->len = sizeof out->in6;
        out->in6.sin6_family = AF_INET6;
        memcpy(&out->in6.sin6_addr, ip.bytes, sizeof ip.bytes);
    }
    address_set_port(out, port);
}

bool ip_parse(struct slice text, struct ip *out)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (memchr(copy, ':', text.len))
        return inet_pton(AF_INET6, copy, out->bytes) == 1;
    struct in_addr in;
    if (inet_pton(AF_INET, copy, &in) != 1)
        return false;
    *out = from_ipv4(in);
    return true;
}

bool ip_is_v4(struct ip ip)
{
    return memcmp(ip.bytes, ipv4_prefix, sizeof ipv4_prefix) == 0;
}

bool ip_equal(struct ip a, struct ip b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

bool ip_is_none(struct ip ip)
{
    return ip_equal(ip, (struct ip){0});
}

unsigned ip_print(struct ip ip, char out[static ADDRESS_TEXT_MAX])
{
    out[0] = '\0';
    if (ip_is_none(ip))
        return 0;
    struct address a;
    ip_to_address(ip, 0, &a);
    return (unsigned)strlen(address_print_ip(&a, out));
}

/* ---- networks ---- */

/* An address as two numbers, so that a prefix is two masks. */
struct pair {
    uint64_t high, low;
};

static struct pair pair_of(struct ip ip)
{
    struct pair p;
    memcpy(&p.high, ip.bytes, 8);
    memcpy(&p.low, ip.bytes + 8, 8);
    return (struct pair){be64toh(p.high), be64toh(p.low)};
}

/* The first `bits` of 64 (0 to 64). */
static uint64_t mask64(unsigned bits)
{
    return bits == 0 ? 0 : UINT64_MAX << (64 - bits);
}

static struct pair mask_of(unsigned bits)
{
    return (struct pair){mask64(bits < 64 ? bits : 64), mask64(bits > 64 ? bits - 64 : 0)};
}

static struct pair pair_mask(struct pair p, struct pair mask)
{
    return (struct pair){p.high & mask.high, p.low & mask.low};
}

struct ip ip_mask(struct ip ip, unsigned bits)
{
    struct pair p = pair_mask(pair_of(ip), mask_of(bits));
    p = (struct pair){htobe64(p.high), htobe64(p.low)};
    memcpy(ip.bytes, &p.high, 8);
    memcpy(ip.bytes + 8, &p.low, 8);
    return ip;
}

/* "0" to "128" in digits, as written by someone who means it: no sign, no leading zeros. */
static bool read_bits(struct slice text, unsigned *bits)
{
    *bits = 0;
    if (text.len == 0 || text.len > 3 || (text.len > 1 && text.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        *bits = *bits * 10 + (unsigned)(text.ptr[i] - '0');
    }
    return true;
}

int network_parse(struct network *n, struct slice text, struct error *err)
{
    const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
    struct slice address = {text.ptr, slash ? (size_t)(slash - text.ptr) : text.len};
    int shown = (int)(text.len < TEXT_MAX ? text.len : TEXT_MAX);
    if (!ip_parse(address, &n->ip))
        return error_set(err, "\"%.*s\" is no IP address or network such as 10.0.0.0/8 or 2001:db8::/32",
                         shown, text.ptr ? text.ptr : "");
    bool as_ipv4 = !memchr(address.ptr, ':', address.len); /* so its prefix is counted from there */
    unsigned before = as_ipv4 ? IPV4_BITS : 0, most = ADDRESS_BITS - before, bits = most;
    if (slash && (!read_bits((struct slice){slash + 1, text.len - address.len - 1}, &bits) || bits > most))
        return error_set(err, "\"%.*s\": the prefix must be a number from 0 to %u", shown, text.ptr, most);
    n->bits = (uint8_t)(before + bits);
    struct ip first = ip_mask(n->ip, n->bits);
    char right[ADDRESS_TEXT_MAX];
    if (ip_equal(first, n->ip))
        return 0;
    ip_print(first, right);
    return error_set(err, "\"%.*s\" has bits set behind its prefix: the network is %s/%u, the address %.*s",
                     shown, text.ptr, right[0] ? right : "::", bits, SLICE_ARG(address));
}

bool network_has(const struct network *n, struct ip ip)
{
    struct pair a = pair_of(ip), b = pair_of(n->ip), mask = mask_of(n->bits);
    bool differs = ((a.high ^ b.high) & mask.high) | ((a.low ^ b.low) & mask.low);
    return !differs && (a.high | a.low);
}

/* ---- tables ---- */

/*
 * A hash table for each prefix length in use, tried from the longest to the
 * shortest. Most hold nothing for an address, and a small filter tells so
 * without a look into the large table: a bit that is set for each network.
 */
struct place {
    struct pair network;
    void *value; /* NULL: free */
};

struct level {
    struct pair mask;
    unsigned bits;
    uint32_t count, size; /* size is a power of two */
    struct place *places;
    uint64_t *filter; /* 8 bits a place */
};

struct network_table {
    struct arena *arena;
    unsigned count;                        /* of levels */
    struct level levels[ADDRESS_BITS + 1]; /* the longest prefix first */
};

struct network_table *network_table_new(struct arena *a)
{
    struct network_table *t = ARENA_NEW(a, struct network_table);
    t->arena = a;
    return t;
}

/* Both halves into each bit of the result, by one wide product. */
static uint64_t hash(struct pair p)
{
    unsigned __int128 product =
        (unsigned __int128)(p.high ^ 0x9e3779b97f4a7c15u) * (p.low ^ 0xd6e8feb86659fd93u);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The place of a network, or the free one where it belongs. A level is never full. */
static struct place *locate(const struct level *l, struct pair network, uint64_t h)
{
    for (uint64_t i = h;; i++) {
        struct place *p = &l->places[i & (l->size - 1)];
        if (!p->value || (p->network.low == network.low && p->network.high == network.high))
            return p;
    }
}

static uint64_t *filter_word(const struct level *l, uint64_t h)
{
    return &l->filter[(h >> 38) & (l->size / 8 - 1)];
}

static uint64_t filter_bit(uint64_t h)
{
    return (uint64_t)1 << (h >> 32 & 63);
}

static void put(struct level *l, struct pair network, void *value)
{
    uint64_t h = hash(network);
    *locate(l, network, h) = (struct place){network, value};
    *filter_word(l, h) |= filter_bit(h);
}

static void grow(struct level *l, struct arena *a)
{
    struct level old = *l;
    l->size = old.size ? old.size * 2 : 8;
    l->places = ARENA_ARRAY(a, struct place, l->size);
    l->filter = ARENA_ARRAY(a, uint64_t, l->size / 8);
    for (uint32_t i = 0; i < old.size; i++)
        if (old.places[i].value)
            put(l, old.places[i].network, old.places[i].value);
}

/* The level of a prefix length, made where there is none. */
static struct level *level_of(struct network_table *t, unsigned bits)
{
    unsigned i = 0;
    while (i < t->count && t->levels[i].bits > bits)
        i++;
    if (i < t->count && t->levels[i].bits == bits)
        return &t->levels[i];
    memmove(&t->levels[i + 1], &t->levels[i], (t->count - i) * sizeof t->levels[0]);
    t->count++;
    t->levels[i] = (struct level){.mask = mask_of(bits), .bits = bits};
    return &t->levels[i];
}

void *network_table_add(struct network_table *t, const struct network *n, void *value)
{
    struct level *l = level_of(t, n->bits);
    if (l->count * 2 >= l->size)
        grow(l, t->arena);
    struct pair network = pair_of(n->ip);
    const struct place *p = locate(l, network, hash(network));
    if (p->value)
        return p->value;
    put(l, network, value);
    l->count++;
    return NULL;
}

void *network_table_find(const struct network_table *t, struct ip ip)
{
    if (ip_is_none(ip))
        return NULL;
    struct pair p = pair_of(ip);
    for (const struct level *l = t->levels; l < t->levels + t->count; l++) {
        struct pair network = pair_mask(p, l->mask);
        uint64_t h = hash(network);
        if (!(*filter_word(l, h) & filter_bit(h)))
            continue;
        void *value = locate(l, network, h)->value;
        if (value)
            return value;
    }
    return NULL;
}
