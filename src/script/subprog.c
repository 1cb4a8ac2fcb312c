/*
 * Functions of the script (reference section 1.5): fn name($a: type, ...): type { body }.
 *
 * A call is written out: it has a copy of the body with variables of its own, which the
 * lowering builds in place of the call.  So values of every kind can be passed, nothing is
 * shared out of the 512 bytes of stack, and what is known of an argument is known in the body.
 */
#include "script/unit.h"

#include "builtin/builtin.h"

#include <string.h>

/* Calls within calls double the code at each level; this many bodies in one program will do. */
enum { BODIES_MAX = 512 };

struct subprog *subprog_find(const struct unit *u, const char *name)
{
	for (struct subprog *f = u->c->script->subprogs; f; f = f->next)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

void declare_subprogs(struct compiler *c)
{
	struct unit u = { .c = c };

	for (struct subprog *f = c->script->subprogs; f; f = f->next) {
		const struct subprog *first = subprog_find(&u, f->name);

		if (first == f)
			continue;
		const char *what = arena_printf(c->arena, "function '%s'", f->name);
		diag_note(diag(c->dx, E0010_TWICE, f->head, what), first->head,
			  "the first one");
	}
}

static struct var_sym *add_var(struct compiler *c, struct inlined *in, const char *name,
			       struct span span, const struct type *t)
{
	struct var_sym *v = arena_new(c->arena, struct var_sym);

	*v = (struct var_sym){
		.name = name,
		.type = t,
		.declared_type = true,
		.assigned = true,
		.span = span,
	};
	strmap_sets(&in->vars, name, v);
	return v;
}

/* Parameters and result get their types; false when one of them is none. */
static bool give_types(struct unit *u, struct inlined *in)
{
	const struct subprog *f = in->f;
	struct compiler *c = u->c;
	bool ok = true;

	for (unsigned i = 0; i < f->nparams; i++) {
		const struct type *t = resolve_type(u, f->param_types[i]);

		if (t && t->kind == T_NONE)
			diag(c->dx, E0118_VALUE_TYPE, f->param_types[i]->span, type_text(c, t),
			     "a parameter");
		ok &= t && t->kind != T_NONE && !type_is_error(t);
		in->params[i] = add_var(c, in, f->params[i], f->param_types[i]->span,
					t ? t : &type_error);
	}

	const struct type *ret = resolve_type(u, f->ret);
	if (ret && ret->kind != T_NONE && !type_is_error(ret))
		in->result =
			add_var(c, in, arena_printf(c->arena, "the result of %s()", f->name),
				f->ret->span, ret);
	return ok && ret && !type_is_error(ret);
}

static struct inlined *inlined_new(struct unit *u, struct subprog *f, struct stmt *body)
{
	struct inlined *in = arena_new(u->c->arena, struct inlined);

