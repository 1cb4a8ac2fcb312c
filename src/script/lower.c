/*
 * Expressions that fit a register, as IR.
 */
#include "script/lower.h"

#include "builtin/builtin.h"
#include "script/lower_float.h"
#include "script/match.h"

#include <string.h>

/* Cuts or extends a value to what its type holds. */
static ref fit(struct unit *u, const struct type *t, ref v)
{
	if (t->kind == T_BOOL)
		return ir_bin(&u->b, OP_NE, v, ir_const(&u->b, 0));
	if ((t->kind == T_INT || t->kind == T_ENUM) && t->size < 8)
		return ir_ext(&u->b, t->is_signed, t->size, v);
	return v;
}

/* LOC_USER, as provider.h says. */
static ref user_address(struct unit *u, const struct argloc *loc)
{
	struct irb *b = &u->b;
	ref at = ir_const(b, loc->imm);

	if (loc->off != LOC_NO_REG)
		at = ir_bin(b, OP_ADD, ir_load(b, 8, u->ctx, (int32_t)loc->off), at);
	if (!loc->scale)
		return at;
	ref index = ir_load(b, 8, u->ctx, (int32_t)loc->off2);
	return ir_bin(b, OP_ADD, at, ir_bin(b, OP_MUL, index, ir_const(b, loc->scale)));
}

static struct place pair_place(struct unit *u, const struct argloc *loc)
{
	struct irb *b = &u->b;
	bool is_triple = loc->kind == LOC_TRIPLE;
	ref slot = ir_slot(b, is_triple ? 24 : 16);

	ir_store(b, 8, slot, 0, ir_load(b, 8, u->ctx, (int32_t)loc->off));
	ir_store(b, 8, slot, 8, ir_load(b, 8, u->ctx, (int32_t)loc->off2));
	if (is_triple)
		ir_store(b, 8, slot, 16, ir_load(b, 8, u->ctx, (int32_t)loc->imm));
	return (struct place){ PLACE_DIRECT, slot, 0 };
}

struct place argloc_place(struct unit *u, const struct argloc *loc)
{
	struct place p = { PLACE_KERNEL, u->ctx, loc->off };

	switch (loc->kind) {
	case LOC_CTX: return p;
	case LOC_PAIR:
	case LOC_TRIPLE: return pair_place(u, loc);
	case LOC_USER:
		p = (struct place){ PLACE_USER, user_address(u, loc), 0 };
		if (loc->is_ref)
			p.ptr = read_scalar(u, &p, type_int(u->c->tt, 8, false), NULL,
					    u->b.span);
		return p;
	default:
		p.ptr = ir_load(&u->b, 8, u->ctx, (int32_t)loc->off);
		p.off = loc->off2;
		return p;
	}
}

ref lower_argloc(struct unit *u, const struct argloc *loc)
{
	struct irb *b = &u->b;
	ref v;

	switch (loc->kind) {
	case LOC_CTX:
		v = ir_load(b, loc->size, u->ctx, (int32_t)loc->off);
		/*
		 * The verifier allows little arithmetic on what it knows as a pointer.  Swapped
		 * twice, it is the same word, and a plain number to it.
		 */
		if (loc->is_typed)
			v = ir_bswap(b, 8, ir_bswap(b, 8, v));
		break;
	case LOC_BTF:
		v = ir_load(b, 8, u->ctx, (int32_t)loc->off);
		v = ir_load(b, loc->size, v, (int32_t)loc->off2);
		break;
	case LOC_DEREF: {
		struct place p = { PLACE_KERNEL, ir_load(b, 8, u->ctx, (int32_t)loc->off),
				   loc->off2 };

		return read_scalar(u, &p, type_int(u->c->tt, loc->size, loc->is_signed), NULL,
				   b->span);
	}
	case LOC_USER: {
		struct place p = argloc_place(u, loc);

		return read_scalar(u, &p, type_int(u->c->tt, loc->size, loc->is_signed), NULL,
				   b->span);
	}
	case LOC_SUM:
		v = ir_bin(b, OP_ADD, ir_load(b, 8, u->ctx, (int32_t)loc->off),
			   ir_const(b, loc->imm));
		break;
	case LOC_CONST: return ir_const(b, loc->imm);
	default: BUG("no location for an argument of %s", u->target->name);
	}
	return loc->size < 8 ? ir_ext(b, loc->is_signed, loc->size, v) : v;
}

