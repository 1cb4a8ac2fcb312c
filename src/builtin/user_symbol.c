/*
 * Builtins about the variables of the traced program.
 */
#include "builtin/builtin.h"
#include "script/lower.h"

/* uaddr("NAME"): the symbol's size says what it points to, as far as that is a number. */
static bool check_uaddr(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	uint64_t *addr = arena_new(c->arena, uint64_t), size;
	struct err err = {};
	const char *name;
	size_t len;

	e->data = addr;
	literal_text(u, e->args[0], &name, &len);
	if (!(u->group->provider->flags & PV_USER)) {
		diag(c->dx, E0303_NOT_HERE, e->span,
		     arena_printf(c->arena,
				  "uaddr() can not be used with \"%s\" probes: they are at no "
				  "place in a program",
				  u->group->provider->name));
		return false;
	}
	if (!u->shape.has_func) {
		diag(c->dx, E0402_FEATURE, e->span,
		     "get_func_ip in uretprobes, which Linux 6.6 and newer have, for uaddr()");
		return false;
	}
	if (probe_user_symbol(c->opt->env, u->target, name, addr, &size, &err)) {
		diag_hint(diag(c->dx, E0302_ARG_TYPE, e->args[0]->span, err.msg), "%s",
			  err.hint);
		return false;
	}
	bool number = size == 1 || size == 2 || size == 4 || size == 8;
	e->type = type_ptr(c->tt, type_int(c->tt, number ? (unsigned)size : 8, false), AS_USER);
	return true;
}

/* What is loaded lies as far from the probe's instruction as the file says. */
static ref lower_uaddr(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	const struct shape *s = &u->shape;
	ref here = s->func_ip.kind != LOC_NONE ? lower_argloc(u, &s->func_ip)
					       : ir_call(b, BPF_FUNC_get_func_ip, 1, u->ctx);
	uint64_t distance = *(const uint64_t *)e->data - u->target->pc;

	return ir_bin(b, OP_ADD, here, ir_const(b, (int64_t)distance));
}

BUILTINS(user_symbol) = {
	{ "uaddr", "? uaddr(lit)", BI_PROBE, check_uaddr, .lower = lower_uaddr,
	  .doc = "The address of a variable of the traced program (uprobe, uretprobe, usdt)." },
	{ 0 },
};
