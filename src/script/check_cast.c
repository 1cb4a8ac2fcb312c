/*
 * Casts, addresses and questions about types (reference sections 1.4 and 2.3).
 */
#include "builtin/builtin.h"
#include "script/unit.h"

#include <string.h>

static bool is_word(const struct type *t)
{
	return type_is_integral(t) || t->kind == T_PTR || t->kind == T_KSYM ||
	       t->kind == T_USERNAME;
}

static bool is_int_array(const struct type *t)
{
	return t->kind == T_ARRAY && t->elem->kind == T_INT;
}

/*
 * A number as an array of its bytes, words ...; text as an array of its bytes.  [] takes the
 * size of what is cast; a literal fits what it fits.  NULL: no.
 */
static const struct type *cast_to_array(struct compiler *c, struct expr *e,
					const struct type *to)
{
	const struct type *from = e->type;
	uint32_t size = from->size;

	if (!is_int_array(to))
		return NULL;
	if (is_int_array(from))
		return type_same(from, to) ? to : NULL;
	if (from->kind == T_STRING && to->elem->size == 1) {
		e->is_bytes = true;
		if (!to->nelems)
			return type_array(c->tt, to->elem, size);
		return to->nelems >= size ? to : NULL;
	}
	if (from->kind != T_INT && from->kind != T_PTR)
		return NULL;
	if (!to->nelems)
		return size % to->elem->size
			       ? NULL
			       : type_array(c->tt, to->elem, size / to->elem->size);
	if (e->is_const && from->flexible)
		return to->size >= size && to->size <= 8 ? to : NULL;
	return to->size == size ? to : NULL;
}

/*
 * As in C an array that lies in the kernel's or a process's memory is its own address when a
 * pointer is asked for: (struct tcp_skb_cb *)$skb->cb.  Text of a tracepoint may lie elsewhere
 * than its field.
 */
static bool has_address(const struct expr *e)
{
	const struct type *t = e->type;

	if (t->kind != T_ARRAY && (t->kind != T_STRING || e->arg_index >= 0))
		return false;
	if (e->kind == E_FIELD)
		return e->arg_index >= 0 || e->a->type->kind != T_RECORD;
	return e->kind == E_INDEX || (e->kind == E_UNARY && e->op == UN_DEREF);
}

/* The memory that a part lies in: that of the last pointer followed on the way to it. */
static enum addr_space space_of(const struct expr *e)
{
	for (; e->kind == E_FIELD || e->kind == E_INDEX || e->kind == E_UNARY; e = e->a)
		if (e->a && e->a->type->kind == T_PTR)
			return e->a->type->as;
	return AS_KERNEL;
}

static const struct type *cast_type(struct compiler *c, struct expr *e, const struct type *to)
{
	const struct type *from = e->type;

	if (to->kind == T_PTR && has_address(e))
		return to;
	if (to->kind == T_ARRAY)
		return cast_to_array(c, e, to);
	if (is_int_array(from) && to->kind == T_INT)
		return from->size == to->size ? to : NULL;
	if (is_word(from) && is_word(to))
		return to;
	if ((from->kind == T_FLOAT && (to->kind == T_INT || type_same(from, to))) ||
	    (type_is_integral(from) && type_same(to, &type_double)))
		return to;
	return from->kind == T_STRING && to->kind == T_STRING && to->size >= from->size ? to
											: NULL;
}

/* What a cast of a constant gives is one, too. */
static void fold_cast(struct expr *e, const struct type *to)
{
	unsigned shift = 64 - to->size * 8;
	uint64_t bits = (uint64_t)e->a->const_value << shift;

	e->is_const = true;
	e->const_value = to->is_signed ? (int64_t)bits >> shift : (int64_t)(bits >> shift);
	e->num_unsigned = !to->is_signed && e->const_value < 0;
}

/* Variables and maps keep numbers wider than the script says: a cast there may be needed. */
static bool is_idle(const struct expr *e, const struct type *to)
{
	return e->kind != E_VAR && e->kind != E_MAP && e->kind != E_ELEM && !e->is_const &&
	       e->type->kind != T_PTR && type_same(e->type, to);
}

const struct type *check_cast(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const struct type *from = check_value(u, e->a);
	const struct type *wanted = resolve_type(u, e->tname);

	if (!wanted || type_is_error(from) || type_is_error(wanted))
		return wanted ? wanted : &type_error;

	const struct type *to = cast_type(c, e->a, wanted);
	if (!to) {
		struct diag *d = diag(c->dx, E0116_CAST, e->span, type_text(c, from),
				      type_text(c, wanted));

		if (wanted->kind == T_FLOAT && type_is_integral(from))
			diag_hint(d, "cast to double: all values are doubles");
		return &type_error;
	}
	if (c->final && !e->of_macro && is_idle(e->a, to))
		diag(c->dx, W0112_IDLE_CAST, e->span, type_text(c, to));
	if (to->kind == T_PTR && to->as == AS_NONE)
		to = type_in_space(c->tt, to,
				   from->kind == T_PTR ? from->as
				   : has_address(e->a) ? space_of(e->a)
						       : u->shape.arg_space);
	if (e->a->is_const && to->kind == T_INT)
		fold_cast(e, to);
	return to;
}

