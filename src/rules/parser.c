#include "rules/parser.h"

#include "conf/report.h"
#include "rules/lexer.h"

struct parser {
    struct lexer lexer;
    struct token token; /* the next one */
    uint32_t end;       /* behind the last one that was taken */
    unsigned depth;
    struct fault *fault;
};

/* Children while they are collected. */
struct family {
    struct node **members;
    uint32_t count, size;
};

static struct node *parse_expression(struct parser *p);

static struct node *fail(struct parser *p, const char *hint, const char *text)
{
    const struct token *t = &p->token;
    *p->fault = (struct fault){.at = t->at, .len = t->len, .hint = hint};
    error_set(&p->fault->error, "%s", text);
    return NULL;
}

/* Takes the token; false: what follows is none. */
static bool advance(struct parser *p)
{
    p->end = p->token.at + p->token.len;
    return lexer_next(&p->lexer, &p->token, p->fault);
}

static bool deeper(struct parser *p)
{
    if (++p->depth <= TREE_DEPTH_MAX)
        return true;
    fail(p, NULL, "more than 64 expressions stand in each other here");
    return false;
}

static void family_add(struct parser *p, struct family *f, struct node *n)
{
    if (f->count == f->size) {
        uint32_t size = f->size ? f->size * 2 : 4;
        struct node **more = ARENA_ARRAY(p->lexer.arena, struct node *, size);
        if (f->count)
            memcpy(more, f->members, f->count * sizeof *more);
        f->members = more;
        f->size = size;
    }
    f->members[f->count++] = n;
}

/* A node from `at` to the last token that was taken; NULL: too deep. */
static struct node *make(struct parser *p, enum node_kind kind, uint32_t at, const struct family *f)
{
    struct node *n = ARENA_NEW(p->lexer.arena, struct node);
    n->kind = kind;
    n->at = at;
    n->len = p->end - at;
    n->children = f ? f->members : NULL;
    n->count = f ? f->count : 0;
    n->depth = 1;
    for (uint32_t i = 0; i < n->count; i++)
        n->depth = MAX(n->depth, (uint16_t)(n->children[i]->depth + 1));
    if (n->depth <= TREE_DEPTH_MAX)
        return n;
    *p->fault = (struct fault){.at = at, .len = n->len, .hint = "parts of it can be a set_var"};
    error_set(&p->fault->error, "more than 64 expressions stand in each other here");
    return NULL;
}

static struct node *make_pair(struct parser *p, enum node_kind kind, struct node *left, struct node *right)
{
    struct family f = {0};
    family_add(p, &f, left);
    family_add(p, &f, right);
    return make(p, kind, left->at, &f);
}

static struct node *make_one(struct parser *p, enum node_kind kind, uint32_t at, struct node *child)
{
    struct family f = {0};
    family_add(p, &f, child);
    return make(p, kind, at, &f);
}

static struct node *parse_leaf(struct parser *p, enum node_kind kind, int64_t number)
{
    struct token t = p->token;
    if (!advance(p))
        return NULL;
    struct node *n = make(p, kind, t.at, NULL);
    n->number = number;
    if (kind == NODE_STRING)
        n->text = t.text;
    return n;
}

static const char *unclosed_hint(struct parser *p, uint32_t open)
{
    return arena_printf(p->lexer.arena, "the parenthesis of column %u of the expression is open",
                        (unsigned)open + 1);
}

/* Expressions with commas in between up to the closing parenthesis, which is taken. */
static bool parse_items(struct parser *p, struct family *f, uint32_t open)
{
    for (;;) {
        struct node *item = parse_expression(p);
        if (!item)
            return false;
        family_add(p, f, item);
        if (p->token.kind == TOKEN_CLOSE)
            return advance(p);
        if (p->token.kind != TOKEN_COMMA) {
            fail(p, unclosed_hint(p, open), "a comma or a closing parenthesis is missing here");
            return false;
        }
        if (!advance(p))
            return false;
    }
}

static struct node *parse_name(struct parser *p)
{
    struct token name = p->token;
    struct family f = {0};
    if (!advance(p))
        return NULL;
    if (p->token.kind != TOKEN_OPEN) {
        struct node *n = make(p, NODE_VARIABLE, name.at, NULL);
        n->text = name.text;
        return n;
    }
    uint32_t open = p->token.at;
    if (!advance(p))
        return NULL;
    if (p->token.kind == TOKEN_CLOSE ? !advance(p) : !parse_items(p, &f, open))
        return NULL;
    struct node *n = make(p, NODE_CALL, name.at, &f);
    if (n)
        n->text = name.text;
    return n;
}

