/*
 * Builtins whose value is known when the script is compiled: what a type is, what the kernel
 * has, what the command line says.
 */
#include "builtin/builtin.h"

#include "output/format.h"
#include "script/foreign.h"
#include "script/lower.h"
#include "types/kernel_types.h"

#include <string.h>

static bool is_now(struct expr *e, bool v)
{
	e->is_const = true;
	e->const_value = v;
	e->type = &type_bool;
	return true;
}

static bool check_is_ptr(struct unit *u, struct expr *e)
{
	(void)u;
	return is_now(e, e->args[0]->type->kind == T_PTR);
}

static bool check_is_str(struct unit *u, struct expr *e)
{
	(void)u;
	return is_now(e, e->args[0]->type->kind == T_STRING);
}

static bool check_is_array(struct unit *u, struct expr *e)
{
	(void)u;
	return is_now(e, e->args[0]->type->kind == T_ARRAY);
}

static bool check_is_integer(struct unit *u, struct expr *e)
{
	(void)u;
	return is_now(e, e->args[0]->type->kind == T_INT);
}

static bool check_is_unsigned(struct unit *u, struct expr *e)
{
	const struct type *t = e->args[0]->type;

	(void)u;
	return is_now(e, t->kind == T_INT && !t->is_signed && !t->flexible);
}

static bool check_is_literal(struct unit *u, struct expr *e)
{
	const struct expr *a = e->args[0];

	(void)u;
	return is_now(e, a->is_const || a->kind == E_STRING);
}

/* Was the map used with a key? Only the last pass knows all uses. */
static bool check_is_scalar(struct unit *u, struct expr *e)
{
	(void)u;
	return is_now(e, !e->args[0]->map->keyed);
}

static bool check_probetype(struct unit *u, struct expr *e)
{
	const char *name = u->group->provider->name;

	become_string(u->c, e, name, strlen(name));
	return true;
}

/* The BTF id of the function that is named, 0 when the kernel has none. */
static uint32_t kfunc_named(struct unit *u, struct expr *e)
{
	const struct btf *btf = kernel_btf(u->c->tt, NULL);
	const char *name;
	size_t len;

	literal_text(u, e->args[0], &name, &len);
	return btf ? btf_find(btf, BTF_FUNCS, name) : 0;
}

static bool check_kfunc_exist(struct unit *u, struct expr *e)
{
	return is_now(e, kfunc_named(u, e));
}

static bool check_kfunc_allowed(struct unit *u, struct expr *e)
{
	uint32_t id = kfunc_named(u, e);

	return is_now(e, id && foreign_is_allowed(u, id));
}

static bool check_static_assert(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const struct expr *cond = e->args[0];
	const char *msg;
	size_t len;

	if (!cond->is_const) {
		diag(c->dx, E0302_ARG_TYPE, cond->span,
		     "static_assert() expects a condition that is known at compile time");
		return false;
	}
	if (cond->const_value || u->dead)
		return true;
	literal_text(u, e->args[1], &msg, &len);
	diag(c->dx, E0309_SCRIPT_FAILS, e->span,
	     arena_printf(c->arena, "static assertion failed: %s", msg));
	return false;
}

/* A value that is known now, for the text of a message. */
static bool known_value(struct unit *u, struct expr *e, struct value *v)
{
	const char *s;
	size_t len;

	*v = (struct value){};
	if (literal_text(u, e, &s, &len)) {
		*v = (struct value){ .kind = V_STRING, .text = s, .len = len };
		return true;
	}
	if (!e->is_const)
		return false;
	v->kind = e->type->kind == T_BOOL ? V_BOOL : e->num_unsigned ? V_UINT : V_INT;
	v->i = e->const_value;
	return true;
}

/* fail() in a branch that is never taken says nothing. */
static bool check_fail(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	struct value *args = arena_array(c->arena, struct value, e->nargs);
	struct sb text = {};
	struct format f;
	const char *fmt;
	size_t len;

	literal_text(u, e->args[0], &fmt, &len);
	format_parse(c->arena, fmt, len, &f);
	if (f.nconvs != e->nargs - 1) {
		diag(c->dx, E0304_FORMAT_ARGS, e->span,
		     e->nargs - 1 < f.nconvs ? "not enough" : "too many", e->nargs - 1,
		     f.nconvs);
		return false;
	}
	for (unsigned i = 1; i < e->nargs; i++) {
		if (!known_value(u, e->args[i], &args[i - 1])) {
			diag(c->dx, E0302_ARG_TYPE, e->args[i]->span,
			     "fail() expects values that are known at compile time");
			return false;
		}
	}
	if (u->dead)
		return true;
	format_run(&f, args, &text);
	diag(c->dx, E0309_SCRIPT_FAILS, e->span,
	     arena_strndup(c->arena, sb_str(&text), text.len));
	sb_free(&text);
	return false;
}

static ref lower_nothing(struct unit *u, struct expr *e)
{
	(void)u, (void)e;
	return 0;
}

BUILTINS(constant) = {
	{ "is_ptr", "? is_ptr(any)", 0, check_is_ptr, .doc = "Is the value a pointer?" },
	{ "is_str", "? is_str(any)", 0, check_is_str, .doc = "Is the value a string?" },
	{ "is_array", "? is_array(any)", 0, check_is_array, .doc = "Is the value an array?" },
	{ "is_integer", "? is_integer(any)", 0, check_is_integer,
	  .doc = "Is the value an integer?" },
	{ "is_unsigned_integer", "? is_unsigned_integer(any)", 0, check_is_unsigned,
	  .doc = "Is the value an integer of an unsigned type?" },
	{ "is_literal", "? is_literal(any)", 0, check_is_literal,
	  .doc = "Is the value known when the script is compiled?" },
	{ "is_scalar", "? is_scalar(map)", 0, check_is_scalar,
	  .doc = "Is the map one without keys?" },
	{ "probetype", "? probetype()", BI_BARE, check_probetype,
	  .doc = "The kind of probe as text: \"kprobe\", \"tracepoint\" ..." },
	{ "kfunc_exist", "? kfunc_exist(lit)", 0, check_kfunc_exist,
	  .doc = "Has the kernel such a function, by its types?" },
	{ "kfunc_allowed", "? kfunc_allowed(lit)", 0, check_kfunc_allowed,
	  .doc = "May programs of this kind of probe call that kernel function?" },
	{ "static_assert", "none static_assert(any, lit)", BI_STMT, check_static_assert,
	  .lower = lower_nothing,
	  .doc = "Refuses to compile the script unless the condition is true." },
	{ "fail", "none fail(lit, any...)", BI_STMT, check_fail, .lower = lower_nothing,
	  .doc = "Refuses to compile the script where this could be reached." },
	{ 0 },
};
