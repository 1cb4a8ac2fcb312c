/*
 * elf_go.h - the functions of a Go program that was stripped.
 *
 * Go's runtime needs their names itself, for the traces of its panics: they are in its table of
 * lines, which -ldflags=-s leaves (Go's debug/gosym, "pclntab"; versions of
 * Go 1.16, 1.18, 1.20).
 */
#ifndef SCRY_SYMBOL_ELF_GO_H
#define SCRY_SYMBOL_ELF_GO_H

#include "symbol/elf.h"

/* Calls fn with every function of the table until it returns false. */
void elf_go_each_func(const struct elf *f, bool (*fn)(void *arg, const struct elf_symbol *s),
		      void *arg);

#endif
