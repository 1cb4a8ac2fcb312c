/*
 * Builtins that end the session, and those of the language still to come.
 */
#include "builtin/builtin.h"
#include "script/lower.h"

/* In the globals too: a full ring must not swallow an exit(). */
static void request_exit(struct unit *u, struct span span, ref status)
{
	struct irb *b = &u->b;
	ref at = ir_mapval(b, KMAP_GLOBALS, EXIT_REQUEST_OFF);
	ref word = ir_bin(b, OP_OR, ir_ext(b, false, 4, status),
			  ir_const(b, (int64_t)EXIT_REQUEST));

	ir_store(b, 8, at, 0, word);
	event_send(u, event_new(u, EV_EXIT, span), NULL, 0);
	lower_leave(u, ir_const(b, 0));
}

static ref lower_exit(struct unit *u, struct expr *e)
{
	request_exit(u, e->span, e->nargs ? lower_scalar(u, e->args[0]) : ir_const(&u->b, 0));
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
	LATER("unwatch"),

	{ 0 },
};
