/*
 * print.h: what the server sent, on a terminal that must not obey it.
 */
#ifndef NOXY_CTL_PRINT_H
#define NOXY_CTL_PRINT_H

#include <stdio.h>

/*
 * Prints lines. Control characters (but newlines and tabs), those of C1 and what is no UTF-8 appear as \xNN.
 * A line of one space, which stands for an empty one, is printed empty.
 */
void print_lines(FILE *to, const char *text);

#endif
