/*
 * functions_hash.c: functions that spread: hashes, checksums, chance. None
 * of them keeps a secret.
 */
#include <xxhash.h>

#include "base/random.h"
#include "rules/functions.h"
#include "rules/rules.h"

static const void *prepare_hash(struct rules_preparing *p, int *at, struct error *err)
{
    if (p->types[0] == RULES_STRING || p->types[0] == RULES_IP)
        return rules_prepared;
    *at = 0;
    error_set(err, "hash() takes a string or an ip, not a %s", rules_type_name(p->types[0]));
    return NULL;
}

static void call_hash(const struct rules_call *call, struct rules_value *out)
{
    const struct rules_value *v = &call->args[0];
    uint64_t hash = call->types[0] == RULES_IP ? XXH3_64bits(v->ip.bytes, sizeof v->ip.bytes)
                                               : XXH3_64bits(v->string.ptr, v->string.len);
    out->number = (int64_t)(hash & INT64_MAX);
}

/* The remainders of half bytes by the polynomial of IEEE 802.3, bits reversed. */
static const uint32_t crc_table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                       0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

static void call_crc32(const struct rules_call *call, struct rules_value *out)
{
    struct slice s = call->args[0].string;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < s.len; i++) {
        crc ^= (unsigned char)s.ptr[i];
        crc = crc >> 4 ^ crc_table[crc & 0xf];
        crc = crc >> 4 ^ crc_table[crc & 0xf];
    }
    out->number = crc ^ UINT32_MAX;
}

static const void *prepare_random(struct rules_preparing *p, int *at, struct error *err)
{
    if (!p->constants[0] || p->constants[0]->number > 0)
        return rules_prepared;
    *at = 0;
    error_set(err, "random() needs a number above 0: the result is 0 up to one less");
    return NULL;
}

static void call_random(const struct rules_call *call, struct rules_value *out)
{
    int64_t n = call->args[0].number;
    out->number = n > 0 ? (int64_t)((unsigned __int128)random_u64() * (uint64_t)n >> 64) : 0;
}

const struct rules_function rules_hash_functions[] = {
    {"hash",
     RULES_INT,
     RULES_ANYWHERE,
     {{"value", RULES_STRING, RULES_ANY_TYPE}},
     prepare_hash,
     call_hash,
     .doc = "A number from 0 to 2^63-1 that is always the same for the same string or address (XXH3, 64 "
            "bits, without "
            "the highest): to divide clients into shares.",
     .example = "hash('10.0.0.1') % 100 < 100",
     .source = "XXH3"},
    {"crc32",
     RULES_INT,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_crc32,
     .doc = "The checksum that gzip and Ethernet use, from 0 to 4294967295.",
     .example = "crc32('123456789') == 3421780262",
     .source = "RFC 1952, 8"},
    {"random",
     RULES_INT,
     RULES_ANYWHERE,
     {{"n", RULES_INT, 0}},
     prepare_random,
     call_random,
     .volatile_ = true,
     .doc = "A number from 0 to n-1 by chance, another one at each look (0 where n is below 1). Not for "
            "secrets.",
     .example = "random(100) < 100",
     .source = ""},
    {0},
};
