#include "net/tls_names.h"

#include <ctype.h>

/* Lower case and without the dot behind, into `out`; its length, 0: no name. */
static size_t canonical(struct slice name, char out[static TLS_NAME_MAX])
{
    if (name.len > 0 && name.ptr[name.len - 1] == '.')
        name.len--;
    if (name.len == 0 || name.len > TLS_NAME_MAX)
        return 0;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c <= ' ' || c >= 0x7f)
            return 0;
        out[i] = (char)tolower(c);
    }
    return name.len;
}

static struct tls_choice *find_or_make(struct tls_names *n, struct hashmap *map, struct slice key)
{
    struct tls_choice *choice = hashmap_find(map, key);
    if (choice)
        return choice;
    choice = ARENA_NEW(n->arena, struct tls_choice);
    for (unsigned i = 0; i < TLS_KEY_KINDS; i++)
        choice->certificate[i] = -1;
    choice->next = n->choices;
    n->choices = choice;
    hashmap_add(map, key, choice);
    return choice;
}

bool tls_names_add(struct tls_names *n, struct slice name, enum tls_key_kind kind, int certificate)
{
    char text[TLS_NAME_MAX];
    struct slice key = {text, canonical(name, text)};
    bool wild = key.len > 2 && text[0] == '*' && text[1] == '.';
    if (wild)
        key = (struct slice){text + 2, key.len - 2};
    if (key.len == 0 || memchr(key.ptr, '*', key.len))
        return false;
    struct tls_choice *choice = find_or_make(n, wild ? &n->wild : &n->exact, key);
    if (choice->certificate[kind] < 0)
        choice->certificate[kind] = certificate;
    return true;
}

struct tls_choice *tls_names_find(const struct tls_names *n, struct slice name)
{
    char text[TLS_NAME_MAX];
    struct slice key = {text, canonical(name, text)};
    if (key.len == 0)
        return NULL;
    struct tls_choice *choice = hashmap_find(&n->exact, key);
    const char *dot = memchr(key.ptr, '.', key.len);
    if (choice || !dot || dot == key.ptr)
        return choice;
    return hashmap_find(&n->wild, (struct slice){dot + 1, (size_t)(key.ptr + key.len - dot - 1)});
}

void tls_names_free(struct tls_names *n)
{
    hashmap_free(&n->exact);
    hashmap_free(&n->wild);
}
