/*
 * evaluate.c: the loop that follows a program. On the data path: it allocates
 * nothing but from the run's memory.
 */
#include "rules/scope.h"

static void tell(struct rules_run *run, const struct instruction *in, const struct rules_value *v)
{
    uint64_t *word = &run->told[in->count / 64], bit = UINT64_C(1) << in->count % 64;
    if (*word & bit)
        return;
    *word |= bit;
    struct text what = {0};
    tree_print(in->node, &what);
    run->trace->seen(run->trace, text_str(&what), in->arg, v);
    text_free(&what);
}

static inline bool is_known(const struct rules_run *run, unsigned slot)
{
    return run->known[slot / 64] >> slot % 64 & 1;
}

static inline void set_known(struct rules_run *run, unsigned slot)
{
    run->known[slot / 64] |= UINT64_C(1) << slot % 64;
}

static __attribute__((noinline)) const struct rules_value *work_out(const struct rules_scope *s,
                                                                    struct rules_run *run, unsigned slot,
                                                                    struct rules_value *top)
{
    const struct slot *d = &s->slots[slot];
    struct rules_value *v = &run->cached[slot];
    *v = (struct rules_value){0};
    if (d->variable) {
        d->variable->get(run, v);
    } else {
        bool truth = program_run(s, d->program, run, top);
        if (d->type == RULES_BOOL)
            v->boolean = truth;
        else
            *v = *top;
    }
    set_known(run, slot);
    return v;
}

static inline const struct rules_value *fetch(const struct rules_scope *s, struct rules_run *run,
                                              unsigned slot, struct rules_value *top)
{
    return LIKELY(is_known(run, slot)) ? &run->cached[slot] : work_out(s, run, slot, top);
}

const struct rules_value *program_slot(const struct rules_scope *s, struct rules_run *run, unsigned slot)
{
    return fetch(s, run, slot, run->stack);
}

static inline bool has_prefix(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && bytes_equal(s.ptr, prefix.ptr, prefix.len);
}

static inline bool has_suffix(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len && bytes_equal(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len);
}

static inline bool is_text(struct slice s, struct slice text)
{
    return s.len == text.len && bytes_equal(s.ptr, text.ptr, text.len);
}

static inline bool match(const struct rules_scope *s, const struct instruction *in, struct rules_run *run,
                         struct slice subject)
{
    return regex_may_match(in->regex, subject) &&
           regex_find(in->regex, run, subject, 0, s->captures && !in->negate ? run->captures : NULL);
}

/* What a comparison of one value with a constant finds. */
static inline bool compare(const struct rules_scope *s, const struct instruction *in, struct rules_run *run,
                           const struct rules_value *v)
{
    switch (in->op) {
    case OP_IS_TEXT:
        return is_text(v->string, in->text);
    case OP_STARTS_WITH:
        return has_prefix(v->string, in->text);
    case OP_ENDS_WITH:
        return has_suffix(v->string, in->text);
    case OP_MATCH:
        return match(s, in, run, v->string);
    case OP_IN_SET:
        return set_has(in->set, v);
    case OP_IS_NUMBER:
        return v->number == in->number;
    case OP_IS_LESS:
        return v->number < in->number;
    default: /* IS_GREATER */
        return v->number > in->number;
    }
}

/* Does the list, the second of the two, have the first? */
static bool list_has(const struct rules_value *two, enum rules_type t)
{
    const struct rules_list *list = two[1].list;
    for (uint32_t i = 0; list && list->of == t && i < list->count; i++)
        if (value_equal(t, &list->items[i], &two[0]))
            return true;
    return false;
}

/* Joins `count` strings from `v` on into the first of them. */
static void join(struct rules_run *run, struct rules_value *v, unsigned count)
{
    size_t len = 0;
    for (unsigned i = 0; i < count; i++)
        len += v[i].string.len;
    char *text = rules_alloc(run, len), *end = text;
    for (unsigned i = 0; text && i < count; i++) {
        if (v[i].string.len)
            memcpy(end, v[i].string.ptr, v[i].string.len);
        end += v[i].string.len;
    }
    v->string = (struct slice){text ? text : "", text ? len : 0};
}