static ref lower_arg(struct unit *u, struct expr *e)
{
	const struct probe_arg *arg = &u->shape.args[e->arg_index];

	if (arg->data_loc) { /* where the text begins: at the low 16 bits */
		ref word = ir_load(&u->b, 4, u->ctx, (int32_t)arg->loc.off);
		ref off = ir_bin(&u->b, OP_AND, word, ir_const(&u->b, 0xffff));

		if (arg->data_base)
			off = ir_bin(&u->b, OP_ADD, off, ir_const(&u->b, arg->data_base));
		return ir_bin(&u->b, OP_ADD, u->ctx, off);
	}
	return lower_argloc(u, &arg->loc);
}

static ref zero_or(struct unit *u, enum binary_op op, ref x, ref y, struct span span)
{
	struct irb *b = &u->b;
	uint32_t off = counter_new(u, COUNT_DIV_ZERO, span, NULL, false);
	blkid ok = ir_block(b), bad = ir_block(b);
	struct meet m = meet_new(b);

	ir_br(b, y, ok, bad);
	ir_start(b, ok);
	meet_from(b, &m, ir_bin(b, op == BIN_DIV ? OP_UDIV : OP_UMOD, x, y));
	ir_start(b, bad);
	count_failure(u, off, ir_const(b, 0));
	meet_from(b, &m, ir_const(b, 1));
	return meet_here(b, &m);
}

static ref lower_divide(struct unit *u, struct expr *e, enum binary_op op, ref x, ref y)
{
	if (e->b && e->b->is_const && e->b->const_value)
		return ir_bin(&u->b, op == BIN_DIV ? OP_UDIV : OP_UMOD, x, y);
	return zero_or(u, op, x, y, e->span);
}

/* n * size of what p points to; a pointer to nothing known counts in bytes. */
static ref scaled(struct unit *u, const struct type *ptr, ref n)
{
	uint32_t fields, size;

	type_fields(u->c->tt, ptr->elem, &fields);
	size = ptr->elem->size;
	return size > 1 ? ir_bin(&u->b, OP_MUL, n, ir_const(&u->b, size)) : n;
}

static enum ir_op compare_op(enum binary_op op, bool is_signed)
{
	switch (op) {
	case BIN_EQ: return OP_EQ;
	case BIN_NE: return OP_NE;
	case BIN_LT: return is_signed ? OP_SLT : OP_ULT;
	case BIN_LE: return is_signed ? OP_SLE : OP_ULE;
	case BIN_GT: return is_signed ? OP_SGT : OP_UGT;
	default: return is_signed ? OP_SGE : OP_UGE;
	}
}

ref lower_arith(struct unit *u, struct expr *e, enum binary_op op, const struct type *xt, ref x,
		const struct type *yt, ref y)
{
	static const enum ir_op ops[BIN_OPS] = {
		[BIN_ADD] = OP_ADD, [BIN_SUB] = OP_SUB, [BIN_MUL] = OP_MUL, [BIN_AND] = OP_AND,
		[BIN_OR] = OP_OR,   [BIN_XOR] = OP_XOR, [BIN_SHL] = OP_SHL, [BIN_SHR] = OP_SHR,
	};
	struct irb *b = &u->b;

	if (type_is_float(xt) || type_is_float(yt))
		return lower_float_arith(u, op, xt, x, yt, y);
	if (op == BIN_DIV || op == BIN_MOD)
		return lower_divide(u, e, op, x, y);
	if (op >= BIN_EQ && op <= BIN_GE)
		return ir_bin(b, compare_op(op, signed_pair(xt, yt)), x, y);
	if (xt->kind == T_PTR && yt->kind != T_PTR)
		y = scaled(u, xt, y);
	else if (yt->kind == T_PTR && xt->kind != T_PTR)
		x = scaled(u, yt, x);
	if (op == BIN_ADD && e->type && e->type->kind == T_BOOL)
		op = BIN_OR;
	return ir_bin(b, ops[op], x, y);
}

