/*
 * A whole register becomes pieces that last from its first use in a block to the last one
 * before the next call; when such a piece has to go as well, what is left are tiny ones, for
 * one instruction each.  Two-address code writes a register several times in a row (mov, then
 * add); a piece lasts through such a chain and is stored at its end.
 *
 * A piece that a conditional jump tests lasts into the blocks which only that jump leads to:
 * what the test said about it is known of no other copy to verifiers before Linux 6.8.
 */
#include "codegen/spill.h"

#include "base/err.h"
#include "codegen/live.h"

#include <stdlib.h>

enum { SLOT_SIZE = 8 };

/* What the jump at the end of a block tests. */
struct tested {
	mreg whole[2], piece[2]; /* 0 = none */
};

struct spiller {
	struct mfn *m;
	const bool *spilled;
	size_t nspilled; /* bound of spilled: newer registers are not */
	VEC(struct minsn) out;
	uint32_t *constant; /* by register: the one instruction that sets it, + 1, if a constant
			     */
	mreg *piece;	    /* by register: where it visits now ... */
	uint32_t *stamp;    /* ... if this is the current stretch */
	uint32_t stretch;   /* counts blocks and calls */
	struct tested *tested; /* by block */
};

static bool is_spilled(const struct spiller *w, mreg r)
{
	return mir_is_virtual(r) && r < w->nspilled && w->spilled[r];
}

static void put(struct spiller *w, struct minsn i)
{
	vec_push(w->m->arena, &w->out, i);
}

/* The registers that always hold the same constant are never stored. */
static void find_constants(struct spiller *w)
{
	uint32_t *writes = arena_array(w->m->arena, uint32_t, w->nspilled);
	struct mregs rs;

	for (uint32_t i = 0; i < w->m->ins.len; i++) {
		const struct minsn *in = &w->m->ins.data[i];

		mir_regs(in, &rs);
		for (unsigned k = 0; k < rs.nwrite; k++) {
			mreg r = rs.write[k];

			writes[r]++;
			w->constant[r] = writes[r] == 1 && mir_is_constant(in) ? i + 1 : 0;
		}
	}
}

static bool is_constant(const struct spiller *w, mreg r)
{
	return w->constant[r] != 0;
}

static uint32_t slot_of(struct spiller *w, mreg r)
{
	struct vreg *v = &w->m->vregs.data[r];

	if (!v->slot)
		v->slot = ++w->m->nslots;
	return v->slot - 1;
}

static mreg new_piece(struct spiller *w, mreg r)
{
	mreg piece = mir_vreg(w->m);
	const struct vreg *whole = &w->m->vregs.data[r];
	struct vreg *v = &w->m->vregs.data[piece];

	if (whole->level == VREG_TINY)
		BUG("spilling a register of one instruction");
	v->level = whole->level + 1;
	v->slot = whole->slot;
	w->piece[r] = piece;
	w->stamp[r] = w->stretch;
	return piece;
}

static bool has_piece(const struct spiller *w, mreg r)
{
	return w->piece[r] && w->stamp[r] == w->stretch;
}

static void end_piece(struct spiller *w, mreg r)
{
	w->piece[r] = 0;
}

/* The pieces of pieces end with their instruction. */
static void end_tiny(struct spiller *w, mreg r)
{
	if (is_spilled(w, r) && w->m->vregs.data[r].level != VREG_WHOLE)
		end_piece(w, r);
}

/* Puts the value of the spilled register r into to. */
static void fetch_into(struct spiller *w, mreg to, mreg r, struct span span)
{
	struct minsn in = { .code = BPF_LDX | BPF_MEM | BPF_DW,
			    .kind = MK_SLOT,
			    .src = BPF_REG_10 };

	if (is_constant(w, r))
		in = w->m->ins.data[w->constant[r] - 1];
	else
		in.arg = slot_of(w, r);
	in.dst = to;
	in.span = span;
	put(w, in);
}

static mreg fetch(struct spiller *w, mreg r, struct span span)
{
	if (has_piece(w, r))
		return w->piece[r];
	if (!is_constant(w, r))
		slot_of(w, r);

	mreg piece = new_piece(w, r);
	fetch_into(w, piece, r, span);
	return piece;
}

