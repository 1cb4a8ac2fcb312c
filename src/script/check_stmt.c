/*
 * The checker of statements.
 */
#include "builtin/builtin.h"
#include "script/unit.h"

#include <string.h>

/* The literal's value must fit a declared type; a wider value is cut with a warning. */
static bool check_declared(struct unit *u, struct var_sym *v, const struct expr *e)
{
	const struct type *have = v->type, *t = e->type;

	if (have->kind != T_INT || t->kind != T_INT)
		return true;
	if (e->is_const) {
		unsigned shift = 64 - have->size * 8;
		uint64_t bits = (uint64_t)e->const_value << shift;
		int64_t cut =
			have->is_signed ? (int64_t)bits >> shift : (int64_t)(bits >> shift);

		if (cut == e->const_value)
			return true;
		diag(u->c->dx, E0127_LITERAL_FIT, e->span, (long long)e->const_value,
		     type_text(u->c, have));
		return false;
	}
	if (t->size > have->size && u->c->final)
		diag(u->c->dx, W0110_NARROWING, e->span, type_text(u->c, t),
		     type_text(u->c, have));
	return true;
}

static bool storable(const struct type *t)
{
	return t->kind != T_NONE && t->kind != T_FUNC;
}

void var_assigned(struct unit *u, struct var_sym *v, const struct expr *e)
{
	struct compiler *c = u->c;
	const struct type *t = e->type;

	v->assigned = true;
	v->empty_in = 0;
	if (type_is_error(t))
		return;
	if (!storable(t)) {
		diag(c->dx, E0118_VALUE_TYPE, e->span, type_text(c, t),
		     arena_printf(c->arena, "assigned to %s", v->name));
		return;
	}
	if (v->declared_type) {
		if (!unify(c, v->type, t))
			diag(c->dx, E0109_VAR_TYPE, e->span, v->name, type_text(c, t),
			     type_text(c, v->type));
		else
			check_declared(u, v, e);
		/* A pointer's type as written does not say whose memory it points into. */
		if (v->type->kind == T_PTR && t->kind == T_PTR && v->type->as == AS_NONE)
			v->type = type_in_space(c->tt, v->type, t->as);
		return;
	}

	const struct type *now = v->type ? unify(c, v->type, t) : t;
	if (!now) {
		struct diag *d = diag(c->dx, E0109_VAR_TYPE, e->span, v->name, type_text(c, t),
				      type_text(c, v->type));

		diag_note(d, v->span, "the variable got its type here");
		return;
	}
	/* A field keeps its width, which bswap() goes by; a literal may still grow. */
	if (now->kind != T_INT || now->flexible)
		now = widened(c, now);
	if (!v->type || !type_same(v->type, now) || v->type->flexible != now->flexible) {
		v->type = now;
		c->changed = true;
	}
}

static void assign_var(struct unit *u, struct stmt *s)
{
	struct var_sym *v = s->target->var = scope_assign(u, s);

	var_assigned(u, v, s->e);
	s->target->type = v->type ? v->type : &type_error;
}

static bool is_agg_call(const struct expr *e)
{
	const struct builtin *b =
		e->kind == E_CALL || e->kind == E_NAME ? builtin_find(e->name) : NULL;

	return b && (b->flags & BI_AGG);
}

static void assign_map(struct unit *u, struct stmt *s)
{
	struct map_sym *m = check_map_use(u, s->target);
	const struct type *t = s->e->type;

	if (type_is_agg(t) && !is_agg_call(s->e)) {
		diag(u->c->dx, E0119_AGG_ASSIGN, s->e->span, type_text(u->c, t));
		return;
	}
	map_assigned(u, m, t, s->span);
	s->target->type = m->value ? m->value : &type_error;
}

