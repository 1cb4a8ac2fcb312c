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

/* Where an empty block leads, or the block itself. */
static blkid leads_to(const struct fn *fn, blkid b)
{
	const struct blk *blk = &fn->blks.data[b];
	const struct ins *i = ir_ins(fn, blk->ins.data[0]);

	return b && i->op == OP_JMP ? i->blk[0] : b;
}

static bool has_phis(const struct fn *fn, blkid b)
{
	return ir_ins(fn, fn->blks.data[b].ins.data[0])->op == OP_PHI;
}

struct threader {
	struct fn *fn;
	struct arena scratch;
	uint32_t *listed; /* by block: 1 + the block in whose new preds it stands */
	VEC(blkid) preds; /* the new ones */
};

static void list_pred(struct threader *t, blkid p, blkid b)
{
	if (t->listed[p] == b + 1)
		return;
	t->listed[p] = b + 1;
	vec_push(&t->scratch, &t->preds, p);
}

/* Lets p's edge to the empty block e go to b. */
static void redirect(struct fn *fn, blkid p, blkid e, blkid b)
{
	struct ins *term = ir_ins(fn, vec_last(&fn->blks.data[p].ins));

	for (unsigned k = 0; k < 2; k++)
		if (term->blk[k] == e)
			term->blk[k] = b;
	if (term->op == OP_BR && term->blk[0] == term->blk[1]) {
		term->op = OP_JMP;
		term->nargs = 0;
		term->a = 0;
		term->blk[1] = 0;
	}
}

/*
 * Gives b the predecessors of the empty blocks before it.  Not when b has phis: their moves
 * need the empty block to stand in.
 */
static bool thread_to(struct threader *t, blkid b)
{
	struct blk *blk = &t->fn->blks.data[b];
	bool any = false;

	if (has_phis(t->fn, b))
		return false;
	t->preds.len = 0;
	vec_each(e, &blk->preds) {
		struct blk *empty = &t->fn->blks.data[*e];

		if (leads_to(t->fn, *e) != b || *e == b) {
			list_pred(t, *e, b);
			continue;
		}
		vec_each(p, &empty->preds) {
			redirect(t->fn, *p, *e, b);
			list_pred(t, *p, b);
		}
		empty->preds.len = 0;
		any = true;
	}
	if (!any)
		return false;
	blk->preds.len = 0;
	vec_each(p, &t->preds)
		vec_push(t->fn->arena, &blk->preds, *p);
	return true;
}

/* In an order where the first of several empty blocks in a row comes first. */
static bool thread_all(struct fn *fn)
{
	struct threader t = { .fn = fn };
	struct dom dom;
	bool changed = false;

	dom_build(&dom, fn, &t.scratch);
	t.listed = arena_array(&t.scratch, uint32_t, fn->blks.len);
	for (uint32_t k = 0; k < dom.n; k++)
		changed |= thread_to(&t, dom.rpo[k]);
	arena_free(&t.scratch);
	return changed && (cfg_prune(fn), true);
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
