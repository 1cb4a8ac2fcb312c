#include "types/type.h"

#include "types/agg.h"

#include <string.h>

const struct type type_error = { .kind = T_ERROR, .align = 1 };
const struct type type_none = { .kind = T_NONE, .align = 1, .name = "none" };
const struct type type_void = { .kind = T_NONE, .align = 1, .name = "void" };
const struct type type_bool = { .kind = T_BOOL, .size = 1, .align = 1 };
const struct type type_float = { .kind = T_FLOAT, .size = 4, .align = 4 };
const struct type type_double = { .kind = T_FLOAT, .size = 8, .align = 8 };
const struct type type_ksym = { .kind = T_KSYM, .size = 8, .align = 8 };
const struct type type_usym = { .kind = T_USYM, .size = 16, .align = 8 };
const struct type type_probe = { .kind = T_PROBE, .size = 8, .align = 8 };
const struct type type_username = { .kind = T_USERNAME, .size = 8, .align = 8 };
const struct type type_inet = { .kind = T_INET, .size = 24, .align = 4 };
const struct type type_mac = { .kind = T_MAC, .size = 6, .align = 1 };
const struct type type_timestamp = { .kind = T_TIMESTAMP, .size = 16, .align = 8 };
const struct type type_cgroup_path = { .kind = T_CGROUP_PATH, .size = 16, .align = 8 };

void typetab_init(struct typetab *tt, struct arena *a)
{
	*tt = (struct typetab){ .arena = a };
}

static struct type *new_type(struct typetab *tt, enum type_kind kind, uint32_t size,
			     uint32_t align)
{
	struct type *t = arena_new(tt->arena, struct type);

	t->kind = kind;
	t->size = size;
	t->align = align;
	return t;
}

const struct type *type_int(struct typetab *tt, unsigned size, bool is_signed)
{
	const struct type **slot = &tt->ints[is_signed][__builtin_ctz(size) & 3];

	if (!*slot) {
		struct type *t = new_type(tt, T_INT, size, size);

		t->is_signed = is_signed;
		*slot = t;
	}
	return *slot;
}

const struct type *type_char(struct typetab *tt, bool is_signed)
{
	const struct type **slot = &tt->chars[is_signed];

	if (!*slot) {
		struct type *t = new_type(tt, T_INT, 1, 1);

		t->is_signed = is_signed;
		t->is_char = true;
		*slot = t;
	}
	return *slot;
}

const struct type *type_literal(struct typetab *tt, int64_t v, bool beyond_int64)
{
	if (beyond_int64)
		return type_int(tt, 8, false);

	uint32_t size = v == (int8_t)v ? 1 : v == (int16_t)v ? 2 : v == (int32_t)v ? 4 : 8;
	struct type *t = new_type(tt, T_INT, size, size);

	t->is_signed = true;
	t->flexible = v >= 0;
	return t;
}

const struct type *type_string(struct typetab *tt, uint32_t size)
{
	return new_type(tt, T_STRING, size, 1);
}

const struct type *type_buffer(struct typetab *tt, uint32_t size)
{
	return new_type(tt, T_BUFFER, 4 + size, 4);
}

const struct type *type_ptr(struct typetab *tt, const struct type *elem, enum addr_space as)
{
	struct type *t = new_type(tt, T_PTR, 8, 8);

	t->elem = elem;
	t->as = as;
	return t;
}

const struct type *type_array(struct typetab *tt, const struct type *elem, uint32_t n)
{
	uint64_t size = (uint64_t)type_complete(tt, elem)->size * n;

	if (size > UINT32_MAX)
		size = n = 0;

	struct type *t = new_type(tt, T_ARRAY, (uint32_t)size, elem->align);
	t->elem = elem;
	t->nelems = n;
	return t;
}

const struct type *type_struct_named(struct typetab *tt, const char *name, bool is_union)
{
	struct type *t = new_type(tt, T_STRUCT, 0, 1);

	t->name = arena_strdup(tt->arena, name);
	t->is_union = is_union;
	return t;
}

static uint32_t round_up(uint32_t n, uint32_t align)
{
	return (n + align - 1) / align * align;
}

/* Tuples and records: the parts one after the other, as in a C struct. */
static const struct type *new_compound(struct typetab *tt, enum type_kind kind,
				       const char *const *names,
				       const struct type *const *parts, unsigned n)
{
	struct type *t = new_type(tt, kind, 0, 1);

	t->nfields = n;
	t->fields = arena_array(tt->arena, struct field, n);
	for (unsigned i = 0; i < n; i++) {
		const struct type *part = type_complete(tt, parts[i]);
		uint32_t off = round_up(t->size, part->align);

		t->fields[i] = (struct field){
			.name = names ? arena_strdup(tt->arena, names[i]) : "",
			.type = part,
			.bit_off = off * 8,
		};
		t->size = off + part->size;
		if (part->align > t->align)
			t->align = part->align;
	}
	t->size = round_up(t->size, t->align);
	return t;
}

const struct type *type_tuple(struct typetab *tt, const struct type *const *parts, unsigned n)
{
	return new_compound(tt, T_TUPLE, NULL, parts, n);
}

const struct type *type_record(struct typetab *tt, const char *const *names,
			       const struct type *const *parts, unsigned n)
{
	return new_compound(tt, T_RECORD, names, parts, n);
}

const struct type *type_stack(struct typetab *tt, enum type_kind kind, enum stack_mode mode,
			      uint32_t depth)
{
	struct type *t = new_type(tt, kind, 8 + 8 * depth, 8);

	t->stack_mode = mode;
	t->depth = depth;
	return t;
}