/* Makes 0 or 1 of a condition that needs control flow. */
static ref cond_value(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	blkid yes = ir_block(b), no = ir_block(b);
	struct meet m = meet_new(b);

	lower_cond(u, e, yes, no);
	ir_start(b, yes);
	meet_from(b, &m, ir_const(b, 1));
	ir_start(b, no);
	meet_from(b, &m, ir_const(b, 0));
	return meet_here(b, &m);
}

static uint32_t text_size(const struct expr *e)
{
	return e->kind == E_STRING ? (uint32_t)strnlen(e->str.s, e->str.len) + 1
				   : e->type->size;
}

/*
 * Two texts of which one may be a literal: words are compared up to and with the literal's NUL,
 * or over the shorter size, behind which the longer one must be empty.
 */
static void compare_text(struct unit *u, struct expr *x, struct expr *y, blkid same,
			 blkid differ)
{
	struct irb *b = &u->b;
	uint32_t nx = text_size(x), ny = text_size(y);
	uint32_t n = nx < ny ? nx : ny;
	ref px = lower_addr(u, x), py = lower_addr(u, y);

	for (uint32_t off = 0; off < n;) {
		uint32_t unit = n - off >= 8 ? 8 : n - off >= 4 ? 4 : n - off >= 2 ? 2 : 1;
		ref eq = ir_bin(b, OP_EQ, ir_load(b, unit, px, (int32_t)off),
				ir_load(b, unit, py, (int32_t)off));
		blkid next = ir_block(b);

		ir_br(b, eq, next, differ);
		ir_start(b, next);
		off += unit;
	}
	/* A literal longer than the other side's memory cannot be equal unless cut to nothing.
	 */
	bool x_more = nx > n && y->kind != E_STRING, y_more = ny > n && x->kind != E_STRING;
	if (x_more || y_more) {
		ref rest = ir_load(b, 1, x_more ? px : py, (int32_t)n);

		ir_br(b, rest, differ, same);
	} else {
		ir_jmp(b, same);
	}
}

/* Tuples and the like: both as one type, gaps zeroed, so that bytes can be compared. */
static void compare_memory(struct unit *u, struct expr *x, struct expr *y, blkid same,
			   blkid differ)
{
	struct irb *b = &u->b;
	const struct type *t = unify(u->c, x->type, y->type);
	uint32_t size = (t->size + 7) / 8 * 8;
	struct dest dx = { ir_slot(b, size), 0, t, true },
		    dy = { ir_slot(b, size), 0, t, true };

	ir_zero(b, dx.ptr, 0, size);
	ir_zero(b, dy.ptr, 0, size);
	lower_to(u, x, &dx);
	lower_to(u, y, &dy);
	for (uint32_t off = 0; off < size; off += 8) {
		ref eq = ir_bin(b, OP_EQ, ir_load(b, 8, dx.ptr, (int32_t)off),
				ir_load(b, 8, dy.ptr, (int32_t)off));
		blkid next = ir_block(b);

		ir_br(b, eq, next, differ);
		ir_start(b, next);
	}
	ir_jmp(b, same);
}

static bool compares_text(const struct expr *e)
{
	return e->kind == E_BINARY && (e->op == BIN_EQ || e->op == BIN_NE) &&
	       e->a->type->kind == T_STRING && e->b->type->kind == T_STRING;
}

/* Equality of other values that do not fit a register. */
static bool compares_memory(const struct expr *e)
{
	return e->kind == E_BINARY && (e->op == BIN_EQ || e->op == BIN_NE) &&
	       !type_is_scalar(e->a->type) && !type_is_scalar(e->b->type) && !compares_text(e);
}

static bool compares_probe(const struct expr *e)
{
	return (e->a->type->kind == T_PROBE) != (e->b->type->kind == T_PROBE);
}

