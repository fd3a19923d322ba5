/*
 * scope.h: what the files of this room share: the scope with the values that
 * its expressions share, and the programs that trees become. Internal to
 * rules/.
 *
 * A program is an array of instructions that one loop follows. Values wait on
 * a stack, what a condition decided is in one flag, "truth". Variables, and
 * calls that a scope holds twice, have a slot: a value in the run that is
 * worked out when it is first asked for.
 */
#ifndef NOXY_RULES_SCOPE_H
#define NOXY_RULES_SCOPE_H

#include "base/hashmap.h"
#include "rules/regex.h"
#include "rules/rules.h"
#include "rules/tree.h"

/* Instead of a slot: the value is the top of the stack, and is taken. */
enum { NO_SLOT = 0xffff };

enum op {
    OP_END,      /* nothing; where jumps past the last instruction go */
    OP_TRUTH,    /* sets it to `number` */
    OP_CONSTANT, /* puts `value` on the stack */
    OP_CAPTURE,
    OP_SLOT,       /* puts it on the stack */
    OP_TRUTH_SLOT, /* of a bool: sets truth */
    OP_GET,        /* of a variable without a slot: as OP_SLOT */
    OP_PUSH_TRUTH,
    OP_POP_TRUTH,
    OP_NOT,
    OP_GO,
    OP_GO_IF,
    OP_GO_UNLESS,
    OP_CALL,      /* with the arguments on the stack */
    OP_CALL_SITE, /* with constants alone, perhaps but for one from a slot */
    /* Set truth; `negate` turns it. Of a slot or the top of the stack: */
    OP_IS_TEXT,
    OP_STARTS_WITH,
    OP_ENDS_WITH,
    OP_MATCH,
    OP_IN_SET,
    OP_IS_NUMBER,
    OP_IS_LESS,
    OP_IS_GREATER,
    /* Of the two on top of the stack: */
    OP_EQUAL, /* `arg`: their type */
    OP_LESS,
    OP_GREATER,
    OP_IN_LIST,
    /* Take values, leave one: */
    OP_JOIN, /* `count` strings */
    OP_ADD,  /* `count` ints */
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_REMAINDER,
    OP_NEGATE,
    /* Only in a program that tells what it sees: */
    OP_RECALL, /* a slot's value that is known, and past its making */
    OP_KEEP,   /* what was made is the slot's value */
    OP_TELL,
};

struct site;
struct set;

struct instruction {
    uint8_t op; /* enum op */
    bool last;
    bool negate;
    uint8_t arg;    /* CAPTURE: which; EQUAL, IN_LIST, TELL: enum rules_type */
    uint16_t slot;  /* or NO_SLOT */
    uint16_t count; /* of JOIN, ADD; of TELL: which of the things told */
    union {
        struct slice text;
        int64_t number; /* also where to go */
        const struct rules_value *value;
        const struct rules_variable *variable;
        struct site *site;
        const struct set *set;
        const struct regex *regex;
        const struct node *node;
    };
};

/* A call in a program. */
struct site {
    void (*call)(const struct rules_call *call, struct rules_value *out);
    const void *data;
    uint8_t count, from_slot; /* which argument comes from the slot */
    bool is_bool;
    uint8_t types[RULES_ARGUMENTS_MAX];
    /* Of CALL_SITE: the arguments. The one from the slot is put in its place before each call. */
    struct rules_value values[];
};

/* A variable or call, as often as it may stand in a scope's expressions. */
struct shared {
    struct node *node;              /* where it was first */
    struct rules_expression *owner; /* that one's expression */
    struct shared *parent;          /* the call that it is an argument of there, or NULL */
    uint16_t slot;                  /* or NO_SLOT */
};

struct slot {
    enum rules_type type;
    const struct rules_variable *variable; /* NULL: a call, with its program */
    const struct instruction *program;
};

struct rules_scope {
    struct arena *arena;
    const struct rules_language *language;
    enum rules_stage stage;
    bool captures;         /* an expression uses $0 to $9 */
    struct hashmap shared; /* canonical form to struct shared */
    uint16_t slot_count;
    struct slot slots[RULES_CACHED_MAX];
};

struct rules_expression {
    struct rules_scope *scope;
    struct node *tree;
    struct slice source;
    const struct instruction *program;
    struct instruction *told; /* the program that tells what it sees; made when it is first wanted */
};

/* ---- share.c ---- */

/* Finds what the expression shares with earlier ones of its scope. */
void scope_share(struct rules_scope *s, struct rules_expression *e);
/* What a variable or call was seen as in the scope before; NULL: never. */
struct shared *scope_find(struct rules_scope *s, const struct node *n);

/* ---- generate.c ---- */

/* `tells`: it reports what it sees. `inside`: of a slot, whose own value is made and not looked up. */
struct instruction *program_make(struct rules_scope *s, const struct node *n, bool tells, bool inside);
/* The values that wait at most while it is worked out. */
uint32_t program_stack(const struct node *n);

/* ---- evaluate.c ---- */

/* The truth of a bool; any other value is in `*top`, where the free part of the run's stack begins. */
bool program_run(const struct rules_scope *s, const struct instruction *program, struct rules_run *run,
                 struct rules_value *top);

/* What the slot holds. */
const struct rules_value *program_slot(const struct rules_scope *s, struct rules_run *run, unsigned slot);

/* ---- set.c ---- */

/* The items of a list, to be looked up. */
const struct set *set_new(struct arena *a, const struct rules_list *list);
bool set_has(const struct set *s, const struct rules_value *v);
bool value_equal(enum rules_type t, const struct rules_value *a, const struct rules_value *b);

#endif
