/*
 * cfi_ops.h - the machine of call frame instructions (DWARF 5 section 6.4.2), for cfi.c.
 */
#ifndef SCRY_SYMBOL_CFI_OPS_H
#define SCRY_SYMBOL_CFI_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Register numbers of the x86_64 ABI, figure 3.36. */
enum { CFI_REG_BP = 6, CFI_REG_SP = 7, CFI_REG_RA = 16 };

/* Bytes being read; past the end everything is 0, and bad. */
struct cfi_bytes {
	const uint8_t *at, *end;
	bool bad;
};

uint64_t cfi_read(struct cfi_bytes *r, unsigned size); /* little endian, 1 to 8 bytes */
uint64_t cfi_uleb(struct cfi_bytes *r);
int64_t cfi_sleb(struct cfi_bytes *r);
/* The next n bytes, which r is moved behind. */
struct cfi_bytes cfi_sub(struct cfi_bytes *r, uint64_t n);

/* Where a register of the caller is, or what the CFA is. */
struct cfi_place {
	enum { PLACE_SAME, PLACE_OFFSET, PLACE_EXPR, PLACE_UNDEFINED, PLACE_OTHER } how;
	int64_t offset;		/* PLACE_OFFSET: at CFA + offset; CFA itself: reg + offset */
	uint64_t reg;		/* of the CFA */
	struct cfi_bytes bytes; /* PLACE_EXPR */
};

struct cfi_state {
	struct cfi_place cfa, bp, ra;
};

enum { CFI_REMEMBERED = 16 };

struct cfi_run {
	/* Set by the caller. */
	uint64_t code_align;
	int64_t data_align;
	uint64_t pc, end; /* of the function */
	/* The machine's own. */
	struct cfi_state now, initial, stack[CFI_REMEMBERED];
	unsigned depth;
	bool over, broken;
};

/* Runs what functions have in common. */
void cfi_begin(struct cfi_run *run, struct cfi_bytes *common);
/* Runs on to the end of the next row, which is put out; false: there are no more. */
bool cfi_next_row(struct cfi_run *run, struct cfi_bytes *program, uint64_t *row);

#endif
