/*
 * elf_out.h - an ELF file for BPF under construction.
 *
 * Source of the format: the psABI of BPF (Documentation/bpf/llvm_reloc.rst) and elf.h. Sections
 * are known by their numbers, which are those of the file; symbols too.
 */
#ifndef SCRY_OBJECT_ELF_OUT_H
#define SCRY_OBJECT_ELF_OUT_H

#include "base/sb.h"
#include "base/vec.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

struct elf_section {
	const char *name;
	Elf64_Shdr head;
	struct sb data;
	VEC(Elf64_Rel) rels;
};

struct elf_out {
	struct arena *arena;
	VEC(struct elf_section) sections;
	VEC(Elf64_Sym) locals, globals; /* a file has its local symbols first */
	struct sb names;
};

/* What a relocation names: a symbol of either list, before their numbers are known. */
struct elf_symbol {
	bool is_global;
	uint32_t index;
};

void elf_out_init(struct elf_out *o, struct arena *a);
void elf_out_fini(struct elf_out *o);
/* The section of that name, made when there is none. */
uint32_t elf_out_section(struct elf_out *o, const char *name, uint32_t type, uint64_t flags);
struct elf_section *elf_out_at(struct elf_out *o, uint32_t section);
/* type: STT_...; a section's own symbol is a local one without a name. */
struct elf_symbol elf_out_symbol(struct elf_out *o, const char *name, bool is_global,
				 unsigned type, uint32_t section, uint64_t at, uint64_t size);
/* Of the psABI of BPF: an address, a call. */
enum elf_rel_type { REL_BPF_64_64 = 1, REL_BPF_64_32 = 10 };

/* The instruction at that byte of the section holds the address of a symbol, or calls it. */
void elf_out_rel(struct elf_out *o, uint32_t section, uint64_t at, struct elf_symbol symbol,
		 enum elf_rel_type type);
/* Appends the file; nothing can be added to o afterwards. */
void elf_out_finish(struct elf_out *o, struct sb *file);

#endif
