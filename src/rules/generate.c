/*
 * generate.c: trees to programs.
 *
 * A bool leaves its result in the flag "truth", everything else on the stack.
 * A comparison with a constant takes its other side from where it is kept, in
 * one instruction.
 */
#include "rules/scope.h"

struct generator {
    struct rules_scope *scope;
    struct instruction *code;
    uint32_t count, size;
    bool tells;
    const struct node **told; /* what it tells of, each once */
    uint16_t told_count, told_size;
};

static void generate(struct generator *g, const struct node *n);

static struct instruction *emit(struct generator *g, enum op op)
{
    if (g->count == g->size) {
        uint32_t size = g->size ? g->size * 2 : 8;
        struct instruction *more = ARENA_ARRAY(g->scope->arena, struct instruction, size);
        if (g->count)
            memcpy(more, g->code, g->count * sizeof *more);
        g->code = more;
        g->size = size;
    }
    struct instruction *in = &g->code[g->count++];
    *in = (struct instruction){.op = (uint8_t)op, .slot = NO_SLOT};
    return in;
}

static uint16_t slot_of(const struct node *n)
{
    return n->shared && !n->constant ? n->shared->slot : NO_SLOT;
}

/* Where an instruction finds the value: in its slot, or on the stack, where this puts it. */
static uint16_t operand(struct generator *g, const struct node *n)
{
    if (!g->tells && slot_of(n) != NO_SLOT)
        return slot_of(n);
    generate(g, n);
    if (n->type == RULES_BOOL)
        emit(g, OP_PUSH_TRUTH);
    return NO_SLOT;
}

static void push(struct generator *g, const struct node *n)
{
    generate(g, n);
    if (n->type == RULES_BOOL)
        emit(g, OP_PUSH_TRUTH);
}

static void push_children(struct generator *g, const struct node *n)
{
    for (uint32_t i = 0; i < n->count; i++)
        push(g, n->children[i]);
}

static struct site *new_site(struct generator *g, const struct node *n)
{
    struct site *s = arena_alloc(g->scope->arena, sizeof *s + n->count * sizeof s->values[0]);
    s->call = n->function->call;
    s->data = n->data;
    s->count = (uint8_t)n->count;
    s->from_slot = s->count;
    s->is_bool = n->type == RULES_BOOL;
    for (uint32_t i = 0; i < n->count; i++) {
        s->types[i] = (uint8_t)n->children[i]->type;
        if (n->children[i]->constant)
            s->values[i] = *n->children[i]->constant;
    }
    return s;
}

/* A function that is a comparison with a constant, as an instruction of its own. */
static bool generate_comparison(struct generator *g, const struct node *n)
{
    if (n->function->comparison == RULES_NO_COMPARISON || n->count != 2 || !n->children[1]->constant)
        return false;
    uint16_t slot = operand(g, n->children[0]);
    bool starts = n->function->comparison == RULES_STARTS_WITH;
    struct instruction *in = emit(g, starts ? OP_STARTS_WITH : OP_ENDS_WITH);
    in->slot = slot;
    in->text = n->children[1]->constant->string;
    return true;
}

static void generate_call(struct generator *g, const struct node *n)
{
    if (generate_comparison(g, n))
        return;
    struct site *s = new_site(g, n);
    uint16_t slot = NO_SLOT;
    unsigned moving = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        if (n->children[i]->constant)
            continue;
        moving++;
        slot = slot_of(n->children[i]);
        s->from_slot = (uint8_t)i;
    }
    bool simple = !moving || (moving == 1 && slot != NO_SLOT && !g->tells);
    if (!simple)
        push_children(g, n);
    struct instruction *in = emit(g, simple ? OP_CALL_SITE : OP_CALL);
    in->slot = slot;
    in->site = s;
}

static void generate_equal(struct generator *g, const struct node *n)
{
    struct node *left = n->children[0], *right = n->children[1];
    struct node *other = right->constant ? left : right;
    const struct rules_value *constant = right->constant ? right->constant : left->constant;
    struct instruction *in;
    if (constant && (left->type == RULES_STRING || left->type == RULES_INT)) {
        uint16_t slot = operand(g, other);
        in = emit(g, left->type == RULES_STRING ? OP_IS_TEXT : OP_IS_NUMBER);
        in->slot = slot;
        if (left->type == RULES_STRING)
            in->text = constant->string;
        else
            in->number = constant->number;
    } else {
        push_children(g, n);
        in = emit(g, OP_EQUAL);
        in->arg = (uint8_t)left->type;
    }
    in->negate = n->kind == NODE_UNEQUAL;
}

