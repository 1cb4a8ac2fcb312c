/*
 * Builtins that end the session, and those of the language still to come.
 */
#include "builtin/builtin.h"
#include "output/format.h"
#include "script/lower.h"

#include <string.h>

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

static bool check_assert(struct unit *u, struct expr *e)
{
	return check_condition(u, e->args[0]);
}

/* errorf("assert failed: MSG") and exit(1), unless the condition holds. */
static ref lower_assert(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	blkid fails = ir_block(b), holds = ir_block(b);
	struct format_piece *text = arena_new(u->c->arena, struct format_piece);
	const char *msg;
	size_t len;

	literal_text(u, e->args[1], &msg, &len);
	text->text = arena_printf(u->c->arena, "assert failed: %s", msg);
	text->len = strlen(text->text);

	lower_cond(u, e->args[0], holds, fails);
	ir_start(b, fails);
	struct plan_event *ev = event_new(u, EV_ERRORF, e->span);
	ev->format = (struct format){ .pieces = text, .npieces = 1 };
	event_send(u, ev, NULL, 0);
	request_exit(u, e->span, ir_const(b, 1));
	ir_jmp(b, holds);
	ir_start(b, holds);
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
	{ "assert", "none assert(raw, lit)", BI_STMT, check_assert, .lower = lower_assert,
	  .doc = "Ends the session with an error and status 1 unless the condition holds." },
	LATER("skboutput"),
	LATER("unwatch"),

	LATER("dw_ustack"),
	{ 0 },
};
