/*
 * Builtins that end the session, or a probe of it.
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

static ref lower_unwatch(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	ref addr = lower_scalar(u, e->args[0]);
	struct plan_event *ev = event_new(u, EV_UNWATCH, e->span);
	struct record r;

	ev->size = EVENT_ADDRESS;
	record_begin(u, ev, &r);
	ir_store(b, 8, r.ptr, EVENT_HEADER, addr);
	record_end(u, &r);
	return 0;
}

BUILTINS(flow) = {
	{ "exit", "none exit([int])", BI_STMT | BI_SENDS, .lower = lower_exit,
	  .doc = "Ends the session: END, the maps, then this exit status." },
	{ "unwatch", "none unwatch(int)", BI_STMT | BI_SENDS, .lower = lower_unwatch,
	  .doc = "Ends the watchpoints of an address, when scry comes to read the call." },
	{ 0 },
};
