/*
 * The checker of expressions: every node gets its type, every name its meaning.
 */
#include "builtin/builtin.h"
#include "script/foreign.h"
#include "script/habit.h"
#include "script/match.h"
#include "script/unit.h"
#include "types/kernel_types.h"

#include <stdio.h>
#include <string.h>

void agg_alone(struct unit *u, const struct expr *e)
{
	bool plain = !strcmp(e->name, "count");

	diag_hint(diag(u->c->dx, E0306_AGG_ALONE, e->span, e->name), "e.g. `@a = %s(%s);`",
		  e->name, plain ? "" : "...");
}

const struct type *check_value(struct unit *u, struct expr *e)
{
	const struct type *t = check_expr(u, e);

	if (t->kind == T_NONE) {
		const char *what = e->name ? arena_printf(u->c->arena, "%s()", e->name)
					   : "this expression";

		diag(u->c->dx, E0120_NO_VALUE, e->span, what);
		return e->type = &type_error;
	}
	if (e->builtin && (e->builtin->flags & BI_AGG)) {
		agg_alone(u, e);
		return e->type = &type_error;
	}
	if (type_is_castable_agg(t) && t->is_float)
		return e->type = &type_double;
	if (type_is_castable_agg(t))
		return e->type = type_int(u->c->tt, 8, t->is_signed);
	if (type_is_agg(t)) {
		diag(u->c->dx, E0118_VALUE_TYPE, e->span, type_text(u->c, t),
		     "used in an expression");
		return e->type = &type_error;
	}
	return t;
}

bool check_condition(struct unit *u, struct expr *e)
{
	const struct type *t = check_value(u, e);

	if (type_is_error(t))
		return false;
	if (type_is_integral(t) || t->kind == T_PTR)
		return true;
	diag(u->c->dx, E0114_CONDITION, e->span, type_text(u->c, t));
	return false;
}

static const struct type *check_var(struct unit *u, struct expr *e)
{
	struct var_sym *v = scope_use(u, e->name, e->span);

	if (!v) {
		if (!u->probe->damaged)
			diag(u->c->dx, E0104_UNDEFINED_VAR, e->span, e->name);
		return &type_error;
	}
	e->var = v;
	if (u->c->final && v->assigned && v->empty_in == u->pass) {
		diag(u->c->dx, W0117_EMPTY_VAR, e->span, v->name);
		v->empty_in = 0;
	}
	if (v->type)
		return v->type;
	if (u->c->final && (!v->assigned || !diag_failed(u->c->dx)))
		diag(u->c->dx, E0137_UNASSIGNED, e->span, e->name);
	return &type_error;
}

const struct type *check_place_of(struct unit *u, struct expr *e)
{
	struct var_sym *v = e->kind == E_VAR ? scope_find(u, e->name) : NULL;

	if (v)
		v->empty_in = 0;
	return check_expr(u, e);
}

void report_undefined(struct unit *u, const struct expr *e)
{
	/*
	 * After another mistake the assignment may be what could not be checked; without one,
	 * the map is made of nothing but itself.
	 */
	if (u->c->final && !u->c->damaged && (!e->map->assigned || !diag_failed(u->c->dx)))
		diag(u->c->dx, E0103_UNDEFINED_MAP, e->span, e->name);
}

static const struct type *check_map_read(struct unit *u, struct expr *e)
{
	struct map_sym *m = check_map_use(u, e);

	if (m->value)
		return m->value;
	report_undefined(u, e);
	return &type_error;
}

static const struct type *bad_unary(struct unit *u, struct expr *e, const struct type *t)
{
	const char *op = e->kind != E_INCDEC ? unary_op_text[e->op] : e->op > 0 ? "++" : "--";

	if (!type_is_error(t))
		diag(u->c->dx, E0113_UNARY, e->span, op, type_text(u->c, t));
	return &type_error;
}