/* @x op= e is @x = @x op e; the tree keeps the short form, which can be done in place. */
static void check_compound(struct unit *u, struct stmt *s)
{
	struct expr *both = arena_new(u->c->arena, struct expr);

	if (s->target->kind == E_MAP) { /* a missing value counts as 0 */
		struct map_sym *m = check_map_use(u, s->target);

		check_value(u, s->e);
		if (!m->value && (type_is_integral(s->e->type) || s->e->type->kind == T_FLOAT))
			map_assigned(u, m, s->e->type, s->span);
	}
	*both = (struct expr){
		.kind = E_BINARY, .span = s->span, .op = s->op, .a = s->target, .b = s->e
	};
	check_expr(u, both);
	if (s->target->kind == E_VAR) {
		if (s->target->var)
			var_assigned(u, s->target->var, both);
		return;
	}
	struct map_sym *m = check_map_use(u, s->target);
	if (!type_is_error(both->type))
		map_assigned(u, m, both->type, s->span);
}

static void check_assign(struct unit *u, struct stmt *s)
{
	if (s->target->kind != E_VAR && s->target->kind != E_MAP) {
		struct diag *d = diag(u->c->dx, E0122_TARGET, s->target->span);

		if (s->target->kind == E_NAME && !strcmp(s->target->name, "config"))
			diag_hint(d, "config = { ... } stands before the probes");
		else if (s->target->kind == E_NAME && !builtin_find(s->target->name))
			diag_hint(d, "a variable is written $%s, a map @%s", s->target->name,
				  s->target->name);
		return;
	}
	if (s->op >= 0) {
		check_compound(u, s);
		return;
	}
	if (s->target->kind == E_MAP && is_agg_call(s->e)) {
		check_expr(u, s->e);
	} else if (check_expr(u, s->e)->kind == T_NONE) {
		check_value(u, s->e); /* reports */
		return;
	} else if (s->target->kind == E_VAR) {
		check_value(u, s->e);
	}
	if (s->target->kind == E_VAR)
		assign_var(u, s);
	else
		assign_map(u, s);
}

static void check_let(struct unit *u, struct stmt *s)
{
	struct compiler *c = u->c;
	struct var_sym *v = s->target->var, *old = scope_find(u, s->target->name);

	if (old && old != v) {
		struct diag *d =
			diag(c->dx, E0126_REDECLARED, s->target->span, s->target->name);

		diag_note(d, old->span, "the first declaration");
		return;
	}
	if (!v) {
		v = s->target->var = var_new(u, s->target->name, s->target->span);
		if (s->tname) {
			v->type = resolve_type(u, s->tname);
			v->declared_type = v->type != NULL;
		}
	}
	if (s->e) {
		check_value(u, s->e);
		var_assigned(u, v, s->e);
	} else if (c->final && !v->assigned && !v->declared_type) {
		diag(c->dx, W0106_NEVER_ASSIGNED, s->span, v->name);
	}
	v->empty_in = s->e ? 0 : u->pass;
	s->target->type = v->type ? v->type : &type_error;
	scope_declare(u, v);
}

void check_block(struct unit *u, struct stmt *s)
{
	struct scope scope;

	scope_open(u, &scope);
	u->ended = false;
	for (struct stmt *i = s->first; i; i = i->next) {
		if (u->ended && u->c->final)
			diag(u->c->dx, W0105_UNREACHABLE, i->span);
		u->ended = false;
		check_stmt(u, i);
	}
	if (s->value)
		check_expr(u, s->value);
	scope_close(u);
}

/* A branch that a known condition rules out is checked, but fail() may stand there. */
static void check_branch(struct unit *u, struct stmt *s, bool dead)
{
	u->dead += dead;
	check_stmt(u, s);
	u->dead -= dead;
}

static struct stmt *empty_block(struct unit *u)
{
	struct stmt *s = arena_new(u->c->arena, struct stmt);

	s->kind = S_BLOCK;
	return s;
}

/*
 * if comptime: the branch not taken is dropped unseen. Returns false when nothing is left to
 * check; else the statement is an ordinary if, whose condition is a constant.
 */
