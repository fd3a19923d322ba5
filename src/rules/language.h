/*
 * language.h: the rows of the expression language. A variable or a function
 * is one row and one C function; the compiler, "did you mean", the manual and
 * the tests come from the rows.
 *
 * This room brings the functions that need no message (functions.h). The
 * rooms that have messages or connections bring their variables, and the
 * functions that look into a message, and give all of it to the compiler as a
 * struct rules_language: this room knows no message.
 */
#ifndef NOXY_RULES_LANGUAGE_H
#define NOXY_RULES_LANGUAGE_H

#include "base/arena.h"
#include "base/error.h"
#include "rules/value.h"

struct conf_load;
struct rules_run;
struct rules_preparing;

/* Where an expression may stand; what a row needs that isn't there yet is an error when it is compiled. */
enum rules_stage {
    RULES_AT_CONNECTION = 1, /* tcp_condition: there is a connection, no message */
    RULES_AT_REQUEST = 2,    /* http_condition */
    RULES_AT_RESPONSE = 4,   /* http_response: request and response */
};

enum {
    RULES_ANYWHERE = RULES_AT_CONNECTION | RULES_AT_REQUEST | RULES_AT_RESPONSE,
    RULES_WITH_REQUEST = RULES_AT_REQUEST | RULES_AT_RESPONSE,
    RULES_PARAMETERS_MAX = 4,
    RULES_ARGUMENTS_MAX = 16,
};

/* As the result of a function: the type that variable_type() gives for the name, its first argument, which is
 * constant. */
#define RULES_ANY RULES_TYPE_COUNT

struct rules_variable {
    const char *name;     /* NULL ends a table */
    enum rules_type type; /* RULES_LIST: of strings, here and as a function's result */
    unsigned stages;      /* where it exists: enum rules_stage */
    void (*get)(struct rules_run *run, struct rules_value *out);
    bool volatile_;            /* may change between two looks in one run: never kept (random numbers) */
    const char *doc, *example; /* `example`: an expression that compiles and uses it */
    const char *source;        /* the RFC or place that defines it; "" where it is noxy's own */
};

enum rules_parameter_flag {
    RULES_OPTIONAL = 1,
    RULES_CONSTANT = 2, /* must be a literal: it is looked at when compiled */
    RULES_REPEATED = 4, /* the last parameter: any number more of it */
    RULES_ANY_TYPE = 8, /* `type` is not looked at; the types are in struct rules_call */
};

struct rules_parameter {
    const char *name; /* for the manual and messages; NULL ends them */
    enum rules_type type;
    unsigned flags;
};

/*
 * For functions of (string, string) that are bool and nothing but a comparison, which the evaluator then does
 * itself. call() gives the same.
 */
enum rules_comparison {
    RULES_NO_COMPARISON,
    RULES_STARTS_WITH,
    RULES_ENDS_WITH,
};

/* What a function is called with. */
struct rules_call {
    struct rules_run *run;
    const struct rules_value *args;
    const uint8_t *types; /* enum rules_type of each argument */
    unsigned count;
    const void *data; /* what prepare() made */
};

struct rules_function {
    const char *name; /* NULL ends a table */
    enum rules_type result;
    unsigned stages;
    struct rules_parameter parameters[RULES_PARAMETERS_MAX + 1];
    /*
     * When compiled: looks at the constant arguments and makes what call() shall find as `data`. NULL with
     * `*at` the argument at fault (or -1: the call) and `err`. May be NULL: there is nothing to prepare.
     */
    const void *(*prepare)(struct rules_preparing *p, int *at, struct error *err);
    void (*call)(const struct rules_call *call, struct rules_value *out);
    /*
     * As of a variable. A function that isn't, may stand anywhere (RULES_ANYWHERE) and has constant arguments
     * alone is worked out when compiled, so such a one looks at no subject.
     */
    bool volatile_;
    bool captures; /* a successful call sets the captures $0 to $9 (rules.h) */
    enum rules_comparison comparison;
    const char *doc, *example, *source;
};

/* For prepare(). */
struct rules_preparing {
    struct arena *arena;                        /* of the configuration: what lives as long as it */
    struct conf_load *load;                     /* files of lists and maps; NULL: none may be read (tests) */
    const struct rules_value *const *constants; /* by argument; NULL where it is no literal */
    const uint8_t *types;                       /* enum rules_type of each argument */
    unsigned count;
};

/* All that an expression may name. Tables end with a NULL name, the lists of tables with NULL. */
struct rules_language {
    const struct rules_variable *const *variables;
    const struct rules_function *const *functions;
    /* The type of var('NAME') as set_var gives it somewhere in this configuration; false: nothing sets it.
     * May be NULL. */
    bool (*variable_type)(void *context, struct slice name, enum rules_type *type);
    void *context;
};

#endif