const struct type *check_address(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const struct type *t;

	if (e->a->kind != E_VAR && e->a->kind != E_MAP) {
		diag(c->dx, E0148_ADDRESS, e->span);
		return &type_error;
	}
	t = check_place_of(u, e->a);
	if (type_is_error(t))
		return t;
	if (type_is_agg(t)) {
		diag(c->dx, E0118_VALUE_TYPE, e->a->span, type_text(c, t),
		     "used by its address");
		return &type_error;
	}
	if (t->kind == T_INT && t->flexible)
		t = type_int(c->tt, 8, true);
	return type_ptr(c->tt, t, AS_KERNEL);
}

/* The type of an expression as it is, not as it is read. */
static const struct type *type_of(struct unit *u, struct expr *e)
{
	const struct type *t = check_value(u, e);

	return e->kind == E_WIDEN ? e->a->type : t;
}

const struct type *asked_type(struct unit *u, struct expr *e)
{
	struct diags *dx = u->c->dx;
	unsigned errors = dx->errors;
	bool muted = dx->muted;
	const struct type *t;

	if (!e->tname)
		return type_of(u, e->a);
	if (!e->a)
		return resolve_type(u, e->tname);
	dx->muted = true;
	t = resolve_type(u, e->tname);
	if (!t || type_is_error(t))
		t = type_of(u, e->a);
	dx->muted = muted;
	dx->errors = errors;
	return type_is_error(t) ? resolve_type(u, e->tname) : t;
}

const struct type *check_sizeof(struct unit *u, struct expr *e)
{
	const struct type *t = asked_type(u, e);
	uint32_t n;

	if (!t || type_is_error(t))
		return &type_error;
	type_fields(u->c->tt, t, &n); /* completes it */
	e->is_const = true;
	e->const_value = t->size;
	return type_int(u->c->tt, 8, false);
}

const struct type *check_offsetof(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const struct type *t = asked_type(u, e);
	uint32_t bits = 0;

	for (unsigned i = 0; t && !type_is_error(t) && i < e->nnames; i++) {
		struct field f;

		if (t->kind != T_STRUCT || !type_member(c->tt, t, e->names[i], &f) ||
		    f.vtable_slot) {
			diag(c->dx, E0106_NO_FIELD, e->span, type_text(c, t), e->names[i]);
			return &type_error;
		}
		bits += f.bit_off;
		t = f.type;
	}
	if (!t || type_is_error(t))
		return &type_error;
	e->is_const = true;
	e->const_value = bits / 8;
	return type_int(c->tt, 8, false);
}

/* The kind of a type in one word. */
static const char *base_name(struct compiler *c, const struct type *t)
{
	static const char *const names[T_KINDS] = {
		[T_NONE] = "void",     [T_BOOL] = "bool",     [T_INT] = "int",
		[T_ENUM] = "enum",     [T_STRING] = "string", [T_BUFFER] = "buffer",
		[T_PTR] = "pointer",   [T_ARRAY] = "array",   [T_STRUCT] = "struct",
		[T_TUPLE] = "tuple",   [T_RECORD] = "record", [T_KSTACK] = "kstack",
		[T_USTACK] = "ustack",
	};

	if (t->kind == T_STRUCT && t->is_union)
		return "union";
	return names[t->kind] ? names[t->kind] : type_text(c, t);
}

static struct expr *new_text(struct compiler *c, const char *s)
{
	struct expr *e = arena_new(c->arena, struct expr);

	become_string(c, e, s, strlen(s));
	return e;
}

/* (btf_id = N, base_ty = "int", full_ty = "int64"): made anew in each pass, as types grow. */
const struct type *check_typeinfo(struct unit *u, struct expr *e)
{
	static const char *const names[] = { "btf_id", "base_ty", "full_ty" };
	struct compiler *c = u->c;
	const struct type *t = asked_type(u, e);

	if (!t || type_is_error(t) ||
	    !check_stable(c, c->cfg->unstable_typeinfo, e->span, "typeinfo",
			  "unstable_typeinfo"))
		return &type_error;

	struct expr *record = arena_new(c->arena, struct expr),
		    *id = arena_new(c->arena, struct expr);
	*id = (struct expr){ .kind = E_INT, .num = t->btf_id };
	*record = (struct expr){ .kind = E_RECORD, .span = e->span, .nargs = 3, .nnames = 3 };
	record->names = (const char **)names;
	record->args = arena_array(c->arena, struct expr *, 3);
	record->args[0] = id;
	record->args[1] = new_text(c, base_name(c, t));
	record->args[2] = new_text(c, type_text(c, t));
	e->c = record;
	return check_expr(u, record);
}

/* typeinfo(x).base_ty is a literal: text of the type that x has in this pass. */
bool typeinfo_part(struct unit *u, struct expr *e)
{
	struct expr *info = e->kind == E_FIELD ? e->a : e->c;

	if (type_is_error(check_expr(u, info)))
		return false;
	for (unsigned i = 0; i < info->c->nargs; i++) {
		struct expr *part = info->c->args[i];

		if (strcmp(info->c->names[i], e->name) != 0)
			continue;
		e->kind = part->kind;
		e->num = part->num;
		e->str.s = part->str.s;
		e->str.len = part->str.len;
		e->c = info;
		return true;
	}
	diag(u->c->dx, E0106_NO_FIELD, e->name_span, "typeinfo()", e->name);
	return false;
}
