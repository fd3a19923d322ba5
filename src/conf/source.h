/*
 * source.h: the bytes of a configuration file: read within bounds, checked to
 * be text, and found again by line for an error report. Internal to conf/.
 *
 * Lines end where YAML 1.1 ends them (LF, CR, CR LF, NEL, LS, PS), so that a
 * place of the parser and a place counted here are the same.
 */
#ifndef NOXY_CONF_SOURCE_H
#define NOXY_CONF_SOURCE_H

#include "base/slice.h"
#include "conf/report.h"

enum { CONF_FILE_MAX = 16 << 20 };

/* The file's bytes, checked. NULL: the report says why not, at `by`, which includes it (NULL: nothing does).
 */
struct conf_file *conf_source_read(struct conf_report *r, const char *path, const struct conf_node *by);
/* The same from memory; path and bytes are copied. */
const struct conf_file *conf_source_copy(struct conf_report *r, const char *path, const char *bytes,
                                         size_t len);

/* A line without its end; ptr NULL: there is no such line. */
struct slice conf_source_line(const struct conf_file *f, uint32_t line);
/* Bytes of the line's end that stands at an offset; 0: none. */
unsigned conf_source_line_end(const struct conf_file *f, size_t offset);
/* The place of the character at a byte offset, one character wide. */
struct conf_place conf_source_place(const struct conf_file *f, size_t offset);
/* Moves a place on by one character or one line's end, and the offset that it is at; not beyond the file. */
void conf_source_step(const struct conf_file *f, size_t *offset, uint32_t *line, uint32_t *column);

/* Bytes of the first UTF-8 character, whose number is stored in `code`; 0: malformed or none. */
unsigned conf_utf8_char(struct slice bytes, uint32_t *code);

#endif
