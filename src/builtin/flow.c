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

/* delete(@m, key), and the old delete(@m[key]), delete(@scalar) */
static bool check_entry(struct unit *u, struct expr *e)
{
	struct expr *m = e->args[0];

	if (m->kind != E_MAP) {
		diag(u->c->dx, E0302_ARG_TYPE, m->span,
		     arena_printf(u->c->arena, "%s() expects a map", e->name));
		return false;
	}
	if (e->nargs > 1) {
		if (m->key) {
			diag(u->c->dx, E0301_ARITY, e->span,
			     arena_printf(
				     u->c->arena,
				     "%s() takes the key in the map's brackets or as the second argument, not both",
				     e->name));
			return false;
		}
		m->key = e->args[1];
		e->nargs = 1;
	}
	struct map_sym *sym = check_map_use(u, m);
	if (!sym->value) {
		report_undefined(u, m);
		return false;
	}
	if (sym->value && type_is_agg(sym->value) && !m->key) {
		not_yet(u, e->span, "%s() of a scalar aggregate", e->name);
		return false;
	}
	return true;
}

static bool check_delete(struct unit *u, struct expr *e)
{
	if (!check_entry(u, e))
		return false;
	e->args[0]->map->deleted = true;
	return true;
}

static ref lower_delete(struct unit *u, struct expr *e)
{
	return lower_map_delete(u, e->args[0], !e->unused, e->span);
}

static ref lower_has_key(struct unit *u, struct expr *e)
{
	return lower_map_has(u, e->args[0]);
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
	{ "delete", "bool delete(raw, [raw])", BI_STMT, check_delete, .lower = lower_delete,
	  .doc = "Removes a key; true if it was there." },
	{ "has_key", "bool has_key(raw, [raw])", 0, check_entry, .lower = lower_has_key,
	  .doc = "Is there such a key?" },
	LATER("ustack"),
	LATER("usym"),

	LATER("reg"),
	LATER("kaddr"),
	LATER("uaddr"),
	LATER("percpu_kaddr"),

	LATER("pton"),

	LATER("cgroupid"),
	LATER("cgroup_path"),


	LATER("path"),
	LATER("tseries"),
	LATER("find"),
	LATER("len"),
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
