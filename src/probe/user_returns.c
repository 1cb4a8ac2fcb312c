#include "probe/user_returns.h"

#include "base/auto.h"
#include "probe/arch.h"

#include <unistd.h>

enum { CODE_MAX = 4 << 20 };

/* The bytes of a function, on the heap; NULL when its size is not known or they are not there.
 */
static uint8_t *read_code(const struct user_file *file, const struct elf_func *fn)
{
	uint64_t offset;
	uint8_t *code;

	if (!fn->size || fn->size > CODE_MAX || !elf_offset_of(&file->elf, fn->addr, &offset))
		return NULL;
	code = xcalloc(fn->size, 1);
	if (pread(file->elf.fd, code, fn->size, (off_t)offset) == (ssize_t)fn->size)
		return code;
	free(code);
	return NULL;
}

struct taking {
	struct arena *arena;
	struct insn_offsets *out;
};

static void take(void *arg, size_t offset)
{
	const struct taking *t = arg;

	vec_push(t->arena, t->out, offset);
}

bool user_returns(struct probe_env *env, const struct user_file *file,
		  const struct elf_func *fn, struct insn_offsets *out)
{
	auto_free uint8_t *code = read_code(file, fn);
	struct taking t = { env->arena, out };

	return code && insn_each_return(arch_host.insns, code, fn->size, take, &t);
}

bool user_insn_begins(const struct user_file *file, const struct elf_func *fn, uint64_t offset)
{
	auto_free uint8_t *code = offset ? read_code(file, fn) : NULL;

	return !code || insn_begins_at(arch_host.insns, code, fn->size, offset);
}
