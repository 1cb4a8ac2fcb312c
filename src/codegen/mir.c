#include "codegen/mir.h"

#include <string.h>

void mir_init(struct mfn *m, struct arena *a)
{
	*m = (struct mfn){ .arena = a };
	for (mreg r = 0; r < MAX_BPF_REG; r++)
		vec_push(a, &m->vregs, (struct vreg){ .phys = r });
}

mreg mir_vreg(struct mfn *m)
{
	vec_push(m->arena, &m->vregs, (struct vreg){ .level = VREG_WHOLE });
	return m->vregs.len - 1;
}

void mir_link(struct mfn *m)
{
	uint32_t n = m->blks.len;
	uint32_t *fill = arena_array(m->arena, uint32_t, n + 2);

	/* fill[b + 2] counts b's predecessors, then fill[b + 1] is where the next of b goes. */
	vec_each(b, &m->blks)
		for (uint32_t k = 0; k < b->nsucc; k++)
			fill[b->succ[k] + 2]++;
	for (uint32_t b = 2; b < n + 2; b++)
		fill[b] += fill[b - 1];

	m->preds = arena_array(m->arena, uint32_t, fill[n + 1] + 1);
	for (uint32_t b = 0; b < n; b++)
		for (uint32_t k = 0; k < m->blks.data[b].nsucc; k++)
			m->preds[fill[m->blks.data[b].succ[k] + 1]++] = b;
	m->pred_beg = fill;
}

static void read_reg(struct mregs *out, mreg r)
{
	out->read[out->nread++] = r;
}

static void write_reg(struct mregs *out, mreg r)
{
	out->write[out->nwrite++] = r;
}

static void alu_regs(const struct minsn *i, struct mregs *out)
{
	unsigned op = BPF_OP(i->code);

	/* neg has no second operand; the source bit of end says which order. */
	if (BPF_SRC(i->code) == BPF_X && op != BPF_END)
		read_reg(out, i->src);
	if (op != BPF_MOV)
		read_reg(out, i->dst);
	write_reg(out, i->dst);
}

static void atomic_regs(const struct minsn *i, struct mregs *out)
{
	if (i->imm == BPF_CMPXCHG) {
		read_reg(out, BPF_REG_0);
		write_reg(out, BPF_REG_0);
	} else if (i->imm & BPF_FETCH) {
		write_reg(out, i->src);
	}
}

static void jump_regs(const struct minsn *i, struct mregs *out)
{
	switch (BPF_OP(i->code)) {
	case BPF_JA: return;
	case BPF_EXIT: read_reg(out, BPF_REG_0); return;
	case BPF_CALL:
		for (mreg r = 1; r <= i->arg; r++)
			read_reg(out, r);
		for (mreg r = BPF_REG_0; r <= BPF_REG_5; r++)
			write_reg(out, r);
		return;
	}
	read_reg(out, i->dst);
	if (BPF_SRC(i->code) == BPF_X)
		read_reg(out, i->src);
}

void mir_regs(const struct minsn *i, struct mregs *out)
{
	out->nread = out->nwrite = 0;
	out->early = i->kind == MK_SET;
	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64: alu_regs(i, out); break;
	case BPF_LD: write_reg(out, i->dst); break;
	case BPF_LDX:
		read_reg(out, i->src);
		write_reg(out, i->dst);
		break;
	case BPF_ST: read_reg(out, i->dst); break;
	case BPF_STX:
		read_reg(out, i->dst);
		read_reg(out, i->src);
		if (BPF_MODE(i->code) == BPF_ATOMIC)
			atomic_regs(i, out);
		break;
	default: jump_regs(i, out); break;
	}
	if (i->kind == MK_SET)
		write_reg(out, i->arg);
}