static struct node *parse_parenthesis(struct parser *p)
{
    uint32_t open = p->token.at;
    struct family f = {0};
    if (!advance(p) || !parse_items(p, &f, open))
        return NULL;
    if (f.count > 1)
        return make(p, NODE_LIST, open, &f);
    struct node *inner = f.members[0];
    if (inner->count) {
        inner->at = open;
        inner->len = p->end - open;
    }
    return inner;
}

static struct node *parse_primary(struct parser *p)
{
    switch (p->token.kind) {
    case TOKEN_STRING:
        return parse_leaf(p, NODE_STRING, 0);
    case TOKEN_INT:
        return parse_leaf(p, NODE_INT, p->token.number);
    case TOKEN_CAPTURE:
        return parse_leaf(p, NODE_CAPTURE, p->token.number);
    case TOKEN_TRUE:
        return parse_leaf(p, NODE_BOOL, 1);
    case TOKEN_FALSE:
        return parse_leaf(p, NODE_BOOL, 0);
    case TOKEN_NAME:
        return parse_name(p);
    case TOKEN_OPEN:
        return parse_parenthesis(p);
    case TOKEN_END:
        return fail(p, NULL, "the expression ends where a value is missing");
    case TOKEN_NOT:
        return fail(p, "put it in parentheses: (!a) == b", "\"not\" can't stand here");
    default:
        return fail(p, NULL, "a value is missing here");
    }
}

static struct node *parse_unary(struct parser *p)
{
    struct token t = p->token;
    if (t.kind != TOKEN_MINUS)
        return parse_primary(p);
    struct node *child = deeper(p) && advance(p) ? parse_unary(p) : NULL;
    p->depth--;
    return child ? make_one(p, NODE_NEGATE, t.at, child) : NULL;
}

static struct node *parse_term(struct parser *p)
{
    struct node *left = parse_unary(p);
    while (left) {
        enum node_kind kind;
        if (p->token.kind == TOKEN_STAR)
            kind = NODE_MULTIPLY;
        else if (p->token.kind == TOKEN_SLASH)
            kind = NODE_DIVIDE;
        else if (p->token.kind == TOKEN_PERCENT)
            kind = NODE_REMAINDER;
        else
            break;
        struct node *right = advance(p) ? parse_unary(p) : NULL;
        left = right ? make_pair(p, kind, left, right) : NULL;
    }
    return left;
}

/* One more of a chain of + is one more child of the same sum. */
static struct node *add_to_sum(struct parser *p, struct family *sum, struct node *left, struct node *right)
{
    if (!sum->count && left->kind == NODE_ADD)
        for (uint32_t i = 0; i < left->count; i++)
            family_add(p, sum, left->children[i]);
    else if (!sum->count)
        family_add(p, sum, left);
    family_add(p, sum, right);
    return make(p, NODE_ADD, left->at, sum);
}

static struct node *parse_sum(struct parser *p)
{
    struct node *left = parse_term(p);
    struct family sum = {0};
    while (left && (p->token.kind == TOKEN_PLUS || p->token.kind == TOKEN_MINUS)) {
        bool plus = p->token.kind == TOKEN_PLUS;
        struct node *right = advance(p) ? parse_term(p) : NULL;
        if (!right)
            return NULL;
        if (!plus)
            sum.count = sum.size = 0;
        left = plus ? add_to_sum(p, &sum, left, right) : make_pair(p, NODE_SUBTRACT, left, right);
    }
    return left;
}

static const struct {
    enum token_kind token;
    enum node_kind node;
} comparisons[] = {
    {TOKEN_EQUAL, NODE_EQUAL},     {TOKEN_UNEQUAL, NODE_UNEQUAL},
    {TOKEN_LESS, NODE_LESS},       {TOKEN_LESS_EQUAL, NODE_LESS_EQUAL},
    {TOKEN_GREATER, NODE_GREATER}, {TOKEN_GREATER_EQUAL, NODE_GREATER_EQUAL},
    {TOKEN_MATCH, NODE_MATCH},     {TOKEN_NO_MATCH, NODE_NO_MATCH},
    {TOKEN_IN, NODE_IN},           {TOKEN_NOT, NODE_NOT_IN},
};

