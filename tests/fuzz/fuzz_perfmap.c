/*
 * Maps of just-in-time compilers: any bytes as one. Where a function begins, a name is found,
 * and it is that of the last line that begins there.
 */
#include "base/auto.h"
#include "symbol/perfmap.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Names lie one behind the other in the order of their lines. */
static void check(const struct elf_funcs *funcs, const struct elf_func *fn)
{
	const struct elf_func *found = elf_funcs_at(funcs, fn->addr);

	if (!found || found->addr != fn->addr || found->name < fn->name)
		abort();
	if (funcs->names.len <= fn->name + strlen(elf_func_name(funcs, fn)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_funcs funcs = { 0 };
	char *text = xrealloc(NULL, size + 1);

	memcpy(text, data, size);
	perfmap_parse(&funcs, text, size);
	vec_each(fn, &funcs.list)
		check(&funcs, fn);
	elf_funcs_fini(&funcs);
	free(text);
	return 0;
}
