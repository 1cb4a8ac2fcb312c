/*
 * cfi.h - the unwind table of a program file, from its .eh_frame and .debug_frame.
 *
 * Compilers say in .eh_frame how every instruction's frame is laid out (System V ABI for
 * x86_64, section 3.7; Linux Standard Base, chapter "Exception Frames"; DWARF 5 section 6.4).
 * Here that becomes rows that a BPF program can search.  The bytes may be anything: what cannot
 * be read ends a function's rows, and says so in them.
 */
#ifndef SCRY_SYMBOL_CFI_H
#define SCRY_SYMBOL_CFI_H

#include "base/vec.h"
#include "symbol/cfi_row.h"
#include "symbol/elf.h"

/* Rows of a table at most, and so what a search takes: one of 2^CFI_ROWS_LOG2. */
enum { CFI_ROWS_LOG2 = 22 };

struct cfi_table {
	uint64_t base; /* address, as the file was linked, that rows count from */
	/* Ascending; the first one is at 0; code between functions has rows, too. */
	VEC(uint64_t) rows;
	size_t nfuncs;
};

/*
 * Makes the table of bytes that lie at an address; base as above. Returns 0, or -E2BIG when
 * there would be too many rows; then the table is empty.
 */
int cfi_compile(struct cfi_table *t, const uint8_t *bytes, size_t size, uint64_t addr,
		uint64_t base);
/* The table of a file: 0, -ENOENT when it has neither section, -E2BIG as above. */
int cfi_load(struct cfi_table *t, const struct elf *f);
void cfi_fini(struct cfi_table *t);
/* The row that an address, counted from the base, lies in; 0 before the first. */
uint64_t cfi_row_at(const struct cfi_table *t, uint64_t pc);

#endif
