/*
 * pass.h - what the passes share to change a function.
 *
 * A pass looks at each instruction a bounded number of times.  So replacements are collected
 * in a table and applied in one walk, blocks are rewritten as a whole, and edges are repaired
 * once after all branches have changed.
 *
 * Words in the passes' headers.  needs: `ssa`, the invariants of ir_check(); `reachable`, no
 * block that the entry does not lead to.  keeps: those and `cfg`, all blocks and edges.
 */
#ifndef SCRY_IR_PASS_H
#define SCRY_IR_PASS_H

#include "ir/ir.h"

bool opt_cfg(struct fn *fn);
bool opt_mem2reg(struct fn *fn);
bool opt_fold(struct fn *fn);
bool opt_cse(struct fn *fn);
bool opt_mem(struct fn *fn);
bool opt_dse(struct fn *fn);
bool opt_dce(struct fn *fn);

/* ---- values that are replaced by others ---- */

struct renames {
	ref *to; /* by ref: what stands for it now; 0 = itself */
	size_t n;
	bool any;
};

/* For the values fn has now; later ones stand for themselves. */
void renames_init(struct renames *rn, const struct fn *fn, struct arena *a);
/* From now on b stands for a, and removes a, which must not be listed any more. */
void rename_value(struct renames *rn, ref a, ref b);
/* What stands for r, now. */
ref renamed(struct renames *rn, ref r);
/* Changes all operands of one instruction, of the whole function. */
void rename_operands(struct renames *rn, struct ins *i);
void renames_apply(struct renames *rn, struct fn *fn);

/* ---- a block's list of instructions, rewritten from front to back ---- */

VEC_TYPE(ref_vec, ref);

struct rewrite {
	struct fn *fn;
	struct arena *scratch;
	blkid blk;
	struct ref_vec old; /* what to go through */
	struct ref_vec out; /* what stays */
	bool changed;	    /* has any block changed? */
};

/* One for all blocks of a pass. */
void rewrite_init(struct rewrite *rw, struct fn *fn, struct arena *scratch);
void rewrite_begin(struct rewrite *rw, blkid blk);
void rewrite_keep(struct rewrite *rw, ref r);
/* Adds a new instruction; it gets the span of `like`. Moves fn->ins. */
ref rewrite_new(struct rewrite *rw, struct ins i, ref like);
/* What was neither kept nor moved to another block becomes OP_NONE. */
void rewrite_end(struct rewrite *rw);

/* ---- edges ---- */

/*
 * After terminators were changed: kills what cannot be reached any more, and removes from
 * preds and phis the edges that are gone.  No edge may be new.  Returns whether there were any.
 */
bool cfg_prune(struct fn *fn);

#endif
