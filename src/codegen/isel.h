/*
 * isel.h - IR to machine instructions over virtual registers.
 *
 * Leaves SSA: phis become copies at the end of their predecessors.  Instructions are chosen
 * from what is asked of them: only values that somebody wants in a register are computed, so
 * that constants, addresses and comparisons vanish into the instructions that use them.
 */
#ifndef SCRY_CODEGEN_ISEL_H
#define SCRY_CODEGEN_ISEL_H

#include "codegen/codegen.h"
#include "codegen/frame.h"
#include "codegen/mir.h"
#include "codegen/order.h"

/* Edges from branches into phis must be split. Returns 0, or -ENOTSUP for what target's isa
 * lacks. */
int isel(struct mfn *m, const struct fn *fn, const struct order *o, const struct frame *f,
	 const struct codegen_target *target, struct err *e);

#endif
