#include <string.h>

#include "base/macros.h"
#include "base/slice.h"
#include "net/network.h"
#include "net/proxy.h"

enum {
    LINE_MAX_LEN = 107, /* of version 1, with CRLF */
    HEAD_LEN = 16,      /* of version 2: signature, command, family, length */
    TLV_HEAD = 3,
    TLV_CRC32C = 0x03,
    CRC_LEN = 4,
    UNIX_PATH_LEN = 108,
};

static const struct slice line_start = SLICE("PROXY ");
static const struct slice signature = SLICE("\r\n\r\n\0\r\nQUIT\n");

static int bad(const char **why, const char *words)
{
    *why = words;
    return PROXY_BAD;
}

static bool begins_as(const char *bytes, size_t len, struct slice start)
{
    return memcmp(bytes, start.ptr, MIN(len, start.len)) == 0;
}

/* ---- version 1 ---- */

/* The text up to the next space, which it steps over; without one, the rest. */
static struct slice take_word(struct slice *rest)
{
    const char *space = memchr(rest->ptr, ' ', rest->len);
    size_t len = space ? (size_t)(space - rest->ptr) : rest->len, step = len + (space != NULL);
    struct slice word = {rest->ptr, len};
    *rest = (struct slice){rest->ptr + step, rest->len - step};
    return word;
}

static bool read_port(struct slice word, uint16_t *port)
{
    uint32_t value = 0;
    if (word.len == 0 || word.len > 5 || (word.len > 1 && word.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] < '0' || word.ptr[i] > '9')
            return false;
        value = value * 10 + (uint32_t)(word.ptr[i] - '0');
    }
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

static bool read_ip(struct slice word, bool v6, struct ip *ip)
{
    return (memchr(word.ptr, ':', word.len) != NULL) == v6 && ip_parse(word, ip);
}

static bool read_ends(struct slice words, bool v6, struct proxy_header *out)
{
    struct ip source, destination;
    uint16_t source_port, destination_port;
    bool well = read_ip(take_word(&words), v6, &source) && read_ip(take_word(&words), v6, &destination) &&
                read_port(take_word(&words), &source_port);
    /* The last word is the rest, so that nothing stands behind it. */
    if (!well || !read_port(words, &destination_port))
        return false;
    ip_to_address(source, source_port, &out->source);
    ip_to_address(destination, destination_port, &out->destination);
    out->named = true;
    return true;
}

static int read_line(const char *bytes, size_t len, struct proxy_header *out, const char **why)
{
    size_t seen = MIN(len, (size_t)LINE_MAX_LEN), end = 0;
    while (end < seen && bytes[end] != '\r' && bytes[end] != '\n')
        end++;
    if (end + 1 >= LINE_MAX_LEN)
        return bad(why, "its PROXY line is longer than 107 bytes");
    if (end < seen && (bytes[end] == '\n' || (end + 1 < seen && bytes[end + 1] != '\n')))
        return bad(why, "its PROXY line does not end with CRLF");
    if (end + 1 >= seen)
        return PROXY_MORE;
    struct slice words = {bytes + line_start.len, end - line_start.len};
    struct slice protocol = take_word(&words);
    bool v6 = slice_equal(protocol, SLICE("TCP6"));
    if (!v6 && !slice_equal(protocol, SLICE("TCP4")) && !slice_equal(protocol, SLICE("UNKNOWN")))
        return bad(why, "its PROXY line is of another protocol than TCP4, TCP6 or UNKNOWN");
    if (!slice_equal(protocol, SLICE("UNKNOWN")) && !read_ends(words, v6, out))
        return bad(why, "the addresses of its PROXY line are malformed");
    return (int)end + 2;
}

/* ---- version 2 ---- */