static struct type *new_agg(struct typetab *tt, enum type_kind kind, bool is_signed)
{
	struct type *t = new_type(tt, kind, 0, 8);

	t->is_signed = is_signed;
	return t;
}

const struct type *type_agg(struct typetab *tt, enum type_kind kind, bool is_signed)
{
	struct type *t = new_agg(tt, kind, is_signed);

	t->size = 8 * agg_words(t);
	return t;
}

const struct type *type_agg_float(struct typetab *tt, enum type_kind kind)
{
	struct type *t = new_agg(tt, kind, true);

	t->is_float = true;
	t->size = 8 * agg_words(t);
	return t;
}

const struct type *type_hist(struct typetab *tt, bool is_signed, int64_t bits)
{
	struct type *t = new_agg(tt, T_HIST, is_signed);

	t->hist.bits = bits;
	t->size = 8 * agg_words(t);
	return t;
}

const struct type *type_lhist(struct typetab *tt, bool is_signed, int64_t min, int64_t max,
			      int64_t step)
{
	struct type *t = new_agg(tt, T_LHIST, is_signed);

	t->hist.min = min;
	t->hist.max = max;
	t->hist.step = step;
	t->size = 8 * agg_words(t);
	return t;
}

const struct type *type_llhist(struct typetab *tt, bool is_signed, int64_t base, int64_t low,
			       int64_t high, int64_t steps)
{
	struct type *t = new_agg(tt, T_LLHIST, is_signed);

	t->hist.bits = base;
	t->hist.min = low;
	t->hist.max = high;
	t->hist.step = steps;
	t->size = 8 * agg_words(t);
	return t;
}

const struct type *type_tseries(struct typetab *tt, bool is_signed, int64_t interval_ns,
				int64_t n, enum tseries_fn fn)
{
	struct type *t = new_agg(tt, T_TSERIES, is_signed);

	t->hist.bits = fn;
	t->hist.max = n;
	t->hist.step = interval_ns;
	t->size = 8 * agg_words(t);
	return t;
}

const struct type *type_in_space(struct typetab *tt, const struct type *t, enum addr_space as)
{
	if ((t->kind != T_PTR && t->kind != T_STRUCT) || t->as == as)
		return t;

	/* Completed first, so that both views share one list of fields. */
	struct type *copy = arena_new(tt->arena, struct type);
	*copy = *type_complete(tt, t);
	copy->as = as;
	return copy;
}

bool type_is_scalar(const struct type *t)
{
	switch (t->kind) {
	case T_BOOL:
	case T_INT:
	case T_ENUM:
	case T_PTR:
	case T_KSYM:
	case T_PROBE:
	case T_USERNAME: return true;
	case T_FLOAT: return t->size == 4 || t->size == 8;
	default: return false;
	}
}

bool type_is_integral(const struct type *t)
{
	return t->kind == T_BOOL || t->kind == T_INT || t->kind == T_ENUM;
}

bool type_is_agg(const struct type *t)
{
	return t->kind >= T_COUNT && t->kind <= T_TSERIES;
}

bool type_is_castable_agg(const struct type *t)
{
	return t->kind >= T_COUNT && t->kind <= T_AVG;
}

static bool same_parts(const struct type *a, const struct type *b)
{
	if (a->nfields != b->nfields)
		return false;
	for (uint32_t i = 0; i < a->nfields; i++) {
		if (strcmp(a->fields[i].name, b->fields[i].name) != 0 ||
		    !type_same(a->fields[i].type, b->fields[i].type))
			return false;
	}
	return true;
}

/* By name, not by members: types of the kernel refer to themselves. */
static bool same_tag(const struct type *a, const struct type *b)
{
	if (a->name[0] || b->name[0])
		return !strcmp(a->name, b->name) && a->is_union == b->is_union;
	if (a->btf)
		return a->btf == b->btf && a->btf_id == b->btf_id;
	if (a->dwarf || b->dwarf)
		return a->dwarf == b->dwarf;
	return a->fields == b->fields && a->consts == b->consts && !b->btf;
}

bool type_same(const struct type *a, const struct type *b)
{
	if (a == b || a->kind == T_ERROR || b->kind == T_ERROR)
		return true;
	if (a->kind != b->kind)
		return false;

	switch (a->kind) {
	case T_INT: return a->size == b->size && a->is_signed == b->is_signed;
	case T_FLOAT:
	case T_STRING:
	case T_BUFFER: return a->size == b->size;
	case T_PTR: return type_same(a->elem, b->elem);
	case T_ARRAY: return a->nelems == b->nelems && type_same(a->elem, b->elem);
	case T_ENUM:
	case T_STRUCT:
	case T_FUNC: return same_tag(a, b);
	case T_TUPLE:
	case T_RECORD: return same_parts(a, b);
	case T_KSTACK:
	case T_USTACK: return a->stack_mode == b->stack_mode && a->depth == b->depth;
	case T_SUM:
	case T_MIN:
	case T_MAX:
	case T_AVG:
	case T_STATS:
	case T_STDDEV: return a->is_signed == b->is_signed && a->is_float == b->is_float;
	case T_HIST: return a->hist.bits == b->hist.bits;
	case T_TSERIES:
	case T_LLHIST:
		if (a->hist.bits != b->hist.bits)
			return false;
		/* fallthrough */
	case T_LHIST:
		return a->hist.min == b->hist.min && a->hist.max == b->hist.max &&
		       a->hist.step == b->hist.step;
	default: return true;
	}
}
