/*
 * lexer.h: the text of an expression as tokens. Internal to rules/.
 */
#ifndef NOXY_RULES_LEXER_H
#define NOXY_RULES_LEXER_H

#include "rules/tree.h"

enum token_kind {
    TOKEN_END,
    TOKEN_STRING,
    TOKEN_INT,
    TOKEN_NAME,
    TOKEN_CAPTURE,
    TOKEN_TRUE,
    TOKEN_FALSE,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_QUESTION,
    TOKEN_COLON,
    TOKEN_OR,
    TOKEN_AND,
    TOKEN_NOT,
    TOKEN_IN,
    TOKEN_EQUAL,
    TOKEN_UNEQUAL,
    TOKEN_LESS,
    TOKEN_LESS_EQUAL,
    TOKEN_GREATER,
    TOKEN_GREATER_EQUAL,
    TOKEN_MATCH,
    TOKEN_NO_MATCH,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_STAR,
    TOKEN_SLASH,
    TOKEN_PERCENT,
};

struct token {
    enum token_kind kind;
    uint32_t at, len;
    struct slice text; /* of a string what it means, of a name the name; in the arena */
    int64_t number;    /* of an int or capture */
};

struct lexer {
    struct arena *arena;
    struct slice source;
    uint32_t at;
};

/* False with `fault`. */
bool lexer_next(struct lexer *l, struct token *t, struct fault *fault);

/* Where in the source the byte `offset` of a string's meaning was written; `at`: of its opening quote. */
uint32_t lexer_string_place(struct slice source, uint32_t at, uint32_t offset);

#endif