static const struct type *check_deref(struct unit *u, struct expr *e, const struct type *t)
{
	if (t->kind == T_INT) /* a number is the address of a 64-bit word */
		return type_int(u->c->tt, 8, false);
	if (t->kind == T_PTR && t->elem->kind != T_NONE && t->elem->kind != T_FUNC)
		return read_type(u->c, t->elem, t->as);
	if (!type_is_error(t))
		diag(u->c->dx, E0125_DEREF, e->span, type_text(u->c, t));
	return &type_error;
}

static const struct type *check_unary(struct unit *u, struct expr *e)
{
	if (e->op == UN_ADDR)
		return check_address(u, e);

	const struct type *t = check_value(u, e->a);

	switch ((enum unary_op)e->op) {
	case UN_NOT:
		if (!type_is_integral(t) && t->kind != T_PTR)
			return bad_unary(u, e, t);
		e->type = &type_bool;
		break;
	case UN_NEG:
		if (t->kind == T_FLOAT)
			return t;
		/* fallthrough */
	case UN_BITNOT:
		if (!type_is_integral(t))
			return bad_unary(u, e, t);
		e->type = type_int(u->c->tt, 8, e->op == UN_NEG || t->is_signed);
		break;
	case UN_DEREF: return check_deref(u, e, t);
	case UN_ADDR: break;
	}
	fold_unary(u, e);
	return e->type;
}

/* A variable that is counted up or down outgrows the number it began with. */
static void outgrow(struct compiler *c, struct var_sym *v)
{
	if (v->declared_type || v->type->kind != T_INT || v->type->size == 8)
		return;
	v->type = widened(c, v->type);
	c->changed = true;
}

static const struct type *check_incdec(struct unit *u, struct expr *e)
{
	struct expr *a = e->a;

	if (a->kind != E_VAR && a->kind != E_MAP) {
		diag(u->c->dx, E0122_TARGET, a->span);
		return &type_error;
	}
	if (a->kind == E_MAP) { /* a missing key counts from 0: this assigns */
		struct map_sym *m = check_map_use(u, a);

		if (!m->value || m->value->kind == T_INT)
			map_assigned(u, m,
				     type_int(u->c->tt, 8, !m->value || m->value->is_signed),
				     e->span);
		a->type = m->value ? m->value : &type_error;
	} else if (!type_is_error(check_place_of(u, a))) {
		outgrow(u->c, a->var);
		a->type = a->var->type;
	}
	if (type_is_error(a->type))
		return a->type;
	if (a->type->kind != T_INT && a->type->kind != T_PTR)
		return bad_unary(u, e, a->type);
	return a->type;
}

static const struct type *bad_binary(struct unit *u, struct expr *e)
{
	const struct type *x = e->a->type, *y = e->b->type;
	bool compare = e->op >= BIN_EQ && e->op <= BIN_GE;

	if (type_is_error(x) || type_is_error(y))
		return &type_error;
	if (compare && x->kind != y->kind)
		diag(u->c->dx, E0136_TYPES, e->span, binary_op_text[e->op], type_text(u->c, x),
		     type_text(u->c, y));
	else
		diag(u->c->dx, E0112_OPERAND, e->span, binary_op_text[e->op],
		     type_text(u->c, x), type_text(u->c, y));
	return &type_error;
}

/* Two numbers of which one is a double, at least. */
static bool floats_meet(const struct type *x, const struct type *y)
{
	return (x->kind == T_FLOAT && (y->kind == T_FLOAT || type_is_integral(y))) ||
	       (y->kind == T_FLOAT && type_is_integral(x));
}

static bool type_is_composite(const struct type *t)
{
	return t->kind == T_TUPLE || t->kind == T_RECORD || t->kind == T_ARRAY ||
	       t->kind == T_STRUCT || t->kind == T_KSTACK || t->kind == T_USTACK;
}

static void warn_signs(struct unit *u, struct expr *e)
{
	const struct type *x = e->a->type, *y = e->b->type;

	if (x->kind != T_INT || y->kind != T_INT || x->flexible || y->flexible)
		return;
	if (x->is_signed != y->is_signed && x->size == 8 && y->size == 8 && u->c->final)
		diag(u->c->dx, W0101_SIGN, e->span, "comparison", type_text(u->c, x),
		     type_text(u->c, y));
}

