/*
 * handlers.h: what the commands do. Each row of the command table has one
 * function here, bound by its identifier.
 */
#ifndef NOXY_ADMIN_HANDLERS_H
#define NOXY_ADMIN_HANDLERS_H

#include "admin/answer.h"
#include "admin/command.h"
#include "admin/session.h"

/* Answers `s`: the text, or with a->json the document. `args`: the words behind the command, within its
 * limits. */
typedef void command_run(struct admin_session *s, char *const *args, unsigned count, struct answer *a);

#define X(id, ...) command_run admin_run_##id;
COMMAND_TABLE(X)
#undef X

/* Runs one line (it is cut up) and appends its answer to `out`; nothing for an empty line or an answer to
 * come. */
void admin_run_line(struct admin_session *s, char *line, struct text *out);

#endif
