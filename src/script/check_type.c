/*
 * How types meet: promotion, unification, names of types (reference sections 2.1 - 2.3).
 */
#include "script/unit.h"

#include "types/kernel_types.h"

#include <string.h>

const char *type_text(struct compiler *c, const struct type *t)
{
	return type_str(c->arena, t);
}

static bool strictly_signed(const struct type *t)
{
	return t->is_signed && !t->flexible && t->kind != T_BOOL;
}

bool signed_pair(const struct type *a, const struct type *b)
{
	if (strictly_signed(a) || strictly_signed(b))
		return true;
	/* Two literals are plain signed numbers; one takes the side of its partner. */
	return a->flexible && b->flexible;
}

static const struct type *unify_ints(struct compiler *c, const struct type *a,
				     const struct type *b)
{
	unsigned size = a->size > b->size ? a->size : b->size;

	if (a->flexible && b->flexible)
		return a->size >= b->size ? a : b;
	if (a->flexible || b->flexible)
		return type_int(c->tt, size, a->flexible ? b->is_signed : a->is_signed);
	if (a->is_signed == b->is_signed)
		return type_int(c->tt, size, a->is_signed);

	const struct type *s = a->is_signed ? a : b, *u = a->is_signed ? b : a;
	if (s->size > u->size)
		return s;
	return type_int(c->tt, size < 8 ? size * 2 : 8, true);
}

const struct field *part_like(const struct field *f, uint32_t n, const struct type *t,
			      uint32_t i)
{
	if (t->kind != T_RECORD)
		return &f[i];
	for (uint32_t k = 0; k < n; k++)
		if (!strcmp(f[k].name, t->fields[i].name))
			return &f[k];
	return NULL;
}

static const struct type *unify_parts(struct compiler *c, const struct type *a,
				      const struct type *b)
{
	uint32_t na, nb;
	const struct field *fa = type_fields(c->tt, a, &na), *fb = type_fields(c->tt, b, &nb);

	if (na != nb)
		return NULL;

	const struct type **parts = arena_array(c->arena, const struct type *, na);
	const char **names = arena_array(c->arena, const char *, na);
	for (uint32_t i = 0; i < na; i++) {
		const struct field *other = part_like(fb, nb, a, i);

		names[i] = fa[i].name;
		parts[i] = other ? unify(c, fa[i].type, other->type) : NULL;
		if (!parts[i])
			return NULL;
	}
	if (a->kind == T_RECORD)
		return type_record(c->tt, names, parts, na);
	return type_tuple(c->tt, parts, na);
}

const struct type *probe_text_type(struct compiler *c)
{
	size_t longest = 0;

	for (size_t i = 0; i < c->plan->probe_names.len; i++) {
		size_t len = strlen(c->plan->probe_names.data[i]);

		longest = len > longest ? len : longest;
	}
	return type_string(c->tt, (uint32_t)(longest + 8) / 8 * 8);
}

const struct type *unify(struct compiler *c, const struct type *a, const struct type *b)
{
	if (type_is_error(a))
		return b;
	if (type_is_error(b))
		return a;
	if (type_is_agg(a) || type_is_agg(b)) {
		bool same_hist = a->hist.bits == b->hist.bits && a->hist.min == b->hist.min &&
				 a->hist.max == b->hist.max && a->hist.step == b->hist.step;

		if (a->kind != b->kind || !same_hist || a->is_float != b->is_float)
			return NULL;
		return strictly_signed(a) ? a : b;
	}
	if (type_same(a, b))
		return a->flexible ? b : a;
	if (type_is_integral(a) && type_is_integral(b)) {
		if (a->kind == T_INT && b->kind == T_INT)
			return unify_ints(c, a, b);
		/* bool or enum with a number: the number wins */
		return a->kind == T_INT ? a : b->kind == T_INT ? b : type_int(c->tt, 8, true);
	}
	if (a->kind == T_PROBE && b->kind == T_STRING)
		return unify(c, probe_text_type(c), b);
	if (a->kind == T_STRING && b->kind == T_PROBE)
		return unify(c, a, probe_text_type(c));
	if (a->kind != b->kind)
		return NULL;
	switch (a->kind) {
	case T_STRING:
	case T_BUFFER: return a->size >= b->size ? a : b;
	case T_TUPLE:
	case T_RECORD: return unify_parts(c, a, b);
	case T_PTR: return a->elem->kind == T_NONE ? b : b->elem->kind == T_NONE ? a : NULL;
	default: return NULL;
	}
}

