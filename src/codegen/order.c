#include "codegen/order.h"

#include <string.h>

struct orderer {
	struct arena *arena;
	const struct fn *fn;
	uint32_t n;	 /* reachable blocks */
	blkid *rpo;	 /* them in reverse postorder */
	uint32_t *index; /* by blkid: place in rpo */
	/* By place in rpo; a loop is known by the place of its header. */
	uint32_t *loop;	 /* innermost loop, ORDER_NONE outside; a header is in its own loop */
	uint32_t *outer; /* of a header: the loop around its loop */
};

static bool has_phis(const struct fn *fn, const struct blk *b)
{
	return b->ins.len && ir_ins(fn, b->ins.data[0])->op == OP_PHI;
}

static void split_edge(struct fn *fn, blkid to, size_t pred)
{
	blkid from = fn->blks.data[to].preds.data[pred];
	struct ins *term = ir_ins(fn, vec_last(&fn->blks.data[from].ins));
	struct span span = term->span;
	blkid mid = fn->blks.len;
	ref jmp = fn->ins.len;

	term->blk[term->blk[0] == to ? 0 : 1] = mid;
	fn->blks.data[to].preds.data[pred] = mid;

	vec_push(fn->arena, &fn->ins,
		 (struct ins){ .op = OP_JMP, .blk = { to }, .home = mid, .span = span });
	struct blk b = {};
	vec_push(fn->arena, &b.ins, jmp);
	vec_push(fn->arena, &b.preds, from);
	vec_push(fn->arena, &fn->blks, b);
}

void order_split_edges(struct fn *fn)
{
	blkid n = fn->blks.len;

	for (blkid b = 0; b < n; b++) {
		if (fn->blks.data[b].dead || !has_phis(fn, &fn->blks.data[b]))
			continue;
		for (size_t p = 0; p < fn->blks.data[b].preds.len; p++) {
			blkid succ[2];

			if (ir_succs(fn, fn->blks.data[b].preds.data[p], succ) == 2)
				split_edge(fn, b, p);
		}
	}
}

/* Depth first, the else branch before the taken one, so that the latter follows its test. */
static void find_rpo(struct orderer *w)
{
	size_t nblks = w->fn->blks.len;
	struct visit {
		blkid b;
		unsigned next; /* successors still to see */
	} *stack = arena_array(w->arena, struct visit, nblks);
	blkid *post = arena_array(w->arena, blkid, nblks), succ[2];
	bool *seen = arena_array(w->arena, bool, nblks);
	size_t sp = 0;

	stack[sp++] = (struct visit){ 0, ir_succs(w->fn, 0, succ) };
	seen[0] = true;
	while (sp) {
		struct visit *v = &stack[sp - 1];

		if (!v->next) {
			post[w->n++] = v->b;
			sp--;
			continue;
		}
		ir_succs(w->fn, v->b, succ);
		blkid to = succ[--v->next];
		if (!seen[to]) {
			seen[to] = true;
			stack[sp++] = (struct visit){ to, ir_succs(w->fn, to, succ) };
		}
	}

	w->rpo = arena_array(w->arena, blkid, w->n);
	for (uint32_t i = 0; i < w->n; i++) {
		w->rpo[i] = post[w->n - 1 - i];
		w->index[w->rpo[i]] = i;
	}
}

/* The outermost loop found so far around the loop of header h. */
static uint32_t outermost(struct orderer *w, uint32_t h)
{
	uint32_t top = h;

	while (w->outer[top] != ORDER_NONE)
		top = w->outer[top];
	return top;
}

/* Adds to the loop of header h what reaches place p without passing h. */
static void grow_loop(struct orderer *w, uint32_t h, uint32_t p, uint32_t *stack)
{
	size_t sp = 0;

	stack[sp++] = p;
	while (sp) {
		uint32_t at = stack[--sp];

		if (w->loop[at] != ORDER_NONE) {
			at = outermost(w, w->loop[at]);
			if (at == h)
				continue;
			w->outer[at] = h;
		} else {
			w->loop[at] = h;
		}
		vec_each(pred, &w->fn->blks.data[w->rpo[at]].preds) {
			uint32_t i = w->index[*pred];

			if (i != ORDER_NONE && i > h)
				stack[sp++] = i;
		}
	}
}

