/*
 * Builtins about the event that fired: its arguments, result, place.
 */
#include "builtin/builtin.h"
#include "script/lower.h"

#include <string.h>

static bool refuse(struct unit *u, struct expr *e, const char *what)
{
	struct compiler *c = u->c;

	diag(c->dx, E0303_NOT_HERE, e->span,
	     arena_printf(c->arena, "%s can not be used with \"%s\" probes", what,
			  u->group->provider->name));
	return false;
}

static bool check_args(struct unit *u, struct expr *e)
{
	if (!(u->group->provider->flags & PV_NAMED_ARGS))
		return refuse(u, e, "args");
	e->type = &type_none; /* only its fields are values */
	return true;
}

static bool check_argn(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	unsigned n = (unsigned)(e->name[3] - '0');

	if (!u->shape.nregs)
		return refuse(u, e, e->name);
	if (n >= u->shape.nregs) {
		diag(c->dx, E0303_NOT_HERE, e->span,
		     arena_printf(c->arena, "%s has no %s: the last one is arg%u",
				  u->group->provider->name, e->name, u->shape.nregs - 1));
		return false;
	}
	e->arg_index = (int)n;
	e->type = type_int(c->tt, 8, u->shape.regs[n].is_signed);
	return true;
}

static ref lower_argn(struct unit *u, struct expr *e)
{
	return lower_argloc(u, &u->shape.regs[e->arg_index]);
}

static bool check_retval(struct unit *u, struct expr *e)
{
	if (u->shape.retval.kind == LOC_NONE)
		return refuse(u, e, "retval");
	e->type = u->shape.retval_type ? u->shape.retval_type : type_int(u->c->tt, 8, true);
	return true;
}

static ref lower_retval(struct unit *u, struct expr *e)
{
	(void)e;
	return lower_argloc(u, &u->shape.retval);
}

static bool check_func(struct unit *u, struct expr *e)
{
	return u->shape.has_func || refuse(u, e, "func");
}

static ref lower_func(struct unit *u, struct expr *e)
{
	(void)e;
	if (u->shape.func_ip.kind != LOC_NONE)
		return lower_argloc(u, &u->shape.func_ip);
	return ir_call(&u->b, BPF_FUNC_get_func_ip, 1, u->ctx);
}

static bool check_ctx(struct unit *u, struct expr *e)
{
	struct typetab *tt = u->c->tt;

	if (!u->shape.has_ctx)
		return refuse(u, e, "ctx");
	e->type = u->shape.ctx_type ? type_ptr(tt, u->shape.ctx_type, AS_KERNEL)
				    : type_ptr(tt, &type_void, AS_KERNEL);
	return true;
}

static ref lower_ctx(struct unit *u, struct expr *e)
{
	(void)e;
	return u->ctx;
}

static ref lower_probe(struct unit *u, struct expr *e)
{
	(void)e;
	return lower_which(u);
}

#define ARG(n)                                                                          \
	{                                                                               \
		"arg" #n, "? arg" #n "()", BI_BARE, check_argn,                         \
			.lower = lower_argn,                                            \
			.doc = "Argument " #n " of the function or event, as a number." \
	}

BUILTINS(context) = {
	{ "args", "? args()", BI_BARE, check_args, .doc = "The arguments by name: args.x." },
	ARG(0),
	ARG(1),
	ARG(2),
	ARG(3),
	ARG(4),
	ARG(5),
	ARG(6),
	ARG(7),
	ARG(8),
	ARG(9),
	{ "retval", "? retval()", BI_BARE, check_retval, .lower = lower_retval,
	  .doc = "What the function returned." },
	{ "func", "ksym func()", BI_BARE, check_func, .lower = lower_func,
	  .doc = "The traced function." },
	{ "probe", "probe probe()", BI_BARE, .lower = lower_probe,
	  .doc = "The full name of the probe that fired." },
	{ "ctx", "? ctx()", BI_BARE, check_ctx, .lower = lower_ctx,
	  .doc = "The raw context of the probe." },
	{ 0 },
};
