#include "types/dwarf.h"

#include <string.h>

enum {
	DEPTH_MAX = 32,		  /* pointers to pointers, arrays of arrays */
	SIZE_MAX_BYTES = 1 << 28, /* so that sizes in bits fit 32 bits */
	FIELDS_MAX = 1 << 16,
};

/* Where a struct or enum comes from. */
struct dwarf_origin {
	struct dwarf_types *types;
	Dwarf_Die die;
};

static const struct type *make(struct typetab *tt, struct dwarf_types *d, Dwarf_Die *die,
			       int depth);

static const struct type *make_target(struct typetab *tt, struct dwarf_types *d, Dwarf_Die *die,
				      int depth)
{
	Dwarf_Die target;

	return die_ref(die, DW_AT_type, &target) ? make(tt, d, &target, depth + 1) : &type_void;
}

static uint32_t size_of(Dwarf_Die *die, uint32_t fallback)
{
	uint64_t size = die_number(die, DW_AT_byte_size, fallback);

	return size <= SIZE_MAX_BYTES ? (uint32_t)size : 0;
}

/* DWARF seldom tells alignment: the largest that the size allows is at least the true one. */
static uint32_t guess_align(uint32_t size)
{
	return size % 8 == 0 ? 8 : size & -size;
}

static struct type *new_type(struct typetab *tt, enum type_kind kind, uint32_t size)
{
	struct type *t = arena_new(tt->arena, struct type);

	t->kind = kind;
	t->size = size;
	t->align = guess_align(size);
	return t;
}

/* The element's size is known, and members are not read before somebody asks for them. */
static const struct type *new_array(struct typetab *tt, const struct type *elem, uint64_t n)
{
	bool fits = n <= SIZE_MAX_BYTES && n * elem->size <= SIZE_MAX_BYTES;
	struct type *t = new_type(tt, T_ARRAY, fits ? (uint32_t)n * elem->size : 0);

	t->align = elem->align;
	t->elem = elem;
	t->nelems = fits ? (uint32_t)n : 0;
	return t;
}

static const struct type *make_base(struct typetab *tt, Dwarf_Die *die)
{
	uint64_t encoding = die_number(die, DW_AT_encoding, DW_ATE_unsigned);
	const char *name = die_name(die);
	uint32_t size = size_of(die, 0);
	bool is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;

	if (encoding == DW_ATE_float && size <= 16)
		return new_type(tt, T_FLOAT, size);
	if (encoding == DW_ATE_boolean && size == 1)
		return &type_bool;
	if (size == 1 && (encoding == DW_ATE_UTF || (name && !strcmp(name, "char"))))
		return type_char(tt, is_signed);
	if (type_is_int_size(size))
		return type_int(tt, size, is_signed);
	/* __int128, complex numbers, or nothing that C knows: words or bytes. */
	uint32_t word = size % 8 ? 1 : 8;
	return new_array(tt, type_int(tt, word, false), size / word);
}

/* How many elements a dimension has; 0: not told. */
static uint64_t count_of(Dwarf_Die *range)
{
	uint64_t lower = die_number(range, DW_AT_lower_bound, 0);
	uint64_t upper = die_number(range, DW_AT_upper_bound, UINT64_MAX);
	uint64_t count = die_number(range, DW_AT_count, UINT64_MAX);

	if (count != UINT64_MAX)
		return count;
	return upper == UINT64_MAX || upper == UINT32_MAX || upper < lower ? 0
									   : upper - lower + 1;
}

static const struct type *make_array(struct typetab *tt, struct dwarf_types *d, Dwarf_Die *die,
				     int depth)
{
	const struct type *t = make_target(tt, d, die, depth);
	uint64_t counts[DEPTH_MAX];
	unsigned n = 0;
	Dwarf_Die range;

	if (die_first(die, &range)) {
		do {
			if (dwarf_tag(&range) == DW_TAG_subrange_type && n < DEPTH_MAX)
				counts[n++] = count_of(&range);
		} while (die_next(&range));
	}
	if (!n)
		return new_array(tt, t, 0);
	while (n)
		t = new_array(tt, t, counts[--n]);
	return t;
}

