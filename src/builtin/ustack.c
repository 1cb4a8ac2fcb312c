/*
 * Builtins that name places in the traced process.  They carry the process's id, since the
 * same address is another function in another process.
 */
#include "builtin/ustack.h"

#include "builtin/builtin.h"
#include "builtin/process.h"

ref lower_pid_above(struct unit *u)
{
	struct irb *b = &u->b;
	ref process = ir_bin(b, OP_SHR, lower_pid_and_tid(u), ir_const(b, 32));

	u->c->plan->uses_user_symbols = true;
	return ir_bin(b, OP_SHL, process, ir_const(b, 32));
}

void lower_usym_to(struct unit *u, ref addr, const struct dest *d)
{
	enum { ADDR_OFF = 0, PID_OFF = 8 };
	struct irb *b = &u->b;

	ir_store(b, 8, d->ptr, d->off + ADDR_OFF, addr);
	ir_store(b, 8, d->ptr, d->off + PID_OFF,
		 ir_bin(b, OP_SHR, lower_pid_above(u), ir_const(b, 32)));
}

static bool check_usym(struct unit *u, struct expr *e)
{
	(void)u;
	e->type = &type_usym;
	return true;
}

static void lower_usym(struct unit *u, struct expr *e, const struct dest *d)
{
	lower_usym_to(u, lower_scalar(u, e->args[0]), d);
}

BUILTINS(ustack) = {
	{ "usym", "? usym(int)", 0, check_usym, .lower_mem = lower_usym,
	  .doc = "The name of the function at a user address." },
	{ 0 },
};
