#include "codegen/operand.h"

void put(struct isel *s, struct minsn i)
{
	i.span = s->span;
	vec_push(s->m->arena, &s->m->ins, i);
}

void put_alu_imm(struct isel *s, unsigned op, mreg dst, int32_t imm)
{
	put(s, (struct minsn){ .code = BPF_ALU64 | op | BPF_K, .dst = dst, .imm = imm });
}

void put_alu_reg(struct isel *s, unsigned op, mreg dst, mreg src)
{
	put(s, (struct minsn){ .code = BPF_ALU64 | op | BPF_X, .dst = dst, .src = src });
}

void put_const(struct isel *s, mreg dst, int64_t v)
{
	if (fits_s32(v))
		put_alu_imm(s, BPF_MOV, dst, v);
	else if (v == (uint32_t)v)
		put(s, (struct minsn){ .code = BPF_ALU | BPF_MOV | BPF_K,
				       .dst = dst,
				       .imm = (int32_t)v });
	else
		put(s,
		    (struct minsn){ .code = BPF_LD | BPF_IMM | BPF_DW, .dst = dst, .imm = v });
}

static void put_add(struct isel *s, mreg dst, int64_t v)
{
	if (!v)
		return;
	if (fits_s32(v)) {
		put_alu_imm(s, BPF_ADD, dst, v);
		return;
	}
	mreg t = mir_vreg(s->m);
	put_const(s, t, v);
	put_alu_reg(s, BPF_ADD, dst, t);
}

static struct value value_plus(struct value v, int64_t by)
{
	v.off = (int64_t)((uint64_t)v.off + (uint64_t)by);
	return v;
}

/* Addresses stay near what they point to, so that offsets cannot wrap. */
static bool is_near(struct value v)
{
	if (v.kind == VALUE_CONST)
		return true;
	if (v.kind == VALUE_MAPVAL)
		return v.off >= 0 && v.off == (uint32_t)v.off;
	return v.kind != VALUE_MAP && v.kind != VALUE_FUNC && fits_s32(v.off);
}

static struct value sum_value(const struct isel *s, ref r, const struct ins *i)
{
	struct value a = s->values[i->a], b = s->values[i->b];
	struct value self = { VALUE_REG, r, 0 }, sum;

	if (b.kind == VALUE_CONST)
		sum = value_plus(a, i->op == OP_SUB ? -(uint64_t)b.off : (uint64_t)b.off);
	else if (a.kind == VALUE_CONST && i->op == OP_ADD)
		sum = value_plus(b, a.off);
	else
		return self;
	return is_near(sum) ? sum : self;
}

static struct value find_value(const struct isel *s, ref r)
{
	const struct ins *i = ir_ins(s->fn, r);

	switch (i->op) {
	case OP_CONST: return (struct value){ VALUE_CONST, 0, i->imm };
	case OP_MAP: return (struct value){ VALUE_MAP, i->imm, 0 };
	case OP_FUNC: return (struct value){ VALUE_FUNC, i->imm, 0 };
	case OP_MAPVAL: return (struct value){ VALUE_MAPVAL, i->imm >> 32, (uint32_t)i->imm };
	case OP_SLOT: {
		const struct slot_place *at = &s->f->slots[r];

		return (struct value){ at->in_scratch ? VALUE_SCRATCH : VALUE_STACK, 0,
				       at->off };
	}
	case OP_ADD:
	case OP_SUB: return sum_value(s, r, i);
	}
	return (struct value){ VALUE_REG, r, 0 };
}

void operand_find_values(struct isel *s)
{
	for (uint32_t p = 0; p < s->o->n; p++)
		vec_each(r, &s->fn->blks.data[s->o->blks[p]].ins)
			s->values[*r] = find_value(s, *r);
}

bool operand_is_imm(const struct isel *s, ref r, int32_t *imm)
{
	const struct value *v = &s->values[r];

	if (v->kind != VALUE_CONST || !fits_s32(v->off))
		return false;
	*imm = v->off;
	return true;
}

mreg operand_home(struct isel *s, ref r)
{
	int param = operand_param(ir_ins(s->fn, r));

	if (param >= 0)
		return s->param[param];
	if (!s->vreg[r])
		s->vreg[r] = mir_vreg(s->m);
	return s->vreg[r];
}

static void put_load64(struct isel *s, enum mkind kind, mreg dst, struct value v)
{
	put(s, (struct minsn){ .code = BPF_LD | BPF_IMM | BPF_DW,
			       .kind = kind,
			       .dst = dst,
			       .arg = v.id,
			       .imm = v.off });
}

void operand_make(struct isel *s, mreg dst, struct value v)
{
	switch (v.kind) {
	case VALUE_CONST: put_const(s, dst, v.off); return;
	case VALUE_MAP: put_load64(s, MK_MAP, dst, v); return;
	case VALUE_FUNC: put_load64(s, MK_FUNC, dst, v); return;
	case VALUE_MAPVAL: put_load64(s, MK_MAPVAL, dst, v); return;
	case VALUE_STACK: put_alu_reg(s, BPF_MOV, dst, BPF_REG_10); break;
	case VALUE_SCRATCH: put_alu_reg(s, BPF_MOV, dst, s->scratch); break;
	case VALUE_REG: put_alu_reg(s, BPF_MOV, dst, operand_home(s, v.id)); break;
	}
	put_add(s, dst, v.off);
}

/* A register with the value v, made now or earlier. */
static mreg make_somewhere(struct isel *s, struct value v)
{
	unsigned known = s->nremembered < REMEMBERED ? s->nremembered : REMEMBERED;

	if (v.kind == VALUE_SCRATCH && v.off == 0)
		return s->scratch;
	for (unsigned k = 0; k < known; k++) {
		const struct remembered *m = &s->remembered[k];

		if (m->value.kind == v.kind && m->value.id == v.id && m->value.off == v.off)
			return m->reg;
	}
	mreg reg = mir_vreg(s->m);
	operand_make(s, reg, v);
	s->remembered[s->nremembered++ % REMEMBERED] = (struct remembered){ v, reg };
	return reg;
}

mreg operand_reg(struct isel *s, ref r)
{
	return operand_is_made(s, r) ? make_somewhere(s, s->values[r]) : operand_home(s, r);
}

void operand_into(struct isel *s, mreg dst, ref r)
{
	if (operand_is_made(s, r))
		operand_make(s, dst, s->values[r]);
	else
		put_alu_reg(s, BPF_MOV, dst, operand_home(s, r));
}

struct mem operand_mem(struct isel *s, ref r, int64_t off)
{
	struct value v = value_plus(s->values[r], off);

	/* Neighbours in one map share a base. */
	if (v.kind == VALUE_MAPVAL && is_near(v)) {
		int16_t low = v.off & INT16_MAX;

		return (struct mem){ make_somewhere(s, value_plus(v, -(int64_t)low)), low };
	}
	if (fits_s16(v.off)) {
		int16_t low = v.off;

		switch (v.kind) {
		case VALUE_STACK: return (struct mem){ BPF_REG_10, low };
		case VALUE_SCRATCH: return (struct mem){ s->scratch, low };
		case VALUE_MAP: return (struct mem){ make_somewhere(s, s->values[r]), low };
		case VALUE_REG: return (struct mem){ operand_home(s, v.id), low };
		default: break;
		}
	}
	return (struct mem){ make_somewhere(s, v), 0 };
}

void operand_forget(struct isel *s)
{
	s->nremembered = 0;
}