/* A struct, union, class, enum or function: what it consists of is left out. */
static struct type *new_tagged(struct typetab *tt, struct dwarf_types *d, enum type_kind kind,
			       uint32_t size, Dwarf_Die *die)
{
	struct dwarf_origin *origin = arena_new(tt->arena, struct dwarf_origin);
	const char *name = die_name(die);
	struct type *t = new_type(tt, kind, size);

	*origin = (struct dwarf_origin){ d, *die };
	t->name = name ? arena_strdup(tt->arena, name) : "";
	t->dwarf = origin;
	return t;
}

static const struct type *make_struct(struct typetab *tt, struct dwarf_types *d, Dwarf_Die *die,
				      int depth)
{
	const char *name = die_name(die);
	struct type *t;
	Dwarf_Die whole;

	/* In a unit of its own (-fdebug-types-section). */
	if (dwarf_hasattr(die, DW_AT_signature) && die_ref(die, DW_AT_signature, &whole))
		return make(tt, d, &whole, depth + 1);
	if (die_flag(die, DW_AT_declaration)) {
		if (name && dwarf_find(d, NULL, DWARF_STRUCTS, name, &whole))
			return make(tt, d, &whole, depth + 1);
		t = new_tagged(tt, d, T_STRUCT, 0, die);
		t->align = 1;
		t->fields = arena_array(tt->arena, struct field, 0);
	} else {
		t = new_tagged(tt, d, T_STRUCT, size_of(die, 0), die);
	}
	t->is_union = dwarf_tag(die) == DW_TAG_union_type;
	if (!t->size)
		t->align = 1;
	return t;
}

static const struct type *make_enum(struct typetab *tt, struct dwarf_types *d, Dwarf_Die *die,
				    int depth)
{
	const struct type *base = make_target(tt, d, die, depth);
	uint32_t size = size_of(die, 4);
	struct type *t;
	Dwarf_Die constant;

	if (dwarf_hasattr(die, DW_AT_signature) && die_ref(die, DW_AT_signature, &constant))
		return make(tt, d, &constant, depth + 1);
	t = new_tagged(tt, d, T_ENUM, type_is_int_size(size) ? size : 4, die);

	t->is_signed = base->is_signed;
	if (base->kind != T_NONE || !die_first(die, &constant))
		return t;
	do { /* DWARF 2 and 3 do not tell the base: signed if any constant is below 0 */
		Dwarf_Attribute a;
		Dwarf_Sword v;

		if (dwarf_attr(&constant, DW_AT_const_value, &a) && !dwarf_formsdata(&a, &v))
			t->is_signed |= v < 0;
	} while (die_next(&constant));
	return t;
}

static const struct type *make_new(struct typetab *tt, struct dwarf_types *d, Dwarf_Die *die,
				   int depth)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_base_type: return make_base(tt, die);
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		return type_ptr(tt, make_target(tt, d, die, depth), AS_NONE);
	case DW_TAG_unspecified_type: return type_ptr(tt, &type_void, AS_NONE); /* nullptr_t */
	case DW_TAG_ptr_to_member_type: {
		Dwarf_Die target;
		bool is_func = die_ref(die, DW_AT_type, &target) &&
			       dwarf_tag(&target) == DW_TAG_subroutine_type;

		return is_func ? new_array(tt, type_int(tt, 8, false), 2)
			       : type_int(tt, 8, true);
	}
	case DW_TAG_array_type: return make_array(tt, d, die, depth);
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type: return make_struct(tt, d, die, depth);
	case DW_TAG_enumeration_type: return make_enum(tt, d, die, depth);
	case DW_TAG_subroutine_type: return new_tagged(tt, d, T_FUNC, 0, die);
	default: return &type_void;
	}
}

/* What is only another way of saying another type. */
static bool is_transparent(int tag)
{
	switch (tag) {
	case DW_TAG_typedef:
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
	case DW_TAG_immutable_type:
	case DW_TAG_packed_type:
	case DW_TAG_subrange_type:
	case DW_TAG_template_alias:
	case DW_TAG_shared_type: return true;
	default: return false;
	}
}

