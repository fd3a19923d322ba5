/*
 * access.h: the frontend room's own: when the lines of the access log are
 * written.
 */
#ifndef NOXY_FRONTEND_ACCESS_H
#define NOXY_FRONTEND_ACCESS_H

#include "frontend/frontend.h"

void frontend_access_start(struct worker *w);
/* Writes what is left; what can't be written is dropped. */
void frontend_access_stop(struct worker *w);

#endif
