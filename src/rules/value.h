/*
 * value.h: the types of the expression language, and values of them.
 *
 * A value owns nothing: a string is a slice of the message, of the
 * configuration, or of the run's memory, and is valid as long as the run
 * (rules.h) unless its maker says more.
 */
#ifndef NOXY_RULES_VALUE_H
#define NOXY_RULES_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "net/network.h"

enum rules_type {
    RULES_STRING,
    RULES_INT, /* 64 bits, signed */
    RULES_BOOL,
    RULES_IP,   /* IPv4 and IPv6 alike */
    RULES_LIST, /* of values of one other type: 'a' in ('a', 'b') */
    RULES_TYPE_COUNT
};

struct rules_list;

struct rules_value {
    union {
        struct slice string;
        int64_t number;
        bool boolean;
        struct ip ip;
        const struct rules_list *list;
    };
};

struct rules_list {
    enum rules_type of;
    uint32_t count;
    const struct rules_value *items;
};

/* "string", "int", ... */
const char *rules_type_name(enum rules_type t);

#endif
