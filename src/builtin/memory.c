/*
 * Builtins about addresses.
 */
#include "builtin/memory.h"

#include "builtin/builtin.h"

bool memory_has(const struct type *t, int64_t n)
{
	bool whole = t->kind == T_STRING || t->kind == T_ARRAY || t->kind == T_STRUCT;

	return t->kind == T_PTR || (whole && t->size >= n);
}

ref memory_copy(struct unit *u, struct expr *e, uint32_t n)
{
	struct place p = e->type->kind == T_PTR
				 ? place_of_pointer(u, lower_scalar(u, e), e->type->as)
				 : lower_place(u, e);
	ref copy = ir_slot(&u->b, (n + 7) / 8 * 8);

	read_bytes(u, &p, n, copy, 0, e->span);
	return copy;
}

static ref lower_ksym(struct unit *u, struct expr *e)
{
	return lower_scalar(u, e->args[0]);
}

static bool check_space(struct unit *u, struct expr *e)
{
	struct typetab *tt = u->c->tt;
	enum addr_space as = e->name[0] == 'k' ? AS_KERNEL : AS_USER;
	const struct type *t = e->args[0]->type;

	e->type = t->kind == T_PTR ? type_in_space(tt, t, as) : type_ptr(tt, &type_void, as);
	return true;
}

static ref lower_space(struct unit *u, struct expr *e)
{
	return lower_scalar(u, e->args[0]);
}

static bool check_bswap(struct unit *u, struct expr *e)
{
	const struct type *t = e->args[0]->type;

	e->type = type_int(u->c->tt, t->kind == T_INT ? t->size : 8, false);
	return true;
}

static ref lower_bswap(struct unit *u, struct expr *e)
{
	ref v = lower_scalar(u, e->args[0]);

	return e->type->size == 1 ? v : ir_bswap(&u->b, e->type->size, v);
}

/* A type as an argument: with its keyword, or a name alone. */
static const struct type *type_argument(struct unit *u, const struct expr *arg)
{
	if (arg->kind == E_TYPE)
		return resolve_type(u, arg->tname);

	struct type_name plain = { .span = arg->span, .keyword = TN_PLAIN, .name = arg->name };
	return arg->kind == E_NAME ? resolve_type(u, &plain) : NULL;
}

/* The place of `a.b.c` in a struct, in bits; false when it has no such member. */
static bool member_offset(struct unit *u, const struct expr *path, const struct type **t,
			  uint32_t *bits)
{
	struct compiler *c = u->c;
	struct field f;

	if (path->kind == E_FIELD && !member_offset(u, path->a, t, bits))
		return false;
	if ((path->kind != E_FIELD && path->kind != E_NAME) || (*t)->kind != T_STRUCT ||
	    !type_member(c->tt, *t, path->name, &f) || f.vtable_slot) {
		diag(c->dx, E0106_NO_FIELD, path->span, type_text(c, *t),
		     path->name ? path->name : "");
		return false;
	}
	*bits += f.bit_off;
	*t = f.type;
	return true;
}

/* container_of(p, struct T, member): the struct that p points into. */
static bool check_container_of(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const struct type *p = check_value(u, e->args[0]);
	const struct type *whole = type_argument(u, e->args[1]), *part = whole;
	uint32_t bits = 0;

	if (type_is_error(p) || (whole && type_is_error(whole)))
		return false;
	if (!whole || whole->kind != T_STRUCT || (p->kind != T_PTR && !type_is_integral(p))) {
		diag(c->dx, E0302_ARG_TYPE, e->span,
		     "container_of() expects a pointer, a struct and one of its members");
		return false;
	}
	if (!member_offset(u, e->args[2], &part, &bits))
		return false;
	e->num = bits / 8;
	e->type = type_ptr(c->tt, whole, p->kind == T_PTR ? p->as : u->shape.arg_space);
	return true;
}

static ref lower_container_of(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;

	return ir_bin(b, OP_SUB, lower_scalar(u, e->args[0]), ir_const(b, (int64_t)e->num));
}

BUILTINS(memory) = {
	{ "ksym", "ksym ksym(int)", 0, .lower = lower_ksym,
	  .doc = "A kernel address as a symbol." },
	{ "kptr", "? kptr(int)", 0, check_space, .lower = lower_space,
	  .doc = "The same pointer, into kernel memory." },
	{ "uptr", "? uptr(int)", 0, check_space, .lower = lower_space,
	  .doc = "The same pointer, into user memory." },
	{ "bswap", "? bswap(int)", 0, check_bswap, .lower = lower_bswap,
	  .doc = "The bytes of a number in reverse order, in its own width." },
	{ "container_of", "? container_of(raw, raw, raw)", 0, check_container_of,
	  .lower = lower_container_of,
	  .doc = "The struct that a pointer to one of its members lies in." },
	{ 0 },
};