static const struct type *make(struct typetab *tt, struct dwarf_types *d, Dwarf_Die *die,
			       int depth)
{
	Dwarf_Die at = *die;

	for (int i = 0; is_transparent(dwarf_tag(&at)); i++) {
		Dwarf_Die target;

		if (i > DEPTH_MAX || !die_ref(&at, DW_AT_type, &target))
			return &type_void;
		at = target;
	}
	if (depth > DEPTH_MAX)
		return &type_void;

	const struct type *t = typetab_known(tt, at.cu, dwarf_dieoffset(&at));
	if (t)
		return t;
	t = make_new(tt, d, &at, depth);
	typetab_remember(tt, at.cu, dwarf_dieoffset(&at), t);
	return t;
}

const struct type *dwarf_type(struct typetab *tt, struct dwarf_types *d, Dwarf_Die *die)
{
	return make(tt, d, die, 0);
}

const struct type *dwarf_type_of(struct typetab *tt, struct dwarf_types *d, Dwarf_Die *die)
{
	return make_target(tt, d, die, 0);
}

/* Where a member or base begins, in bytes; false: that is only known while the program runs. */
static bool member_offset(Dwarf_Die *die, uint64_t *out)
{
	Dwarf_Attribute a;
	Dwarf_Op *ops;
	size_t n;

	*out = 0;
	if (!dwarf_attr_integrate(die, DW_AT_data_member_location, &a))
		return true;
	if (!dwarf_formudata(&a, out))
		return true;
	if (dwarf_getlocation(&a, &ops, &n) || n != 1 || ops[0].atom != DW_OP_plus_uconst)
		return false;
	*out = ops[0].number;
	return true;
}

/* Sets bit_off, counted from the lowest bit of the struct's first byte. */
static bool place_member(Dwarf_Die *die, struct field *f, const struct type *type)
{
	uint64_t bytes, bits = die_number(die, DW_AT_data_bit_offset, UINT64_MAX);
	uint64_t size = die_number(die, DW_AT_bit_size, 0);

	if (!member_offset(die, &bytes) || bytes > SIZE_MAX_BYTES || size > 64)
		return false;
	f->bit_size = (uint8_t)size;
	if (bits != UINT64_MAX) {
		f->bit_off = bits <= UINT32_MAX ? (uint32_t)bits : UINT32_MAX;
		return true;
	}
	f->bit_off = (uint32_t)bytes * 8;
	/* Up to DWARF 3: counted from the highest bit of the word that holds it. */
	bits = die_number(die, DW_AT_bit_offset, UINT64_MAX);
	if (size && bits != UINT64_MAX) {
		uint64_t word = 8 * (uint64_t)size_of(die, type->size);

		if (bits + size > word)
			return false;
		f->bit_off += (uint32_t)(word - bits - size);
	}
	return true;
}

/* Members end inside their struct; what a damaged file puts elsewhere does not exist. */
static bool is_inside(const struct type *t, const struct field *f)
{
	uint64_t bits = f->bit_size ? f->bit_size : (uint64_t)f->type->size * 8;

	if (f->bit_size && (!type_is_integral(f->type) || f->bit_size > f->type->size * 8))
		return false;
	if (!f->bit_size && f->bit_off % 8)
		return false;
	return f->bit_off + bits <= (uint64_t)t->size * 8;
}

static bool take_member(struct typetab *tt, const struct dwarf_origin *o, const struct type *t,
			Dwarf_Die *die, struct field *out)
{
	int tag = dwarf_tag(die);
	const char *name = tag == DW_TAG_member ? die_name(die) : NULL;

	/* Static members lie elsewhere. */
	if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) ||
	    die_flag(die, DW_AT_external) || die_flag(die, DW_AT_declaration))
		return false;
	*out = (struct field){ .name = name ? arena_strdup(tt->arena, name) : "",
			       .type = make_target(tt, o->types, die, 0) };
	return place_member(die, out, out->type) && is_inside(t, out);
}

static uint32_t count_children(Dwarf_Die *die)
{
	Dwarf_Die child;
	uint32_t n = 0;

	if (!die_first(die, &child))
		return 0;
	do {
		n++;
	} while (n < FIELDS_MAX && die_next(&child));
	return n;
}

/*
 * DW_OP_dup, deref, N, minus, deref, plus: the base lies as far behind the object's first word
 * as is told N bytes before the table that this word points to.
 */