void lower_cond(struct unit *u, struct expr *e, blkid yes, blkid no)
{
	struct irb *b = &u->b;

	if (e->is_const) {
		ir_jmp(b, e->const_value ? yes : no);
	} else if (e->kind == E_UNARY && e->op == UN_NOT) {
		lower_cond(u, e->a, no, yes);
	} else if (e->kind == E_BINARY && (e->op == BIN_LAND || e->op == BIN_LOR)) {
		blkid next = ir_block(b);

		lower_cond(u, e->a, e->op == BIN_LAND ? next : yes,
			   e->op == BIN_LAND ? no : next);
		ir_start(b, next);
		lower_cond(u, e->b, yes, no);
	} else if (compares_text(e)) {
		compare_text(u, e->a, e->b, e->op == BIN_EQ ? yes : no,
			     e->op == BIN_EQ ? no : yes);
	} else if (compares_memory(e)) {
		compare_memory(u, e->a, e->b, e->op == BIN_EQ ? yes : no,
			       e->op == BIN_EQ ? no : yes);
	} else {
		ref v = lower_scalar(u, e);

		ir_br(b, v, yes, no);
	}
}

static ref lower_binary(struct unit *u, struct expr *e)
{
	if (e->op == BIN_MATCH || e->op == BIN_NOT_MATCH)
		return lower_match_operator(u, e);
	if (e->op == BIN_LAND || e->op == BIN_LOR || compares_text(e) || compares_memory(e))
		return cond_value(u, e);
	if (compares_probe(e))
		return lower_is_probe(u, e);

	ref x = lower_scalar(u, e->a), y = lower_scalar(u, e->b);
	return lower_arith(u, e, (enum binary_op)e->op, e->a->type, x, e->b->type, y);
}

static ref lower_unary(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;

	switch ((enum unary_op)e->op) {
	case UN_NOT: return ir_bin(b, OP_EQ, lower_scalar(u, e->a), ir_const(b, 0));
	case UN_NEG:
		if (type_is_float(e->type))
			return float_neg(b, lower_scalar(u, e->a));
		return ir_un(b, OP_NEG, lower_scalar(u, e->a));
	case UN_BITNOT: return ir_un(b, OP_NOT, lower_scalar(u, e->a));
	case UN_DEREF: {
		struct place p = lower_place(u, e);

		return read_scalar(u, &p, e->type, NULL, e->span);
	}
	case UN_ADDR: return lower_address(u, e);
	}
	BUG("unary operator %d", e->op);
}

static ref lower_ternary(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	blkid yes = ir_block(b), no = ir_block(b);
	struct meet m = meet_new(b);

	lower_cond(u, e->a, yes, no);
	ir_start(b, yes);
	meet_from(b, &m, lower_scalar(u, e->b));
	ir_start(b, no);
	meet_from(b, &m, lower_scalar(u, e->c));
	return meet_here(b, &m);
}

static void effect_ternary(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	blkid yes = ir_block(b), no = ir_block(b), done = ir_block(b);

	lower_cond(u, e->a, yes, no);
	ir_start(b, yes);
	lower_effect(u, e->b);
	ir_jmp(b, done);
	ir_start(b, no);
	lower_effect(u, e->c);
	ir_jmp(b, done);
	ir_start(b, done);
}

void lower_effect(struct unit *u, struct expr *e)
{
	u->b.span = e->span;
	if (e->kind == E_INCDEC)
		lower_incdec(u, e, false);
	else if (e->kind == E_COND && e->type->kind == T_NONE)
		effect_ternary(u, e);
	else if (e->kind == E_BLOCK || e->kind == E_IF)
		lower_stmt(u, e->stmt);
	else if (e->kind == E_CALL && !e->builtin)
		lower_subprog_call(u, e);
	else if (e->builtin && e->type->kind == T_NONE)
		e->builtin->lower(u, e);
	else if (e->builtin && (e->builtin->flags & BI_STMT))
		e->builtin->lower(u, e);
	else if (type_is_scalar(e->type))
		lower_scalar(u, e);
	else
		lower_addr(u, e);
}

static ref step_of(struct unit *u, const struct expr *e)
{
	uint32_t n, size = 1;

	if (e->a->type->kind == T_PTR) {
		type_fields(u->c->tt, e->a->type->elem, &n);
		size = e->a->type->elem->size ? e->a->type->elem->size : 1;
	}
	return ir_const(&u->b, e->op * (int64_t)size);
}

