#include "probe/arch.h"

#include <stdlib.h>
#include <string.h>

static int compare_name(const void *name, const void *row)
{
	return strcmp(name, ((const struct arch_syscall *)row)->name);
}

int arch_syscall_number(const struct arch *a, const char *name)
{
	const struct arch_syscall *row =
		bsearch(name, a->syscalls, a->nsyscalls, sizeof(*row), compare_name);

	return row ? (int)row->number : -1;
}

const struct arch_reg *arch_find_reg(const struct arch *a, const char *name)
{
	for (unsigned i = 0; i < a->nregs; i++)
		if (!strcmp(a->regs[i].name, name))
			return &a->regs[i];
	return NULL;
}

bool probe_find_reg(const char *name, struct argloc *out)
{
	const struct arch_reg *reg = arch_find_reg(&arch_host, name);

	if (reg)
		*out = (struct argloc){ .kind = LOC_CTX, .off = reg->off, .size = 8 };
	return reg != NULL;
}