static bool take_virtual_base(struct typetab *tt, const struct dwarf_origin *o, Dwarf_Die *die,
			      struct field *out)
{
	static const uint8_t shape[] = { DW_OP_dup,   DW_OP_deref, 0,
					 DW_OP_minus, DW_OP_deref, DW_OP_plus };
	enum { LENGTH = sizeof(shape), SLOT_MAX = 1 << 20 };
	Dwarf_Attribute a;
	Dwarf_Op *ops;
	uint64_t slot;
	size_t n;

	if (!dwarf_attr(die, DW_AT_data_member_location, &a) ||
	    dwarf_getlocation(&a, &ops, &n) || n != LENGTH)
		return false;
	for (size_t i = 0; i < n; i++)
		if (shape[i] && ops[i].atom != shape[i])
			return false;
	if (ops[2].atom >= DW_OP_lit0 && ops[2].atom <= DW_OP_lit31)
		slot = ops[2].atom - DW_OP_lit0;
	else if (ops[2].atom >= DW_OP_const1u && ops[2].atom <= DW_OP_consts)
		slot = ops[2].number;
	else
		return false;
	if (!slot || slot >= SLOT_MAX)
		return false;
	*out = (struct field){ .name = "", .type = make_target(tt, o->types, die, 0) };
	out->vtable_slot = -(int32_t)slot;
	return out->type->kind == T_STRUCT;
}

/* The members of a struct under construction. */
struct members {
	struct typetab *tt;
	const struct dwarf_origin *origin;
	struct type *of;
	VEC(struct field) list, virtual_bases;
};

/*
 * An enum of Rust has members below variants, each named like its variant, and a number
 * without a name that tells them apart.
 */
static void take_members(struct members *m, Dwarf_Die *parent, int depth)
{
	enum { VARIANTS_DEPTH = 4 };
	bool is_part = dwarf_tag(parent) == DW_TAG_variant_part;
	Dwarf_Die die;
	struct field f;

	if (depth > VARIANTS_DEPTH || !die_first(parent, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_variant_part || tag == DW_TAG_variant)
			take_members(m, &die, depth + 1);
		if (tag == DW_TAG_inheritance && die_number(&die, DW_AT_virtuality, 0)) {
			if (take_virtual_base(m->tt, m->origin, &die, &f))
				vec_push(m->tt->arena, &m->virtual_bases, f);
			continue;
		}
		if (!take_member(m->tt, m->origin, m->of, &die, &f))
			continue;
		if (is_part && !*f.name)
			f.name = "__discr";
		vec_push(m->tt->arena, &m->list, f);
	} while (m->list.len < FIELDS_MAX && die_next(&die));
}

static void complete_struct(struct typetab *tt, const struct dwarf_origin *o, struct type *t)
{
	struct members m = { tt, o, t, {} };
	Dwarf_Die die = o->die;

	t->fields = arena_array(tt->arena, struct field, 0);
	take_members(&m, &die, 0);
	t->virtual_bases = m.virtual_bases.data;
	t->nvirtual_bases = (uint32_t)m.virtual_bases.len;
	if (!m.list.len)
		return;
	t->fields = m.list.data;
	t->nfields = (uint32_t)m.list.len;
}

static void complete_enum(struct typetab *tt, const struct dwarf_origin *o, struct type *t)
{
	Dwarf_Die die = o->die, child;
	uint32_t n = count_children(&die);

	t->consts = arena_array(tt->arena, struct enum_const, n);
	if (!n || !die_first(&die, &child))
		return;
	do {
		const char *name = die_name(&child);
		Dwarf_Attribute a;
		Dwarf_Sword v;

		if (name && dwarf_tag(&child) == DW_TAG_enumerator &&
		    dwarf_attr(&child, DW_AT_const_value, &a) && !dwarf_formsdata(&a, &v))
			t->consts[t->nconsts++] =
				(struct enum_const){ arena_strdup(tt->arena, name), v };
	} while (--n && die_next(&child));
}

void dwarf_complete(struct typetab *tt, struct type *t)
{
	if (t->kind == T_STRUCT)
		complete_struct(tt, t->dwarf, t);
	else if (t->kind == T_ENUM)
		complete_enum(tt, t->dwarf, t);
}
