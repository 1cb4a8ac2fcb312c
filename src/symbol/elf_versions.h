/*
 * elf_versions.h - symbols by name and version: "memcpy@GLIBC_2.2.5", "memcpy@@GLIBC_2.14".
 *
 * The loader's table has them with a table of version numbers beside it (.gnu.version), whose
 * names are in .gnu.version_d (Linux Standard Base, "Symbol Versioning").
 */
#ifndef SCRY_SYMBOL_ELF_VERSIONS_H
#define SCRY_SYMBOL_ELF_VERSIONS_H

#include "symbol/elf.h"

struct elf_version {
	struct elf_symbol symbol;
	const char *version; /* stays as long as the file is open */
	bool is_default;     /* what programs get that are linked today: "@@" */
};

/* Calls fn with every version of a symbol that the file defines. */
void elf_each_version(const struct elf *f, const char *name,
		      void (*fn)(void *arg, const struct elf_version *v), void *arg);

#endif
