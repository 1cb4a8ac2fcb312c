#include "vm/verify.h"

#include <errno.h>

int v_need(struct verifier *v, unsigned reg)
{
	if (v_reg(v, reg)->type != V_NONE)
		return 0;
	return v_reject(v, "r%u holds nothing yet: write to it on every path that leads here",
			reg);
}

void v_mark_copied(struct verifier *v, unsigned reg)
{
	struct vreg *r = v_reg(v, reg);

	if (r->type == V_SCALAR && !r->id && !range_is_const(&r->range))
		r->id = ++v->last_id;
}

/* --- pointers --- */

static bool may_move(enum vtype t)
{
	return t == V_STACK || t == V_VALUE || t == V_KEY || t == V_PACKET || t == V_MEM ||
	       t == V_RECORD;
}

static int check_move(struct verifier *v, unsigned reg, const struct vreg *ptr,
		      const struct range *by)
{
	if (!may_move(ptr->type))
		return v_reject(v, "r%u is %s, which cannot be moved", reg,
				v_type_name(ptr->type));
	if (by->smin <= -V_MAX_OFFSET || by->smax >= V_MAX_OFFSET)
		return v_reject(
			v,
			"r%u, %s, is moved by a number between %lld and %lld: check its "
			"bounds before",
			reg, v_type_name(ptr->type), (long long)by->smin, (long long)by->smax);
	return 0;
}

/* dst = ptr + by (sub: - by). The constant part goes to off, the rest to the range. */
static int move_pointer(struct verifier *v, unsigned dst, struct vreg ptr,
			const struct range *by, bool sub)
{
	int ret = check_move(v, dst, &ptr, by);

	if (ret)
		return ret;
	if (range_is_const(by)) {
		int64_t off = ptr.off + (sub ? -by->smin : by->smin);

		if (off <= -V_MAX_OFFSET || off >= V_MAX_OFFSET)
			return v_reject(v, "r%u would be %lld bytes away from its start", dst,
					(long long)off);
		ptr.off = (int32_t)off;
	} else {
		ptr.range = range_alu(sub ? BPF_SUB : BPF_ADD, &ptr.range, by, true);
		if (ptr.range.smin <= -V_MAX_OFFSET || ptr.range.smax >= V_MAX_OFFSET)
			return v_reject(v, "r%u could be too far away from its start", dst);
		/* A new base: what is known of the packet does not hold from here. */
		if (ptr.type == V_PACKET) {
			ptr.id = ++v->last_id;
			ptr.reach = 0;
		}
	}
	*v_reg(v, dst) = ptr;
	return 0;
}

static int pointer_alu(struct verifier *v, const struct bpf_insn *p, const struct vreg *src)
{
	struct vreg *dst = v_reg(v, p->dst_reg);
	unsigned op = BPF_OP(p->code);
	struct vreg number = *dst;

	if (BPF_CLASS(p->code) != BPF_ALU64)
		return v_reject(v, "32-bit arithmetic on %s",
				v_type_name(v_is_pointer(dst) ? dst->type : src->type));
	if (op == BPF_ADD && v_is_pointer(dst) && src->type == V_SCALAR)
		return move_pointer(v, p->dst_reg, *dst, &src->range, false);
	/* The kernel's JITs cannot subtract from the frame pointer. */
	if (op == BPF_SUB && dst->type == V_STACK)
		return v_reject(v, "takes from a pointer to the stack: add a negative number");
	if (op == BPF_SUB && v_is_pointer(dst) && src->type == V_SCALAR)
		return move_pointer(v, p->dst_reg, *dst, &src->range, true);
	if (op == BPF_ADD && dst->type == V_SCALAR)
		return move_pointer(v, p->dst_reg, *src, &number.range, false);
	return v_reject(v,
			"arithmetic of %s and %s: only a number can be added to or taken off a "
			"pointer",
			v_type_name(dst->type), v_type_name(src->type));
}

/* --- numbers --- */

static int check_constant(struct verifier *v, const struct bpf_insn *p)
{
	unsigned op = BPF_OP(p->code), bits = BPF_CLASS(p->code) == BPF_ALU64 ? 64 : 32;

	if (BPF_SRC(p->code) != BPF_K)
		return 0;
	if ((op == BPF_DIV || op == BPF_MOD) && !p->imm)
		return v_reject(v, "divides by 0");
	if ((op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH) && (unsigned)p->imm >= bits)
		return v_reject(v, "shifts %u bits by %d", bits, p->imm);
	return 0;
}

