#include "base/auto.h"
#include "ir/pass.h"

#include <string.h>

/* ---- values that are replaced by others ---- */

void renames_init(struct renames *rn, const struct fn *fn, struct arena *a)
{
	*rn = (struct renames){ .to = arena_array(a, ref, fn->ins.len), .n = fn->ins.len };
}

void rename_value(struct renames *rn, ref a, ref b)
{
	rn->to[a] = renamed(rn, b);
	rn->any = true;
}

ref renamed(struct renames *rn, ref r)
{
	ref last = r;

	while (last < rn->n && rn->to[last])
		last = rn->to[last];
	/* Shorten the way for the next time. */
	while (r < rn->n && rn->to[r]) {
		ref next = rn->to[r];

		rn->to[r] = last;
		r = next;
	}
	return last;
}

void rename_operands(struct renames *rn, struct ins *i)
{
	unsigned n;
	ref *ops = ir_operands(i, &n);

	for (unsigned k = 0; k < n; k++)
		ops[k] = renamed(rn, ops[k]);
}

void renames_apply(struct renames *rn, struct fn *fn)
{
	if (!rn->any)
		return;
	vec_each(b, &fn->blks) {
		if (b->dead)
			continue;
		vec_each(r, &b->ins)
			rename_operands(rn, ir_ins(fn, *r));
	}
}

/* ---- a block's list of instructions ---- */

void rewrite_init(struct rewrite *rw, struct fn *fn, struct arena *scratch)
{
	*rw = (struct rewrite){ .fn = fn, .scratch = scratch };
}

void rewrite_begin(struct rewrite *rw, blkid blk)
{
	struct blk *b = &rw->fn->blks.data[blk];

	rw->blk = blk;
	rw->out.len = 0;
	rw->old = (struct ref_vec){ b->ins.data, b->ins.len, b->ins.cap };
}

void rewrite_keep(struct rewrite *rw, ref r)
{
	vec_push(rw->scratch, &rw->out, r);
}

ref rewrite_new(struct rewrite *rw, struct ins i, ref like)
{
	if (!(op_infos[i.op].flags & OP_ARGS))
		i.nargs = op_infos[i.op].nargs;
	i.home = rw->blk;
	i.span = ir_ins(rw->fn, like)->span;
	vec_push(rw->fn->arena, &rw->fn->ins, i);
	rewrite_keep(rw, rw->fn->ins.len - 1);
	return rw->fn->ins.len - 1;
}

static bool same_list(const struct ref_vec *a, const struct ref_vec *b)
{
	return a->len == b->len &&
	       (!a->len || !memcmp(a->data, b->data, a->len * sizeof(*a->data)));
}

/* Marks with OP_NONE what is in the old list and not in the new. */
static void drop_others(struct rewrite *rw)
{
	blkid home = rw->blk;

	vec_each(r, &rw->old)
		if (ir_ins(rw->fn, *r)->home == home)
			ir_ins(rw->fn, *r)->home = UINT32_MAX;
	vec_each(r, &rw->out)
		ir_ins(rw->fn, *r)->home = home;
	vec_each(r, &rw->old)
		if (ir_ins(rw->fn, *r)->home == UINT32_MAX)
			*ir_ins(rw->fn, *r) = (struct ins){ .op = OP_NONE };
}

void rewrite_end(struct rewrite *rw)
{
	struct blk *b = &rw->fn->blks.data[rw->blk];

	if (same_list(&rw->old, &rw->out))
		return;
	drop_others(rw);
	b->ins.len = 0;
	vec_each(r, &rw->out)
		vec_push(rw->fn->arena, &b->ins, *r);
	rw->changed = true;
}

/* ---- edges ---- */

static bool goes_to(const struct fn *fn, blkid from, blkid to)
{
	blkid succ[2];
	unsigned n = ir_succs(fn, from, succ);

	return (n > 0 && succ[0] == to) || (n > 1 && succ[1] == to);
}

static void mark_reachable(const struct fn *fn, bool *seen, blkid *stack)
{
	size_t depth = 0;

	seen[0] = true;
	stack[depth++] = 0;
	while (depth) {
		blkid succ[2];
		unsigned n = ir_succs(fn, stack[--depth], succ);

		for (unsigned k = 0; k < n; k++) {
			if (seen[succ[k]])
				continue;
			seen[succ[k]] = true;
			stack[depth++] = succ[k];
		}
	}
}

static void kill_block(struct fn *fn, blkid b)
{
	struct blk *blk = &fn->blks.data[b];

	vec_each(r, &blk->ins)
		*ir_ins(fn, *r) = (struct ins){ .op = OP_NONE };
	*blk = (struct blk){ .dead = true };
}

/* Keeps of every phi in b only the operands whose edge is kept. */
static void shrink_phis(struct fn *fn, const struct blk *b, const bool *kept)
{
	vec_each(r, &b->ins) {
		struct ins *i = ir_ins(fn, *r);
		uint32_t n = 0;

		if (i->op != OP_PHI)
			return;
		for (uint32_t k = 0; k < i->nargs; k++)
			if (kept[k])
				i->args[n++] = i->args[k];
		i->nargs = n;
	}
}

static bool prune_preds(struct fn *fn, blkid b, bool *kept)
{
	struct blk *blk = &fn->blks.data[b];
	size_t n = 0;

	for (size_t k = 0; k < blk->preds.len; k++) {
		blkid p = blk->preds.data[k];

		kept[k] = !fn->blks.data[p].dead && goes_to(fn, p, b);
		n += kept[k];
	}
	if (n == blk->preds.len)
		return false;

	shrink_phis(fn, blk, kept);
	n = 0;
	for (size_t k = 0; k < blk->preds.len; k++)
		if (kept[k])
			blk->preds.data[n++] = blk->preds.data[k];
	blk->preds.len = n;
	return true;
}

bool cfg_prune(struct fn *fn)
{
	auto_arena struct arena scratch = {};
	size_t n = fn->blks.len;
	bool *seen = arena_array(&scratch, bool, n);
	bool *kept = arena_array(&scratch, bool, n); /* a block has no predecessor twice */
	bool changed = false;

	mark_reachable(fn, seen, arena_array(&scratch, blkid, n));
	for (blkid b = 0; b < n; b++) {
		if (fn->blks.data[b].dead || seen[b])
			continue;
		kill_block(fn, b);
		changed = true;
	}
	for (blkid b = 0; b < n; b++)
		if (!fn->blks.data[b].dead)
			changed |= prune_preds(fn, b, kept);
	return changed;
}
