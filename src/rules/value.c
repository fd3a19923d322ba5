#include "rules/value.h"

#include <stdio.h>

#include "rules/rules.h"

const char *rules_type_name(enum rules_type t)
{
    static const char *const names[] = {
        [RULES_STRING] = "string", [RULES_INT] = "int",   [RULES_BOOL] = "bool",
        [RULES_IP] = "ip",         [RULES_LIST] = "list",
    };
    return t < RULES_TYPE_COUNT ? names[t] : "any";
}

static struct slice keep(struct rules_run *run, const char *text, size_t len)
{
    char *copy = rules_alloc(run, len);
    if (!copy)
        return (struct slice){"", 0};
    memcpy(copy, text, len);
    return (struct slice){copy, len};
}

static struct slice print_list(struct rules_run *run, const struct rules_list *list)
{
    size_t len = 0;
    char *whole = rules_alloc(run, 0);
    for (uint32_t i = 0; list && whole && i < list->count; i++) {
        struct slice item = rules_print_value(run, list->of, &list->items[i]);
        /* Items are joined in front of what they were printed to. */
        char *more = rules_alloc(run, len + item.len + 2);
        if (!more)
            return (struct slice){"", 0};
        memcpy(more, whole, len);
        memcpy(more + len, ", ", i ? 2 : 0);
        len += i ? 2 : 0;
        memcpy(more + len, item.ptr, item.len);
        len += item.len;
        whole = more;
    }
    return (struct slice){whole ? whole : "", len};
}

struct slice rules_print_value(struct rules_run *run, enum rules_type type, const struct rules_value *v)
{
    char text[ADDRESS_TEXT_MAX];
    switch (type) {
    case RULES_STRING:
        return v->string;
    case RULES_INT:
        return keep(run, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)v->number));
    case RULES_BOOL:
        return v->boolean ? SLICE("true") : SLICE("false");
    case RULES_IP:
        return keep(run, text, ip_print(v->ip, text));
    default:
        return print_list(run, v->list);
    }
}
