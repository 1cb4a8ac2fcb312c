/*
 * perfmap.h - the functions of a just-in-time compiler, as it writes them to /tmp/perf-PID.map.
 *
 * Lines of "START SIZE NAME", numbers in hexadecimal
 * (tools/perf/Documentation/jit-interface.txt).
 */
#ifndef SCRY_SYMBOL_PERFMAP_H
#define SCRY_SYMBOL_PERFMAP_H

#include "symbol/elf_funcs.h"

/*
 * Fills funcs, which must be empty, from the file; lines that are none of the format are left
 * out, and of several functions at one place the last one counts. Where functions overlap, the
 * one that begins last has the address, as perf has it; wherever its line is. Of a file larger
 * than 256 MiB the beginning is read. Returns 0 or -errno.
 */
int perfmap_load(struct elf_funcs *funcs, const char *path);

/* The same of size bytes in memory, which are changed; text[size] must be there. */
void perfmap_parse(struct elf_funcs *funcs, char *text, size_t size);

#endif