bool probe_as_text(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;

	if (e->type->kind != T_PROBE)
		return false;
	struct expr *probe = arena_new(c->arena, struct expr);
	*probe = *e;
	*e = (struct expr){ .kind = E_CALL, .name = "str", .span = probe->span, .nargs = 1 };
	e->args = arena_array(c->arena, struct expr *, 1);
	e->args[0] = probe;
	check_expr(u, e);
	return true;
}

/* A literal is compared with the names when the script is compiled. */
static bool is_probe_text(struct unit *u, const struct expr *probe, struct expr *text)
{
	const char *s;
	size_t len;

	return probe->type->kind == T_PROBE && literal_text(u, text, &s, &len);
}

static const struct type *check_compare(struct unit *u, struct expr *e)
{
	const struct type *x = e->a->type, *y = e->b->type;
	bool equality = e->op == BIN_EQ || e->op == BIN_NE;

	if (type_is_integral(x) && type_is_integral(y)) {
		warn_signs(u, e);
		return &type_bool;
	}
	if (floats_meet(x, y))
		return &type_bool;
	if (x->kind == T_PTR && y->kind == T_PTR && !unify(u->c, x, y) && u->c->final)
		diag(u->c->dx, W0107_POINTERS, e->span, type_text(u->c, x), type_text(u->c, y));
	if ((x->kind == T_PTR || x->kind == T_KSYM) &&
	    (type_is_integral(y) || y->kind == x->kind))
		return &type_bool;
	if (y->kind == T_PTR && type_is_integral(x))
		return &type_bool;
	if (x->kind == T_STRING && y->kind == T_STRING &&
	    (equality || (e->a->kind == E_STRING && e->b->kind == E_STRING)))
		return &type_bool;
	if (equality && x->kind == T_PROBE && y->kind == T_PROBE)
		return &type_bool;
	if (equality && (is_probe_text(u, e->a, e->b) || is_probe_text(u, e->b, e->a)))
		return &type_bool;
	if (equality && (x->kind == T_STRING || y->kind == T_STRING) &&
	    (probe_as_text(u, e->a) || probe_as_text(u, e->b)))
		return &type_bool;
	if (equality && type_is_composite(x) && unify(u->c, x, y))
		return &type_bool;
	return bad_binary(u, e);
}

static const struct type *check_logic(struct unit *u, struct expr *e)
{
	const struct type *sides[2] = { e->a->type, e->b->type };

	for (int i = 0; i < 2; i++) {
		const struct type *t = sides[i], *other = sides[!i];

		if (!type_is_integral(t) && t->kind != T_PTR)
			return bad_binary(u, e);
		if (t->kind == T_PTR && other->kind == T_INT)
			return bad_binary(u, e);
	}
	return &type_bool;
}

/*
 * Signed by itself, and so perhaps negative. Not the difference of two unsigned numbers, nor
 * what was kept of one: `(nsecs - @start[tid]) / 1000` deserves no warning.
 */
static bool born_signed(const struct expr *e)
{
	if (!e->type->is_signed || e->type->flexible || e->type->kind != T_INT)
		return false;
	return e->kind != E_VAR && e->kind != E_MAP &&
	       !(e->kind == E_BINARY && e->op == BIN_SUB);
}

static const struct type *check_string(struct unit *u, struct expr *e);

/* Those were numbers before there were bools: scripts count how many of them hold. */
static bool is_comparison(const struct expr *e)
{
	return (e->kind == E_BINARY && e->op >= BIN_EQ && e->op <= BIN_LOR) ||
	       (e->kind == E_UNARY && e->op == UN_NOT);
}

static bool sum_is_bool(const struct expr *e)
{
	return e->a->type->kind == T_BOOL && e->b->type->kind == T_BOOL &&
	       !is_comparison(e->a) && !is_comparison(e->b);
}