	in->f = f;
	in->body = body;
	in->params = arena_array(u->c->arena, struct var_sym *, f->nparams + 1);
	strmap_init(&in->vars, u->c->arena);
	in->ok = give_types(u, in);
	return in;
}

/* The body, with nothing of the caller in sight. */
static void check_body(struct unit *u, struct inlined *in)
{
	struct strmap vars = u->vars, closed = u->closed;
	struct scope *scope = u->scope;
	int loops = u->loops, dead = u->dead;
	bool ended = u->ended;

	in->up = u->in;
	u->in = in;
	u->vars = in->vars;
	u->scope = NULL;
	strmap_init(&u->closed, u->c->arena);
	u->loops = u->dead = 0;
	check_block(u, in->body);
	if (in->body->value) {
		if (!in->result)
			in->body->value->unused = true;
		else if (!type_is_error(check_value(u, in->body->value)))
			var_assigned(u, in->result, in->body->value);
	} else if (in->result && !u->ended && u->c->final) {
		diag(u->c->dx, E0151_NO_RETURN, in->f->head, in->f->name);
	}
	in->vars = u->vars;
	u->vars = vars;
	u->closed = closed;
	u->scope = scope;
	u->loops = loops;
	u->dead = dead;
	u->ended = ended;
	u->in = in->up;
}

static bool is_open(const struct unit *u, const struct subprog *f)
{
	for (const struct inlined *in = u->in; in; in = in->up)
		if (in->f == f)
			return true;
	return false;
}

static void report_recursion(struct unit *u, const struct expr *e)
{
	const char *chain = e->name;

	for (const struct inlined *in = u->in; in; in = in->up)
		chain = arena_printf(u->c->arena, "%s > %s", in->f->name, chain);
	diag(u->c->dx, E0152_FN_RECURSIVE, e->span, chain);
}

static bool check_args(struct unit *u, struct expr *e, const struct subprog *f)
{
	bool ok = true;

	for (unsigned i = 0; i < e->nargs; i++)
		ok &= !type_is_error(check_value(u, e->args[i]));
	if (e->nargs == f->nparams)
		return ok;

	struct diag *d =
		diag(u->c->dx, E0301_ARITY, e->span,
		     arena_printf(u->c->arena, "%s() requires %u argument%s (%u provided)",
				  f->name, f->nparams, f->nparams == 1 ? "" : "s", e->nargs));
	diag_note(d, f->head, "the function");
	return false;
}

const struct type *check_subprog_call(struct unit *u, struct expr *e)
{
	struct subprog *f = subprog_find(u, e->name);
	struct inlined *in = e->data;
	bool ok = check_args(u, e, f);

	if (is_open(u, f)) {
		report_recursion(u, e);
		return &type_error;
	}
	if (!in && u->nbodies == BODIES_MAX) {
		diag(u->c->dx, E0401_TOO_BIG, e->span,
		     arena_printf(
			     u->c->arena,
			     "calls of functions within functions make more than %d bodies",
			     BODIES_MAX));
		return &type_error;
	}
	if (!in) {
		u->nbodies++;
		e->stmt = stmt_clone(u->c->arena, f->body);
		e->data = in = inlined_new(u, f, e->stmt);
	}
	f->used = true;
	for (unsigned i = 0; ok && i < f->nparams; i++)
		var_assigned(u, in->params[i], e->args[i]);
	if (!in->ok) {
		give_types(u, in); /* says why, when it is time to */
		return &type_error;
	}
	check_body(u, in);
	return in->result ? in->result->type : &type_none;
}

void check_return(struct unit *u, struct stmt *s)
{
	struct compiler *c = u->c;
	struct inlined *in = u->in;
	const struct type *t = s->e ? check_value(u, s->e) : &type_none;

	if (type_is_error(t))
		return;
	if (!in) {
		if (s->e && !type_is_integral(t))
			diag(c->dx, E0118_VALUE_TYPE, s->e->span, type_text(c, t),
			     "the return value of a probe");
		return;
	}
	if (!in->result && s->e) {
		diag(c->dx, E0153_RETURN, s->e->span, in->f->name, "nothing", type_text(c, t));
	} else if (in->result && !s->e) {
		diag(c->dx, E0153_RETURN, s->span, in->f->name, type_text(c, in->result->type),
		     "nothing");
	} else if (in->result) {
		if (!s->target)
			s->target = arena_new(c->arena, struct expr);
		*s->target = (struct expr){
			.kind = E_VAR,
			.span = s->span,
			.name = in->result->name,
			.var = in->result,
			.type = in->result->type,
		};
		var_assigned(u, in->result, s->e);
	}
}

/* A function that nobody calls is checked for its own sake, once. */
void check_uncalled(struct unit *u)
{
	for (struct subprog *f = u->c->script->subprogs; f; f = f->next) {
		if (f->used)
			continue;
		if (!f->alone)
			f->alone = inlined_new(u, f, f->body);
		if (f->alone->ok)
			check_body(u, f->alone);
		else
			give_types(u, f->alone);
	}
}
