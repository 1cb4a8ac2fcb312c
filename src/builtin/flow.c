/*
 * Builtins that end the session or change maps, and those of the language still to come.
 */
#include "builtin/builtin.h"
#include "script/lower.h"

static ref lower_exit(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	ref status = e->nargs ? lower_scalar(u, e->args[0]) : ir_const(b, 0);

	/* In the globals too: a full ring must not swallow an exit(). */
	ref at = ir_mapval(b, KMAP_GLOBALS, EXIT_REQUEST_OFF);
	ref word = ir_bin(b, OP_OR, ir_ext(b, false, 4, status),
			  ir_const(b, (int64_t)EXIT_REQUEST));
	ir_store(b, 8, at, 0, word);
	event_send(u, event_new(u, EV_EXIT, e->span), NULL, 0);
	ir_ret(b, ir_const(b, 0));
	start_dead_block(u);
	return 0;
}

/* Known to the language, not to this version: said so at its place. */
static bool check_later(struct unit *u, struct expr *e)
{
	not_yet(u, e->span, "%s", e->name);
	return false;
}

#define LATER(name)                                                         \
	{                                                                   \
		name, "? " name "(raw...)", BI_BARE | BI_STMT, check_later, \
			.doc = "Part of the language, not yet supported."   \
	}

BUILTINS(flow) = {
	{ "exit", "none exit([int])", BI_STMT, .lower = lower_exit,
	  .doc = "Ends the session: END, the maps, then this exit status." },
	LATER("ustack"),
	LATER("usym"),

	LATER("reg"),
	LATER("uaddr"),

	LATER("pton"),

	LATER("cgroupid"),
	LATER("cgroup_path"),


	LATER("path"),
	LATER("tseries"),
	LATER("signal"),
	LATER("signal_thread"),
	LATER("override"),
	LATER("write_user"),
	LATER("skboutput"),
	LATER("unwatch"),
	LATER("assert"),
	LATER("debugf"),
	LATER("socket_cookie"),
	LATER("getopt"),

	LATER("container_of"),

	LATER("usermode"),

	LATER("dw_ustack"),
	LATER("stddev"),
	LATER("llhist"),
	LATER("config"),
	{ 0 },
};