static const struct type *check_arith(struct unit *u, struct expr *e)
{
	const struct type *x = e->a->type, *y = e->b->type;
	enum binary_op op = (enum binary_op)e->op;

	if (x->kind == T_PTR || y->kind == T_PTR) {
		if (x->kind == T_PTR && type_is_integral(y) && (op == BIN_ADD || op == BIN_SUB))
			return x;
		if (y->kind == T_PTR && type_is_integral(x) && op == BIN_ADD)
			return y;
		return bad_binary(u, e);
	}
	if (floats_meet(x, y) &&
	    (op == BIN_ADD || op == BIN_SUB || op == BIN_MUL || op == BIN_DIV))
		return &type_double;
	if (!type_is_integral(x) || !type_is_integral(y)) {
		if (op == BIN_ADD && e->a->kind == E_STRING && fold_text(u, e))
			return check_string(u, e);
		return bad_binary(u, e);
	}

	if (x->kind == T_BOOL && y->kind == T_BOOL &&
	    (op == BIN_AND || op == BIN_OR || op == BIN_XOR))
		return &type_bool;
	if (op == BIN_ADD && sum_is_bool(e))
		return &type_bool;
	bool is_signed = op == BIN_SUB || signed_pair(x, y);
	if (op == BIN_SHL || op == BIN_SHR)
		is_signed = x->is_signed && !x->flexible;
	if ((op == BIN_DIV || op == BIN_MOD) && u->c->final &&
	    !(e->a->is_const && e->b->is_const) && (born_signed(e->a) || born_signed(e->b)))
		diag(u->c->dx, W0102_SIGNED_DIV, e->span, binary_op_text[op]);
	return type_int(u->c->tt, 8, is_signed);
}

/* @a = @a + 1 is the only thing that is known of @a: see settle_types(). */
static const struct type *guess_arith(struct unit *u, const struct expr *e)
{
	const struct type *known = type_is_error(e->a->type) ? e->b->type : e->a->type;

	if (u->c->guessing && type_is_integral(known))
		return type_int(u->c->tt, 8, e->op == BIN_SUB || known->is_signed);
	return u->c->guessing && known->kind == T_FLOAT ? &type_double : &type_error;
}

static const struct type *check_binary(struct unit *u, struct expr *e)
{
	if (e->op == BIN_MATCH || e->op == BIN_NOT_MATCH)
		return check_match_operator(u, e);
	check_value(u, e->a);
	check_value(u, e->b);
	if (type_is_error(e->a->type) || type_is_error(e->b->type))
		return e->op >= BIN_EQ && e->op <= BIN_LOR ? &type_bool : guess_arith(u, e);

	if (e->op == BIN_LAND || e->op == BIN_LOR)
		e->type = check_logic(u, e);
	else if (e->op >= BIN_EQ && e->op <= BIN_GE)
		e->type = check_compare(u, e);
	else
		e->type = check_arith(u, e);
	if (type_is_error(e->type) || e->kind != E_BINARY)
		return e->type;
	const struct type *t = e->type;
	fold_binary(u, e);
	if (e->is_const && t->kind == T_BOOL) {
		e->const_value = e->const_value != 0;
		e->type = t;
	}
	return e->type;
}

static const struct type *check_cond(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;

	check_condition(u, e->a);
	if (!e->b)
		e->b = expr_clone(c->arena, e->a);

	const struct type *x = check_expr(u, e->b), *y = check_expr(u, e->c);
	if (x->kind == T_NONE && y->kind == T_NONE)
		return &type_none;
	x = check_value(u, e->b);
	y = check_value(u, e->c);

	const struct type *t = unify(c, x, y);
	if (!t) {
		diag(c->dx, E0115_BRANCHES, e->span, type_text(c, x), type_text(c, y));
		return &type_error;
	}
	return t->kind == T_INT && t->flexible ? type_int(c->tt, 8, true) : t;
}