/* The comparison that stands next; false: none. */
static bool next_comparison(const struct parser *p, enum node_kind *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(comparisons); i++)
        if (p->token.kind == comparisons[i].token) {
            *kind = comparisons[i].node;
            return true;
        }
    return false;
}

static struct node *parse_comparison(struct parser *p)
{
    struct node *left = parse_sum(p), *right;
    enum node_kind kind;
    if (!left || !next_comparison(p, &kind))
        return left;
    if (!advance(p))
        return NULL;
    if (kind == NODE_NOT_IN) {
        if (p->token.kind != TOKEN_IN)
            return fail(p, NULL, "only \"in\" follows \"not\" here");
        if (!advance(p))
            return NULL;
    }
    right = parse_sum(p);
    if (!right)
        return NULL;
    enum node_kind next;
    if (next_comparison(p, &next))
        return fail(p, "join two with &&, or put one in parentheses",
                    "comparisons can't stand one behind the other");
    return make_pair(p, kind, left, right);
}

static struct node *parse_not(struct parser *p)
{
    struct token t = p->token;
    if (t.kind != TOKEN_NOT)
        return parse_comparison(p);
    struct node *child = deeper(p) && advance(p) ? parse_not(p) : NULL;
    p->depth--;
    return child ? make_one(p, NODE_NOT, t.at, child) : NULL;
}

/* "a && (b && c)" is "a && b && c". */
static void add_flat(struct parser *p, struct family *f, enum node_kind kind, struct node *n)
{
    if (n->kind != kind) {
        family_add(p, f, n);
        return;
    }
    for (uint32_t i = 0; i < n->count; i++)
        family_add(p, f, n->children[i]);
}

static struct node *parse_chain(struct parser *p, enum token_kind token, enum node_kind kind,
                                struct node *(*parse_part)(struct parser *))
{
    struct family f = {0};
    struct node *part = parse_part(p);
    if (!part || p->token.kind != token)
        return part;
    uint32_t at = part->at;
    add_flat(p, &f, kind, part);
    while (p->token.kind == token) {
        part = advance(p) ? parse_part(p) : NULL;
        if (!part)
            return NULL;
        add_flat(p, &f, kind, part);
    }
    return make(p, kind, at, &f);
}

static struct node *parse_and(struct parser *p)
{
    return parse_chain(p, TOKEN_AND, NODE_AND, parse_not);
}

static struct node *parse_choice(struct parser *p)
{
    struct family f = {0};
    struct node *n = parse_chain(p, TOKEN_OR, NODE_OR, parse_and);
    if (!n || p->token.kind != TOKEN_QUESTION)
        return n;
    family_add(p, &f, n);
    n = advance(p) ? parse_expression(p) : NULL;
    if (!n)
        return NULL;
    family_add(p, &f, n);
    if (p->token.kind != TOKEN_COLON)
        return fail(p, "a choice is written: condition ? value : other value", "\":\" is missing here");
    n = advance(p) ? parse_expression(p) : NULL;
    if (!n)
        return NULL;
    family_add(p, &f, n);
    return make(p, NODE_CHOICE, f.members[0]->at, &f);
}

static struct node *parse_expression(struct parser *p)
{
    struct node *n = deeper(p) ? parse_choice(p) : NULL;
    p->depth--;
    return n;
}

static struct node *fail_behind(struct parser *p)
{
    switch (p->token.kind) {
    case TOKEN_CLOSE:
        return fail(p, NULL, "this parenthesis closes none");
    case TOKEN_COMMA:
        return fail(p, "a list stands in parentheses", "a comma can't stand here");
    default:
        return fail(p, "two conditions are joined with && or ||", "the expression should end here");
    }
}

struct node *tree_parse(struct arena *a, struct slice source, struct fault *fault)
{
    struct parser p = {.lexer = {a, source, 0}, .fault = fault};
    *fault = (struct fault){0};
    if (source.len > TREE_TEXT_MAX) {
        error_set(&fault->error, "an expression has at most 16384 bytes, not %zu", source.len);
        return NULL;
    }
    if (!lexer_next(&p.lexer, &p.token, fault))
        return NULL;
    if (p.token.kind == TOKEN_END)
        return fail(&p, "for example: host == 'www.example.org'", "there is no expression here");
    struct node *n = parse_expression(&p);
    return n && p.token.kind != TOKEN_END ? fail_behind(&p) : n;
}
