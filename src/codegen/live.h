/*
 * live.h - where in the program each register, or each spill slot, holds a value that is still
 * wanted.
 *
 * Instruction i reads at position 2i and writes at 2i + 1, so that a value read for the last
 * time and one written by the same instruction may share a place.  A value that is never read
 * occupies the one position where it is written.
 */
#ifndef SCRY_CODEGEN_LIVE_H
#define SCRY_CODEGEN_LIVE_H

#include "codegen/mir.h"

/* From position from up to, but not including, to; ranges of one variable rise and are apart.
 */
struct range {
	uint32_t from, to;
	struct range *next;
};

enum live_what { LIVE_REGS, LIVE_SLOTS };

/* By register or slot number, its ranges: NULL when it does not appear. All lives in a. */
struct range **live_find(struct arena *a, const struct mfn *m, enum live_what what);

/* The first position that is in both lists, UINT32_MAX when there is none. */
uint32_t live_overlap(const struct range *x, const struct range *y);

#endif
