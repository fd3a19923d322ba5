/*
 * accept.c: which of its two forms noxy's own answers take: a page in HTML,
 * or JSON, by the weights that Accept gives them (RFC 9110, 12.5.1).
 *
 * The form with the greater weight is taken; with the same weight, the one
 * that is named first. A weight of 0 excludes. HTML where Accept says nothing
 * of either, or excludes both. A range that holds HTML stands for it where it
 * isn't named itself.
 */
#include "http/exchange.h"

enum { WEIGHT_ONE = 1000 };

/* What Accept says of a form. */
struct wish {
    int weight;  /* in thousandths; -1: nothing */
    unsigned at; /* the member that says so */
};

/* "0.5" in thousandths. What isn't a weight counts as 1. */
static int read_weight(struct slice s)
{
    int weight = 0, unit = WEIGHT_ONE;
    if (s.len == 0 || (s.ptr[0] != '0' && s.ptr[0] != '1') || (s.len > 1 && s.ptr[1] != '.'))
        return WEIGHT_ONE;
    for (size_t i = 0; i < s.len; i++) {
        if (i == 1)
            continue;
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return WEIGHT_ONE;
        weight += (s.ptr[i] - '0') * unit;
        unit /= 10;
    }
    return weight > WEIGHT_ONE ? WEIGHT_ONE : weight;
}

/* Takes the next part of "type;name=value;name=value" off `*rest`. */
static struct slice next_part(struct slice *rest)
{
    const char *end = rest->len ? memchr(rest->ptr, ';', rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    struct slice part = slice_trim((struct slice){rest->ptr, len});
    *rest = (struct slice){rest->ptr + len + (end != NULL), rest->len - len - (end != NULL)};
    return part;
}

static int weight_of(struct slice parameters)
{
    while (parameters.len > 0) {
        struct slice p = next_part(&parameters);
        if (slice_begins_nocase(p, SLICE("q=")))
            return read_weight((struct slice){p.ptr + 2, p.len - 2});
    }
    return WEIGHT_ONE;
}

static void note_wish(struct wish *w, int weight, unsigned at)
{
    if (weight > w->weight)
        *w = (struct wish){weight, at};
}

bool exchange_wants_json(const struct message *request)
{
    struct wish json = {-1, 0}, html = json, any = json;
    unsigned at = 0;
    for (unsigned i = 0; i < request->count; i++) {
        struct slice list = field_value(&request->fields[i]), item;
        if (request->fields[i].id != FIELD_ACCEPT)
            continue;
        for (; slice_next_item(&list, &item); at++) {
            struct slice type = next_part(&item);
            if (slice_equal_nocase(type, SLICE("text/html")))
                note_wish(&html, weight_of(item), at);
            else if (slice_equal_nocase(type, SLICE("application/json")) ||
                     slice_equal_nocase(type, SLICE("application/problem+json")))
                note_wish(&json, weight_of(item), at);
            else if (slice_equal(type, SLICE("*/*")) || slice_equal_nocase(type, SLICE("text/*")))
                note_wish(&any, weight_of(item), at);
        }
    }
    if (html.weight < 0)
        html = any;
    return json.weight > 0 &&
           (json.weight > html.weight || (json.weight == html.weight && json.at < html.at));
}
