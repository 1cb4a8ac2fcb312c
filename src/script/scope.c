/*
 * Where a variable is known (reference section 1.3, Scoping): from its first assignment, or its
 * let, to the end of the block.
 *
 * Up to bpftrace 0.21 a variable without let was known in the whole rest of the probe.  So one
 * that is used behind its block, where no other has the name, becomes one of the whole probe
 * (it is hoisted), with a warning; the types are settled in several passes, and from the next
 * one on it is.
 */
#include "script/unit.h"

#include <string.h>

struct var_sym *var_new(struct unit *u, const char *name, struct span span)
{
	struct var_sym *v = arena_new(u->c->arena, struct var_sym);

	v->name = name;
	v->span = span;
	return v;
}

void scope_open(struct unit *u, struct scope *s)
{
	*s = (struct scope){ .up = u->scope, .id = ++u->nscopes };
	u->scope = s;
}

void scope_close(struct unit *u)
{
	struct scope *s = u->scope;

	vec_each(v, &s->vars) {
		if ((*v)->implicit)
			strmap_sets(&u->closed, (*v)->name, *v);
	}
	u->scope = s->up;
}

void scope_declare(struct unit *u, struct var_sym *v)
{
	vec_push(u->c->arena, &u->scope->vars, v);
}

struct var_sym *scope_find(struct unit *u, const char *name)
{
	for (struct scope *s = u->scope; s; s = s->up)
		for (size_t i = 0; i < s->vars.len; i++)
			if (!strcmp(s->vars.data[i]->name, name))
				return s->vars.data[i];
	return strmap_gets(&u->vars, name);
}

static bool is_open(const struct unit *u, unsigned id)
{
	for (const struct scope *s = u->scope; s; s = s->up)
		if (s->id == id)
			return true;
	return false;
}

struct var_sym *scope_use(struct unit *u, const char *name, struct span span)
{
	struct var_sym *v = scope_find(u, name);
	bool known = v && v->pass == u->pass;

	if (v && !v->hoisted)
		return v;
	if (v && known && u->c->final && !v->warned && !is_open(u, v->home)) {
		struct diag *d = diag(u->c->dx, W0114_BLOCK_SCOPE, span, name);

		v->warned = true;
		if (!d->notes)
			diag_note(d, v->span, "it gets its value here");
	}
	if (v)
		return known ? v : NULL;
	v = strmap_gets(&u->closed, name);
	if (v && !u->c->final) {
		v->hoisted = true;
		strmap_sets(&u->vars, name, v);
		u->c->changed = true;
	}
	return v;
}

/* In a pass, the first assignment makes the variable. */
struct var_sym *scope_assign(struct unit *u, struct stmt *s)
{
	const char *name = s->target->name;
	struct var_sym *v = scope_find(u, name);

	s->declares = false;
	if (v && v->hoisted && v->pass != u->pass) {
		v->pass = u->pass;
		v->home = u->scope->id;
	}
	if (v)
		return v;
	v = s->target->var ? s->target->var : var_new(u, name, s->target->span);
	v->implicit = s->declares = true;
	scope_declare(u, v);
	return v;
}

void scope_whole(struct unit *u, const char *name, struct span span)
{
	if (!scope_find(u, name))
		strmap_sets(&u->vars, name, var_new(u, name, span));
}
