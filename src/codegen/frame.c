/*
 * A slot is in use from the first to the last instruction, in layout order, that is given its
 * address or an address computed from it; cycles that contain one of them count as a whole,
 * since the memory keeps its contents from one round to the next.  An address that gets out of
 * sight (stored to memory, merged by a phi) makes its slot live for the whole program.
 */
#include "codegen/frame.h"

#include "ir/effect.h"

#include <stdlib.h>
#include <string.h>

enum { UNIT = 8 };

/* A slot and the instructions, numbered in layout order, between which it is in use. */
struct life {
	ref slot;
	uint32_t size; /* rounded up */
	uint32_t beg, end;
	uint32_t off;  /* once placed */
	bool on_stack; /* nowhere else */
};

struct framer {
	const struct fn *fn;
	const struct order *o;
	uint32_t *root;	 /* by ref: index in lives + 1 of the slot it is an address in, or 0 */
	uint32_t *start; /* by place in the order: number of its first instruction; one more */
	struct arena *arena;
	VEC(struct life) lives;
};

static void use_at(struct life *l, uint32_t beg, uint32_t end)
{
	if (beg < l->beg)
		l->beg = beg;
	if (end > l->end)
		l->end = end;
}

/* Instruction number at, in place p, uses the address r; the whole of a cycle counts as one. */
static void note_use(struct framer *w, ref r, uint32_t p, uint32_t at)
{
	const struct order *o = w->o;

	if (!r || !w->root[r])
		return;
	struct life *l = &w->lives.data[w->root[r] - 1];
	if (o->cycle_beg[p] == ORDER_NONE)
		use_at(l, at, at);
	else
		use_at(l, w->start[o->cycle_beg[p]], w->start[o->cycle_end[p] + 1]);
}

static void note_escape(struct framer *w, ref r)
{
	if (r && w->root[r])
		use_at(&w->lives.data[w->root[r] - 1], 0, UINT32_MAX);
}

/* The kernel takes the context of a callback from the stack only. */
static void note_context(struct framer *w, ref r)
{
	if (w->root[r])
		w->lives.data[w->root[r] - 1].on_stack = true;
}

static void note_args(struct framer *w, const struct ins *i, uint32_t p, uint32_t at)
{
	for (unsigned k = 0; k < i->nargs; k++) {
		if (!is_helper_call(i)) /* a phi, or a function, which may return it */
			note_escape(w, i->args[k]);
		else
			note_use(w, i->args[k], p, at);
	}
	int context = call_callback_context(i);
	if (context >= 0)
		note_context(w, i->args[context]);
}

static void note_ins(struct framer *w, ref r, uint32_t p, uint32_t at)
{
	const struct ins *i = ir_ins(w->fn, r);

	switch (i->op) {
	case OP_SLOT: {
		uint32_t size = (i->imm + UNIT - 1) / UNIT * UNIT;

		vec_push(w->arena, &w->lives,
			 (struct life){ r, size, UINT32_MAX, 0, 0, false });
		w->root[r] = w->lives.len;
		break;
	}
	case OP_ADD:
	case OP_SUB:
		if (i->op == OP_ADD && w->root[i->a] && w->root[i->b])
			note_escape(w, i->b);
		w->root[r] = w->root[i->a] ? w->root[i->a] : w->root[i->b];
		break;
	case OP_LOAD: note_use(w, i->a, p, at); break;
	case OP_STORE:
	case OP_ATOMIC_ADD:
	case OP_XCHG:
	case OP_CMPXCHG:
		note_use(w, i->a, p, at);
		note_escape(w, i->b);
		note_escape(w, i->c);
		break;
	case OP_CALL:
	case OP_PHI: note_args(w, i, p, at); break;
	default: note_escape(w, i->a); note_escape(w, i->b);
	}
}

/* Definitions stand before their uses in the order, except for what phis take. */
static void find_lives(struct framer *w)
{
	uint32_t at = 0;

	for (uint32_t p = 0; p < w->o->n; p++) {
		w->start[p] = at;
		at += w->fn->blks.data[w->o->blks[p]].ins.len;
	}
	w->start[w->o->n] = at;

	for (uint32_t p = 0; p < w->o->n; p++) {
		at = w->start[p];
		vec_each(r, &w->fn->blks.data[w->o->blks[p]].ins)
			note_ins(w, *r, p, at++);
	}
}

static int by_start(const void *x, const void *y)
{
	const struct life *a = x, *b = y;

	if (a->beg != b->beg)
		return a->beg < b->beg ? -1 : 1;
	return a->slot < b->slot ? -1 : a->slot > b->slot;
}

/* One memory to place slots in, and those that have bytes in it now. */
struct area {
	VEC(struct life *) used; /* by rising offset */
	uint32_t size;		 /* the most it has held */
	uint32_t limit;
};

static void drop_ended(struct area *area, uint32_t now)
{
	size_t kept = 0;

	for (size_t k = 0; k < area->used.len; k++)
		if (area->used.data[k]->end >= now)
			area->used.data[kept++] = area->used.data[k];
	area->used.len = kept;
}

/* Puts l at the lowest offset where it fits. */
static bool place(struct arena *a, struct area *area, struct life *l)
{
	uint32_t off = 0;
	size_t k = 0;

	drop_ended(area, l->beg);
	for (; k < area->used.len; k++) {
		const struct life *other = area->used.data[k];

		if (other->off >= off + l->size)
			break;
		off = other->off + other->size;
	}
	if (off + l->size > area->limit && !l->on_stack)
		return false;

	l->off = off;
	if (area->size < off + l->size)
		area->size = off + l->size;
	vec_push(a, &area->used, l);
	for (size_t j = area->used.len - 1; j > k; j--)
		area->used.data[j] = area->used.data[j - 1];
	area->used.data[k] = l;
	return true;
}

void frame_place(struct arena *a, const struct fn *fn, const struct order *o,
		 uint32_t on_stack_limit, uint32_t stack_budget, uint32_t scratch_head,
		 struct frame *f)
{
	struct framer w = {
		.fn = fn,
		.o = o,
		.root = arena_array(a, uint32_t, fn->ins.len),
		.start = arena_array(a, uint32_t, o->n + 1),
		.arena = a,
	};
	struct area stack = { .limit = stack_budget }, scratch = { .limit = INT32_MAX };

	find_lives(&w);
	if (w.lives.len)
		qsort(w.lives.data, w.lives.len, sizeof(w.lives.data[0]), by_start);

	f->slots = arena_array(a, struct slot_place, fn->ins.len);
	vec_each(l, &w.lives) {
		struct slot_place *at = &f->slots[l->slot];

		if ((l->on_stack || l->size <= on_stack_limit) && place(a, &stack, l)) {
			/* Offsets count down from r10, sizes count up. */
			at->off = -(int32_t)(l->off + l->size);
		} else {
			place(a, &scratch, l);
			at->in_scratch = true;
			at->off = (int32_t)(scratch_head + l->off);
		}
	}
	f->stack_size = stack.size;
	f->scratch_size = scratch.size ? scratch_head + scratch.size : 0;
}
