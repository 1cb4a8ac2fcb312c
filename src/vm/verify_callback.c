/*
 * Helpers that call functions of the program back.
 *
 * Such a call is walked like a loop around it: either it is done, and r0 holds a number, or the
 * function is entered for one more turn, and its exit leads to the call again, whose arguments
 * the caller's registers still hold.  How often does not matter, as the machine counts the
 * turns: numbers that a turn changed are taken for any numbers, so that the next turn is like
 * this one.
 */
#include "vm/verify.h"

#include <stdlib.h>

bool v_calls_back(const struct bpf_insn *p)
{
	return p->code == (BPF_JMP | BPF_CALL) && !p->src_reg &&
	       (p->imm == BPF_FUNC_loop || p->imm == BPF_FUNC_for_each_map_elem);
}

static struct vreg pointer_of(enum vtype type, const struct vm_map *map)
{
	return (struct vreg){ .type = type, .map = map, .range = range_const(0) };
}

/* What the function gets; returns the register that held its address. */
static unsigned set_function_arguments(const struct vreg *caller, const struct helper *h,
				       struct vreg *regs)
{
	if (h->id == BPF_FUNC_loop) {
		vreg_scalar(&regs[BPF_REG_1], range_unknown());
		regs[BPF_REG_2] = caller[BPF_REG_3];
	} else {
		const struct vm_map *map = caller[BPF_REG_1].map;

		regs[BPF_REG_1] = caller[BPF_REG_1];
		regs[BPF_REG_2] = pointer_of(V_KEY, map);
		regs[BPF_REG_3] = pointer_of(V_VALUE, map);
		regs[BPF_REG_4] = caller[BPF_REG_3];
	}
	return BPF_REG_2;
}

int v_callback_enter(struct verifier *v, const struct helper *h, struct vstate **done)
{
	struct vstate *s = v->cur;
	struct vreg *caller = v_frame(v)->regs;

	if (s->nframes == BPF_CALL_DEPTH)
		return v_reject(v, "more than %d functions on the stack", BPF_CALL_DEPTH);

	*done = vstate_copy(s);
	struct vreg *after = (*done)->frames[s->nframes - 1]->regs;
	for (unsigned r = BPF_REG_1; r <= BPF_REG_5; r++)
		vreg_none(&after[r]);
	vreg_scalar(&after[BPF_REG_0], range_unknown());
	(*done)->insn++;

	struct vframe *f = vframe_new(0, s->nframes);
	f->entry = caller[set_function_arguments(caller, h, f->regs)].size;
	f->ret = s->insn;
	f->called_back = true;
	f->callers_refs = s->nrefs;
	s->frames[s->nframes++] = f;
	s->insn = f->entry - 1;
	return 0;
}

/* The state at the call when this turn began; NULL when it was dropped. */
static const struct vstate *turn_before(const struct vstate *cur)
{
	for (const struct vseen *s = cur->parent; s; s = s->parent) {
		if (s->state && s->state->insn == cur->insn &&
		    s->state->nframes == cur->nframes)
			return s->state;
	}
	return NULL;
}

int v_callback_exit(struct verifier *v)
{
	struct vstate *s = v->cur;
	struct vframe *f = v_frame(v);
	int ret = v_need(v, BPF_REG_0);

	if (ret)
		return ret;
	const struct vreg *r0 = v_reg(v, BPF_REG_0);
	if (r0->type != V_SCALAR || r0->range.umax > 1)
		return v_reject(v, "a function that is called back gives 0 or 1, and r0 is %s",
				r0->type == V_SCALAR ? "a number that may be another"
						     : v_type_name(r0->type));
	if (s->nrefs != f->callers_refs)
		return v_reject(v, "a function that is called back must itself give back the "
				   "records it reserves");
	s->insn = f->ret;
	free(f);
	s->nframes--;
	const struct vstate *before = turn_before(s);
	if (before)
		vstate_widen(s, before);
	s->insn--; /* the walk steps over this instruction */
	return 0;
}
