/*
 * functions_address.c: functions of IP addresses.
 */
#include "rules/functions.h"
#include "rules/rules.h"

/* ---- in_net ---- */

struct rules_networks {
    unsigned count;
    struct network networks[RULES_ARGUMENTS_MAX];
};

static const void *prepare_in_net(struct rules_preparing *p, int *at, struct error *err)
{
    struct rules_networks *n = ARENA_NEW(p->arena, struct rules_networks);
    for (; n->count + 1 < p->count; n->count++) {
        *at = (int)n->count + 1;
        if (network_parse(&n->networks[n->count], p->constants[*at]->string, err) < 0)
            return NULL;
    }
    return n;
}

bool rules_networks_have(const struct rules_networks *n, struct ip ip)
{
    unsigned i = 0;
    while (i < n->count && !network_has(&n->networks[i], ip))
        i++;
    return i < n->count;
}

void rules_call_in_net(const struct rules_call *call, struct rules_value *out)
{
    out->boolean = rules_networks_have(call->data, call->args[0].ip);
}

/* ---- the kinds of addresses ---- */

static void call_ip(const struct rules_call *call, struct rules_value *out)
{
    struct ip ip;
    if (!ip_parse(call->args[0].string, &ip))
        ip = call->count > 1 ? call->args[1].ip : (struct ip){0};
    out->ip = ip;
}

static void call_is_ip(const struct rules_call *call, struct rules_value *out)
{
    struct ip ip;
    out->boolean = ip_parse(call->args[0].string, &ip);
}

static void call_is_ipv4(const struct rules_call *call, struct rules_value *out)
{
    out->boolean = ip_is_v4(call->args[0].ip);
}

static void call_is_ipv6(const struct rules_call *call, struct rules_value *out)
{
    struct ip ip = call->args[0].ip;
    out->boolean = !ip_is_v4(ip) && !ip_is_none(ip);
}

/* ---- mask ---- */

enum { IPV4_BITS = 32, IPV6_BITS = 128 };

/* The number of bits of argument `at`, when it is a literal, fits its family. */
static bool fits(const struct rules_preparing *p, int at, int most, struct error *err)
{
    const struct rules_value *bits = p->constants[at];
    if (!bits || (bits->number >= 0 && bits->number <= most))
        return true;
    error_set(err, "an IPv%d network has 0 to %d bits", at == 1 ? 4 : 6, most);
    return false;
}

static const void *prepare_mask(struct rules_preparing *p, int *at, struct error *err)
{
    *at = 1;
    if (!fits(p, *at, IPV4_BITS, err))
        return NULL;
    *at = 2;
    return fits(p, *at, IPV6_BITS, err) ? rules_prepared : NULL;
}

static void call_mask(const struct rules_call *call, struct rules_value *out)
{
    struct ip ip = call->args[0].ip;
    bool v4 = ip_is_v4(ip);
    int64_t most = v4 ? IPV4_BITS : IPV6_BITS, bits = call->args[v4 ? 1 : 2].number;
    bits = bits < 0 ? 0 : MIN(bits, most);
    out->ip = ip_mask(ip, (unsigned)(IPV6_BITS - most + bits));
}

const struct rules_function rules_address_functions[] = {
    {"in_net",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"ip", RULES_IP, 0}, {"network", RULES_STRING, RULES_CONSTANT | RULES_REPEATED}},
     prepare_in_net,
     rules_call_in_net,
     .doc = "Is the address in one of the networks, written as `10.0.0.0/8`, `fc00::/7` or one address? For "
            "many "
            "networks see `in_file`.",
     .example = "in_net('10.1.2.3', '10.0.0.0/8', 'fc00::/7')",
     .source = "RFC 4632, 3.1; RFC 4291, 2.3"},
    {"ip",
     RULES_IP,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}, {"otherwise", RULES_IP, RULES_OPTIONAL}},
     NULL,
     call_ip,
     .doc =
         "The text as an address; `otherwise` for a text that is none (without it an address that is in no "
         "network and prints as nothing).",
     .example = "in_net(ip('192.168.1.1', '0.0.0.0'), '192.168.0.0/16')",
     .source = "RFC 4291, 2.2"},
    {"is_ip",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"text", RULES_STRING, 0}},
     NULL,
     call_is_ip,
     .doc = "Is the text an IPv4 or IPv6 address?",
     .example = "is_ip('2001:db8::1')",
     .source = "RFC 4291, 2.2"},
    {"is_ipv4",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"ip", RULES_IP, 0}},
     NULL,
     call_is_ipv4,
     .doc = "Is it an IPv4 address (also one written in IPv6, `::ffff:10.0.0.1`)?",
     .example = "is_ipv4('10.0.0.1')",
     .source = "RFC 4291, 2.5.5.2"},
    {"is_ipv6",
     RULES_BOOL,
     RULES_ANYWHERE,
     {{"ip", RULES_IP, 0}},
     NULL,
     call_is_ipv6,
     .doc = "Is it an IPv6 address?",
     .example = "is_ipv6('2001:db8::1')",
     .source = "RFC 4291"},
    {"mask",
     RULES_IP,
     RULES_ANYWHERE,
     {{"ip", RULES_IP, 0}, {"bits4", RULES_INT, 0}, {"bits6", RULES_INT, 0}},
     prepare_mask,
     call_mask,
     .doc = "The address with only its first bits, `bits4` of IPv4 and `bits6` of IPv6: for logs that don't "
            "tell who "
            "it was, and for hashes of whole networks.",
     .example = "mask('10.1.2.3', 24, 48) == '10.1.2.0'",
     .source = ""},
    {0},
};
