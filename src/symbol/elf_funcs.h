/*
 * elf_funcs.h - the functions of an ELF file, by address and by name.
 *
 * Filled once and then never changed; it does not need the file any more.  The symbols of both
 * tables are in it, for a stripped file those of its debug file too, without versions:
 * "memcpy@@GLIBC_2.14" is memcpy.  A name stays valid as long as the table.
 */
#ifndef SCRY_SYMBOL_ELF_FUNCS_H
#define SCRY_SYMBOL_ELF_FUNCS_H

#include "base/sb.h"
#include "base/vec.h"
#include "symbol/elf.h"

/* A function as the table keeps it. */
struct elf_func {
	uint64_t addr;
	uint32_t size; /* 0: not told */
	uint32_t name; /* offset in names */
	uint8_t rank;  /* of several at one address the lower is the better name */
	/* A GNU indirect function: the address is of code that chooses the function. */
	bool is_indirect;
};

struct elf_funcs {
	VEC(struct elf_func) list; /* sorted by address, rank, name; no name twice at a place */
	struct sb names;	   /* one behind the other, each with its NUL */
};

/* dirs: where debug files are looked for, see elf_debug_open(). */
void elf_funcs_load(struct elf_funcs *funcs, const struct elf *f, const char *dirs);
void elf_funcs_fini(struct elf_funcs *funcs);

static inline const char *elf_func_name(const struct elf_funcs *funcs,
					const struct elf_func *fn)
{
	return funcs->names.s + fn->name;
}
/* The function that an address lies in, or NULL. One without a size reaches to the next. */
const struct elf_func *elf_funcs_at(const struct elf_funcs *funcs, uint64_t addr);
/* The function of that name, or NULL. */
const struct elf_func *elf_funcs_find(const struct elf_funcs *funcs, const char *name);

#endif
