#include "script/lower_float.h"

#include <errno.h>

ref lower_as_double(struct unit *u, const struct type *t, ref v)
{
	if (type_is_float(t))
		return v;
	return float_from_int(&u->b, v, t->is_signed && t->kind != T_PTR);
}

ref lower_double(struct unit *u, struct expr *e)
{
	return lower_as_double(u, e->type, lower_scalar(u, e));
}

ref lower_integer(struct unit *u, struct expr *e)
{
	ref v = lower_scalar(u, e);

	return type_is_float(e->type) ? float_to_int(&u->b, v, true) : v;
}

ref lower_float_arith(struct unit *u, enum binary_op op, const struct type *xt, ref x,
		      const struct type *yt, ref y)
{
	static const enum ir_op compare[] = {
		[BIN_EQ] = OP_EQ,  [BIN_NE] = OP_NE,  [BIN_LT] = OP_SLT,
		[BIN_LE] = OP_SLE, [BIN_GT] = OP_SGT, [BIN_GE] = OP_SGE,
	};
	struct irb *b = &u->b;

	x = lower_as_double(u, xt, x);
	y = lower_as_double(u, yt, y);
	switch (op) {
	case BIN_ADD: return float_add(b, x, y);
	case BIN_SUB: return float_sub(b, x, y);
	case BIN_MUL: return float_mul(b, x, y);
	case BIN_DIV: return float_div(b, x, y);
	default: return float_compare(b, compare[op], x, y);
	}
}

ref lower_float_cast(struct unit *u, const struct type *to, const struct type *from, ref v)
{
	if (type_is_float(to))
		return lower_as_double(u, from, v);
	return float_to_int(&u->b, v, to->is_signed || to->size < 8);
}

void lower_float_add_to(struct unit *u, ref p, ref v)
{
	enum { TRIES = 3 };
	struct irb *b = &u->b;
	uint32_t lost = counter_new(u, COUNT_HELPER, b->span, "adding a double", false);
	struct counted c;

	counted_begin(b, &c, OP_ULT, ir_const(b, 0), ir_const(b, TRIES));
	blkid again = ir_block(b), done = ir_block(b);
	ref old = ir_load(b, 8, p, 0);
	ref was = ir_cmpxchg(b, 8, p, 0, old, float_add(b, old, v));
	ir_br(b, ir_bin(b, OP_EQ, was, old), done, again);
	ir_start(b, again);
	counted_end(b, &c);
	count_failure(u, lost, ir_const(b, -EBUSY));
	ir_jmp(b, done);
	ir_start(b, done);
}
