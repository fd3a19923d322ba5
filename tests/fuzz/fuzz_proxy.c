/*
 * libFuzzer's target for headers of the PROXY protocol. contrib/fuzz builds
 * and runs it; once over its corpus with `make check` (seeds.c).
 *
 * Whatever the bytes: they are decided once, at the same byte however many
 * follow, and what was taken can be written and read again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/network.h"
#include "net/proxy.h"

#define REQUIRE(condition)                                                                                   \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* From memory of just that size, so that a look beyond it is found. */
static int read_exact(const void *bytes, size_t len, struct proxy_header *h)
{
    const char *why = NULL;
    char *copy = malloc(len + !len);
    REQUIRE(copy);
    memcpy(copy, bytes, len);
    int result = proxy_read(copy, len, h, &why);
    REQUIRE((result == PROXY_BAD) == (why != NULL) && (result <= 0 || (size_t)result <= len));
    free(copy);
    return result;
}

static bool same(const struct address *a, const struct address *b)
{
    return ip_equal(ip_of_address(a), ip_of_address(b)) && address_port(a) == address_port(b);
}

static void check_written(const struct proxy_header *h)
{
    struct proxy_header again;
    char out[PROXY_WRITE_MAX];
    for (enum proxy_version v = PROXY_V1; v <= PROXY_V2; v++) {
        size_t len = proxy_write(v, &h->source, &h->destination, out);
        bool ip = h->named && h->source.any.sa_family != AF_UNIX;
        REQUIRE(len < sizeof out && read_exact(out, len, &again) == (int)len && again.named == ip);
        REQUIRE(!ip || (same(&again.source, &h->source) && same(&again.destination, &h->destination)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct proxy_header h, whole;
    int result = read_exact(input, len, &whole);
    REQUIRE(result != PROXY_MORE || len < PROXY_READ_MAX);
    if (result > 0) {
        REQUIRE(read_exact(input, (size_t)result, &h) == result);
        REQUIRE(read_exact(input, (size_t)result - 1, &h) == PROXY_MORE);
        check_written(&whole);
    }
    for (size_t part = 0; part < len && part < 200; part++) {
        int early = read_exact(input, part, &h);
        REQUIRE(early == PROXY_MORE || early == result);
    }
    return 0;
}
