/*
 * order.h - the order in which blocks are laid out, and the loops among them.
 *
 * Blocks come in reverse postorder, so that a definition stands before its uses, with every
 * loop in one piece.  Loops: Havlak, "Nesting of Reducible and Irreducible Loops", TOPLAS 1997,
 * in the simple form for reducible graphs; in other graphs the depths are guesses, the rest
 * still holds.
 */
#ifndef SCRY_CODEGEN_ORDER_H
#define SCRY_CODEGEN_ORDER_H

#include "ir/ir.h"

#define ORDER_NONE UINT32_MAX

struct order {
	blkid *blks; /* the reachable blocks, the entry first */
	uint32_t n;
	uint32_t *index; /* by blkid: its place in blks, ORDER_NONE when unreachable */
	uint32_t *depth; /* by place: number of loops around it */
	/* By place: first and last place of the outermost cycle around it; cycle_beg is
	 * ORDER_NONE outside of cycles.  True for any graph, not only for reducible ones. */
	uint32_t *cycle_beg, *cycle_end;
};

/* Puts an empty block on every edge that leaves a branch and enters a block with phis. */
void order_split_edges(struct fn *fn);
void order_blocks(struct arena *a, const struct fn *fn, struct order *o);

#endif
