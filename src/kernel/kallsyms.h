/*
 * kallsyms.h - one pass over the kernel's symbols (/proc/kallsyms), without keeping them.
 *
 * Names can be read by everybody; addresses are 0 for those who may not see them.
 */
#ifndef SCRY_KERNEL_KALLSYMS_H
#define SCRY_KERNEL_KALLSYMS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct kallsym {
	uint64_t addr;
	char type;	    /* as nm(1) shows it: 't' and 'T' are functions */
	const char *name;   /* both are valid during the call only */
	const char *module; /* NULL: the kernel itself */
};

static inline bool kallsym_is_function(const struct kallsym *s)
{
	return (s->type | 32) == 't' || (s->type | 32) == 'w';
}

/* Calls fn with each symbol until it returns false. path NULL: the running kernel's. */
int kallsyms_each(const char *path, bool (*fn)(void *arg, const struct kallsym *s), void *arg,
		  struct err *e);

#endif
