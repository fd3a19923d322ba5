#include "http/message.h"

#include <stddef.h>

struct slice http_version_text(enum http_version v)
{
    static const struct slice texts[] = {
        [HTTP_1_0] = {"HTTP/1.0", 8}, [HTTP_1_1] = {"HTTP/1.1", 8}, [HTTP_2] = {"HTTP/2.0", 8}};
    return texts[v];
}

void message_init(struct message *m)
{
    memset(m, 0, offsetof(struct message, fields));
}

struct field *message_find(struct message *m, enum field_id id)
{
    for (unsigned i = 0; i < m->count; i++)
        if (m->fields[i].id == id && !m->fields[i].dropped)
            return &m->fields[i];
    return NULL;
}

bool message_list_has(const struct message *m, enum field_id id, struct slice member)
{
    for (unsigned i = 0; i < m->count; i++) {
        struct slice rest = field_value(&m->fields[i]), item;
        if (m->fields[i].id != id)
            continue;
        while (slice_next_item(&rest, &item))
            if (slice_equal_nocase(item, member))
                return true;
    }
    return false;
}

void message_drop(struct message *m, enum field_id id)
{
    for (unsigned i = 0; i < m->count; i++)
        if (m->fields[i].id == id)
            m->fields[i].dropped = true;
}

bool message_add_raw(struct message *m, enum field_id id, const char *line, size_t name_len, size_t value_len)
{
    if (m->count >= MESSAGE_FIELDS_MAX + MESSAGE_FIELDS_ADDED)
        return false;
    m->fields[m->count++] = (struct field){
        .name = line,
        .value = line + name_len + 2,
        .name_len = (uint16_t)name_len,
        .value_len = (uint16_t)value_len,
        .id = (uint8_t)id,
        .raw = true,
    };
    return true;
}

/* Drops the fields that an option of Connection names. */
static void drop_named(struct message *m, struct slice option)
{
    for (unsigned i = 0; i < m->count; i++) {
        struct field *f = &m->fields[i];
        if (!(field_flags(f->id) & FIELD_KEPT) && !f->own &&
            slice_equal_nocase(option, (struct slice){f->name, f->name_len}))
            f->dropped = true;
    }
}

void message_drop_hop(struct message *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        struct field *f = &m->fields[i];
        if (!(field_flags(f->id) & FIELD_HOP))
            continue;
        f->dropped = true;
        struct slice rest = field_value(f), option;
        if (f->id == FIELD_CONNECTION)
            while (slice_next_item(&rest, &option))
                drop_named(m, option);
    }
}
