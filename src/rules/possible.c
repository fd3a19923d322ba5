/*
 * possible.c: what texts an expression can give, as far as that is known when
 * it is compiled.
 */
#include "rules/file.h"
#include "rules/scope.h"

struct possible {
    rules_possible_fn *found;
    void *context;
};

/* Does the function give the values of a file (functions_file.c)? */
static bool is_map(const struct rules_function *f)
{
    static const char *const names[] = {"map", "map_domain", "map_path"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(f->name, names[i]) == 0)
            return true;
    return false;
}

/* Of networks the entries stand one behind the other, of all other keys wherever their hash leads. */
static void walk_file(const struct possible *p, const struct rules_file *f)
{
    uint32_t places = f->networks ? f->count : f->size;
    for (uint32_t i = 0; i < places; i++)
        if (f->entries[i].key)
            p->found(p->context, (struct slice){f->entries[i].text, f->entries[i].value_len}, f);
}

static void walk(const struct possible *p, const struct node *n)
{
    if (n->constant) {
        p->found(p->context, n->constant->string, NULL);
    } else if (n->kind == NODE_CHOICE) {
        walk(p, n->children[1]);
        walk(p, n->children[2]);
    } else if (n->kind == NODE_CALL && is_map(n->function)) {
        walk_file(p, n->data);
        if (n->count > 2)
            walk(p, n->children[2]);
    }
}

void rules_possible_texts(const struct rules_expression *e, rules_possible_fn *found, void *context)
{
    const struct possible p = {found, context};
    if (e->tree->type == RULES_STRING)
        walk(&p, e->tree);
}

struct conf_place rules_file_place(const struct rules_file *f, struct slice text)
{
    struct conf_place place = {.file = f->source, .line = 1, .column = 1};
    for (const char *c = f->source->bytes; c < text.ptr; c++) {
        if (*c == '\n') {
            place.line++;
            place.column = 1;
        } else if ((*c & 0xc0) != 0x80) {
            place.column++;
        }
    }
    for (size_t i = 0; i < text.len; i++)
        place.width += (text.ptr[i] & 0xc0) != 0x80;
    return place;
}