static void no_field(struct unit *u, struct expr *e, const struct type *t)
{
	struct compiler *c = u->c;
	struct field member;
	struct diag *d = diag(
		c->dx, E0106_NO_FIELD, e->name_span,
		arena_printf(c->arena, "struct/union of type '%s'", type_text(c, t)), e->name);
	const char *best = NULL;
	unsigned dist = 0;
	uint32_t n;
	const struct field *f = type_fields(c->tt, t, &n);

	for (uint32_t i = 0; i < n; i++)
		diag_nearer(e->name, f[i].name, &best, &dist);
	if (best)
		diag_hint(d, "did you mean %s?", best);
	else if (t->dwarf && !t->size)
		diag_hint(d,
			  "the debug information only declares it; clang's has it whole with "
			  "-fstandalone-debug");
	else if (type_member(c->tt, t, e->name, &member))
		diag_hint(d, "members of virtual base classes lie where each object says: they "
			     "are read through its pointer only");
}

static void no_arg(struct unit *u, struct expr *e)
{
	const struct shape *s = &u->shape;
	struct diag *d = diag(u->c->dx, E0106_NO_FIELD, e->name_span, u->target->name, e->name);
	const char *best = NULL;
	unsigned dist = 0;
	char list[200] = "";
	size_t len = 0;

	for (unsigned i = 0; i < s->nargs; i++) {
		diag_nearer(e->name, s->args[i].name, &best, &dist);
		int n = snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
				 s->args[i].name);
		if (n < 0 || (size_t)n >= sizeof(list) - len)
			break;
		len += (size_t)n;
	}
	if (best)
		diag_hint(d, "did you mean %s?", best);
	else if (s->nargs)
		diag_hint(d, "it has: %s", list);
}

static bool is_args(const struct expr *e)
{
	return (e->kind == E_NAME || e->kind == E_CALL) && !strcmp(e->name, "args");
}

static const struct type *check_arg(struct unit *u, struct expr *e)
{
	const struct shape *s = &u->shape;

	builtin_check(u, e->a); /* refuses args where there are none */
	if (type_is_error(e->a->type))
		return &type_error;
	for (unsigned i = 0; i < s->nargs; i++) {
		if (strcmp(s->args[i].name, e->name) != 0)
			continue;
		if (s->args[i].missing) {
			diag(u->c->dx, E0211_ARG_MISSING, e->name_span, e->name,
			     u->target->name, s->args[i].missing);
			return &type_error;
		}
		if (s->args[i].is_unsure)
			diag(u->c->dx, W0212_ARG_UNSURE, e->name_span, e->name,
			     u->target->name);
		e->arg_index = (int)i;
		return read_type(u->c, s->args[i].type, s->arg_space);
	}
	no_arg(u, e);
	return &type_error;
}

/*
 * All arguments as one value: args becomes the record (a = args.a, b = args.b).  Those that
 * cannot be read are left out.
 */
static const struct type *check_all_args(struct unit *u, struct expr *e)
{
	const struct shape *s = &u->shape;
	struct arena *a = u->c->arena;

	builtin_check(u, e);
	if (type_is_error(e->type) || !s->nargs)
		return e->type;

	struct expr record = { .kind = E_RECORD, .span = e->span };
	record.args = arena_array(a, struct expr *, s->nargs);
	record.names = arena_array(a, const char *, s->nargs);
	for (unsigned i = 0; i < s->nargs; i++) {
		struct expr *base = expr_clone(a, e), *part = arena_new(a, struct expr);

		if (s->args[i].missing)
			continue;
		*part = (struct expr){ .kind = E_FIELD,
				       .span = e->span,
				       .name_span = e->span,
				       .name = s->args[i].name,
				       .a = base };
		record.names[record.nargs] = part->name;
		record.args[record.nargs++] = part;
	}
	record.nnames = record.nargs;
	*e = record;
	return check_expr(u, e);
}

static const struct type *check_record_field(struct unit *u, struct expr *e,
					     const struct type *t)
{
	uint32_t n;
	const struct field *f = type_fields(u->c->tt, t, &n);

	for (uint32_t i = 0; i < n; i++) {
		if (!strcmp(f[i].name, e->name)) {
			e->field = f[i];
			return f[i].type;
		}
	}
	diag(u->c->dx, E0106_NO_FIELD, e->name_span, "the record", e->name);
	return &type_error;
}

