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

BUILTINS(memory) = {
	{ "ksym", "ksym ksym(int)", 0, .lower = lower_ksym,
	  .doc = "A kernel address as a symbol." },
	{ "kptr", "? kptr(int)", 0, check_space, .lower = lower_space,
	  .doc = "The same pointer, into kernel memory." },
	{ "uptr", "? uptr(int)", 0, check_space, .lower = lower_space,
	  .doc = "The same pointer, into user memory." },
	{ 0 },
};