const struct type *widened(struct compiler *c, const struct type *t)
{
	uint32_t n;

	if (t->kind == T_INT && t->flexible) /* may still turn out unsigned */
		return type_literal(c->tt, INT64_MAX, false);
	if (t->kind == T_INT)
		return type_int(c->tt, 8, t->is_signed);
	if (t->kind != T_TUPLE && t->kind != T_RECORD)
		return t;

	const struct field *f = type_fields(c->tt, t, &n);
	const struct type **parts = arena_array(c->arena, const struct type *, n);
	const char **names = arena_array(c->arena, const char *, n);
	for (uint32_t i = 0; i < n; i++) {
		parts[i] = widened(c, f[i].type);
		names[i] = f[i].name;
	}
	return t->kind == T_RECORD ? type_record(c->tt, names, parts, n)
				   : type_tuple(c->tt, parts, n);
}

const struct type *read_type(struct compiler *c, const struct type *t, enum addr_space as)
{
	if (t->kind == T_ARRAY && t->elem->is_char && t->nelems)
		return type_string(c->tt, t->nelems);
	if (t->kind == T_PTR && t->as == AS_NONE)
		return type_in_space(c->tt, t, as);
	if (t->kind == T_STRUCT || t->kind == T_ARRAY)
		return type_in_space(c->tt, t, as);
	return t;
}

/* Names that the language knows without any C. */
static const struct type *language_type(struct compiler *c, const char *name)
{
	static const struct {
		const char *name;
		uint8_t size;
		bool is_signed;
	} ints[] = {
		{ "int8", 1, true },
		{ "int16", 2, true },
		{ "int32", 4, true },
		{ "int64", 8, true },
		{ "uint8", 1, false },
		{ "uint16", 2, false },
		{ "uint32", 4, false },
		{ "uint64", 8, false },
		/* C's own, so that a cast to them needs no BTF */
		{ "char", 1, true },
		{ "short", 2, true },
		{ "int", 4, true },
		{ "long", 8, true },
		{ "signed", 4, true },
		{ "unsigned", 4, false },
		{ "int8_t", 1, true },
		{ "int16_t", 2, true },
		{ "int32_t", 4, true },
		{ "int64_t", 8, true },
		{ "uint8_t", 1, false },
		{ "uint16_t", 2, false },
		{ "uint32_t", 4, false },
		{ "uint64_t", 8, false },
		{ "size_t", 8, false },
		{ "ssize_t", 8, true },
		{ "pid_t", 4, true },
		{ "uid_t", 4, false },
		{ "u8", 1, false },
		{ "u16", 2, false },
		{ "u32", 4, false },
		{ "u64", 8, false },
		{ "s8", 1, true },
		{ "s16", 2, true },
		{ "s32", 4, true },
		{ "s64", 8, true },
	};

	if (!strcmp(name, "bool"))
		return &type_bool;
	if (!strcmp(name, "float"))
		return &type_float;
	if (!strcmp(name, "double"))
		return &type_double;
	if (!strcmp(name, "void"))
		return &type_void;
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++)
		if (!strcmp(ints[i].name, name))
			return type_int(c->tt, ints[i].size, ints[i].is_signed);
	return NULL;
}

/* Values that user space turns into text, by the names that messages call them. */
static const struct type *named_type(const char *name)
{
	static const struct type *const list[] = { &type_username,   &type_ksym,
						   &type_usym,	     &type_inet,
						   &type_mac,	     &type_timestamp,
						   &type_cgroup_path };

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		if (!strcmp(type_plain_name(list[i]), name))
			return list[i];
	return NULL;
}

static uint32_t find_struct(const struct btf *b, const char *name)
{
	return btf_find(b, BTF_STRUCTS, name);
}

static uint32_t find_enum(const struct btf *b, const char *name)
{
	return btf_find(b, BTF_ENUMS, name);
}

const struct type *kernel_type(struct compiler *c, enum c_tag tag, const char *name)
{
	uint32_t (*find)(const struct btf *b, const char *name) = find_struct;
	const struct btf *btf = kernel_btf(c->tt, NULL);
	uint32_t id;

	if (tag == C_PLAIN)
		find = btf_find_type;
	else if (tag == C_ENUM)
		find = find_enum;
	id = btf ? find(btf, name) : 0;
	if (btf && !id)
		btf = probe_module_type(c->opt->env, find, name, &id);
	return id ? btf_type(c->tt, btf, id) : NULL;
}