static bool check_taken(struct unit *u, struct stmt *s)
{
	if (!s->e->is_const) {
		if (!type_is_error(s->e->type))
			diag(u->c->dx, E0138_COMPTIME, s->e->span);
		return false;
	}
	if (s->e->const_value)
		s->els = NULL;
	else
		s->body = empty_block(u);
	return true;
}

static void check_if(struct unit *u, struct stmt *s)
{
	check_condition(u, s->e);
	if (s->comptime && !check_taken(u, s))
		return;
	check_branch(u, s->body, s->e->is_const && !s->e->const_value);
	bool ended = u->ended;
	u->ended = false;
	if (s->els)
		check_branch(u, s->els, s->e->is_const && s->e->const_value);
	u->ended = ended && s->els && u->ended;
}

static void check_unroll(struct unit *u, struct stmt *s)
{
	const struct type *t = check_value(u, s->e);

	if (!type_is_error(t) && !s->e->is_const)
		diag(u->c->dx, E0130_UNROLL, s->e->span, "needs a constant number");
	else if (s->e->is_const && s->e->const_value > 100)
		diag(u->c->dx, E0130_UNROLL, s->e->span, "maximum value is 100");
	else if (s->e->is_const && s->e->const_value < 1)
		diag(u->c->dx, E0130_UNROLL, s->e->span, "minimum value is 1");
	check_block(u, s->body);
	u->ended = false;
}

static void check_while(struct unit *u, struct stmt *s)
{
	check_condition(u, s->e);
	u->loops++;
	check_block(u, s->body);
	u->loops--;
	u->ended = false;
}

/* for ($i : a..b): $i is a copy, of the body only. */
static void check_range(struct unit *u, struct stmt *s)
{
	struct compiler *c = u->c;
	struct scope scope;
	struct expr *ends[2] = { s->e, s->e2 };
	struct var_sym *v = s->target->var;

	for (int i = 0; i < 2; i++)
		if (!type_is_integral(check_value(u, ends[i])) && !type_is_error(ends[i]->type))
			diag(c->dx, E0302_ARG_TYPE, ends[i]->span,
			     arena_printf(c->arena,
					  "loop range requires an integer (%s provided)",
					  type_text(c, ends[i]->type)));
	if (scope_find(u, s->target->name)) {
		diag(c->dx, E0126_REDECLARED, s->target->span, s->target->name);
		return;
	}
	if (!v) {
		v = s->target->var = var_new(u, s->target->name, s->target->span);
		v->assigned = v->declared_type = true;
	}
	v->type = type_int(c->tt, 8, signed_pair(s->e->type, s->e2->type));
	s->target->type = v->type;

	scope_open(u, &scope);
	scope_declare(u, v);
	u->loops++;
	check_block(u, s->body);
	u->loops--;
	scope_close(u);
	u->ended = false;
}

/* ($key, $value) as the body of a loop sees them; NULL when that cannot be said (yet). */
static const struct type *entry_type(struct unit *u, const struct expr *e)
{
	struct compiler *c = u->c;
	const struct map_sym *m = e->map;
	const struct type *parts[2] = { m->key, m->value };

	if (!m->value) {
		report_undefined(u, e);
		return NULL;
	}
	if (!m->keyed) {
		if (c->final)
			diag(c->dx, E0144_LOOP_SCALAR, e->span, m->name);
		return NULL;
	}
	if (m->value->is_float && type_is_castable_agg(m->value)) {
		parts[1] = &type_double;
	} else if (type_is_castable_agg(m->value)) {
		parts[1] = type_int(c->tt, 8, m->value->is_signed);
	} else if (type_is_agg(m->value)) {
		diag(c->dx, E0143_LOOP_TYPE, e->span, type_text(c, m->value));
		return NULL;
	}
	return m->key ? type_tuple(c->tt, parts, 2) : NULL;
}