static void generate_order(struct generator *g, const struct node *n)
{
    const struct rules_value *constant = n->children[1]->constant;
    bool less = n->kind == NODE_LESS || n->kind == NODE_GREATER_EQUAL;
    struct instruction *in;
    if (constant) {
        uint16_t slot = operand(g, n->children[0]);
        in = emit(g, less ? OP_IS_LESS : OP_IS_GREATER);
        in->slot = slot;
        in->number = constant->number;
    } else {
        push_children(g, n);
        in = emit(g, less ? OP_LESS : OP_GREATER);
    }
    in->negate = n->kind == NODE_LESS_EQUAL || n->kind == NODE_GREATER_EQUAL;
}

static void generate_in(struct generator *g, const struct node *n)
{
    const struct node *item = n->children[0], *list = n->children[1];
    struct instruction *in;
    if (list->constant) {
        uint16_t slot = operand(g, item);
        in = emit(g, OP_IN_SET);
        in->slot = slot;
        in->set = set_new(g->scope->arena, list->constant->list);
    } else {
        push_children(g, n);
        in = emit(g, OP_IN_LIST);
        in->arg = (uint8_t)item->type;
    }
    in->negate = n->kind == NODE_NOT_IN;
}

static void generate_match(struct generator *g, const struct node *n)
{
    uint16_t slot = operand(g, n->children[0]);
    struct instruction *in = emit(g, OP_MATCH);
    in->slot = slot;
    in->regex = n->regex;
    in->negate = n->kind == NODE_NO_MATCH;
}

/* Each part in turn, until one decides. What is known already doesn't: else the whole would be constant. */
static void generate_chain(struct generator *g, const struct node *n)
{
    uint32_t first = g->count;
    enum op leave = n->kind == NODE_AND ? OP_GO_UNLESS : OP_GO_IF;
    bool any = false;
    for (uint32_t i = 0; i < n->count; i++) {
        if (n->children[i]->constant)
            continue;
        if (any)
            emit(g, leave)->number = -1;
        generate(g, n->children[i]);
        any = true;
    }
    for (uint32_t i = first; i < g->count; i++)
        if (g->code[i].op == leave && g->code[i].number == -1)
            g->code[i].number = g->count;
}

static void generate_choice(struct generator *g, const struct node *n)
{
    const struct rules_value *known = n->children[0]->constant;
    if (known) {
        generate(g, n->children[known->boolean ? 1 : 2]);
        return;
    }
    generate(g, n->children[0]);
    uint32_t unless = g->count;
    emit(g, OP_GO_UNLESS);
    generate(g, n->children[1]);
    uint32_t go = g->count;
    emit(g, OP_GO);
    g->code[unless].number = g->count;
    generate(g, n->children[2]);
    g->code[go].number = g->count;
}

static void generate_arithmetic(struct generator *g, const struct node *n)
{
    static const enum op ops[] = {
        [NODE_ADD] = OP_ADD,       [NODE_SUBTRACT] = OP_SUBTRACT,   [NODE_MULTIPLY] = OP_MULTIPLY,
        [NODE_DIVIDE] = OP_DIVIDE, [NODE_REMAINDER] = OP_REMAINDER, [NODE_NEGATE] = OP_NEGATE,
    };
    push_children(g, n);
    struct instruction *in = emit(g, n->type == RULES_STRING ? OP_JOIN : ops[n->kind]);
    in->count = (uint16_t)n->count;
}

static void generate_operator(struct generator *g, const struct node *n)
{
    switch (n->kind) {
    case NODE_CHOICE:
        generate_choice(g, n);
        break;
    case NODE_OR:
    case NODE_AND:
        generate_chain(g, n);
        break;
    case NODE_NOT:
        generate(g, n->children[0]);
        emit(g, OP_NOT);
        break;
    case NODE_EQUAL:
    case NODE_UNEQUAL:
        generate_equal(g, n);
        break;
    case NODE_MATCH:
    case NODE_NO_MATCH:
        generate_match(g, n);
        break;
    case NODE_IN:
    case NODE_NOT_IN:
        generate_in(g, n);
        break;
    case NODE_LESS ... NODE_GREATER_EQUAL:
        generate_order(g, n);
        break;
    default:
        generate_arithmetic(g, n);
    }
}

static void generate_node(struct generator *g, const struct node *n)
{
    if (n->kind == NODE_CAPTURE)
        emit(g, OP_CAPTURE)->arg = (uint8_t)n->number;
    else if (n->kind == NODE_VARIABLE)
        emit(g, OP_GET)->variable = n->variable;
    else if (n->kind == NODE_CALL)
        generate_call(g, n);
    else
        generate_operator(g, n);
    if (n->kind == NODE_VARIABLE && n->type == RULES_BOOL)
        emit(g, OP_POP_TRUTH);
}

