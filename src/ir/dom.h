/*
 * dom.h - which block must have run before which.
 *
 * A snapshot of one function's graph: it is not kept up to date when blocks change.  Blocks
 * that cannot be reached from the entry have no place in it.  All memory is the arena's.
 */
#ifndef SCRY_IR_DOM_H
#define SCRY_IR_DOM_H

#include "ir/ir.h"

struct dom {
	uint32_t n;  /* reachable blocks */
	blkid *rpo;  /* n blocks in reverse postorder: a block before its successors, save loops
		      */
	blkid *tree; /* n blocks in preorder of the dominator tree */
	blkid *idom; /* by block: the nearest dominator; the entry's is the entry */
	uint32_t *in;  /* by block: its index in tree[]; UINT32_MAX: not reachable */
	uint32_t *out; /* by block: one past the last index of its subtree in tree[] */
};

/* Fills d; fn's preds must be right. */
void dom_build(struct dom *d, const struct fn *fn, struct arena *a);

static inline bool dom_reachable(const struct dom *d, blkid b)
{
	return d->in[b] != UINT32_MAX;
}

/* Does x dominate y? Every block dominates itself. Both must be reachable. */
static inline bool dom_dominates(const struct dom *d, blkid x, blkid y)
{
	return d->in[x] <= d->in[y] && d->in[y] < d->out[x];
}

/* The blocks where x's dominance ends: blks[first[x]] ... blks[first[x + 1] - 1]. */
struct frontiers {
	uint32_t *first;
	blkid *blks;
};
void dom_frontiers(struct frontiers *f, const struct dom *d, const struct fn *fn,
		   struct arena *a);

/*
 * A walk over the dominator tree in the order of tree[], for passes that keep a table of what
 * holds on the way from the entry:
 *
 *	for (uint32_t k = 0; k < d->n; k++) {
 *		while (dom_walk_leave(&w, k))
 *			... forget what the innermost block added
 *		dom_walk_enter(&w, k);
 *		... visit d->tree[k]
 *	}
 */
struct dom_walk {
	const struct dom *dom;
	blkid *open; /* the blocks entered and not left */
	uint32_t depth;
};
void dom_walk_init(struct dom_walk *w, const struct dom *d, struct arena *a);
/* True when the innermost open block does not dominate tree[k]; it is left then. */
bool dom_walk_leave(struct dom_walk *w, uint32_t k);
void dom_walk_enter(struct dom_walk *w, uint32_t k);

#endif
