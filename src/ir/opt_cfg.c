/*
 * Simplify the graph: drop what cannot be reached, phis of one value, blocks that only jump
 * on, and edges between blocks that know only each other.
 * needs: ssa    keeps: ssa    gives: reachable
 */
#include "base/auto.h"
#include "ir/dom.h"
#include "ir/pass.h"

/* ---- phis of one value ---- */

/* The only value a phi can have, or 0. */
static ref only_value(struct renames *rn, const struct ins *phi, ref self)
{
	ref only = 0;

	for (uint32_t k = 0; k < phi->nargs; k++) {
		ref v = renamed(rn, phi->args[k]);

		if (v == self || v == only)
			continue;
		if (only)
			return 0;
		only = v;
	}
	return only;
}

static bool drop_phis(struct fn *fn)
{
	auto_arena struct arena scratch = {};
	struct renames rn;
	struct rewrite rw;

	renames_init(&rn, fn, &scratch);
	rewrite_init(&rw, fn, &scratch);
	for (blkid b = 0; b < fn->blks.len; b++) {
		rewrite_begin(&rw, b);
		vec_each(r, &rw.old) {
			const struct ins *i = ir_ins(fn, *r);
			ref only = i->op == OP_PHI ? only_value(&rn, i, *r) : 0;

			if (only)
				rename_value(&rn, *r, only);
			else
				rewrite_keep(&rw, *r);
		}
		rewrite_end(&rw);
	}
	renames_apply(&rn, fn);
	return rw.changed;
}

/* ---- blocks that only jump on ---- */

static bool has_phis(const struct fn *fn, blkid b)
{
	return ir_ins(fn, fn->blks.data[b].ins.data[0])->op == OP_PHI;
}

/*
 * The block behind one that only jumps on, or the block itself.  A block that jumps to phis
 * has to stay: their moves need a place to stand in.
 */
static blkid behind(const struct fn *fn, blkid b)
{
	const struct ins *i = ir_ins(fn, fn->blks.data[b].ins.data[0]);

	return b && i->op == OP_JMP && !has_phis(fn, i->blk[0]) ? i->blk[0] : b;
}

struct threader {
	struct fn *fn;
	blkid *end;   /* by block: 1 + where jumping to it ends, 0 = not known yet */
	blkid *tried; /* by block: 1 + the block from which it was last passed */
};

static blkid find_end(struct threader *t, blkid b)
{
	blkid end = b;

	/* Blocks may jump on in a circle; any of them may be its end. */
	while (!t->end[end] && t->tried[end] != b + 1 && behind(t->fn, end) != end) {
		t->tried[end] = b + 1;
		end = behind(t->fn, end);
	}
	if (t->end[end])
		end = t->end[end] - 1;
	for (blkid k = b; !t->end[k]; k = behind(t->fn, k))
		t->end[k] = end + 1;
	return end;
}

/* Lets the edges of b go where they end. */
static bool redirect(struct threader *t, blkid b)
{
	struct ins *term = ir_ins(t->fn, vec_last(&t->fn->blks.data[b].ins));
	blkid succ[2];
	unsigned n = ir_succs(t->fn, b, succ);
	bool changed = false;

	for (unsigned k = 0; k < n; k++) {
		term->blk[k] = find_end(t, succ[k]);
		changed |= term->blk[k] != succ[k];
	}
	if (n == 2 && term->blk[0] == term->blk[1]) {
		term->op = OP_JMP;
		term->nargs = 0;
		term->a = 0;
		term->blk[1] = 0;
	}
	return changed;
}

/* Lists the predecessors anew where no phi depends on their order. */
static void relist_preds(struct fn *fn)
{
	vec_each(blk, &fn->blks)
		if (!blk->dead && !has_phis(fn, blk - fn->blks.data))
			blk->preds.len = 0;
	for (blkid b = 0; b < fn->blks.len; b++) {
		blkid succ[2];
		unsigned n = ir_succs(fn, b, succ);

		for (unsigned k = 0; k < n; k++)
			if (!has_phis(fn, succ[k]))
				vec_push(fn->arena, &fn->blks.data[succ[k]].preds, b);
	}
}

static bool thread_all(struct fn *fn)
{
	auto_arena struct arena scratch = {};
	struct threader t = { .fn = fn };
	bool changed = false;

	t.end = arena_array(&scratch, blkid, fn->blks.len);
	t.tried = arena_array(&scratch, blkid, fn->blks.len);
	for (blkid b = 0; b < fn->blks.len; b++)
		if (!fn->blks.data[b].dead)
			changed |= redirect(&t, b);
	if (changed) {
		relist_preds(fn);
		cfg_prune(fn);
	}
	return changed;
}

/* ---- blocks that know only each other ---- */

struct merger {
	struct fn *fn;
	blkid *into; /* by block: the block it became part of, or itself */
};

/* The block that can become part of b, or 0. */
static blkid successor_of_one(const struct fn *fn, blkid b)
{
	const struct ins *term = ir_ins(fn, vec_last(&fn->blks.data[b].ins));
	blkid s = term->blk[0];

	if (term->op != OP_JMP || s == b || fn->blks.data[s].preds.len != 1)
		return 0;
	return has_phis(fn, s) ? 0 : s;
}

/* Moves the instructions of s to the end of b. */
static void absorb(struct merger *m, blkid b, blkid s)
{
	struct blk *to = &m->fn->blks.data[b], *from = &m->fn->blks.data[s];

	*ir_ins(m->fn, vec_last(&to->ins)) = (struct ins){ .op = OP_NONE };
	to->ins.len--;
	vec_each(r, &from->ins) {
		ir_ins(m->fn, *r)->home = b;
		vec_push(m->fn->arena, &to->ins, *r);
	}
	*from = (struct blk){ .dead = true };
	m->into[s] = b;
}

/* b takes in all of a row, so no block is ever moved twice unless its row's head is as well. */
static bool merge_row(struct merger *m, blkid b)
{
	bool changed = false;

	for (blkid s; (s = successor_of_one(m->fn, b)); changed = true)
		absorb(m, b, s);
	return changed;
}

/* Needs phis of one value dropped. */
static bool merge_all(struct fn *fn)
{
	auto_arena struct arena scratch = {};
	struct merger m = { .fn = fn, .into = arena_array(&scratch, blkid, fn->blks.len) };
	struct dom dom;
	bool changed = false;

	for (blkid b = 0; b < fn->blks.len; b++)
		m.into[b] = b;
	/* From the heads on, so that every block moves at most once. */
	dom_build(&dom, fn, &scratch);
	for (uint32_t k = 0; k < dom.n; k++)
		if (!fn->blks.data[dom.rpo[k]].dead)
			changed |= merge_row(&m, dom.rpo[k]);
	if (!changed)
		return false;
	vec_each(blk, &fn->blks)
		vec_each(p, &blk->preds)
			*p = m.into[*p];
	return true;
}

bool opt_cfg(struct fn *fn)
{
	bool changed = cfg_prune(fn);

	changed |= drop_phis(fn);
	changed |= thread_all(fn);
	changed |= merge_all(fn);
	return changed;
}