/* Ints that stand from `v` on, into the first of them. */
static void reckon(struct rules_run *run, enum op op, struct rules_value *v, unsigned count)
{
    int64_t *a = &v[0].number, b = count > 1 ? v[1].number : 0;
    bool over = false;
    switch (op) {
    case OP_ADD:
        for (unsigned i = 1; i < count; i++)
            over |= __builtin_add_overflow(*a, v[i].number, a);
        break;
    case OP_SUBTRACT:
        over = __builtin_sub_overflow(*a, b, a);
        break;
    case OP_MULTIPLY:
        over = __builtin_mul_overflow(*a, b, a);
        break;
    case OP_NEGATE:
        over = __builtin_sub_overflow(0, *a, a);
        break;
    default: /* DIVIDE, REMAINDER; the smallest by -1 is the one quotient that is too large */
        if (b == 0)
            rules_fail(run, "a number is divided by zero");
        over = b == -1 && *a == INT64_MIN;
        *a = b == 0 || over ? 0 : op == OP_DIVIDE ? *a / b : *a % b;
    }
    if (over) {
        *a = 0;
        rules_fail(run, "a number does not fit 64 bits");
    }
}

/* Calls a function with arguments that stand in the stack or the site. */
static inline bool call_row(const struct site *site, struct rules_run *run, const struct rules_value *args,
                            struct rules_value *out)
{
    const struct rules_call call = {run, args, site->types, site->count, site->data};
    struct rules_value result = {0};
    site->call(&call, &result);
    if (site->is_bool)
        return result.boolean;
    *out = result;
    return false;
}

static bool call_site(const struct rules_scope *s, const struct instruction *in, struct rules_run *run,
                      struct rules_value *top)
{
    struct site *site = in->site;
    if (in->slot != NO_SLOT)
        site->values[site->from_slot] = *fetch(s, run, in->slot, top);
    return call_row(site, run, site->values, top);
}

/* What one of the two on top of the stack is to the other. */
static bool compare_two(const struct instruction *in, const struct rules_value *two)
{
    switch (in->op) {
    case OP_EQUAL:
        return value_equal(in->arg, &two[0], &two[1]);
    case OP_LESS:
        return two[0].number < two[1].number;
    case OP_GREATER:
        return two[0].number > two[1].number;
    default: /* IN_LIST */
        return list_has(two, in->arg);
    }
}

/* The instructions of a program that tells: -1, or where to go on. */
static int64_t recall_or_keep(const struct instruction *in, struct rules_run *run, struct rules_value **top,
                              bool *truth)
{
    struct rules_value *v = &run->cached[in->slot];
    bool is_bool = in->arg == RULES_BOOL;
    if (in->op == OP_KEEP) {
        if (is_bool)
            v->boolean = *truth;
        else
            *v = (*top)[-1];
        set_known(run, in->slot);
        return -1;
    }
    if (!is_known(run, in->slot))
        return -1;
    if (is_bool)
        *truth = v->boolean;
    else
        *(*top)++ = *v;
    return in->number;
}

/* What takes values from the stack and leaves one. Returns where the stack ends then. */
static struct rules_value *run_on_stack(const struct instruction *in, struct rules_run *run,
                                        struct rules_value *top)
{
    unsigned count = in->count;
    if (in->op == OP_JOIN)
        join(run, top - count, count);
    else
        reckon(run, in->op, top - count, count);
    return top - count + 1;
}

