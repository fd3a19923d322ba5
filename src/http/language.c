/*
 * language.c: all that expressions of mode http and mode tcp may name.
 */
#include "http/subject.h"
#include "rules/functions.h"

static const struct rules_variable *const variables[] = {http_connection_variables, http_tls_variables,
                                                         http_variables, NULL};
static const struct rules_function *const functions[] = {
    rules_string_functions, rules_regex_functions, rules_address_functions,
    rules_coding_functions, rules_path_functions,  rules_hash_functions,
    rules_file_functions,   http_functions,        NULL,
};

const struct rules_language http_language = {.variables = variables, .functions = functions};
