/*
 * phi.c - out of SSA: the copies that give phis their values.
 *
 * All phis of a block take their values at once when it is entered.  Copies are made one after
 * the other, a phi being written only when no copy still wants to read it; what then remains
 * are cycles, which are broken with one more register (Briggs et al., "Practical Improvements
 * to the Construction and Destruction of SSA Form", 1998).
 */
#include "codegen/operand.h"

/* The copies on one edge. */
struct phi_copies {
	const struct blk *blk;
	uint32_t edge;
	uint32_t n;	   /* phis; they are the first instructions */
	uint32_t *readers; /* by phi: copies yet to be made that read it */
};

enum { COPY_DONE = UINT32_MAX };

static bool is_phi(const struct isel *s, ref r)
{
	return ir_ins(s->fn, r)->op == OP_PHI;
}

/* Numbers the predecessors of blocks with phis, and the phis of every block. */
void phi_prepare(struct isel *s)
{
	struct arena *a = s->m->arena;
	uint32_t most = 0;

	s->edge = arena_array(a, uint32_t, s->fn->blks.len);
	s->phi_index = arena_array(a, uint32_t, s->fn->ins.len);
	for (uint32_t p = 0; p < s->o->n; p++) {
		const struct blk *b = &s->fn->blks.data[s->o->blks[p]];
		uint32_t n = 0;

		for (; n < b->ins.len && is_phi(s, b->ins.data[n]); n++)
			s->phi_index[b->ins.data[n]] = n;
		for (uint32_t k = 0; n && k < b->preds.len; k++)
			s->edge[b->preds.data[k]] = k;
		most = n > most ? n : most;
	}
	s->phi_readers = arena_array(a, uint32_t, most);
}

static ref copy_source(const struct isel *s, const struct phi_copies *pc, uint32_t k)
{
	return ir_ins(s->fn, pc->blk->ins.data[k])->args[pc->edge];
}

/* Which phi of the block the copy into phi k reads, or n. */
static uint32_t copy_reads(const struct isel *s, const struct phi_copies *pc, uint32_t k)
{
	ref from = copy_source(s, pc, k);

	if (!is_phi(s, from))
		return pc->n;
	uint32_t at = s->phi_index[from];
	return at < pc->n && pc->blk->ins.data[at] == from ? at : pc->n;
}

static mreg phi_home(struct isel *s, const struct phi_copies *pc, uint32_t k)
{
	return operand_home(s, pc->blk->ins.data[k]);
}

static void count_reader(const struct phi_copies *pc, uint32_t k, int by)
{
	if (k < pc->n && pc->readers[k] != COPY_DONE)
		pc->readers[k] += by;
}

/* Makes the copy into phi k, then all those it kept waiting. */
static void copy_chain(struct isel *s, const struct phi_copies *pc, uint32_t k)
{
	while (k < pc->n && pc->readers[k] == 0) {
		uint32_t next = copy_reads(s, pc, k);

		operand_into(s, phi_home(s, pc, k), copy_source(s, pc, k));
		pc->readers[k] = COPY_DONE;
		count_reader(pc, next, -1);
		k = next;
	}
}

static void copy_cycle(struct isel *s, const struct phi_copies *pc, uint32_t first)
{
	mreg saved = mir_vreg(s->m);
	uint32_t k = first;

	put_alu_reg(s, BPF_MOV, saved, phi_home(s, pc, first));
	while (pc->readers[k] != COPY_DONE) {
		uint32_t next = copy_reads(s, pc, k);

		put_alu_reg(s, BPF_MOV, phi_home(s, pc, k),
			    next == first ? saved : phi_home(s, pc, next));
		pc->readers[k] = COPY_DONE;
		k = next;
	}
}

void phi_copy(struct isel *s, blkid from, blkid to)
{
	const struct blk *b = &s->fn->blks.data[to];
	struct phi_copies pc = { b, s->edge[from], 0, s->phi_readers };

	while (pc.n < b->ins.len && is_phi(s, b->ins.data[pc.n]))
		pc.readers[pc.n++] = 0;
	for (uint32_t k = 0; k < pc.n; k++)
		if (!s->uses[b->ins.data[k]] || copy_reads(s, &pc, k) == k)
			pc.readers[k] = COPY_DONE;
	for (uint32_t k = 0; k < pc.n; k++)
		if (pc.readers[k] != COPY_DONE)
			count_reader(&pc, copy_reads(s, &pc, k), 1);

	for (uint32_t k = 0; k < pc.n; k++)
		copy_chain(s, &pc, k);
	for (uint32_t k = 0; k < pc.n; k++)
		if (pc.readers[k] != COPY_DONE)
			copy_cycle(s, &pc, k);
}