static void store(struct spiller *w, mreg r, mreg from, struct span span)
{
	put(w, (struct minsn){ .code = BPF_STX | BPF_MEM | BPF_DW,
			       .kind = MK_SLOT,
			       .dst = BPF_REG_10,
			       .src = from,
			       .arg = slot_of(w, r),
			       .span = span });
}

static bool reads(const struct mregs *rs, mreg r)
{
	for (unsigned k = 0; k < rs->nread; k++)
		if (rs->read[k] == r)
			return true;
	return false;
}

static bool writes(const struct mregs *rs, mreg r)
{
	for (unsigned k = 0; k < rs->nwrite; k++)
		if (rs->write[k] == r)
			return true;
	return false;
}

/* Is r changed in place by the next instruction, so that storing it now would be for nothing?
 */
static bool is_chained(const struct minsn *next, mreg r)
{
	struct mregs rs;

	if (!next)
		return false;
	mir_regs(next, &rs);
	return reads(&rs, r) && writes(&rs, r);
}

/* A load or store that an earlier round made for this very register. */
static bool is_own_slot(const struct spiller *w, const struct minsn *i)
{
	if (i->kind != MK_SLOT)
		return false;
	mreg r = BPF_CLASS(i->code) == BPF_LDX ? i->dst : i->src;
	return is_spilled(w, r) && w->m->vregs.data[r].slot == i->arg + 1;
}

static void replace(struct minsn *i, mreg from, mreg to)
{
	if (i->dst == from)
		i->dst = to;
	if (i->src == from)
		i->src = to;
	if (i->kind == MK_SET && i->arg == from)
		i->arg = to;
}

/* A copy from or to a spilled register becomes a load or store, without a piece. */
static bool rewrite_copy(struct spiller *w, const struct minsn *i, const struct minsn *next)
{
	if (!mir_is_copy(i) || (is_spilled(w, i->dst) && is_chained(next, i->dst)))
		return false;
	if (is_spilled(w, i->dst)) {
		mreg from = is_spilled(w, i->src) ? fetch(w, i->src, i->span) : i->src;

		store(w, i->dst, from, i->span);
		end_piece(w, i->dst);
		end_tiny(w, i->src);
		return true;
	}
	if (is_spilled(w, i->src) && !has_piece(w, i->src)) {
		fetch_into(w, i->dst, i->src, i->span);
		return true;
	}
	return false;
}

static void rewrite_other(struct spiller *w, struct minsn i, const struct minsn *next)
{
	struct mregs rs;

	mir_regs(&i, &rs);
	for (unsigned k = 0; k < rs.nread; k++)
		if (is_spilled(w, rs.read[k]))
			replace(&i, rs.read[k], fetch(w, rs.read[k], i.span));
	for (unsigned k = 0; k < rs.nwrite; k++) {
		mreg r = rs.write[k];

		if (!is_spilled(w, r) || reads(&rs, r))
			continue;
		slot_of(w, r);
		replace(&i, r, new_piece(w, r));
	}
	put(w, i);

	for (unsigned k = 0; k < rs.nwrite; k++) {
		mreg r = rs.write[k];

		if (is_spilled(w, r) && !is_chained(next, r))
			store(w, r, w->piece[r], i.span);
	}
	for (unsigned k = 0; k < rs.nread + rs.nwrite; k++) {
		mreg r = k < rs.nread ? rs.read[k] : rs.write[k - rs.nread];

		if (!(writes(&rs, r) && is_chained(next, r)))
			end_tiny(w, r);
	}
}

static void rewrite(struct spiller *w, const struct minsn *i, const struct minsn *next)
{
	if (is_own_slot(w, i))
		return;
	if (mir_is_constant(i) && is_spilled(w, i->dst) && is_constant(w, i->dst))
		return;
	if (!rewrite_copy(w, i, next))
		rewrite_other(w, *i, next);
	if (i->kind == MK_CALL)
		w->stretch++;
}