/* string[N] and buffer[N]: the brackets give a size, not an array. */
static const struct type *sized_type(struct unit *u, const struct type_name *tn)
{
	uint32_t n = u->c->cfg->max_strlen;

	if (tn->nsuffixes == 1 && !tn->suffixes[0].pointer && tn->suffixes[0].sized)
		n = (uint32_t)tn->suffixes[0].n;
	if (n == 0 || n > 1 << 20)
		n = u->c->cfg->max_strlen;
	return tn->name[0] == 's' ? type_string(u->c->tt, n) : type_buffer(u->c->tt, n);
}

struct nearest {
	const char *word, *best;
	unsigned dist;
};

static bool consider(void *arg, const struct btf *b, uint32_t id, const char *name)
{
	struct nearest *n = arg;

	(void)b, (void)id;
	diag_nearer(n->word, name, &n->best, &n->dist);
	return true;
}

static void unknown_type(struct unit *u, const struct type_name *tn)
{
	static const char *const keywords[] = { "", "struct ", "union ", "enum ", "" };
	struct compiler *c = u->c;
	struct nearest near = { .word = tn->name };

	if (c->tt->btf_failed || unit_program_unknown(u))
		return; /* said already */
	struct diag *d = diag(c->dx, E0105_UNKNOWN_TYPE, tn->span,
			      arena_printf(c->arena, "%s%s", keywords[tn->keyword], tn->name));
	if (c->tt->btf && c->final)
		btf_each(c->tt->btf, tn->keyword == TN_ENUM ? BTF_ENUMS : BTF_STRUCTS, consider,
			 &near);
	if (near.best)
		diag_hint(d, "did you mean %s?", near.best);
}

/*
 * Types of the traced program. In probes of its own code they come before the kernel's of the
 * same name, elsewhere behind them.
 */
static const struct type *program_type(struct unit *u, const struct type_name *tn, bool is_own)
{
	static const enum type_word words[] = { WORD_PLAIN, WORD_STRUCT, WORD_UNION,
						WORD_ENUM };

	if (!u->target || is_own != (u->target->file != NULL))
		return NULL;
	return probe_user_type(u->c->opt->env, u->target, words[tn->keyword], tn->name);
}

/* A type of the script's C whose keyword is left out, as the kernel's may be: (pair *)arg0. */
static const struct type *bare_tag(struct compiler *c, const char *name)
{
	const struct type *t = cfront_find_type(c->cf, C_STRUCT, name);

	if (!t)
		t = cfront_find_type(c->cf, C_UNION, name);
	return t ? t : cfront_find_type(c->cf, C_ENUM, name);
}

void no_kernel_types(struct unit *u, struct span span, const char *what, const struct err *why)
{
	struct diag *d = diag(u->c->dx, E0132_NO_BTF, span, what, why->msg);

	if (*why->hint)
		diag_hint(d, "%s", why->hint);
}

static const struct type *base_type(struct unit *u, const struct type_name *tn)
{
	if (tn->keyword == TN_TYPEOF)
		return tn->of->kind == E_TYPE ? asked_type(u, tn->of) : check_expr(u, tn->of);

	static const enum c_tag tags[] = { C_PLAIN, C_STRUCT, C_UNION, C_ENUM };
	struct err e = {};
	const struct type *t = tn->keyword == TN_PLAIN ? language_type(u->c, tn->name) : NULL;
	if (!t)
		t = cfront_find_type(u->c->cf, tags[tn->keyword], tn->name);
	if (!t && tn->keyword == TN_PLAIN)
		t = bare_tag(u->c, tn->name);
	if (!t && tn->keyword == TN_PLAIN)
		t = named_type(tn->name);
	if (!t && strchr(tn->name, ' '))
		t = cfront_base_type(u->c->tt, tn->name);
	if (!t)
		t = program_type(u, tn, true);
	if (!t && !kernel_btf(u->c->tt, &e))
		no_kernel_types(u, tn->span, tn->name, &e);
	else if (!t)
		t = kernel_type(u->c, tags[tn->keyword], tn->name);
	if (!t)
		t = program_type(u, tn, false);
	if (!t)
		unknown_type(u, tn);
	return t;
}

const struct type *resolve_type(struct unit *u, const struct type_name *tn)
{
	if (tn->keyword == TN_PLAIN &&
	    (!strcmp(tn->name, "string") || !strcmp(tn->name, "buffer")))
		return sized_type(u, tn);

	const struct type *t = base_type(u, tn);
	for (unsigned i = 0; t && i < tn->nsuffixes; i++)
		t = tn->suffixes[i].pointer
			    ? type_ptr(u->c->tt, t, AS_NONE)
			    : type_array(u->c->tt, t, (uint32_t)tn->suffixes[i].n);
	return t;
}
