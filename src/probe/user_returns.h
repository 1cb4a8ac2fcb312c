/*
 * user_returns.h - what a function's instructions say: where it returns, where a probe may be.
 */
#ifndef SCRY_PROBE_USER_RETURNS_H
#define SCRY_PROBE_USER_RETURNS_H

#include "base/vec.h"
#include "probe/user_file.h"

/* Offsets of instructions from the function's beginning. */
VEC_TYPE(insn_offsets, uint64_t);

/*
 * Appends the function's return instructions. Returns false when it cannot be told: its size is
 * not known, or its code.
 */
bool user_returns(struct probe_env *env, const struct user_file *file,
		  const struct elf_func *fn, struct insn_offsets *out);
/* Does an instruction of the function begin at the offset? True where that cannot be told. */
bool user_insn_begins(const struct user_file *file, const struct elf_func *fn, uint64_t offset);

#endif