static void find_loops(struct orderer *w)
{
	size_t edges = w->fn->blks.len;

	for (uint32_t i = 0; i < w->n; i++) {
		w->loop[i] = w->outer[i] = ORDER_NONE;
		edges += w->fn->blks.data[w->rpo[i]].preds.len;
	}
	uint32_t *stack = arena_array(w->arena, uint32_t, edges);

	/* Inner loops first: their headers come later. */
	for (uint32_t h = w->n; h-- > 0;) {
		bool header = false;

		vec_each(pred, &w->fn->blks.data[w->rpo[h]].preds) {
			uint32_t p = w->index[*pred];

			if (p == ORDER_NONE || p < h)
				continue;
			if (!header)
				w->loop[h] = h;
			header = true;
			if (p > h)
				grow_loop(w, h, p, stack);
		}
	}
}

/* The loop that block i as an item stands in: for a header, the one around its loop. */
static uint32_t holder(const struct orderer *w, uint32_t i)
{
	return w->loop[i] == i ? w->outer[i] : w->loop[i];
}

/*
 * Lists the blocks with every loop in one piece: each loop keeps a list of what stands directly
 * in it, inner loops at the place of their header; then the lists are walked from the outside.
 */
static void place_blocks(struct orderer *w, struct order *o)
{
	uint32_t n = w->n, top = n; /* list number n: outside of all loops */
	uint32_t *first = arena_array(w->arena, uint32_t, n + 1);
	uint32_t *next = arena_array(w->arena, uint32_t, n + 1);
	uint32_t *stack = arena_array(w->arena, uint32_t, n + 1), sp = 0;

	for (uint32_t l = 0; l <= n; l++)
		first[l] = ORDER_NONE;
	for (uint32_t i = n; i-- > 0;) {
		uint32_t in = holder(w, i) == ORDER_NONE ? top : holder(w, i);

		next[i] = first[in];
		first[in] = i;
	}

	stack[sp++] = first[top];
	while (sp) {
		uint32_t i = stack[--sp];

		if (i == ORDER_NONE)
			continue;
		stack[sp++] = next[i];
		o->depth[o->n] = sp + (w->loop[i] == i) - 1;
		o->index[w->rpo[i]] = o->n;
		o->blks[o->n++] = w->rpo[i];
		if (w->loop[i] == i)
			stack[sp++] = first[i];
	}
}

/* How far the program is spanned by jumps back to each place; ORDER_NONE where none goes. */
static void find_jumps_back(const struct fn *fn, const struct order *o, uint32_t *reach)
{
	for (uint32_t i = 0; i < o->n; i++)
		reach[i] = ORDER_NONE;
	for (uint32_t i = 0; i < o->n; i++) {
		blkid succ[2];
		unsigned nsucc = ir_succs(fn, o->blks[i], succ);

		for (unsigned k = 0; k < nsucc; k++)
			if (o->index[succ[k]] <= i)
				reach[o->index[succ[k]]] = i;
	}
}

/* The pieces of the program that jumps back span; those that overlap form one cycle. */
static void find_cycles(struct arena *a, const struct fn *fn, struct order *o)
{
	uint32_t *reach = arena_array(a, uint32_t, o->n);

	find_jumps_back(fn, o, reach);
	for (uint32_t beg = 0, end; beg < o->n; beg = end + 1) {
		end = reach[beg] == ORDER_NONE ? beg : reach[beg];
		for (uint32_t i = beg; i <= end; i++)
			if (reach[i] != ORDER_NONE && reach[i] > end)
				end = reach[i];
		for (uint32_t i = beg; i <= end; i++) {
			o->cycle_beg[i] = reach[beg] == ORDER_NONE ? ORDER_NONE : beg;
			o->cycle_end[i] = end;
		}
	}
}

void order_blocks(struct arena *a, const struct fn *fn, struct order *o)
{
	size_t nblks = fn->blks.len;
	struct orderer w = {
		.arena = a,
		.fn = fn,
		.index = arena_array(a, uint32_t, nblks),
	};

	o->index = arena_array(a, uint32_t, nblks);
	for (size_t b = 0; b < nblks; b++)
		w.index[b] = o->index[b] = ORDER_NONE;

	find_rpo(&w);
	w.loop = arena_array(a, uint32_t, w.n);
	w.outer = arena_array(a, uint32_t, w.n);
	find_loops(&w);

	o->n = 0;
	o->blks = arena_array(a, blkid, w.n);
	o->depth = arena_array(a, uint32_t, w.n);
	o->cycle_beg = arena_array(a, uint32_t, w.n);
	o->cycle_end = arena_array(a, uint32_t, w.n);
	place_blocks(&w, o);
	find_cycles(a, fn, o);
}
