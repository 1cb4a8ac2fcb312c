/*
 * ustack.h - what values that name places in a process have in common.
 */
#ifndef SCRY_BUILTIN_USTACK_H
#define SCRY_BUILTIN_USTACK_H

#include "script/lower.h"

/* The process's id in the upper half of a word; the session is told to know its symbols. */
ref lower_pid_above(struct unit *u);
/* Writes a T_USYM: that address in this process. */
void lower_usym_to(struct unit *u, ref addr, const struct dest *d);

#endif