static int move(struct verifier *v, const struct bpf_insn *p, const struct vreg *src)
{
	struct vreg *dst = v_reg(v, p->dst_reg);
	bool wide = BPF_CLASS(p->code) == BPF_ALU64;

	if (wide && !p->off) {
		if (BPF_SRC(p->code) == BPF_X)
			v_mark_copied(v, p->src_reg);
		*dst = BPF_SRC(p->code) == BPF_X ? *v_reg(v, p->src_reg) : *src;
		return 0;
	}
	if (v_is_pointer(src))
		return v_reject(v, "copies a part of r%u, which is %s", p->src_reg,
				v_type_name(src->type));
	struct range r = src->range;
	if (p->off)
		r = range_sign_extend(&r, (unsigned)p->off);
	vreg_scalar(dst, wide ? r : range_low32(&r));
	return 0;
}

static int unary(struct verifier *v, const struct bpf_insn *p)
{
	struct vreg *dst = v_reg(v, p->dst_reg);
	struct range zero = range_const(0);
	int ret = v_need(v, p->dst_reg);

	if (ret)
		return ret;
	if (v_is_pointer(dst))
		return v_reject(v, "r%u is %s, not a number", p->dst_reg,
				v_type_name(dst->type));
	if (BPF_OP(p->code) == BPF_NEG)
		vreg_scalar(dst, range_alu(BPF_SUB, &zero, &dst->range,
					   BPF_CLASS(p->code) == BPF_ALU64));
	else
		vreg_scalar(dst,
			    p->imm == 64 ? range_unknown() : range_up_to((1ull << p->imm) - 1));
	return 0;
}

int v_alu(struct verifier *v, const struct bpf_insn *p)
{
	unsigned op = BPF_OP(p->code);
	bool by_reg = BPF_SRC(p->code) == BPF_X, wide = BPF_CLASS(p->code) == BPF_ALU64;
	struct vreg *dst = v_reg(v, p->dst_reg), src;

	if (op == BPF_NEG || op == BPF_END)
		return unary(v, p);
	int ret = by_reg ? v_need(v, p->src_reg) : 0;
	if (!ret && op != BPF_MOV)
		ret = v_need(v, p->dst_reg);
	if (!ret)
		ret = check_constant(v, p);
	if (ret)
		return ret;

	if (by_reg)
		src = *v_reg(v, p->src_reg);
	else
		vreg_scalar(&src, range_const((uint64_t)(int64_t)p->imm));
	if (op == BPF_MOV)
		return move(v, p, &src);
	if (v_is_pointer(dst) || v_is_pointer(&src))
		return pointer_alu(v, p, &src);
	vreg_scalar(dst, range_alu(op, &dst->range, &src.range, wide));
	return 0;
}

/* --- comparisons --- */

static bool is_maybe_null(enum vtype t)
{
	return t == V_VALUE_OR_NULL || t == V_RECORD_OR_NULL || t == V_MAP_OR_NULL;
}

static void forget_ref(struct vstate *s, uint32_t ref)
{
	for (uint32_t i = 0; i < s->nrefs; i++) {
		if (s->refs[i] == ref)
			s->refs[i] = s->refs[--s->nrefs];
	}
}

static void become_null(struct vreg *r, uint32_t id)
{
	if (is_maybe_null(r->type) && r->id == id)
		vreg_scalar(r, range_const(0));
}

static void become_value(struct vreg *r, uint32_t id)
{
	if (!is_maybe_null(r->type) || r->id != id)
		return;
	r->type = r->type == V_VALUE_OR_NULL ? V_VALUE
		  : r->type == V_MAP_OR_NULL ? V_MAP
					     : V_RECORD;
	r->id = 0;
}

/* Splits on a pointer that may be null, compared with 0. */
static void split_null(struct verifier *v, const struct bpf_insn *p, struct vstate **taken)
{
	struct vreg r = *v_reg(v, p->dst_reg);
	bool taken_is_null = BPF_OP(p->code) == BPF_JEQ;
	struct vstate *here = v->cur;

	*taken = vstate_copy(here);
	for (unsigned way = 0; way < 2; way++) {
		bool null = (way == 1) == taken_is_null;

		v->cur = way ? *taken : here;
		vstate_each(v, null ? become_null : become_value, r.id);
		if (null && r.ref)
			forget_ref(v->cur, r.ref);
	}
	v->cur = here;
}

struct reach {
	uint32_t id;
	int32_t bytes;
};

