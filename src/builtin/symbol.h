/*
 * symbol.h - addresses of the kernel's symbols, for builtins that are made of them.
 */
#ifndef SCRY_BUILTIN_SYMBOL_H
#define SCRY_BUILTIN_SYMBOL_H

#include "script/lower.h"

/* The address of a symbol of the kernel or a module; false after reporting. */
bool symbol_find(struct unit *u, struct span span, const char *name, uint64_t *addr);

/* Where the copies of per-CPU variables lie; filled at check time, used by the lowering. */
struct percpu {
	uint64_t offsets; /* address of the kernel's __per_cpu_offset[] */
};

/* False after reporting. */
bool percpu_find(struct unit *u, struct span span, struct percpu *p);
/* For who can do without: nothing is reported. */
bool percpu_is_known(struct percpu *p);
/* The address of the copy that a CPU has of the variable. */
ref percpu_address(struct unit *u, const struct percpu *p, ref variable, ref cpu);

#endif