/* Long: one case an instruction, in one loop, so that a step costs a jump and no call. */
bool program_run(const struct rules_scope *s, const struct instruction *program, struct rules_run *run,
                 struct rules_value *top)
{
    const struct rules_value *v;
    bool truth = false;
    for (const struct instruction *in = program;; in++) {
        switch ((enum op)in->op) {
        case OP_END:
            break;
        case OP_IS_TEXT ... OP_IS_GREATER:
            v = in->slot == NO_SLOT ? --top : fetch(s, run, in->slot, top);
            truth = compare(s, in, run, v) != in->negate;
            break;
        case OP_EQUAL ... OP_IN_LIST:
            top -= 2;
            truth = compare_two(in, top) != in->negate;
            break;
        case OP_CALL_SITE:
            truth = call_site(s, in, run, top);
            top += !in->site->is_bool;
            break;
        case OP_CALL:
            top -= in->site->count;
            truth = call_row(in->site, run, top, top);
            top += !in->site->is_bool;
            break;
        case OP_GO_IF:
        case OP_GO_UNLESS:
            if (truth != (in->op == OP_GO_IF))
                break;
            in = program + in->number - 1;
            continue;
        case OP_GO:
            in = program + in->number - 1;
            continue;
        case OP_NOT:
            truth = !truth;
            break;
        case OP_TRUTH:
            truth = in->number;
            break;
        case OP_TRUTH_SLOT:
            truth = fetch(s, run, in->slot, top)->boolean;
            break;
        case OP_PUSH_TRUTH:
            (top++)->boolean = truth;
            break;
        case OP_POP_TRUTH:
            truth = (--top)->boolean;
            break;
        case OP_CONSTANT:
            *top++ = *in->value;
            break;
        case OP_SLOT:
            *top = *fetch(s, run, in->slot, top);
            top++;
            break;
        case OP_GET:
            *top = (struct rules_value){0};
            in->variable->get(run, top++);
            break;
        case OP_CAPTURE:
            (top++)->string = run->captures[in->arg];
            break;
        case OP_JOIN ... OP_NEGATE:
            top = run_on_stack(in, run, top);
            break;
        case OP_RECALL:
        case OP_KEEP: {
            int64_t to = recall_or_keep(in, run, &top, &truth);
            if (to >= 0) {
                in = program + to - 1;
                continue;
            }
            break;
        }
        case OP_TELL:
            tell(run, in, in->arg == RULES_BOOL ? &(struct rules_value){.boolean = truth} : top - 1);
            break;
        }
        if (in->last)
            return truth;
    }
}

/* The program that tells what it sees, made when somebody asks for the first time. */
static __attribute__((noinline)) bool run_telling(const struct rules_expression *e, struct rules_run *run)
{
    uint64_t told[TREE_TEXT_MAX / 64] = {0};
    struct rules_expression *changing = (struct rules_expression *)e;
    if (!e->told)
        changing->told = program_make(e->scope, e->tree, true, false);
    run->told = told;
    bool truth = program_run(e->scope, e->told, run, run->stack);
    run->told = NULL;
    return truth;
}

bool rules_true(const struct rules_expression *e, struct rules_run *run)
{
    if (UNLIKELY(run->trace))
        return run_telling(e, run) && !rules_failed(run);
    const struct instruction *in = e->program;
    bool truth;
    /* Most conditions are one instruction. */
    if (in->last && in->op >= OP_IS_TEXT && in->op <= OP_IS_GREATER && in->slot != NO_SLOT)
        truth = compare(e->scope, in, run, fetch(e->scope, run, in->slot, run->stack)) != in->negate;
    else if (in->last && in->op == OP_CALL_SITE)
        truth = call_site(e->scope, in, run, run->stack);
    else
        truth = program_run(e->scope, in, run, run->stack);
    return truth && !rules_failed(run);
}

void rules_value(const struct rules_expression *e, struct rules_run *run, struct rules_value *out)
{
    bool truth = run->trace ? run_telling(e, run) : program_run(e->scope, e->program, run, run->stack);
    *out = run->stack[0];
    if (e->tree->type == RULES_BOOL)
        *out = (struct rules_value){.boolean = truth};
}
