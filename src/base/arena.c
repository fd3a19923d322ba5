#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>

#include "base/memory.h"

enum { BLOCK_SIZE = 8192 };

struct arena_block {
    struct arena_block *next;
    max_align_t data[];
};

struct arena_last_word {
    struct arena_last_word *next;
    void (*release)(void *what);
    void *what;
};

void arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

void arena_on_free(struct arena *a, void (*release)(void *what), void *what)
{
    struct arena_last_word *w = ARENA_NEW(a, struct arena_last_word);
    *w = (struct arena_last_word){a->last_words, release, what};
    a->last_words = w;
}

void arena_free(struct arena *a)
{
    for (struct arena_last_word *w = a->last_words; w; w = w->next)
        w->release(w->what);
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    arena_init(a);
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t need = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (need > (size_t)(a->end - a->next) || !a->next) {
        size_t block_size = MAX(need, (size_t)BLOCK_SIZE - sizeof(struct arena_block));
        struct arena_block *b = memory_zalloc(sizeof *b + block_size);
        b->next = a->blocks;
        a->blocks = b;
        a->next = (char *)b->data;
        a->end = a->next + block_size;
    }
    void *p = a->next;
    a->next += need;
    return p;
}

char *arena_copy(struct arena *a, const char *text, size_t len)
{
    char *copy = arena_alloc(a, len + 1);
    if (len)
        memcpy(copy, text, len);
    return copy;
}

char *arena_strdup(struct arena *a, const char *text)
{
    return arena_copy(a, text, strlen(text));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *text = arena_alloc(a, (size_t)MAX(len, 0) + 1);
    vsnprintf(text, (size_t)MAX(len, 0) + 1, fmt, again);
    va_end(again);
    return text;
}