/* Takes over what the jump that alone leads to block b has tested. */
static void begin_block(struct spiller *w, uint32_t b)
{
	const uint32_t *preds = &w->m->preds[w->m->pred_beg[b]];

	w->stretch++;
	if (w->m->pred_beg[b + 1] - w->m->pred_beg[b] != 1 || preds[0] >= b)
		return;
	for (unsigned k = 0; k < 2; k++) {
		mreg r = w->tested[preds[0]].whole[k];

		w->piece[r] = w->tested[preds[0]].piece[k];
		w->stamp[r] = w->stretch;
	}
}

static void end_block(struct spiller *w, uint32_t b, const struct minsn *last)
{
	struct mregs rs;

	if (w->m->blks.data[b].nsucc != 2)
		return;
	mir_regs(last, &rs);
	for (unsigned k = 0; k < rs.nread && k < 2; k++)
		if (is_spilled(w, rs.read[k]) && has_piece(w, rs.read[k])) {
			w->tested[b].whole[k] = rs.read[k];
			w->tested[b].piece[k] = w->piece[rs.read[k]];
		}
}

void spill_rewrite(struct mfn *m, const bool *spilled)
{
	struct spiller w = {
		.m = m,
		.spilled = spilled,
		.nspilled = m->vregs.len,
		.constant = arena_array(m->arena, uint32_t, m->vregs.len),
		.piece = arena_array(m->arena, mreg, m->vregs.len),
		.stamp = arena_array(m->arena, uint32_t, m->vregs.len),
		.tested = arena_array(m->arena, struct tested, m->blks.len),
	};

	find_constants(&w);
	for (uint32_t k = 0; k < m->blks.len; k++) {
		struct mblk *b = &m->blks.data[k];
		uint32_t beg = w.out.len;

		begin_block(&w, k);
		for (uint32_t i = b->beg; i < b->end; i++)
			rewrite(&w, &m->ins.data[i],
				i + 1 < b->end ? &m->ins.data[i + 1] : NULL);
		if (b->beg < b->end)
			end_block(&w, k, &m->ins.data[b->end - 1]);
		b->beg = beg;
		b->end = w.out.len;
	}
	m->ins.data = w.out.data;
	m->ins.len = w.out.len;
	m->ins.cap = w.out.cap;
}

/* --- slots -------------------------------------------------------------------------------- */

struct slot_life {
	uint32_t slot;
	uint32_t beg, end;
};

static int by_start(const void *x, const void *y)
{
	const struct slot_life *a = x, *b = y;

	return a->beg < b->beg ? -1 : a->beg > b->beg;
}

static uint32_t slot_lives(struct arena *a, const struct mfn *m, struct slot_life *lives)
{
	struct range **ranges = live_find(a, m, LIVE_SLOTS);
	uint32_t n = 0;

	for (uint32_t s = 0; s < m->nslots; s++) {
		const struct range *last = ranges[s];

		if (!last)
			continue;
		while (last->next)
			last = last->next;
		lives[n++] = (struct slot_life){ s, ranges[s]->from, last->to };
	}
	qsort(lives, n, sizeof(*lives), by_start);
	return n;
}

uint32_t spill_place_slots(struct mfn *m, uint32_t above)
{
	struct slot_life *lives = arena_array(m->arena, struct slot_life, m->nslots);
	uint32_t *place = arena_array(m->arena, uint32_t, m->nslots);
	uint32_t *busy_until = arena_array(m->arena, uint32_t, m->nslots), nplaces = 0;
	uint32_t n = slot_lives(m->arena, m, lives);

	for (uint32_t k = 0; k < n; k++) {
		uint32_t p = 0;

		while (p < nplaces && busy_until[p] > lives[k].beg)
			p++;
		if (p == nplaces)
			nplaces++;
		busy_until[p] = lives[k].end;
		place[lives[k].slot] = p;
	}

	vec_each(i, &m->ins)
		if (i->kind == MK_SLOT)
			i->off = -(int32_t)(above + (place[i->arg] + 1) * SLOT_SIZE);
	return nplaces * SLOT_SIZE;
}