bool kernel_lacks(struct unit *u, const char *helper)
{
	struct probe_env *env = u->c->opt->env;

	return !probe_has_feature(env, helper) && probe_has_feature(env, "hash");
}

/* for ($kv : @m): $kv is a copy of an entry, of the body only. */
static void check_for_map(struct unit *u, struct stmt *s)
{
	struct compiler *c = u->c;
	struct scope scope;
	struct var_sym *v = s->target->var;

	if (s->e->key) {
		diag(c->dx, E0302_ARG_TYPE, s->e->span,
		     "a for loop goes over a map, not over one of its values");
		return;
	}
	if (c->final && kernel_lacks(u, "for_each_map_elem"))
		diag(c->dx, E0402_FEATURE, s->span,
		     "for_each_map_elem, for a loop over a map (Linux 5.13)");
	map_of(u, s->e);
	s->e->type = &type_none;
	if (scope_find(u, s->target->name)) {
		diag(c->dx, E0126_REDECLARED, s->target->span, s->target->name);
		return;
	}
	if (!v) {
		v = s->target->var = var_new(u, s->target->name, s->target->span);
		v->assigned = v->declared_type = true;
	}
	v->type = entry_type(u, s->e);
	if (!v->type)
		v->type = &type_error;
	s->target->type = v->type;

	scope_open(u, &scope);
	scope_declare(u, v);
	u->loops++;
	u->map_loops++;
	check_block(u, s->body);
	u->map_loops--;
	u->loops--;
	scope_close(u);
	u->ended = false;
}

/* A value that nobody uses; calls made for their effect are rows with BI_STMT. */
static void check_discarded(struct unit *u, struct stmt *s)
{
	s->e->unused = true;
	const struct type *t = check_expr(u, s->e);
	bool effect = s->e->kind == E_INCDEC ||
		      (s->e->builtin && (s->e->builtin->flags & BI_STMT)) ||
		      s->e->kind == E_COND || s->e->kind == E_BLOCK || s->e->kind == E_IF;

	if (is_agg_call(s->e) && !type_is_error(t))
		agg_alone(u, s->e);
	else if (u->c->final && t->kind != T_NONE && !type_is_error(t) && !effect)
		diag(u->c->dx, W0104_DISCARDED, s->e->span);
	if (s->e->builtin && !strcmp(s->e->builtin->name, "exit")) {
		if (u->map_loops)
			diag(u->c->dx, E0129_CONTROL, s->span, "exit", "for-loop");
		u->ended = true;
	}
}

void check_stmt(struct unit *u, struct stmt *s)
{
	switch (s->kind) {
	case S_EXPR: check_discarded(u, s); break;
	case S_DISCARD: check_expr(u, s->e); break;
	case S_LET: check_let(u, s); break;
	case S_ASSIGN: check_assign(u, s); break;
	case S_IF: check_if(u, s); break;
	case S_WHILE: check_while(u, s); break;
	case S_UNROLL: check_unroll(u, s); break;
	case S_FOR_MAP: check_for_map(u, s); break;
	case S_FOR_RANGE: check_range(u, s); break;
	case S_BREAK:
	case S_CONTINUE:
		if (!u->loops)
			diag(u->c->dx, E0129_CONTROL, s->span,
			     s->kind == S_BREAK ? "break" : "continue",
			     u->in ? "function" : "probe");
		u->ended = true;
		break;
	case S_RETURN:
		check_return(u, s);
		u->ended = true;
		break;
	case S_BLOCK: check_block(u, s); break;
	case S_IMPORT: break; /* import.c has read it */
	}
}

void check_unit(struct unit *u)
{
	struct scope top;

	u->pass++;
	u->scope = NULL;
	strmap_init(&u->closed, u->c->arena);
	scope_open(u, &top);
	if (u->pred)
		check_condition(u, u->pred);
	check_block(u, u->body);
	u->scope = NULL;
	if (u == u->c->units.data[0])
		check_uncalled(u);
}
