/*
 * index.c: long lists of conditions, of which few can hold.
 *
 * Many conditions begin with the comparison of one variable with one of many
 * constants: host == 'a', starts_with(path, '/b'), in_net(src, '10.0.0.0/8').
 * One look-up of the variable's value finds those of them that can hold; the
 * others are passed over without being touched. It is made when the first of
 * them is reached, so that nothing is asked earlier than without an index.
 */
#include "rules/functions.h"
#include "rules/scope.h"

enum {
    MEMBERS_MIN = 4, /* of a look-up: fewer are compared as fast one by one */
    NO_LOOKUP = 0xff,
    WORD = 64,
};

/* A condition that may hold when its text or network is found. */
struct member {
    struct member *next; /* of the same text, or of all networks */
    const struct instruction *in;
    uint32_t number; /* of the condition */
};

/* Comparisons of one kind with one slot: IS_TEXT; STARTS_WITH and ENDS_WITH of one length; CALL_SITE: in_net.
 */
struct lookup {
    enum op op;
    uint16_t slot;
    size_t len;
    uint32_t count;
    struct member *networks;
    struct hashmap texts; /* to struct member */
    uint64_t members[RULES_INDEXED_MAX / WORD];
};

struct rules_index {
    const struct rules_scope *scope;
    uint32_t count, words;
    unsigned lookup_count;
    struct lookup *lookups[RULES_LOOKUPS_MAX];
    uint8_t of[RULES_INDEXED_MAX]; /* which look-up knows the condition */
};

/* ---- made when the configuration is loaded ---- */

/* The comparison that must be true for the condition to be; NULL: none that can be looked up. */
static const struct instruction *first_comparison(const struct rules_expression *e)
{
    const struct node *n = e ? e->tree : NULL;
    if (!n || n->constant)
        return NULL;
    while (n->kind == NODE_AND) {
        uint32_t i = 0;
        while (n->children[i]->constant)
            i++;
        n = n->children[i];
    }
    const struct instruction *in = e->program;
    bool is_call = n->kind == NODE_CALL;
    if (in->slot == NO_SLOT)
        return NULL;
    if (is_call && in->op == OP_CALL_SITE && in->site->call == rules_call_in_net)
        return in;
    return (in->op == OP_IS_TEXT && n->kind == NODE_EQUAL) ||
                   (is_call && (in->op == OP_STARTS_WITH || in->op == OP_ENDS_WITH))
               ? in
               : NULL;
}

static void free_texts(void *lookup)
{
    hashmap_free(&((struct lookup *)lookup)->texts);
}

static uint8_t lookup_for(struct arena *a, struct rules_index *x, const struct instruction *in)
{
    size_t len = in->op == OP_STARTS_WITH || in->op == OP_ENDS_WITH ? in->text.len : 0;
    for (unsigned i = 0; i < x->lookup_count; i++)
        if (x->lookups[i]->op == in->op && x->lookups[i]->slot == in->slot && x->lookups[i]->len == len)
            return (uint8_t)i;
    if (x->lookup_count == RULES_LOOKUPS_MAX)
        return NO_LOOKUP;
    struct lookup *new = ARENA_NEW(a, struct lookup);
    new->op = in->op;
    new->slot = in->slot;
    new->len = len;
    arena_on_free(a, free_texts, new);
    x->lookups[x->lookup_count] = new;
    return (uint8_t)x->lookup_count++;
}

static void add(struct arena *a, struct lookup *l, const struct instruction *in, uint32_t number)
{
    struct member *m = ARENA_NEW(a, struct member);
    *m = (struct member){NULL, in, number};
    l->members[number / WORD] |= UINT64_C(1) << number % WORD;
    if (l->op == OP_CALL_SITE) {
        m->next = l->networks;
        l->networks = m;
        return;
    }
    struct member *same = hashmap_add(&l->texts, in->text, m);
    if (!same)
        return;
    m->next = same->next;
    same->next = m;
}

struct rules_index *rules_index_new(struct rules_scope *s, const struct rules_expression *const *conditions,
                                    uint32_t count)
{
    struct rules_index *x = ARENA_NEW(s->arena, struct rules_index);
    x->scope = s;
    x->count = count;
    x->words = (MIN(count, RULES_INDEXED_MAX) + WORD - 1) / WORD;
    memset(x->of, NO_LOOKUP, sizeof x->of);
    for (uint32_t i = 0; i < MIN(count, RULES_INDEXED_MAX); i++) {
        const struct instruction *in = first_comparison(conditions[i]);
        x->of[i] = in ? lookup_for(s->arena, x, in) : NO_LOOKUP;
        if (x->of[i] != NO_LOOKUP)
            x->lookups[x->of[i]]->count++;
    }
    bool any = false;
    for (uint32_t i = 0; i < MIN(count, RULES_INDEXED_MAX); i++) {
        if (x->of[i] == NO_LOOKUP || x->lookups[x->of[i]]->count < MEMBERS_MIN) {
            x->of[i] = NO_LOOKUP;
            continue;
        }
        add(s->arena, x->lookups[x->of[i]], first_comparison(conditions[i]), i);
        any = true;
    }
    return any ? x : NULL;
}

/* ---- runs ---- */

static void mark(struct rules_run *run, const struct member *m)
{
    run->live[m->number / WORD] |= UINT64_C(1) << m->number % WORD;
}

static void look_up(const struct lookup *l, struct rules_run *run, const struct rules_value *v)
{
    if (l->op == OP_CALL_SITE) {
        for (const struct member *m = l->networks; m; m = m->next)
            if (rules_networks_have(m->in->site->data, v->ip))
                mark(run, m);
        return;
    }
    struct slice key = v->string;
    if (key.len < l->len)
        return;
    if (l->op == OP_ENDS_WITH)
        key.ptr += key.len - l->len;
    if (l->op != OP_IS_TEXT)
        key.len = l->len;
    for (const struct member *m = hashmap_find(&l->texts, key); m; m = m->next)
        mark(run, m);
}

/* Takes those away that can't hold. */
static void sift(const struct rules_index *x, unsigned number, struct rules_run *run)
{
    const struct lookup *l = x->lookups[number];
    const struct rules_value *v = program_slot(x->scope, run, l->slot);
    if (rules_failed(run)) /* so does the condition that is looked at next */
        return;
    run->looked |= UINT64_C(1) << number;
    for (uint32_t i = 0; i < x->words; i++)
        run->live[i] &= ~l->members[i];
    look_up(l, run, v);
}

static uint32_t next_live(const struct rules_index *x, const struct rules_run *run, uint32_t at)
{
    while (at < x->count && at < RULES_INDEXED_MAX) {
        uint64_t left = run->live[at / WORD] >> at % WORD;
        if (left)
            return MIN(at + (uint32_t)__builtin_ctzll(left), x->count);
        at = (at / WORD + 1) * WORD;
    }
    return MIN(at, x->count);
}

uint32_t rules_index_next(const struct rules_index *x, struct rules_run *run, uint32_t at)
{
    if (!run->sifted) {
        memset(run->live, 0xff, x->words * sizeof run->live[0]);
        run->looked = 0;
        run->sifted = true;
    }
    for (;;) {
        at = next_live(x, run, at);
        if (at >= MIN(x->count, RULES_INDEXED_MAX) || x->of[at] == NO_LOOKUP || run->looked >> x->of[at] & 1)
            return at;
        sift(x, x->of[at], run);
        if (rules_failed(run))
            return at;
    }
}