/* Is it a part of what a pointer into a process's memory points to, and no copy of it? */
static bool is_in_user_memory(const struct expr *e)
{
	while (e->type->kind != T_PTR) {
		bool is_part = (e->kind == E_FIELD && e->arg_index < 0) || e->kind == E_INDEX ||
			       e->kind == E_UNARY;

		if (!is_part)
			return false;
		e = e->a;
	}
	return e->type->as == AS_USER;
}

static const struct type *check_field(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;

	e->arg_index = -1;
	if (is_args(e->a))
		return check_arg(u, e);
	if (e->a->kind == E_TYPEINFO)
		return typeinfo_part(u, e) ? check_expr(u, e) : &type_error;

	const struct type *t = check_value(u, e->a);
	if (type_is_error(t))
		return t;
	if (t->kind == T_RECORD)
		return check_record_field(u, e, t);

	const struct type *s = t->kind == T_PTR ? t->elem : t;
	enum addr_space as = t->kind == T_PTR ? t->as : s->as;
	if (s->kind != T_STRUCT) {
		struct err why = {};

		/* Without the kernel's types curtask is a number; that is what to say of it. */
		if (e->a->builtin && !kernel_btf(c->tt, &why))
			no_kernel_types(u, e->a->span, e->a->builtin->name, &why);
		else
			diag(c->dx, E0124_ACCESS, e->name_span, e->name, type_text(c, t));
		return &type_error;
	}
	if (!type_member(c->tt, s, e->name, &e->field) ||
	    (e->field.vtable_slot && !is_in_user_memory(e->a))) {
		no_field(u, e, s);
		return &type_error;
	}
	return read_type(c, e->field.type, e->field.is_user ? AS_USER : as);
}

static const struct type *check_elem(struct unit *u, struct expr *e)
{
	const struct type *t = check_value(u, e->a);
	uint32_t n;

	if (type_is_error(t))
		return t;
	if (t->kind != T_TUPLE) {
		diag(u->c->dx, E0124_ACCESS, e->span,
		     arena_printf(u->c->arena, "%llu", (unsigned long long)e->num),
		     type_text(u->c, t));
		return &type_error;
	}
	const struct field *f = type_fields(u->c->tt, t, &n);
	if (e->num >= n) {
		diag(u->c->dx, E0128_TUPLE_INDEX, e->span, (long long)e->num, n);
		return &type_error;
	}
	e->field = f[e->num];
	return e->field.type;
}

static const struct type *check_index(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const struct type *t = check_value(u, e->a), *i = check_value(u, e->b);

	if (type_is_error(t) || type_is_error(i))
		return &type_error;
	if (!type_is_integral(i)) {
		diag(c->dx, E0112_OPERAND, e->span, "[]", type_text(c, t), type_text(c, i));
		return &type_error;
	}
	if (t->kind == T_TUPLE && e->b->is_const) {
		e->kind = E_ELEM;
		e->num = (uint64_t)e->b->const_value;
		return check_elem(u, e);
	}
	if (probe_as_text(u, e->a))
		t = e->a->type;
	if (t->kind == T_ARRAY) {
		if (e->b->is_const && t->nelems &&
		    (e->b->const_value < 0 || e->b->const_value >= t->nelems)) {
			diag(c->dx, E0123_INDEX, e->span, (long long)e->b->const_value,
			     t->nelems);
			return &type_error;
		}
		return read_type(c, t->elem, t->as);
	}
	if (t->kind == T_PTR && t->elem->size)
		return read_type(c, t->elem, t->as);
	if (t->kind == T_STRING) {
		if (e->b->is_const && (e->b->const_value < 0 || e->b->const_value >= t->size)) {
			diag(c->dx, E0123_INDEX, e->span, (long long)e->b->const_value,
			     t->size);
			return &type_error;
		}
		return type_int(c->tt, 1, true);
	}
	diag(c->dx, E0112_OPERAND, e->span, "[]", type_text(c, t), type_text(c, i));
	return &type_error;
}

