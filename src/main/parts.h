/*
 * parts.h: the one explicit list of what noxy is made of: the key tables of
 * the configuration, the modes and the codecs. What a room offers exists for
 * the operator only because it stands here. (The balancing algorithms have
 * their list in balance/balance.h.)
 */
#ifndef NOXY_MAIN_PARTS_H
#define NOXY_MAIN_PARTS_H

#include "conf/table.h"

/* Ended by NULL. */
extern const struct conf_section *const parts_sections[];

/* Gives the rooms the modes and codecs. Once, before anything is loaded. */
void parts_register(void);

#endif