static uint16_t get16(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t get32(const char *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* The ways to write two ends: bytes of both together, or -1 for what the specification does not have. */
static int ends_length(uint8_t family)
{
    switch (family) {
    case 0x00: /* UNSPEC */
        return 0;
    case 0x11: /* TCP over IPv4 */
    case 0x12: /* UDP */
        return 2 * 4 + 2 * 2;
    case 0x21:
    case 0x22:
        return 2 * 16 + 2 * 2;
    case 0x31: /* Unix stream and datagram sockets */
    case 0x32:
        return 2 * UNIX_PATH_LEN;
    default:
        return -1;
    }
}

static struct address ipv4_at(const char *ip, const char *port)
{
    struct address a = {.len = sizeof a.in, .in.sin_family = AF_INET};
    memcpy(&a.in.sin_addr, ip, sizeof a.in.sin_addr);
    address_set_port(&a, get16(port));
    return a;
}

static struct address ipv6_at(const char *ip, const char *port)
{
    struct address a = {.len = sizeof a.in6, .in6.sin6_family = AF_INET6};
    memcpy(&a.in6.sin6_addr, ip, sizeof a.in6.sin6_addr);
    address_set_port(&a, get16(port));
    return a;
}

/* A Unix socket's client is one without a path everywhere in noxy. */
static struct address unix_end(void)
{
    return (struct address){.len = sizeof(sa_family_t), .any.sa_family = AF_UNIX};
}

static void take_ends(const char *at, uint8_t family, struct proxy_header *out)
{
    out->named = family >> 4 != 0;
    if (family >> 4 == 1) {
        out->source = ipv4_at(at, at + 8);
        out->destination = ipv4_at(at + 4, at + 10);
    } else if (family >> 4 == 2) {
        out->source = ipv6_at(at, at + 32);
        out->destination = ipv6_at(at + 16, at + 34);
    } else {
        out->source = out->destination = unix_end();
    }
}

/* CRC-32C (RFC 3720, B.4), reflected, four bits at a time. */
static uint32_t crc32c(uint32_t crc, const char *bytes, size_t len)
{
    static const uint32_t table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
                                       0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                       0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)bytes[i];
        crc = crc >> 4 ^ table[crc & 0xf];
        crc = crc >> 4 ^ table[crc & 0xf];
    }
    return crc;
}

/* The sum over the header, whose field for it counts as zero. */
static bool sum_fits(const char *header, size_t len, size_t at)
{
    uint32_t crc = crc32c(UINT32_MAX, header, at);
    crc = crc32c(crc, (const char[CRC_LEN]){0}, CRC_LEN);
    crc = crc32c(crc, header + at + CRC_LEN, len - at - CRC_LEN);
    return (crc ^ UINT32_MAX) == get32(header + at);
}

/* The TLVs from `at` to the header's end: they fill it exactly. */
static int check_tlvs(const char *header, size_t len, size_t at, const char **why)
{
    bool summed = false;
    while (at < len) {
        size_t left = len - at, value_len = left < TLV_HEAD ? 0 : get16(header + at + 1);
        if (left < TLV_HEAD + value_len)
            return bad(why, "a TLV of its PROXY header is longer than the header");
        if (header[at] == TLV_CRC32C) {
            if (summed || value_len != CRC_LEN || !sum_fits(header, len, at + TLV_HEAD))
                return bad(why, "its PROXY header's checksum is wrong");
            summed = true;
        }
        at += TLV_HEAD + value_len;
    }
    return 0;
}

static int read_binary(const char *bytes, size_t len, struct proxy_header *out, const char **why)
{
    if (len <= signature.len)
        return PROXY_MORE;
    uint8_t command = (uint8_t)bytes[12];
    if (command != 0x20 && command != 0x21)
        return bad(why, "its PROXY header is of an unknown version or command");
    if (len < HEAD_LEN)
        return PROXY_MORE;
    uint8_t family = (uint8_t)bytes[13];
    size_t whole = HEAD_LEN + (size_t)get16(bytes + 14);
    int ends = command == 0x20 ? 0 : ends_length(family); /* LOCAL: all of the rest is discarded */
    if (whole > PROXY_READ_MAX)
        return bad(why, "its PROXY header is longer than 4112 bytes");
    if (ends < 0 || whole < HEAD_LEN + (size_t)ends)
        return bad(why, "the addresses of its PROXY header are malformed");
    if (len < whole)
        return PROXY_MORE;
    if (command == 0x20)
        return (int)whole;
    if (check_tlvs(bytes, whole, HEAD_LEN + (size_t)ends, why) < 0)
        return PROXY_BAD;
    take_ends(bytes + HEAD_LEN, family, out);
    return (int)whole;
}

int proxy_read(const char *bytes, size_t len, struct proxy_header *out, const char **why)
{
    *out = (struct proxy_header){0};
    if (begins_as(bytes, len, line_start))
        return len < line_start.len ? PROXY_MORE : read_line(bytes, len, out, why);
    if (begins_as(bytes, len, signature))
        return read_binary(bytes, len, out, why);
    return bad(why, "it does not begin with a PROXY header");
}
