/*
 * rules.h: the expression language, as the rooms that use it see it.
 *
 *     host == 'api.example.org' && (path =~ '^/v[12]/' || in_net(src, '10.0.0.0/8'))
 *
 * Grammar, loosest first:
 *
 *     expression = or [ "?" expression ":" expression ]
 *     or         = and { ("||" | "or") and }
 *     and        = not { ("&&" | "and") not }
 *     not        = ("!" | "not") not | comparison
 *     comparison = sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=" | "=~" | "!~" | "in" | "not in") sum ]
 *     sum        = term { ("+" | "-") term }            strings with +, ints with + and -
 *     term       = unary { ("*" | "/" | "%") unary }    ints; by zero: 0 and the run has failed
 *     unary      = "-" unary | primary
 *     primary    = literal | "$" DIGIT | NAME | NAME "(" [ expression { "," expression } ] ")"
 *                | "(" expression ")" | "(" expression "," expression { "," expression } ")"     the last: a
 * list literal    = STRING | INT | "true" | "false"
 *
 * A STRING stands in single quotes: \' \\ \n \r \t \xHH, and every other
 * backslash is kept as it is, so that regular expressions can be written
 * plainly. An address is a string literal where an ip is wanted. Names are
 * of small letters, digits and _.
 *
 * Compiled once when the configuration is loaded, with every name and type
 * checked, it is evaluated without allocation: variables and calls that
 * several expressions of one scope share are worked out once a run. Run time
 * knows no type error; what can fail (a regular expression that reaches its
 * match limit, a text too long) makes the run fail, with the reason in words,
 * and never decides anything.
 */
#ifndef NOXY_RULES_RULES_H
#define NOXY_RULES_RULES_H

#include "base/text.h"
#include "conf/table.h"
#include "rules/language.h"

/* ---- when the configuration is loaded ---- */

/* Expressions that are evaluated in one run, one after the other: a frontend's http_condition. */
struct rules_scope;
struct rules_expression;

struct rules_scope *rules_scope_new(struct arena *a, const struct rules_language *language,
                                    enum rules_stage stage);

/*
 * Compiles the scalar `node`, whose value must have the type `want` (RULES_TYPE_COUNT: any). NULL: reported
 * to `l` with exact places.
 */
const struct rules_expression *rules_compile(struct rules_scope *s, struct conf_load *l,
                                             const struct conf_node *node, enum rules_type want);
enum rules_type rules_type_of(const struct rules_expression *e);
/* Its value, if it is the same in every run; else NULL. */
const struct rules_value *rules_constant(const struct rules_expression *e);
/* As it was written, and the canonical form that parses to the same tree. */
struct slice rules_source(const struct rules_expression *e);
void rules_print(const struct rules_expression *e, struct text *out);
/* Does it use a variable or function of that name? For warnings. */
bool rules_mentions(const struct rules_expression *e, const char *name);

/* Does it call that function with that text (in any case) as its first argument? */
bool rules_calls(const struct rules_expression *e, const char *function, const char *argument);
/*
 * Can the text of that variable, or with an `argument` of that call, become part of its value? What only
 * decides (a comparison, a condition) or is looked up in a map does not.
 */
bool rules_passes_on(const struct rules_expression *e, const char *name, const char *argument);

struct rules_file;
/* A text that an expression can give; `f`: the file of a map, whose value it is, or NULL. */
typedef void rules_possible_fn(void *context, struct slice text, const struct rules_file *f);
/*
 * The texts that are known before any run: constants, the two sides of a choice, the values of a map and what
 * it gives otherwise. The expression may give more, and need not give each.
 */
void rules_possible_texts(const struct rules_expression *e, rules_possible_fn *found, void *context);
/* Where such a value stands. */
struct conf_place rules_file_place(const struct rules_file *f, struct slice text);

/* ---- runs ---- */

