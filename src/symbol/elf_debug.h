/*
 * elf_debug.h - the symbols that were stripped from a file, where distributions put them.
 *
 * A file and its debug file carry the same build id, by which the latter is named:
 * DIRECTORY/.build-id/ab/cdef....debug (GDB manual, "Separate Debug Files").
 */
#ifndef SCRY_SYMBOL_ELF_DEBUG_H
#define SCRY_SYMBOL_ELF_DEBUG_H

#include "symbol/elf.h"

#define ELF_DEBUG_DIR "/usr/lib/debug"

/* Opens the debug file of f; false when there is none in dir. */
bool elf_debug_open(struct elf *out, const struct elf *f, const char *dir);

#endif