static void set_reach(struct verifier *v, struct reach reach)
{
	for (uint32_t k = 0; k < v->cur->nframes; k++) {
		struct vframe *f = v->cur->frames[k];

		for (unsigned i = 0; i < BPF_REG_10 + f->nslots; i++) {
			struct vreg *r =
				i < BPF_REG_10 ? &f->regs[i] : &f->slots[i - BPF_REG_10].reg;

			if (r->type == V_PACKET && r->id == reach.id && r->reach < reach.bytes)
				r->reach = reach.bytes;
		}
	}
}

/*
 * A packet pointer against the packet's end: on the way where the pointer is not beyond the
 * end, the bytes before it are there; where it is strictly before, one more.
 */
static int split_packet(struct verifier *v, const struct bpf_insn *p, struct vstate **taken)
{
	const struct vreg *dst = v_reg(v, p->dst_reg), *src = v_reg(v, p->src_reg);
	bool packet_first = dst->type == V_PACKET;
	struct vreg packet = packet_first ? *dst : *src;
	unsigned op = BPF_OP(p->code);
	bool above = op == BPF_JGT || op == BPF_JGE, equal = op == BPF_JGE || op == BPF_JLE;

	if (!above && op != BPF_JLT && op != BPF_JLE)
		return v_reject(v, "the end of a packet is compared by <, <=, > or >= only");
	/* Taken means the pointer is (or may be) inside when it is on the smaller side. */
	bool inside_taken = packet_first ? !above : above;
	bool strictly = inside_taken ? !equal : equal;

	*taken = vstate_copy(v->cur);
	if (packet.off < 0 || (packet.off == 0 && strictly) || packet.range.smin < 0 ||
	    packet.range.umax + (uint64_t)packet.off > V_MAX_PACKET)
		return 0;
	struct vstate *here = v->cur;
	v->cur = inside_taken ? *taken : here;
	set_reach(v, (struct reach){ packet.id, packet.off + strictly });
	v->cur = here;
	return 0;
}

static int split_numbers(struct verifier *v, const struct bpf_insn *p, int *way,
			 struct vstate **taken)
{
	bool wide = BPF_CLASS(p->code) == BPF_JMP, by_reg = BPF_SRC(p->code) == BPF_X;
	unsigned op = BPF_OP(p->code);
	struct vreg imm;

	vreg_scalar(&imm, range_const((uint64_t)(int64_t)p->imm));
	struct vreg *a = v_reg(v, p->dst_reg), *b = by_reg ? v_reg(v, p->src_reg) : &imm;
	*way = range_decide(op, &a->range, &b->range, wide);
	if (*way >= 0)
		return 0;

	*taken = vstate_copy(v->cur);
	struct vframe *other = (*taken)->frames[(*taken)->nframes - 1];
	struct vreg imm_taken = imm;
	struct vreg *ta = &other->regs[p->dst_reg];
	struct vreg *tb = by_reg ? &other->regs[p->src_reg] : &imm_taken;

	/* A number compared with itself or its copy teaches nothing, nor does it in the kernel.
	 */
	if (by_reg && (p->dst_reg == p->src_reg || (a->id && a->id == b->id)))
		return 0;
	range_assume(op, &ta->range, &tb->range, wide, true);
	range_assume(op, &a->range, &b->range, wide, false);
	return 0;
}

int v_branch(struct verifier *v, const struct bpf_insn *p, int *way, struct vstate **taken)
{
	bool by_reg = BPF_SRC(p->code) == BPF_X, wide = BPF_CLASS(p->code) == BPF_JMP;
	unsigned op = BPF_OP(p->code);
	int ret = v_need(v, p->dst_reg);

	*way = -1;
	if (!ret && by_reg)
		ret = v_need(v, p->src_reg);
	if (ret)
		return ret;

	const struct vreg *dst = v_reg(v, p->dst_reg),
			  *src = by_reg ? v_reg(v, p->src_reg) : NULL;
	bool src_pointer = src && v_is_pointer(src);
	if (!v_is_pointer(dst) && !src_pointer)
		return split_numbers(v, p, way, taken);

	bool with_zero = wide && !by_reg && !p->imm && (op == BPF_JEQ || op == BPF_JNE);
	if (with_zero && is_maybe_null(dst->type)) {
		split_null(v, p, taken);
		return 0;
	}
	if (with_zero) {
		*taken = vstate_copy(v->cur);
		return 0;
	}
	if (wide && src &&
	    ((dst->type == V_PACKET && src->type == V_PACKET_END) ||
	     (dst->type == V_PACKET_END && src->type == V_PACKET)))
		return split_packet(v, p, taken);
	return v_reject(v, "compares %s with %s", v_type_name(dst->type),
			src ? v_type_name(src->type) : "a number");
}