static const struct type *check_tuple(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const struct type **parts = arena_array(c->arena, const struct type *, e->nargs);
	bool ok = true;

	for (unsigned i = 0; i < e->nargs; i++) {
		parts[i] = check_value(u, e->args[i]);
		ok &= !type_is_error(parts[i]);
	}
	if (!ok)
		return &type_error;
	return type_tuple(c->tt, parts, e->nargs);
}

static const struct type *check_record(struct unit *u, struct expr *e)
{
	const struct type *t = check_tuple(u, e);
	uint32_t n;

	if (type_is_error(t))
		return t;
	const struct field *f = type_fields(u->c->tt, t, &n);
	const struct type **parts = arena_array(u->c->arena, const struct type *, n);
	for (uint32_t i = 0; i < n; i++)
		parts[i] = f[i].type;
	return type_record(u->c->tt, e->names, parts, n);
}

/* A block's last expression is its value; without one it has none. */
static const struct type *check_block_value(struct unit *u, struct stmt *s)
{
	check_block(u, s);
	return s->value ? s->value->type : &type_none;
}

static const struct type *check_if_value(struct unit *u, struct stmt *s)
{
	struct compiler *c = u->c;

	check_condition(u, s->e);
	const struct type *x = check_block_value(u, s->body), *y = &type_none;
	if (s->els)
		y = s->els->kind == S_IF ? check_if_value(u, s->els)
					 : check_block_value(u, s->els);
	if (x->kind == T_NONE || y->kind == T_NONE)
		return &type_none;
	const struct type *t = unify(c, x, y);
	if (!t) {
		diag(c->dx, E0115_BRANCHES, s->span, type_text(c, x), type_text(c, y));
		return &type_error;
	}
	return widened(c, t);
}

static const struct type *check_comptime(struct unit *u, struct expr *e)
{
	const struct type *t = check_value(u, e->a);

	if (!type_is_error(t) && !e->a->is_const && e->a->kind != E_STRING) {
		diag(u->c->dx, E0138_COMPTIME, e->span);
		return &type_error;
	}
	e->is_const = e->a->is_const;
	e->const_value = e->a->const_value;
	e->num_unsigned = e->a->num_unsigned;
	return t;
}

static const struct type *check_call(struct unit *u, struct expr *e)
{
	const struct c_macro *m = cfront_find_macro(u->c->cf, e->name);
	if (m && m->function_like)
		return expand_c_macro(u, e, m);
	if (is_args(e))
		return check_all_args(u, e);
	if (macro_find(u, e->name))
		return expand_macro(u, e);
	if (subprog_find(u, e->name))
		return check_subprog_call(u, e);
	struct foreign *f = foreign_find(u, e->name);
	if (f)
		return foreign_check_call(u, e, f);
	if (builtin_find(e->name))
		return builtin_check(u, e);
	f = foreign_of_kernel(u, e->name);
	if (f)
		return foreign_check_call(u, e, f);

	for (unsigned i = 0; i < e->nargs; i++)
		check_expr(u, e->args[i]);
	struct diag *d = diag(u->c->dx, E0102_UNKNOWN_FUNCTION, e->name_span, e->name);
	const char *near = builtin_nearest(e->name), *ours = habit_of_name(e->name);
	if (ours)
		diag_hint(d, "here this is %s", ours);
	else if (near)
		diag_hint(d, "did you mean %s?", near);
	return &type_error;
}

static const struct type *check_string(struct unit *u, struct expr *e)
{
	uint32_t max = u->c->cfg->max_strlen;

	if (e->str.len >= max) {
		diag(u->c->dx, E0135_STRING_LONG, e->span, max - 1, e->str.s);
		return &type_error;
	}
	return type_string(u->c->tt, (uint32_t)e->str.len + 1);
}

static const struct type *type_as_value(struct unit *u, struct expr *e)
{
	diag(u->c->dx, E0302_ARG_TYPE, e->span, "a type stands where a value is wanted");
	return &type_error;
}

