/*
 * functions.h: the functions of the expression language that need no message,
 * by subject. A function is one row and one C function.
 *
 * A function's result that is part of an argument is a slice of it; what is
 * made anew stands in the run's memory.
 */
#ifndef NOXY_RULES_FUNCTIONS_H
#define NOXY_RULES_FUNCTIONS_H

#include "rules/language.h"

extern const struct rules_function rules_string_functions[];
extern const struct rules_function rules_regex_functions[];
extern const struct rules_function rules_address_functions[];
extern const struct rules_function rules_coding_functions[];
extern const struct rules_function rules_path_functions[];
extern const struct rules_function rules_hash_functions[];
extern const struct rules_function rules_file_functions[];

/* All of them, ended by NULL. */
extern const struct rules_function *const rules_functions[];

/* ---- within the room ---- */

/* What a prepare() returns that has looked at its arguments and needs no data of its own; not NULL. */
extern const char rules_prepared[];

/* in_net() and what it prepares, for the index. */
struct rules_networks;
void rules_call_in_net(const struct rules_call *call, struct rules_value *out);
bool rules_networks_have(const struct rules_networks *n, struct ip ip);

/* A decimal number with an optional sign and nothing else that fits 64 bits; false: it is none. */
bool rules_read_int(struct slice text, int64_t *out);

/* Letters, digits, - . _ ~ (RFC 3986, 2.3). */
bool rules_is_unreserved(char c);
/* The byte of two hexadecimal digits at `at`; -1: they are none. */
int rules_hex_byte(const char *at);

#endif