enum {
    RULES_CAPTURES = 10,
    RULES_CACHED_MAX = 256,   /* shared values of one scope; what goes beyond is worked out each time */
    RULES_MEMORY = 32768,     /* bytes of text that one run can hold at a time */
    RULES_INDEXED_MAX = 4096, /* conditions of a list; those behind are looked at one by one */
    RULES_LOOKUPS_MAX = 64,
    RULES_STACK = 256, /* values that wait at once; an expression that needs more is not compiled */
};

/* Told of each value that was seen on the way, in order: for `explain`. */
struct rules_trace {
    /* `what`: the part of the expression, in canonical form. */
    void (*seen)(struct rules_trace *t, const char *what, enum rules_type type,
                 const struct rules_value *value);
};

/*
 * The evaluation of one scope's expressions for one message. Large, so each process has one for each use at a
 * time; rules_begin() costs little.
 */
struct rules_run {
    void *subject;                         /* what the variables look at: theirs to know */
    struct rules_trace *trace;             /* NULL: none */
    char failure[160];                     /* "": it has not failed. In words */
    struct slice captures[RULES_CAPTURES]; /* of the last regular expression that matched */
    /* within the room */
    bool captured; /* the scope has captures: they are those of this run */
    uint64_t known[RULES_CACHED_MAX / 64];
    struct rules_value cached[RULES_CACHED_MAX];
    bool sifted; /* the two below say which conditions of an index can't hold */
    uint64_t looked, live[RULES_INDEXED_MAX / 64];
    uint64_t *told; /* what the trace has seen of the expression: a bit for each part */
    struct rules_value stack[RULES_STACK];
    char *next; /* in memory */
    _Alignas(max_align_t) char memory[RULES_MEMORY];
};

void rules_begin(struct rules_run *run, const struct rules_scope *scope, void *subject,
                 struct rules_trace *trace);
/*
 * What variables and functions gave is worked out anew from now on: the message has changed. The memory of
 * all texts but those of the captures is free again: what was made is whole until the next value is worked
 * out.
 */
void rules_forget(struct rules_run *run);
/* A rule is over: $0 to $9 are empty again. */
void rules_forget_captures(struct rules_run *run);

/* Of a bool. False when the run fails: look at rules_failed() before acting on it. */
bool rules_true(const struct rules_expression *e, struct rules_run *run);
/* The value lives until rules_forget(), or as long as the run. */
void rules_value(const struct rules_expression *e, struct rules_run *run, struct rules_value *out);

/*
 * An index of a list of conditions (NULL among them: always), when all expressions of the scope are compiled:
 * finds those that can hold without looking at each. NULL: there is none that would help.
 */
struct rules_index;
struct rules_index *rules_index_new(struct rules_scope *s, const struct rules_expression *const *conditions,
                                    uint32_t count);
/* The next one from `at` on that may hold, or the list's length. All before it don't. */
uint32_t rules_index_next(const struct rules_index *x, struct rules_run *run, uint32_t at);

static inline bool rules_failed(const struct rules_run *run)
{
    return run->failure[0] != '\0';
}

/* Between two expressions, when no value of one is in use: few texts are kept, and never so many that the
 * next one has no room. */
static inline void rules_relieve(struct rules_run *run)
{
    if (UNLIKELY(run->next - run->memory > RULES_MEMORY / 2))
        rules_forget(run);
}

/* ---- for functions ---- */

/* Aligned for any value. NULL when the run's memory is used up: the run has failed then, and the caller gives
 * an empty result. */
char *rules_alloc(struct rules_run *run, size_t len);
/* The run fails, unless it has failed before. */
void rules_fail(struct rules_run *run, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Prints a value as sprintf('%s') does. */
struct slice rules_print_value(struct rules_run *run, enum rules_type type, const struct rules_value *v);

/* ---- the manual ---- */

/* "header(name)", "log(text[, more, ...])". */
void rules_print_signature(const struct rules_function *f, struct text *out);
/* The tables of variables and functions, in Markdown, from the rows. */
void rules_reference_print(const struct rules_language *language, struct text *out);

#endif
