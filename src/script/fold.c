/*
 * Constant expressions of the language: exact signed arithmetic, an error where the result fits
 * neither int64 nor uint64 (reference section 1.4).
 */
#include "script/unit.h"

#include <string.h>

void set_const(struct compiler *c, struct expr *e, int64_t v, bool beyond_int64)
{
	e->is_const = true;
	e->const_value = v;
	e->num_unsigned = beyond_int64;
	e->type = type_literal(c->tt, v, beyond_int64);
}

static __int128 exact(const struct expr *e)
{
	bool is_unsigned = e->num_unsigned || (e->type->kind == T_INT && !e->type->is_signed);

	return is_unsigned ? (__int128)(uint64_t)e->const_value : (__int128)e->const_value;
}

static void set_exact(struct unit *u, struct expr *e, __int128 v)
{
	if (v < INT64_MIN || v > (__int128)UINT64_MAX) {
		diag(u->c->dx, E0121_FOLD, e->span);
		e->type = &type_error;
		return;
	}
	set_const(u->c, e, (int64_t)(uint64_t)v, v > INT64_MAX);
}

static void set_bool(struct expr *e, bool v)
{
	e->is_const = true;
	e->const_value = v;
	e->type = &type_bool;
}

void fold_unary(struct unit *u, struct expr *e)
{
	const struct expr *a = e->a;

	if (!a->is_const || !type_is_integral(a->type))
		return;
	if (e->op == UN_NOT)
		set_bool(e, !a->const_value);
	else if (e->op == UN_NEG)
		set_exact(u, e, -exact(a));
	else if (e->op == UN_BITNOT)
		set_const(u->c, e, ~a->const_value, false);
}

/* Only what literals make: a cast or an enumerator keeps its own type. */
static bool is_literal(const struct expr *e)
{
	return e->is_const && type_is_integral(e->type);
}

/* Of two bools & | ^ make a bool, at run time as here. */
static void set_bits(struct unit *u, struct expr *e, __int128 v)
{
	if (e->a->type->kind == T_BOOL && e->b->type->kind == T_BOOL)
		set_bool(e, v);
	else
		set_exact(u, e, v);
}

static void fold_shift(struct unit *u, struct expr *e, __int128 x, __int128 y)
{
	if (y < 0 || y > 63) {
		diag(u->c->dx, E0121_FOLD, e->span);
		e->type = &type_error;
		return;
	}
	set_exact(u, e,
		  e->op == BIN_SHL ? (__int128)((unsigned __int128)x << (int)y) : x >> (int)y);
}

static void fold_strings(struct expr *e)
{
	size_t x = strnlen(e->a->str.s, e->a->str.len), y = strnlen(e->b->str.s, e->b->str.len);
	int order = memcmp(e->a->str.s, e->b->str.s, x < y ? x : y);

	if (!order)
		order = (x > y) - (x < y);
	switch ((enum binary_op)e->op) {
	case BIN_EQ: set_bool(e, order == 0); break;
	case BIN_NE: set_bool(e, order != 0); break;
	case BIN_LT: set_bool(e, order < 0); break;
	case BIN_LE: set_bool(e, order <= 0); break;
	case BIN_GT: set_bool(e, order > 0); break;
	case BIN_GE: set_bool(e, order >= 0); break;
	default: break;
	}
}

/* Said when the sum becomes a literal, which happens once, in whichever pass is first. */
static void warn_empty(struct unit *u, const struct expr *e)
{
	bool muted = u->c->dx->muted;

	u->c->dx->muted = false;
	diag(u->c->dx, W0113_EMPTY, e->span);
	u->c->dx->muted = muted;
}

bool fold_text(struct unit *u, struct expr *e)
{
	const struct expr *a = e->a, *b = e->b;
	size_t len = a->str.len;
	const char *s = a->str.s;

	if (b->kind == E_STRING) {
		char *both = arena_alloc(u->c->arena, len + b->str.len + 1);

		memcpy(both, s, len);
		memcpy(both + len, b->str.s, b->str.len);
		s = both;
		len += b->str.len;
	} else if (is_literal(b) && b->const_value >= 0) {
		if ((uint64_t)b->const_value >= len)
			warn_empty(u, e);
		size_t skip = (uint64_t)b->const_value < len ? (size_t)b->const_value : len;

		s += skip;
		len -= skip;
	} else {
		return false;
	}
	*e = (struct expr){ .kind = E_STRING, .span = e->span, .str = { s, len } };
	return true;
}

void fold_binary(struct unit *u, struct expr *e)
{
	if (e->a->kind == E_STRING && e->b->kind == E_STRING) {
		fold_strings(e);
		return;
	}
	if (!is_literal(e->a) || !is_literal(e->b))
		return;

	__int128 x = exact(e->a), y = exact(e->b);
	switch ((enum binary_op)e->op) {
	case BIN_ADD: set_exact(u, e, x + y); break;
	case BIN_SUB: set_exact(u, e, x - y); break;
	case BIN_MUL:
		/* |x|, |y| < 2^64: the product fits unless it is out of range anyway */
		if (x && y && (x > INT64_MAX || y > INT64_MAX) && x * y / y != x)
			x = y = (__int128)1 << 65;
		set_exact(u, e, x * y);
		break;
	case BIN_DIV:
	case BIN_MOD:
		if (!y) {
			diag(u->c->dx, E0121_FOLD, e->span);
			e->type = &type_error;
			break;
		}
		set_exact(u, e, e->op == BIN_DIV ? x / y : x % y);
		break;
	case BIN_AND: set_bits(u, e, x & y); break;
	case BIN_OR: set_bits(u, e, x | y); break;
	case BIN_XOR: set_bits(u, e, x ^ y); break;
	case BIN_SHL:
	case BIN_SHR: fold_shift(u, e, x, y); break;
	case BIN_EQ: set_bool(e, x == y); break;
	case BIN_NE: set_bool(e, x != y); break;
	case BIN_LT: set_bool(e, x < y); break;
	case BIN_LE: set_bool(e, x <= y); break;
	case BIN_GT: set_bool(e, x > y); break;
	case BIN_GE: set_bool(e, x >= y); break;
	case BIN_LAND: set_bool(e, x && y); break;
	case BIN_LOR: set_bool(e, x || y); break;
	case BIN_MATCH:
	case BIN_NOT_MATCH:
	case BIN_OPS: break;
	}
}