ref lower_incdec(struct unit *u, struct expr *e, bool want)
{
	struct irb *b = &u->b;
	ref step = step_of(u, e);

	if (!want && e->a->kind == E_MAP) {
		lower_map_add(u, e->a, step);
		return 0;
	}

	ref old = lower_scalar(u, e->a);
	ref now = fit(u, e->a->type, ir_bin(b, OP_ADD, old, step));
	if (e->a->kind == E_MAP)
		lower_map_set(u, e->a, now);
	else
		ir_store(b, 8, e->a->var->slot, 0, now);
	return e->prefix ? now : old;
}

/* if as a value: each way ends in its block's value. */
static ref lower_if_value(struct unit *u, struct stmt *s)
{
	struct irb *b = &u->b;
	blkid yes = ir_block(b), no = ir_block(b);
	struct meet m = meet_new(b);

	lower_cond(u, s->e, yes, no);
	ir_start(b, yes);
	lower_statements(u, s->body);
	meet_from(b, &m, lower_scalar(u, s->body->value));
	ir_start(b, no);
	if (s->els->kind == S_IF) {
		meet_from(b, &m, lower_if_value(u, s->els));
	} else {
		lower_statements(u, s->els);
		meet_from(b, &m, lower_scalar(u, s->els->value));
	}
	return meet_here(b, &m);
}

static ref lower_part(struct unit *u, struct expr *e)
{
	struct place p = { PLACE_DIRECT, lower_addr(u, e->a), e->field.bit_off / 8 };

	return read_scalar(u, &p, e->type, NULL, e->span);
}

static ref lower_field(struct unit *u, struct expr *e)
{
	if (e->arg_index >= 0)
		return lower_arg(u, e);
	if (e->a->type->kind == T_RECORD)
		return lower_part(u, e);

	struct place p = lower_place(u, e);
	return read_scalar(u, &p, e->type, e->field.bit_size ? &e->field : NULL, e->span);
}

static ref lower_cast(struct unit *u, struct expr *e)
{
	ref v = lower_scalar(u, e->a);

	if (type_is_float(e->type) || type_is_float(e->a->type))
		v = lower_float_cast(u, e->type, e->a->type, v);
	return fit(u, e->type, v);
}

static ref lower_kind(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;

	switch (e->kind) {
	case E_VAR: return ir_load(b, 8, e->var->slot, 0);
	case E_MAP: return lower_map_read(u, e);
	case E_CALL:
		if (!e->builtin)
			return ir_load(b, 8, lower_subprog_call(u, e)->slot, 0);
		return e->builtin->lower(u, e);
	case E_NAME: return e->builtin->lower(u, e);
	case E_UNARY: return lower_unary(u, e);
	case E_BINARY: return lower_binary(u, e);
	case E_COND: return lower_ternary(u, e);
	case E_INCDEC: return lower_incdec(u, e, true);
	case E_CAST:
		if (!type_is_scalar(e->a->type))
			return e->type->kind == T_PTR ? lower_array_address(u, e->a)
						      : lower_array_word(u, e);
		return lower_cast(u, e);
	case E_FLOAT: return ir_const(b, (int64_t)e->num);
	case E_WIDEN: return float_widen(b, lower_scalar(u, e->a));
	case E_FIELD: return lower_field(u, e);
	case E_INDEX: {
		struct place p = lower_place(u, e);

		return read_scalar(u, &p, e->type, NULL, e->span);
	}
	case E_ELEM: return lower_part(u, e);
	case E_COMPTIME: return lower_scalar(u, e->a);
	case E_BLOCK: lower_statements(u, e->stmt); return lower_scalar(u, e->stmt->value);
	case E_IF: return lower_if_value(u, e->stmt);
	default: BUG("expression kind %d reached the lowering", e->kind);
	}
}

ref lower_scalar(struct unit *u, struct expr *e)
{
	struct span outer = u->b.span;
	ref v;

	u->b.span = e->span;
	v = e->is_const ? ir_const(&u->b, e->const_value) : lower_kind(u, e);
	u->b.span = outer;
	return v;
}