static void generate_constant(struct generator *g, const struct node *n)
{
    if (n->type == RULES_BOOL)
        emit(g, OP_TRUTH)->number = n->constant->boolean;
    else
        emit(g, OP_CONSTANT)->value = n->constant;
}

static void generate_slot(struct generator *g, const struct node *n)
{
    emit(g, n->type == RULES_BOOL ? OP_TRUTH_SLOT : OP_SLOT)->slot = slot_of(n);
}

static bool is_same_text(const struct node *a, const struct node *b)
{
    struct text first = {0}, second = {0};
    tree_print(a, &first);
    tree_print(b, &second);
    bool same = strcmp(text_str(&first), text_str(&second)) == 0;
    text_free(&first);
    text_free(&second);
    return same;
}

/* The number of what is told, the same for what is written the same. */
static uint16_t number_told(struct generator *g, const struct node *n)
{
    for (uint16_t i = 0; i < g->told_count; i++)
        if (g->told[i]->kind == n->kind && g->told[i]->count == n->count && is_same_text(g->told[i], n))
            return i;
    if (g->told_count == g->told_size) {
        uint16_t size = g->told_size ? (uint16_t)(g->told_size * 2) : 8;
        const struct node **more = ARENA_ARRAY(g->scope->arena, const struct node *, size);
        if (g->told_count)
            memcpy(more, g->told, g->told_count * sizeof *more);
        g->told = more;
        g->told_size = size;
    }
    g->told[g->told_count] = n;
    return g->told_count++;
}

static void generate_told(struct generator *g, const struct node *n)
{
    uint16_t slot = slot_of(n);
    uint32_t recall = g->count;
    if (slot != NO_SLOT) {
        struct instruction *in = emit(g, OP_RECALL);
        in->slot = slot;
        in->arg = (uint8_t)n->type;
    }
    generate_node(g, n->shared ? n->shared->node : n);
    if (slot != NO_SLOT) {
        struct instruction *in = emit(g, OP_KEEP);
        in->slot = slot;
        in->arg = (uint8_t)n->type;
        g->code[recall].number = g->count;
    }
    if (n->kind != NODE_VARIABLE && n->kind != NODE_CALL && !node_is_comparison(n))
        return;
    uint16_t number = number_told(g, n);
    struct instruction *in = emit(g, OP_TELL);
    in->node = n;
    in->arg = (uint8_t)n->type;
    in->count = number;
}

static void generate(struct generator *g, const struct node *n)
{
    if (n->constant)
        generate_constant(g, n);
    else if (g->tells)
        generate_told(g, n);
    else if (slot_of(n) != NO_SLOT)
        generate_slot(g, n);
    else
        generate_node(g, n->shared ? n->shared->node : n);
}

/* A jump to another jump goes where that one goes. */
static void shorten_jumps(struct instruction *code, uint32_t count)
{
    for (uint32_t i = count; i-- > 0;) {
        struct instruction *in = &code[i];
        if (in->op != OP_GO && in->op != OP_GO_IF && in->op != OP_GO_UNLESS)
            continue;
        const struct instruction *next = &code[in->number];
        if (next->op == OP_GO || next->op == in->op)
            in->number = next->number;
        else if (next->op == OP_GO_IF || next->op == OP_GO_UNLESS)
            in->number = in->op == OP_GO ? in->number : in->number + 1;
    }
}

struct instruction *program_make(struct rules_scope *s, const struct node *n, bool tells, bool inside)
{
    struct generator g = {.scope = s, .tells = tells};
    if (inside)
        generate_node(&g, n);
    else
        generate(&g, n);
    emit(&g, OP_END);
    shorten_jumps(g.code, g.count);
    /* No program ends with a jump, so that the instruction before the end is one, too. */
    g.code[g.count - 1].last = g.code[g.count - 2].last = true;
    return g.code;
}

uint32_t program_stack(const struct node *n)
{
    uint32_t most = MAX(n->count, 1u);
    if (n->constant)
        return 1;
    /* The parts of a condition leave nothing behind while the next one is worked out. */
    bool waits = n->kind != NODE_AND && n->kind != NODE_OR && n->kind != NODE_CHOICE;
    for (uint32_t i = 0; i < n->count; i++) {
        uint32_t inner = program_stack(n->children[i]) + (waits ? i : 0);
        most = MAX(most, inner);
    }
    return most;
}
