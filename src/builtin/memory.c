/*
 * Builtins about addresses.
 */
#include "builtin/builtin.h"
#include "script/lower.h"

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

/* The kernel's pointers that are errors: -4095 ... -1 (include/linux/err.h). */
static ref lower_is_err(struct unit *u, struct expr *e)
{
	enum { MAX_ERRNO = 4095 };

	return ir_bin(&u->b, OP_UGE, lower_scalar(u, e->args[0]), ir_const(&u->b, -MAX_ERRNO));
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
	{ "is_err", "bool is_err(int)", 0, .lower = lower_is_err,
	  .doc = "Is this pointer one of the kernel's error codes?" },
	{ 0 },
};
