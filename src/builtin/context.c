/*
 * Builtins about the event that fired: its arguments, result, place.
 */
#include "builtin/builtin.h"
#include "builtin/ustack.h"
#include "probe/arch.h"
#include "script/lower.h"

#include <stdlib.h>
#include <string.h>

static bool check_args(struct unit *u, struct expr *e)
{
	if (!(u->group->provider->flags & PV_NAMED_ARGS))
		return builtin_not_here(u, e, "args");
	e->type = &type_none; /* its fields are values, see check_all_args() */
	return true;
}

static bool check_argn(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	unsigned n = (unsigned)atoi(e->name + 3);

	if (!u->shape.nregs)
		return builtin_not_here(u, e, e->name);
	if (n >= u->shape.nregs) {
		diag(c->dx, E0303_NOT_HERE, e->span,
		     arena_printf(c->arena, "%s has no %s: the last one is arg%u",
				  u->group->provider->name, e->name, u->shape.nregs - 1));
		return false;
	}
	if (u->shape.regs[n].kind == LOC_NONE) {
		diag(c->dx, E0303_NOT_HERE, e->span,
		     arena_printf(c->arena, "%s %s", e->name,
				  u->shape.regs[n].why
					  ? u->shape.regs[n].why
					  : "lies where a BPF program cannot read it"));
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

/* A word of the stack at a function's entry, from the first behind what the call left there. */
static bool check_sargn(struct unit *u, struct expr *e)
{
	const char *provider = u->group->provider->name;
	int off = arch_host.entry_cfa + 8 * (e->name[4] - '0');

	if (strcmp(provider, "kprobe") != 0 && strcmp(provider, "uprobe") != 0)
		return builtin_not_here(u, e, e->name);
	if (u->group->targets.data[0]->is_32bit) {
		diag(u->c->dx, E0303_NOT_HERE, e->span,
		     arena_printf(u->c->arena, "%s is of programs of 64 bits", e->name));
		return false;
	}
	builtin_expand(u, e, arena_printf(u->c->arena, "*(uint64 *)(reg(\"sp\") + %d)", off));
	return !type_is_error(e->type);
}

static bool check_retval(struct unit *u, struct expr *e)
{
	if (u->shape.retval.kind == LOC_NONE)
		return builtin_not_here(u, e, "retval");
	e->type = u->shape.retval_type
			  ? read_type(u->c, u->shape.retval_type, u->shape.arg_space)
			  : type_int(u->c->tt, 8, true);
	return true;
}

static ref lower_retval(struct unit *u, struct expr *e)
{
	(void)e;
	return lower_argloc(u, &u->shape.retval);
}

static bool check_func(struct unit *u, struct expr *e)
{
	e->type = u->shape.arg_space == AS_USER ? &type_usym : &type_ksym;
	return u->shape.has_func || builtin_not_here(u, e, "func");
}

static ref lower_func(struct unit *u, struct expr *e)
{
	(void)e;
	if (u->shape.func_ip.kind != LOC_NONE)
		return lower_argloc(u, &u->shape.func_ip);
	return ir_call(&u->b, BPF_FUNC_get_func_ip, 1, u->ctx);
}

static void lower_user_func(struct unit *u, struct expr *e, const struct dest *d)
{
	lower_usym_to(u, lower_func(u, e), d);
}

static bool check_ctx(struct unit *u, struct expr *e)
{
	struct typetab *tt = u->c->tt;

	if (!u->shape.has_ctx)
		return builtin_not_here(u, e, "ctx");
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

/* Do programs of this probe see registers? Those of kprobes, uprobes and perf events do. */
static bool has_regs(const struct unit *u)
{
	return u->when == PROG_ATTACHED && (u->group->prog_type == BPF_PROG_TYPE_KPROBE ||
					    u->group->prog_type == BPF_PROG_TYPE_PERF_EVENT);
}

static bool check_reg(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	struct argloc *loc = arena_new(c->arena, struct argloc);
	const char *name;
	size_t len;

	if (!has_regs(u))
		return builtin_not_here(u, e, "reg()");
	literal_text(u, e->args[0], &name, &len);
	e->data = loc;
	if (probe_find_reg(name, loc))
		return true;
	diag(c->dx, E0302_ARG_TYPE, e->args[0]->span,
	     arena_printf(c->arena, "'%s' is not a valid register on this architecture", name));
	return false;
}

static ref lower_reg(struct unit *u, struct expr *e)
{
	return lower_argloc(u, e->data);
}

/* 1 in scry's own probes, 0 where the registers of neither side were kept. */
static bool check_usermode(struct unit *u, struct expr *e)
{
	struct argloc *cs = arena_new(u->c->arena, struct argloc);

	e->data = cs;
	if (!has_regs(u)) {
		e->is_const = true;
		e->const_value = u->when != PROG_ATTACHED;
		return true;
	}
	if (probe_find_reg("cs", cs))
		return true;
	diag(u->c->dx, E0303_NOT_HERE, e->span, "usermode is known on x86_64 only");
	return false;
}

/* The lowest two bits of the code segment are the ring: 3 is the user's. */
static ref lower_usermode(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	ref ring = ir_bin(b, OP_AND, lower_argloc(u, e->data), ir_const(b, 3));

	return ir_bin(b, OP_EQ, ring, ir_const(b, 3));
}

#define ARG(n)                                                                          \
	{                                                                               \
		"arg" #n, "? arg" #n "()", BI_BARE | BI_PROBE, check_argn,              \
			.lower = lower_argn,                                            \
			.doc = "Argument " #n " of the function or event, as a number." \
	}

#define SARG(n)                                                                              \
	{                                                                                    \
		"sarg" #n, "? sarg" #n "()", BI_BARE | BI_PROBE, check_sargn,                \
			.doc = "Word " #n " of the arguments on the stack (kprobe, uprobe)." \
	}

BUILTINS(context) = {
	{ "args", "? args()", BI_BARE | BI_PROBE, check_args,
	  .doc = "The arguments by name: args.x; all of them as a record: print(args)." },
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
	{ "arg254", "? arg254()", BI_BARE | BI_PROBE, check_argn, .lower = lower_argn,
	  .doc = "Argument 254; those in between are there too, where the probe has so many." },
	SARG(0),
	SARG(1),
	SARG(2),
	SARG(3),
	SARG(4),
	SARG(5),
	SARG(6),
	SARG(7),
	SARG(8),
	SARG(9),
	{ "retval", "? retval()", BI_BARE | BI_PROBE, check_retval, .lower = lower_retval,
	  .doc = "What the function returned." },
	{ "func", "? func()", BI_BARE | BI_PROBE, check_func, lower_func, lower_user_func,
	  .doc = "The traced function." },
	{ "probe", "probe probe()", BI_BARE | BI_PROBE, .lower = lower_probe,
	  .doc = "The full name of the probe that fired." },
	{ "ctx", "? ctx()", BI_BARE | BI_PROBE, check_ctx, .lower = lower_ctx,
	  .doc = "The raw context of the probe." },
	{ "reg", "u64 reg(lit)", BI_PROBE, check_reg, .lower = lower_reg,
	  .doc = "A register at the probe, by its name in struct pt_regs: reg(\"ip\")." },
	{ "usermode", "u8 usermode()", BI_BARE | BI_PROBE, check_usermode,
	  .lower = lower_usermode,
	  .doc = "1 when the event came while user code ran, else 0." },
	{ 0 },
};