static const struct type *check_name(struct unit *u, struct expr *e)
{
	if (is_args(e))
		return check_all_args(u, e);
	resolve_name(u, e);
	return e->type;
}

static const struct type *check_kind(struct unit *u, struct expr *e);

/* What was a float for one probe may be something else for the next. */
static const struct type *check_widen(struct unit *u, struct expr *e)
{
	const struct type *t = check_kind(u, e->a);

	if (t->kind != T_FLOAT || t->size != type_float.size) {
		*e = *e->a;
		return t;
	}
	e->a->type = t;
	return &type_double;
}

/* A float that is read is a double from there on; other sizes are of no use. */
static const struct type *widen_float(struct unit *u, struct expr *e, const struct type *t)
{
	if (t->size == type_double.size)
		return t;
	if (t->size != type_float.size) {
		not_yet(u, e->span, "a floating-point number of %u bytes", t->size);
		return &type_error;
	}
	struct expr *read = arena_new(u->c->arena, struct expr);
	*read = *e;
	read->type = t;
	*e = (struct expr){ .kind = E_WIDEN,
			    .span = e->span,
			    .height = e->height,
			    .paren = e->paren,
			    .a = read };
	return &type_double;
}

static const struct type *check_kind(struct unit *u, struct expr *e)
{
	switch (e->kind) {
	case E_INT:
		if (e->c && !typeinfo_part(u, e))
			return &type_error;
		set_const(u->c, e, (int64_t)e->num, e->num > INT64_MAX);
		return e->type;
	case E_STRING:
		if (e->c && !typeinfo_part(u, e))
			return &type_error;
		return check_string(u, e);
	case E_BOOL:
		e->is_const = true;
		e->const_value = e->num != 0;
		return &type_bool;
	case E_VAR: return check_var(u, e);
	case E_MAP: return check_map_read(u, e);
	case E_PARAM: return check_param(u, e, false);
	case E_NPARAMS:
		e->kind = E_INT;
		e->num = u->c->opt->nparams;
		set_const(u->c, e, (int64_t)e->num, false);
		return e->type;
	case E_NAME: return check_name(u, e);
	case E_CALL: return check_call(u, e);
	case E_UNARY: return check_unary(u, e);
	case E_BINARY: return check_binary(u, e);
	case E_COND: return check_cond(u, e);
	case E_INCDEC: return check_incdec(u, e);
	case E_CAST: return check_cast(u, e);
	case E_FIELD: return check_field(u, e);
	case E_ELEM: return check_elem(u, e);
	case E_INDEX: return check_index(u, e);
	case E_TUPLE: return check_tuple(u, e);
	case E_SIZEOF: return check_sizeof(u, e);
	case E_OFFSETOF: return check_offsetof(u, e);
	case E_RECORD: return check_record(u, e);
	case E_TYPEINFO: return check_typeinfo(u, e);
	case E_IF: return check_if_value(u, e->stmt);
	case E_BLOCK: return check_block_value(u, e->stmt);
	case E_COMPTIME: return check_comptime(u, e);
	case E_TYPE: return type_as_value(u, e);
	case E_FLOAT: return &type_double;
	case E_WIDEN: return check_widen(u, e);
	}
	return &type_error;
}

const struct type *check_expr(struct unit *u, struct expr *e)
{
	e->is_const = false;
	e->type = &type_error;
	const struct type *t = check_kind(u, e);

	if (t->kind == T_FLOAT && t->size != type_double.size)
		t = widen_float(u, e, t);
	if (type_is_error(t) && u->c->final && !diag_failed(u->c->dx))
		BUG("expression kind %d is wrong and nobody said why", e->kind);
	return e->type = t;
}

bool check_stable(struct compiler *c, enum unstable how, struct span span, const char *what,
		  const char *key)
{
	if (how == UNSTABLE_WARN)
		diag(c->dx, W0120_UNSTABLE, span, what);
	if (how != UNSTABLE_ERROR)
		return true;
	diag_hint(diag(c->dx, E0320_UNSTABLE, span, what),
		  "allow it with config = { %s = enable }", key);
	return false;
}
