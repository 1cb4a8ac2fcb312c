/*
 * elf_debug.h - what was stripped from a file, where distributions put it.
 *
 * A file and its debug file carry the same build id, by which the latter is named:
 * DIRECTORY/.build-id/ab/cdef....debug; or the file has a section .gnu_debuglink with the
 * debug file's name and checksum (GDB manual, "Separate Debug Files").  Some distributions
 * leave the names of functions in the file itself, compressed: .gnu_debugdata (GDB manual,
 * "MiniDebugInfo").
 */
#ifndef SCRY_SYMBOL_ELF_DEBUG_H
#define SCRY_SYMBOL_ELF_DEBUG_H

#include "symbol/elf.h"

#define ELF_DEBUG_DIR "/usr/lib/debug"

/*
 * Opens the debug file of f; false when there is none that belongs to it. dirs are separated by
 * colons, NULL means ELF_DEBUG_DIR. A linked file is also looked for beside f itself and in
 * ".debug" there.
 */
bool elf_debug_open(struct elf *out, const struct elf *f, const char *dirs);

/*
 * Opens the symbols that lie compressed in f; *image is their memory, to be freed after
 * elf_close(). False when there are none, or they are damaged.
 */
bool elf_debug_open_packed(struct elf *out, const struct elf *f, void **image);

#endif
