/*
 * report.h: what is wrong with a configuration. All of a file's errors are
 * collected, each with its place, and printed in the order of their places:
 *
 *   conf.yaml:14:5: unknown key "use_backnd" in frontend "web"
 *      14 |     use_backnd: api
 *         |     ^~~~~~~~~~
 *         = did you mean "use_backend"?
 *
 * Messages come from a file's bytes too: control characters in them are
 * escaped, and long ones cut short, so that a report never breaks a terminal
 * or a log.
 */
#ifndef NOXY_CONF_REPORT_H
#define NOXY_CONF_REPORT_H

#include "base/macros.h"
#include "base/text.h"
#include "conf/node.h"

enum conf_severity { CONF_ERROR, CONF_WARNING, CONF_NOTICE };

struct conf_message {
    enum conf_severity severity;
    struct conf_place place;
    const char *text;
    const char *hint; /* the line behind "= ", NULL: none */
};

struct conf_report {
    struct arena *arena;           /* of the load */
    struct conf_message *messages; /* in the order of their places; at most 100 of a severity */
    uint32_t count, size;
    uint32_t errors; /* of severity CONF_ERROR; those beyond the ones that are kept are counted, too */
    uint32_t
        raised; /* the same, with those that repeat another: tells whether something went wrong in between */
};

/*
 * `hint` may be NULL; both texts are copied. `place` may be NULL; line 0 is the file as a whole. What repeats
 * another message at the same place (a value that several objects inherit) is left out.
 */
void conf_report_add(struct conf_report *r, enum conf_severity severity, const struct conf_place *place,
                     const char *hint, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* All messages of a severity, as above. */
void conf_report_print(const struct conf_report *r, enum conf_severity severity, struct text *out);

/* One message as one line, for the log: "FILE:LINE:COLUMN: text (hint)". */
void conf_message_print_line(const struct conf_message *m, struct text *out);

enum { CONF_EXCERPT_SIZE = 256 };
/* A text of the file as a message quotes it: at most 60 characters of it; returns `out`. */
const char *conf_excerpt(const char *text, char out[static CONF_EXCERPT_SIZE]);

/* Of `candidates` (NULL-ended) the one most like `word`, or NULL when none is near (edit distance with
 * swaps). */
const char *conf_nearest(const char *word, const char *const *candidates);

#endif
